"""Read law files, ours and those of other packages, and find the rules that bind a request.

A law is one TOML file with dated versions of its rules and the places where it applies. Another
package adds laws by putting such files beside its code and naming itself in its metadata:

    [project.entry-points."dsar.regimes"]
    acme = "acme_regimes"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType, ModuleType
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from cases.deadlines.calendars import Calendar, CalendarSpec, Override, UnknownCalendarError
from cases.deadlines.errors import DataFileError, places
from cases.deadlines.rules import Cited, Law, Place, SideClock, Version, rules_of

ENTRY_POINT_GROUP = "dsar.regimes"

_LAW = TypeAdapter(Law)


class UnknownRegimeError(LookupError):
    """No law file knows this code."""


class NotInForceError(UnknownRegimeError):
    """The law is known, and none of its versions held on the day."""


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules that bind one request: a version of a law, in a place, perhaps in a region of it.

    ``code`` and ``version.version`` are what a case keeps.
    """

    law: Law
    version: Version
    place: Place
    region: str
    code: str
    rule_version: str

    @property
    def clocks(self) -> tuple[SideClock, ...]:
        return self.law.clocks

    @property
    def unconfirmed(self) -> tuple[Cited, ...]:
        """The rules in use here for which nobody has read the source."""
        rules = (*rules_of(self.version), *self.law.clocks)
        return tuple(rule for rule in rules if rule.unconfirmed)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the place; a controller may have set another."""
        return ZoneInfo(self.place.zone)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All law files that were found, by code of place."""

    laws: Mapping[str, Law]

    def codes(self) -> tuple[str, ...]:
        return tuple(sorted(self.laws))

    def regime(self, code: str, received_on: date) -> Regime:
        """Give the version that held when the request was received.

        ``code`` may end in a region of the calendar, as in ``EU-DE/BY``. Raises UnknownRegimeError, or the
        NotInForceError among them.
        """
        law, place, region = self._find(code)
        early = place.valid_from is not None and received_on < place.valid_from
        version = next((v for v in law.versions if v.holds_on(received_on)), None)
        if version is None or early:
            raise NotInForceError(f"{code} has no version in force on {received_on}")
        return _regime(law, version, place, region)

    def version(self, code: str, version: str) -> Regime:
        """Give a version by name: a request keeps the one under which it arrived."""
        law, place, region = self._find(code)
        found = next((v for v in law.versions if v.version == version), None)
        if found is None:
            raise UnknownRegimeError(f"{code} has no version {version!r}")
        return _regime(law, found, place, region)

    def _find(self, code: str) -> tuple[Law, Place, str]:
        base, _, region = code.partition("/")
        if base not in self.laws:
            raise UnknownRegimeError(f"unknown regime {code!r}")
        law = self.laws[base]
        return law, next(place for place in law.places if place.code == base), region


def _regime(law: Law, version: Version, place: Place, region: str) -> Regime:
    code = f"{place.code}/{region}" if region else place.code
    return Regime(law, version, place, region, code, f"{law.law} {version.version}")


def parse_law(text: str, file: str) -> Law:
    """Read one law file; raises DataFileError with the place of each mistake."""
    try:
        return _LAW.validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DataFileError(file, (str(error),)) from error
    except ValidationError as error:
        raise DataFileError(file, places(error)) from error


def read_laws(folder: Traversable) -> tuple[Law, ...]:
    """Read every TOML file directly in a folder, in the order of names."""
    found = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda i: i.name)
    return tuple(parse_law(item.read_text(encoding="utf-8"), item.name) for item in found)


def catalogue_of(laws: Iterable[Law]) -> Catalogue:
    """Index laws by code; raises DataFileError when two files claim one code."""
    index: dict[str, Law] = {}
    for law in laws:
        for place in law.places:
            if place.code in index:
                raise DataFileError(law.law, (f"{place.code} is already given by {index[place.code].law}",))
            index[place.code] = law
    return Catalogue(MappingProxyType(index))


def _foreign_laws(entry: EntryPoint) -> tuple[Law, ...]:
    """An entry point names a package that has law files beside its code."""
    package = entry.load()
    if not isinstance(package, ModuleType):
        raise DataFileError(entry.name, (f"{entry.value} is not a package with law files",))
    return read_laws(files(package))


@cache
def default_catalogue() -> Catalogue:
    """Our own law files and those of installed packages, read once a process."""
    ours = read_laws(files("cases.deadlines") / "regimes")
    foreign = (law for entry in entry_points(group=ENTRY_POINT_GROUP) for law in _foreign_laws(entry))
    return catalogue_of((*ours, *foreign))


def calendar_for(regime: Regime, overrides: tuple[Override, ...] = ()) -> Calendar:
    """Give the calendar of the regime's place and region, with local overrides."""
    return _shared(regime.place.calendar.spec(regime.region), overrides)


def knows_region(code: str, region: str) -> bool:
    """Whether the calendar of the regime's place has this region."""
    law = default_catalogue().laws[code]
    place = next(place for place in law.places if place.code == code)
    try:
        Calendar(place.calendar.spec(region)).why_off(law.versions[-1].valid_from)
    except UnknownCalendarError:
        return False
    return True


@cache
def _shared(spec: CalendarSpec, overrides: tuple[Override, ...]) -> Calendar:
    return Calendar(spec, overrides)
