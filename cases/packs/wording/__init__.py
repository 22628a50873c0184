"""The fixed words of a pack, one TOML file a language, and dates as that language writes them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from typing import Any

FALLBACK = "en"


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """The words of one language; the TOML file must have exactly these keys.

    There is one instance a language, compared by identity, so that it is cheap as a key of caches.
    """

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    date_pattern: str
    first_of_month_pattern: str
    moment_pattern: str
    yes: str
    no: str
    withheld_mark: str
    reference: str
    your_reference: str
    dated: str
    enclosures: str
    report_title: str
    report_subtitle: str
    volume_title: str
    prepared_for: str
    request: str
    received: str
    answered: str
    controller: str
    controller_contact: str
    how_to_read: str
    how_to_read_text: tuple[str, ...]
    how_to_read_withheld: str
    contents: str
    volume: str
    records_range: str
    record_one: str
    page_of: str
    statement: str
    whole_organisation: str
    purposes: str
    categories: str
    recipients: str
    retention: str
    origin: str
    automated_decisions: str
    transfers: str
    your_rights: str
    how_to_complain: str
    searched: str
    searched_intro: str
    searched_none: str
    system: str
    searched_at: str
    result: str
    records: str
    result_done: str
    result_no_data: str
    result_waived: str
    blind_spots: str
    withheld: str
    withheld_intro: str
    withheld_none: str
    code: str
    reason: str
    count: str
    data: str
    data_none: str
    data_elsewhere_one: str
    data_elsewhere_many: str
    number: str
    record: str
    found_by: str
    count_one: str
    count_many: str
    attachments: str
    attachments_intro: str
    file_name: str
    file_type: str
    nothing_recorded: str
    escaped_note: str
    empty_fields: str
    readme: str
    readme_volumes: str
    readme_tables: str
    readme_attachments: str

    def day(self, on: date) -> str:
        """A date in full, such as 22 December 2026."""
        return self._date(on, self.months)

    def short_day(self, on: date) -> str:
        """A date for tables, such as 22 Dec 2026."""
        return self._date(on, self.short_months)

    def _date(self, on: date, months: tuple[str, ...]) -> str:
        pattern = self.first_of_month_pattern if on.day == 1 else self.date_pattern
        return pattern.format(day=on.day, month=months[on.month - 1], year=on.year)

    def moment(self, at: datetime, zone: tzinfo) -> str:
        """An aware datetime in `zone`, to the minute, with the zone's name."""
        local = at.astimezone(zone)
        return self.moment_pattern.format(date=self.short_day(local.date()), time=f"{local:%H:%M %Z}".strip())

    def records_count(self, count: int) -> str:
        # A narrow space parts thousands, which is read alike in every language.
        digits = f"{count:,}".replace(",", "\u202f")
        return self.count_one if count == 1 else self.count_many.format(count=digits)

    def elsewhere(self, volumes: int) -> str:
        """That the records go on in so many further volumes."""
        return self.data_elsewhere_one if volumes == 1 else self.data_elsewhere_many.format(volumes=volumes)

    def range(self, first: int, last: int) -> str:
        pattern = self.record_one if first == last else self.records_range
        return pattern.format(first=first, last=last)

    def mark(self, code: str) -> str:
        """What stands in the place of a withheld value."""
        return f"[{self.withheld_mark.format(code=code)}]"


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that have words."""
    folder = files(__package__)
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def wording(language: str) -> Wording:
    """The words of a language tag such as de-AT; English when we do not have that language."""
    code = language.replace("_", "-").split("-")[0].lower()
    return _loaded(code if code in languages() else FALLBACK)


@cache
def _loaded(name: str) -> Wording:
    text = files(__package__).joinpath(f"{name}.toml").read_text("utf-8")
    return Wording(**{key: _frozen(value) for key, value in tomllib.loads(text).items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
