"""Many cases at once over three sources with limits, and what the engine itself costs a record."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases.collection.gate import SHARE
from tests.bench import metered
from tests.bench.figures import Result
from tests.bench.options import Options
from tests.bench.site import WORKERS, Site, quiet
from tests.bench.watch import lap

CROWD = ("crowd", "crowd-beyond")
ENGINE = ("per-record", "per-record-ms")
CASES = 1000
CALLS_A_CASE = 2  # one to find the person, one for their only page
LONGEST_SECONDS = 900.0
LOOK_SECONDS = 0.25
BACKLOG = (
    10  # so many due searches are work for all; one or two have only just come due, and are on their way
)
RECORDS = 20_000
MS = 1000.0


@dataclass(frozen=True)
class Source:
    """A source of the crowd, which publishes so many calls in so many seconds."""

    name: str
    calls: int
    seconds: int

    def least_seconds(self, calls: int) -> float:
        """How long so many calls take at least, at the share of the limit that the desk uses."""
        used = self.calls * SHARE
        return max(calls - used, 0) * self.seconds / used

    def beyond(self, calls: Sequence[float]) -> int:
        """By how many calls the limit was overstepped at its worst."""
        return max(metered.most_within(calls, self.seconds) - self.calls, 0)

    def options(self, log: Path) -> dict[str, Any]:
        """What the connector is told."""
        return {"log": str(log), "calls": self.calls, "seconds": self.seconds}


# The last is so slow that it alone decides how long the crowd takes: whoever waits for it must not keep the others.
SOURCES = (Source("shop", 60, 1), Source("desk", 300, 5), Source("books", 200, 10))


@dataclass
class Watched:
    """What was seen of the workers meanwhile: how many had a job, each time that was looked."""

    busy: list[int] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the workers' time, as far as there was work for them all."""
        return statistics.mean(self.busy) / WORKERS if self.busy else 0.0


def measure_crowd(site: Site, options: Options) -> list[Result]:
    """All cases of a brand of their own are in the queue before the workers come."""
    cases = options.runs(CASES, 60)
    logs = [site.folder / f"{source.name}.calls" for source in SOURCES]
    given = {source.name: source.options(log) for source, log in zip(SOURCES, logs, strict=True)}
    site.drive("plant", slug="crowd", sources=given)
    site.stop_jobs()
    site.drive("log_many", slug="crowd", count=cases)
    before = quiet()
    with lap(site.roots) as run:
        site.start_jobs()
        watched = _until_searched(site)
    calls = [metered.calls_in(log) for log in logs]
    took = max(one[-1] for one in calls) - min(one[0] for one in calls)
    beyond = sum(source.beyond(one) for source, one in zip(SOURCES, calls, strict=True))
    said = f"{cases} cases, {sum(map(len, calls))} calls; {_said(cases)}; workers busy {watched.share:.0%} of the time"
    return [
        Result("crowd", (took,), run.cpu_seconds, before, said),
        Result("crowd-beyond", (float(beyond),), None, before, _peaks(calls)),
    ]


def _until_searched(site: Site) -> Watched:
    """Look again and again until every case is searched. Raises TimeoutError, so that nothing hangs."""
    watched, end = Watched(), time.monotonic() + LONGEST_SECONDS
    while (left := site.drive("searching", slug="crowd"))["cases"]:
        if time.monotonic() > end:
            raise TimeoutError(f"{left['cases']} cases are still searched for")
        if left["due"] >= BACKLOG:
            watched.busy.append(left["running"])
        time.sleep(LOOK_SECONDS)
    return watched


def _said(cases: int) -> str:
    slowest = max(SOURCES, key=lambda source: source.least_seconds(cases * CALLS_A_CASE))
    least = slowest.least_seconds(cases * CALLS_A_CASE)
    return f"“{slowest.name}” alone needs {least:.0f} s at {SHARE:.0%} of its limit"


def _peaks(calls: Sequence[Sequence[float]]) -> str:
    """The most calls that each source saw in a stretch as long as its limit."""
    found = (
        f"{source.name} {metered.most_within(one, source.seconds)} of {source.calls} in {source.seconds} s"
        for source, one in zip(SOURCES, calls, strict=True)
    )
    return f"the most that each saw: {', '.join(found)}"


def measure_engine(site: Site, options: Options) -> list[Result]:
    """In one process that is warm: a search to its end, less the time that its source takes by itself."""
    site.stop_jobs()  # or a worker would be quicker
    records = options.runs(RECORDS, 2_000)
    site.drive("plant", slug="records", sources={"plain": {"records": records}})
    before, runs = quiet(), []
    for _ in range(options.runs(5)):
        with lap(site.roots) as run:
            said = site.drive("search_alone", slug="records", records=records)
        runs.append(
            (records / said["search"], MS * (said["search"] - said["reading"]) / records, run.cpu_seconds)
        )
    rates, costs, cpu = zip(*runs, strict=True)
    detail = f"{records} records of 5 fields, proved, sealed and stored in pages of 2,000"
    return [
        Result("per-record", rates, statistics.median(cpu), before, detail),
        Result("per-record-ms", costs, None, before, "without the time in which the source makes them"),
    ]
