"""Reads the lists of law strictly and looks things up in them.

A regime code such as ``EU-DE`` is covered by an entry for ``EU-DE`` and by one for ``EU``; where both have
the same code, the more specific one holds.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

Silence = Literal["never", "may", "must"]
Detail = Literal["none", "provision", "reason"]
GroundKind = Literal[
    "erasure_ground",
    "erasure_exception",
    "refusal",
    "objection_ground",
    "objection_exception",
    "restriction_trigger",
    "rectification_outcome",
    "automated_exception",
    "automated_safeguard",
    "automated_limit",
    "portability_limit",
]
Right = Literal[
    "access", "erasure", "rectification", "restriction", "objection", "portability", "automated_decision"
]
Treatment = Literal[
    "business_as_usual",
    "contract",
    "complaint",
    "breach",
    "information",
    "freedom_of_information",
    "estate",
    "not_personal",
]

RepresentativeKind = Literal["solicitor", "parent", "attorney", "agent", "elected", "executor", "other"]
AnswerTo = Literal["subject", "representative", "both"]


class LawDataError(ValueError):
    """A list of law is wrong. The message names file, table and field."""


class UnknownLaw(LookupError):
    """The lists hold no such entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why something is withheld. ``source`` is a sentence, resolved from the file's list of sources."""

    code: str
    regimes: tuple[str, ...]
    name: str
    provision: str
    silence: Silence
    letter: str
    confirmed: bool
    source: str
    note: str = ""
    detail: Detail = "none"

    @property
    def silent(self) -> bool:
        """Whether the law forbids, or may forbid, saying that anything was withheld."""
        return self.silence != "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A ground, exception, refusal reason or outcome of a right."""

    kind: GroundKind
    code: str
    regimes: tuple[str, ...]
    name: str
    provision: str
    letter: str
    confirmed: bool
    source: str
    note: str = ""
    detail: Detail = "none"
    instead_of_erasing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A supervisory authority, under the name it bore from ``valid_from`` to ``valid_to``, both included."""

    regime: str
    name: str
    website: str
    valid_from: date
    confirmed: bool
    source: str
    short_name: str = ""
    note: str = ""
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A way to complain, as a sentence for the person."""

    code: Literal["CONTROLLER", "AUTHORITY", "COURT"]
    regime: str
    provision: str
    text: str
    valid_from: date
    confirmed: bool
    source: str
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What somebody says, and the rights that they exercise by it."""

    says: str
    rights: tuple[Right, ...]
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    """What sounds like a rights request, and what it is instead."""

    says: str
    treat_as: tuple[Treatment, ...]
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What shows that somebody may ask for another person. ``answer_to`` names the least risky first."""

    code: str
    kinds: tuple[RepresentativeKind, ...]
    regimes: tuple[str, ...]
    name: str
    provision: str
    asks: str
    answer_to: tuple[AnswerTo, ...]
    confirmed: bool
    source: str
    register: str = ""
    at_most_months: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Whom a law gives no right to ask, and what they are told."""

    code: str
    kinds: tuple[RepresentativeKind, ...]
    regimes: tuple[str, ...]
    name: str
    provision: str
    letter: str
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Childhood:
    """From which ``age`` in years a child is presumed to understand their rights."""

    regime: str
    age: int
    provision: str
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True)
class LawBook:
    """All lists together, in the order of the files."""

    exemptions: tuple[Exemption, ...]
    grounds: tuple[Ground, ...]
    authorities: tuple[Authority, ...]
    remedies: tuple[Remedy, ...]
    phrases: tuple[Phrase, ...]
    negatives: tuple[Negative, ...]
    mandates: tuple[Mandate, ...]
    outside: tuple[Outside, ...]
    children: tuple[Childhood, ...]


class _Dated(Protocol):
    @property
    def regime(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...


class _Listed(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def regimes(self) -> tuple[str, ...]: ...


_Entry = TypeVar("_Entry")
_DatedEntry = TypeVar("_DatedEntry", bound=_Dated)
_ListedEntry = TypeVar("_ListedEntry", bound=_Listed)


# Looking up


def exemption(code: str, regime: str) -> Exemption:
    """Give the exemption of this code; raises UnknownLaw when the regime has none."""
    return _one(exemptions_for(regime), code, regime)


def exemptions_for(regime: str) -> tuple[Exemption, ...]:
    """Give the picklist of a regime; empty where we have none."""
    return _listed(book().exemptions, regime)


def left_out(code: str, regime: str) -> Exemption | Ground:
    """Give what an answer says of this code: an exemption, or what portability does not reach; raises UnknownLaw."""
    try:
        return exemption(code, regime)
    except UnknownLaw:
        return ground("portability_limit", code, regime)


def others_code(regime: str) -> str:
    """Give the code under which a regime protects other people's data (UK Sch 2 para 16; EU Art 15(4))."""
    codes = {entry.code for entry in exemptions_for(regime)}
    return next((code for code in ("TP", "RIGHTS_OF_OTHERS") if code in codes), "OTHERS")


def ground(kind: GroundKind, code: str, regime: str) -> Ground:
    """Give the ground of this kind and code; raises UnknownLaw when the regime has none."""
    return _one(grounds_for(kind, regime), code, regime)


def grounds_for(kind: GroundKind, regime: str) -> tuple[Ground, ...]:
    """Give one list of grounds of a regime; empty where we have none."""
    return _listed([entry for entry in book().grounds if entry.kind == kind], regime)


def blocks_instead_of_erasing(regime: str) -> str:
    """Give the code under which a state wants records blocked before they are destroyed; empty where none does."""
    found = (one.code for one in grounds_for("erasure_exception", regime) if one.instead_of_erasing)
    return next(found, "")


def authority_for(regime: str, on: date) -> Authority:
    """Give the authority of a regime as it was on a day; raises UnknownLaw."""
    known = sorted(_dated(book().authorities, regime, on), key=lambda entry: len(entry.regime))
    if not known:
        raise UnknownLaw(f"No authority is listed for {regime} on {on.isoformat()}.")
    return known[-1]


def is_told(regime: str) -> bool:
    """Whether letters can say, under this regime, where to complain: without that none may leave (Art 12(4))."""
    listed = (book().authorities, book().remedies)
    return all(any(_covers(entry.regime, regime) for entry in entries) for entries in listed)


def _same(text: str) -> str:
    return text


def remedies(regime: str, on: date, translate: Callable[[str], str] = _same) -> tuple[str, ...]:
    """Give the ways to complain on a day, as sentences; raises UnknownLaw rather than stay silent."""
    authority = authority_for(regime, on)
    gaps = {"authority": authority.name, "short_name": authority.short_name, "website": authority.website}
    return tuple(translate(remedy.text).format(**gaps) for remedy in remedies_for(regime, on))


def remedies_for(regime: str, on: date) -> tuple[Remedy, ...]:
    """Give the remedies of a day with their provisions; the sentences still have their gaps."""
    known: dict[str, Remedy] = {}
    for remedy in _dated(book().remedies, regime, on):
        if remedy.code not in known or len(remedy.regime) > len(known[remedy.code].regime):
            known[remedy.code] = remedy
    return tuple(known.values())


def mandates_for(kind: str, regime: str) -> tuple[Mandate, ...]:
    """Give what a representative of this kind may show; empty where the law lets nobody of this kind ask."""
    return tuple(entry for entry in _listed(book().mandates, regime) if kind in entry.kinds)


def mandate(code: str, kind: str, regime: str) -> Mandate:
    """Give the proof of this code, for whoever may show it; raises UnknownLaw."""
    return _one(mandates_for(kind, regime), code, regime)


def outside(kind: str, regime: str) -> Outside | None:
    """Give why nobody of this kind has a right under this law; None where somebody may have one."""
    if mandates_for(kind, regime):
        return None
    return next((entry for entry in _listed(book().outside, regime) if kind in entry.kinds), None)


def childhood(regime: str) -> Childhood | None:
    """Give from which age a child is presumed to understand; None where it is judged child by child."""
    return next((entry for entry in book().children if _covers(entry.regime, regime)), None)


def phrases() -> tuple[Phrase, ...]:
    """Give the card of what people say when they exercise a right."""
    return book().phrases


def negatives() -> tuple[Negative, ...]:
    """Give the card of what only sounds like it."""
    return book().negatives


def _covers(entry_regime: str, regime: str) -> bool:
    return regime == entry_regime or regime.startswith(f"{entry_regime}-")


def _dated(entries: Iterable[_DatedEntry], regime: str, on: date) -> Iterator[_DatedEntry]:
    for entry in entries:
        if _covers(entry.regime, regime) and entry.valid_from <= on <= (entry.valid_to or date.max):
            yield entry


def _listed(entries: Iterable[_ListedEntry], regime: str) -> tuple[_ListedEntry, ...]:
    return tuple(entry for entry in entries if any(_covers(code, regime) for code in entry.regimes))


def _one(entries: Iterable[_ListedEntry], code: str, regime: str) -> _ListedEntry:
    for entry in entries:
        if entry.code == code:
            return entry
    raise UnknownLaw(f"The regime {regime} has no entry {code}.")


# Reading


@cache
def book() -> LawBook:
    """Give the lists that come with this package, read once."""
    return load(files("cases.law"))


def load(folder: Traversable) -> LawBook:
    """Read the five files of a folder; raises LawDataError, which names the place."""
    exemptions = _File.read(folder, "exemptions.toml", {"exemptions"})
    grounds = _File.read(folder, "grounds.toml", {"grounds"})
    authorities = _File.read(folder, "authorities.toml", {"authorities", "remedies"})
    card = _File.read(folder, "recognise.toml", {"phrases", "negatives"})
    representation = _File.read(folder, "representation.toml", {"mandates", "outside", "children"})
    made = LawBook(
        exemptions.entries("exemptions", Exemption),
        grounds.entries("grounds", Ground),
        authorities.entries("authorities", Authority),
        authorities.entries("remedies", Remedy),
        card.entries("phrases", Phrase),
        card.entries("negatives", Negative),
        representation.entries("mandates", Mandate),
        representation.entries("outside", Outside),
        representation.entries("children", Childhood),
    )
    _check(made)
    return made


@dataclass(frozen=True, slots=True)
class _File:
    """One file, taken apart but not yet typed."""

    name: str
    sources: dict[str, str]
    tables: dict[str, Any]

    @classmethod
    def read(cls, folder: Traversable, name: str, expected: set[str]) -> "_File":
        try:
            tables = tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise LawDataError(f"{name}: {error}") from error
        _same_keys(name, set(tables), expected | {"sources"}, optional=set())
        return cls(name, tables.pop("sources"), tables)

    def entries(self, table: str, into: type[_Entry]) -> tuple[_Entry, ...]:
        rows = self.tables[table]
        if not isinstance(rows, list):
            raise LawDataError(f"{self.name}: “{table}” is no list of tables.")
        return tuple(
            self._entry(f"{self.name}, {table} {place}", row, into) for place, row in enumerate(rows, 1)
        )

    def _entry(self, place: str, row: dict[str, Any], into: type[_Entry]) -> _Entry:
        place = f"{place} ({row.get('code') or row.get('says') or row.get('name')})"
        known = fields(into)  # type: ignore[arg-type]
        optional = {field.name for field in known if field.default is not MISSING}
        _same_keys(place, set(row), {field.name for field in known} - optional, optional)
        types = get_type_hints(into)
        values = {key: _typed(f"{place}, {key}", value, types[key]) for key, value in row.items()}
        return into(**values | {"source": self._source(place, row["source"])})

    def _source(self, place: str, key: str) -> str:
        if key not in self.sources:
            raise LawDataError(f"{place}, source: “{key}” is not among the file's sources.")
        return self.sources[key]


def _same_keys(place: str, given: set[str], required: set[str], optional: set[str]) -> None:
    if missing := sorted(required - given):
        raise LawDataError(f"{place}: “{missing[0]}” is missing.")
    if unknown := sorted(given - required - optional):
        raise LawDataError(f"{place}: “{unknown[0]}” is not known here.")


def _typed(place: str, value: Any, wanted: Any) -> Any:
    """Check a value against the type of its field, with lists becoming tuples."""
    if get_origin(wanted) is tuple:
        if not isinstance(value, list) or not value:
            raise LawDataError(f"{place}: a list with at least one text is needed.")
        return tuple(_typed(place, part, get_args(wanted)[0]) for part in value)
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            raise LawDataError(f"{place}: “{value}” is none of {', '.join(get_args(wanted))}.")
        return value
    # A time stamp is a date to Python, and a boolean a number: hence the exact type.
    if type(value) not in (get_args(wanted) or (wanted,)):
        raise LawDataError(f"{place}: this has the wrong type.")
    if value == "":
        raise LawDataError(f"{place}: this is empty.")
    return value


# Checking what no single entry shows


def _check(made: LawBook) -> None:
    _refuse_doubles("exemptions.toml", [("", entry.code, entry.regimes) for entry in made.exemptions])
    _refuse_doubles("grounds.toml", [(entry.kind, entry.code, entry.regimes) for entry in made.grounds])
    _refuse_doubles("representation.toml", [("", entry.code, entry.regimes) for entry in made.mandates])
    _refuse_doubles("representation.toml", [("", entry.code, entry.regimes) for entry in made.outside])
    _refuse_overlaps("authorities", [(entry.regime, entry) for entry in made.authorities])
    _refuse_overlaps("remedies", [(f"{entry.regime} {entry.code}", entry) for entry in made.remedies])
    for remedy in made.remedies:
        _check_gaps(remedy)


def _refuse_doubles(file: str, entries: list[tuple[str, str, tuple[str, ...]]]) -> None:
    seen: list[tuple[str, str, str]] = []
    for kind, code, regimes in entries:
        for regime in regimes:
            for other_kind, other_code, other in seen:
                if (kind, code) == (other_kind, other_code) and (
                    _covers(regime, other) or _covers(other, regime)
                ):
                    raise LawDataError(f"{file}: {code} is there twice for {regime}.")
        seen += [(kind, code, regime) for regime in regimes]


def _refuse_overlaps(table: str, entries: list[tuple[str, _DatedEntry]]) -> None:
    ends: dict[str, date] = {}
    for key, entry in sorted(entries, key=lambda pair: (pair[0], pair[1].valid_from)):
        if entry.valid_to is not None and entry.valid_to < entry.valid_from:
            raise LawDataError(f"authorities.toml, {table}: {key} ends before it begins.")
        if key in ends and entry.valid_from <= ends[key]:
            raise LawDataError(f"authorities.toml, {table}: two entries of {key} hold on the same day.")
        ends[key] = entry.valid_to or date.max


def _check_gaps(remedy: Remedy) -> None:
    try:
        remedy.text.format(authority="", short_name="", website="")
    except (KeyError, IndexError, ValueError):
        raise LawDataError(
            f"authorities.toml, remedies: {remedy.regime} {remedy.code} has an unknown gap."
        ) from None
