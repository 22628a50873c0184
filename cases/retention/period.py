"""A length of time as a rule of retention names it: days, or months of the calendar."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.deadlines.arithmetic import add_months

_WRITTEN = re.compile(r"(\d{1,4}) (day|month|year)s?")


@dataclass(frozen=True)
class Period:
    """Days, or months; never both."""

    days: int = 0
    months: int = 0

    def before(self, moment: datetime) -> datetime:
        """What began no later than this has lasted the whole period by ``moment``."""
        return self._moved(moment, -1)

    def after(self, moment: datetime) -> datetime:
        """When the period is over that began at ``moment``."""
        return self._moved(moment, 1)

    def _moved(self, moment: datetime, direction: int) -> datetime:
        if not self.months:
            return moment + direction * timedelta(days=self.days)
        return datetime.combine(add_months(moment.date(), direction * self.months), moment.timetz())

    @property
    def length(self) -> float:
        """To compare periods by: days, months being a twelfth of a year."""
        return self.days + self.months * 365.25 / 12

    @property
    def words(self) -> str:
        if self.months and self.months % 12 == 0:
            years = self.months // 12
            return ngettext("%(number)d year", "%(number)d years", years) % {"number": years}
        if self.months:
            return ngettext("%(number)d month", "%(number)d months", self.months) % {"number": self.months}
        if self.days:
            return ngettext("%(number)d day", "%(number)d days", self.days) % {"number": self.days}
        return _("at once")

    def __str__(self) -> str:
        """As a configuration file writes it."""
        number, unit = (self.months, "month") if self.months else (self.days, "day")
        if self.months and self.months % 12 == 0:
            number, unit = self.months // 12, "year"
        return f"{number} {unit}{'' if number == 1 else 's'}"


def days(number: int) -> Period:
    return Period(days=number)


def years(number: int) -> Period:
    return Period(months=12 * number)


def parsed(text: str) -> Period:
    """Such as ``90 days`` or ``3 years``. Raises ValueError with a sentence."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"“{text}” is no period: write it as 90 days, 6 months or 3 years.")
    number, unit = int(found[1]), found[2]
    if unit == "day":
        return Period(days=number)
    return Period(months=number * (12 if unit == "year" else 1))
