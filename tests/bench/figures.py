"""Numbers of several runs, and what is said of them."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.peer import BY_NAME

FAILED = "it failed"


@dataclass(frozen=True)
class Before:
    """What the machine did just before a measurement: the load average, and how many cores others kept busy."""

    load: float = 0.0
    others_busy: float = 0.0


@dataclass(frozen=True)
class Result:
    """What was measured for one row, or why it was not.

    ``runs`` are in the row's unit; ``cpu_seconds`` is what one run cost all our processes together.
    """

    name: str
    runs: tuple[float, ...] = ()
    cpu_seconds: float | None = None
    before: Before = field(default_factory=Before)
    detail: str = ""
    skipped: str = ""

    @property
    def value(self) -> float | None:
        """The median of the runs; None where nothing was measured."""
        return statistics.median(self.runs) if self.runs else None

    def as_json(self) -> dict[str, Any]:
        """Everything, with the peer's figure, for a file."""
        row = BY_NAME[self.name]
        value = self.value
        return {
            "name": self.name,
            "work": row.work,
            "unit": row.unit,
            "peer": row.peer,
            "aim": row.aim,
            "higher_is_better": row.higher_is_better,
            "value": value,
            "runs": list(self.runs),
            "ratio": None if value is None else row.ratio(value),
            "aim_met": None if value is None else row.is_met(value),
            "cpu_seconds": self.cpu_seconds,
            "load_before": self.before.load,
            "others_busy_cores": self.before.others_busy,
            "detail": self.detail,
            "skipped": self.skipped,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def skipped(reason: str, *names: str) -> list[Result]:
    """The same reason for several rows."""
    return [Result(name, skipped=reason) for name in names]
