"""Accesses from log to package through a real worker: one alone, many together, and large ones."""

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench import processes
from tests.bench.figures import Result
from tests.bench.options import Options
from tests.bench.site import Site, quiet
from tests.bench.watch import lap

ORDINARY = "user77@example.com"
ORDINARY_ROWS = 9
FIRST_OF_MANY = 1000
LONGEST_SECONDS = 600.0
LOOK_SECONDS = 0.1
LARGE = {"10k": ("big10k@example.com", 10_000), "100k": ("big100k@example.com", 100_000)}
ROWS = ("access", "batch", "subject-10k", "subject-10k-memory", "subject-100k", "subject-100k-memory")


@dataclass
class Peak:
    """The most that any one process of the worker held, in megabytes."""

    megabytes: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self, site: Site) -> None:
        while not self.stop.wait(LOOK_SECONDS):
            self.megabytes = max(self.megabytes, processes.peak(site.worker_children()))


def measure(site: Site, options: Options) -> list[Result]:
    """Everything that collects from the CRM."""
    site.start_jobs()
    _run(site, [ORDINARY])  # What is loaded at first use is loaded now.
    results = _one(site, options) if options.wants("access") else []
    results += _many(site, options) if options.wants("batch") else []
    for size in LARGE:
        if options.wants(f"subject-{size}", f"subject-{size}-memory"):
            results += _large(site, size, options)
    return results


def _run(site: Site, emails: list[str]) -> dict[str, float]:
    said: dict[str, float] = site.drive("access", emails=emails, seconds=LONGEST_SECONDS)
    return said


def _one(site: Site, options: Options) -> list[Result]:
    before, laps, steps = quiet(), [], []
    for _ in range(options.runs(9, 3)):
        with lap(site.roots) as run:
            steps.append(_run(site, [ORDINARY]))
        laps.append(run)
    rows = site.drive("newest_pack")["records"]
    if rows != ORDINARY_ROWS:
        raise RuntimeError(f"an access of {ORDINARY_ROWS} rows found {rows}")
    cpu = statistics.median(run.cpu_seconds for run in laps)
    return [Result("access", tuple(step["closed"] for step in steps), cpu, before, _phases(steps))]


def _many(site: Site, options: Options) -> list[Result]:
    many = 20 if options.quick else 200
    before, laps, steps = quiet(), [], []
    for round_ in range(options.runs(3)):
        first = FIRST_OF_MANY + round_ * many
        with lap(site.roots) as run:
            steps.append(_run(site, [f"user{number}@example.com" for number in range(first, first + many)]))
        laps.append(run)
    rates = tuple(many / step["closed"] for step in steps)
    cpu = statistics.median(run.cpu_seconds for run in laps)
    detail = f"{many} together, {_phases(steps)}; all of it, logging and deciding too, within the time"
    return [Result("batch", rates, cpu, before, detail)]


def _large(site: Site, size: str, options: Options) -> list[Result]:
    email, least = LARGE[size]
    steps, cpus, peaks = [], [], []
    before = quiet()
    for _ in range(options.runs(3 if size == "10k" else 1)):
        site.restart_jobs()
        with peak(site) as most, lap(site.roots) as run:
            steps.append(_run(site, [email]))
        cpus.append(run.cpu_seconds)
        peaks.append(most.megabytes)
    pack = site.drive("newest_pack")
    if pack["records"] < least:
        raise RuntimeError(f"a subject of {least} rows had {pack['records']}")
    detail = f"{pack['records']} rows, {pack['files']} files of {pack['bytes'] / processes.MB:.0f} MB; {_phases(steps)}"
    return [
        Result(
            f"subject-{size}",
            tuple(step["closed"] for step in steps),
            statistics.median(cpus),
            before,
            detail,
        ),
        Result(
            f"subject-{size}-memory", tuple(peaks), None, before, "the largest of the worker's two processes"
        ),
    ]


@contextmanager
def peak(site: Site) -> Iterator[Peak]:
    """Watch the worker's processes meanwhile."""
    found = Peak()
    thread = threading.Thread(target=found.watch, args=(site,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.stop.set()
        thread.join()


def _phases(steps: list[dict[str, float]]) -> str:
    """When the last was logged, found and decided, and closed, as medians."""
    logged, reviewed, closed = (
        statistics.median(step[phase] for step in steps) for phase in ("logged", "reviewed", "closed")
    )
    return f"logged {logged:.2f} s, found and decided {reviewed - logged:.2f} s, packed {closed - reviewed:.2f} s"
