"""The periods of one controller: those that it chose, and the house's own for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from cases.models import RetentionPolicy
from cases.retention.period import Period, parsed
from cases.retention.rules import BY_CODE, RULES, Rule
from dsar.lib.tenancy import scratch


@dataclass(frozen=True)
class Chosen:
    """Another period for one rule, and the law or duty that it follows from."""

    keep: Period
    because: str


@dataclass(frozen=True)
class Periods:
    """How long each kind is kept; ``version`` 0 where the controller chose nothing."""

    version: int
    content: Mapping[str, Mapping[str, str]]

    @cached_property
    def chosen(self) -> dict[str, Chosen]:
        return {
            code: Chosen(parsed(entry["keep"]), entry["because"])
            for code, entry in self.content.items()
            if code in BY_CODE
        }

    def of(self, rule: Rule) -> Period | None:
        own = self.chosen.get(rule.code)
        return own.keep if own else rule.keep

    def because(self, rule: Rule) -> str:
        """Why another period was chosen; empty for the house's own."""
        own = self.chosen.get(rule.code)
        return own.because if own else ""


def check(code: str, keep: str, because: str) -> None:
    """Raise ValueError, with a sentence, for a period that may not be chosen."""
    rule = BY_CODE.get(code)
    if rule is None or rule.least is None or rule.most is None:
        known = ", ".join(sorted(one.code for one in RULES if one.may_be_chosen))
        raise ValueError(f"there is no period “{code}” to choose. There are {known}.")
    period = parsed(keep)
    if not rule.least.length <= period.length <= rule.most.length:
        raise ValueError(f"it must be between {rule.least} and {rule.most}.")
    if not because.strip():
        raise ValueError("say why: name the law or duty that the period follows from.")


def in_force(controller_id: UUID) -> RetentionPolicy | None:
    """The newest version; None where the controller has chosen nothing."""
    found: RetentionPolicy | None = (
        RetentionPolicy.objects.filter(controller_id=controller_id).order_by("-version").first()
    )
    return found


def periods_of(controller_id: UUID) -> Periods:
    """How long this controller keeps what; read once per unit of work."""
    cached = scratch().get(("periods", controller_id))
    if isinstance(cached, Periods):
        return cached
    stored = in_force(controller_id)
    periods = Periods(stored.version, stored.content) if stored else Periods(0, {})
    scratch()["periods", controller_id] = periods
    return periods
