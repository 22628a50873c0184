"""Tells what the kit showed, point by point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cases.connectors.conformance.points import POINTS


class Verdict(StrEnum):
    """What was shown of a point. One failed test fails it; "in part" means that some of it was not claimed."""

    PASSED = "passed"
    IN_PART = "in part"
    FAILED = "FAILED"
    NOT_CLAIMED = "not claimed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Result:
    """How one test ended; ``why`` is a sentence, empty for one that passed."""

    point: int
    test: str
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Summary:
    """What was shown of one point."""

    point: int
    passed: int = 0
    failures: Sequence[Result] = ()
    not_claimed: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """The point's verdict."""
        if self.failures:
            return Verdict.FAILED
        if self.passed:
            return Verdict.IN_PART if self.not_claimed else Verdict.PASSED
        return Verdict.NOT_CLAIMED if self.not_claimed else Verdict.NOT_TRIED


@dataclass
class Report:
    """Everything that one run showed."""

    connector: str = ""
    results: list[Result] = field(default_factory=list)

    def summaries(self) -> list[Summary]:
        """Return the sixteen summaries in order, from the contract's form to the fifteenth point."""
        return [_summary(point, self.results) for point in POINTS]

    @property
    def is_sound(self) -> bool:
        """Say whether something was tried and nothing failed."""
        return bool(self.results) and all(one.verdict is not Verdict.FAILED for one in self.results)

    def lines(self) -> list[str]:
        """Return the report for a person to read."""
        summaries = self.summaries()
        counted = [one for one in summaries if one.point]
        whole, part = (
            sum(one.verdict is wanted for one in counted) for wanted in (Verdict.PASSED, Verdict.IN_PART)
        )
        failed = sum(one.verdict is Verdict.FAILED for one in summaries)
        head = f"{self.connector}: {whole} of {len(counted)} points shown, {part} in part, {failed} failed"
        hint = ["", "Add --verbose for what was compared."] if failed else []
        return [head, "", *(line for one in summaries for line in _lines(one)), *hint]

    def to_json(self) -> dict[str, object]:
        """Return the report for a program to read."""
        return {
            "connector": self.connector,
            "sound": self.is_sound,
            "points": {
                str(one.point): {
                    "verdict": one.verdict.lower(),
                    "passed": one.passed,
                    "failures": {result.test: result.why for result in one.failures},
                    "not_claimed": list(one.not_claimed),
                }
                for one in self.summaries()
            },
        }


def _summary(point: int, results: Iterable[Result]) -> Summary:
    mine = [one for one in results if one.point == point]
    return Summary(
        point,
        passed=sum(one.verdict is Verdict.PASSED for one in mine),
        failures=[one for one in mine if one.verdict is Verdict.FAILED],
        not_claimed=sorted({one.why for one in mine if one.verdict is Verdict.NOT_CLAIMED}),
    )


def _lines(summary: Summary) -> list[str]:
    number = f"{summary.point:>2}" if summary.point else "  "
    head = f" {number}  {POINTS[summary.point]:<45}{summary.verdict:<13}"
    counted = f"{summary.passed} test{'s' if summary.passed > 1 else ''}" if summary.passed else ""
    failures = [f"       {one.test}: {one.why}" for one in summary.failures]
    return [
        f"{head}{counted}".rstrip(),
        *failures,
        *(f"       Not claimed: {why}" for why in summary.not_claimed),
    ]
