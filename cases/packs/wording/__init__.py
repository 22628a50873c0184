"""The fixed words of a pack, one TOML file a language, and dates as that language writes them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from importlib.resources import files

FALLBACK = "en"


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """The words of one language; the TOML file must have exactly these keys.

    There is one instance a language, compared by identity, so that it is cheap as a key of caches.
    """

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    date: str
    first_of_month: str
    time: str
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
    data_elsewhere: str
    number: str
    record: str
    continued: str
    found_by: str
    count_one: str
    count_many: str
    attachments: str
    attachments_intro: str
    file_name: str
    file_type: str
    nothing_recorded: str
    replaced_note: str
    empty_fields: str
    readme: str
    readme_volumes: str
    readme_attachments: str

    def day(self, on: date) -> str:
        """A date in full, such as 22 December 2026."""
        return self._date(on, self.months)

    def short_day(self, on: date) -> str:
        """A date for tables, such as 22 Dec 2026."""
        return self._date(on, self.short_months)

    def _date(self, on: date, months: tuple[str, ...]) -> str:
        pattern = self.first_of_month if on.day == 1 else self.date
        return pattern.format(day=on.day, month=months[on.month - 1], year=on.year)

    def moment(self, at: datetime, zone: tzinfo) -> str:
        """An aware datetime in `zone`, to the minute, with the zone's name."""
        local = at.astimezone(zone)
        return self.time.format(date=self.short_day(local.date()), time=f"{local:%H:%M %Z}".strip())

    def records_count(self, count: int) -> str:
        return self.count_one if count == 1 else self.count_many.format(count=f"{count:,}".replace(",", "\u202f"))

    def range(self, first: int, last: int) -> str:
        pattern = self.record_one if first == last else self.records_range
        return pattern.format(first=first, last=last)

    def mark(self, code: str) -> str:
        """What stands in the place of a withheld value."""
        return f"[{self.withheld_mark.format(code=code)}]"


def languages() -> tuple[str, ...]:
    """Codes of the languages that have words."""
    folder = files(__package__)
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


@cache
def wording(language: str) -> Wording:
    """The words of a language tag such as de-AT; English when we do not have that language."""
    code = language.replace("_", "-").split("-")[0].lower()
    name = code if code in languages() else FALLBACK
    text = files(__package__).joinpath(f"{name}.toml").read_text("utf-8")
    return Wording(**{key: tuple(v) if isinstance(v, list) else v for key, v in tomllib.loads(text).items()})
