"""Accesses from log to package through a real worker: one alone, many together, and large ones."""

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cases.words import State
from tests.bench import processes
from tests.bench.figures import Result, skipped
from tests.bench.options import Options
from tests.bench.site import Site, quiet
from tests.bench.watch import lap

ORDINARY = "user77@example.com"
ORDINARY_ROWS = 9
FIRST_OF_MANY = 1000
MOST_ROUNDS = 10
FIRST_ERASED = 50_000
LONGEST_SECONDS = 600.0
LOOK_SECONDS = 0.1
LARGE = {"10k": ("big10k@example.com", 10_000), "100k": ("big100k@example.com", 100_000)}
ROWS = (
    "access",
    "batch",
    "batch-whole",
    "erasure",
    "subject-10k",
    "subject-10k-memory",
    "subject-100k",
    "subject-100k-memory",
)


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
    results += _queued(site, options) if options.wants("batch") else []
    results += _whole(site, options) if options.wants("batch-whole") else []
    results += _erasure(site, options) if options.wants("erasure") else []
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


def _queued(site: Site, options: Options) -> list[Result]:
    """What the workers do once all is in the queue; logging and deciding happen while they are held."""
    many, before, laps, times = _how_many(options), quiet(), [], []
    for round_ in range(options.runs(3)):
        cases = _held(site, "log_all", emails=_emails(round_, many))
        found, first = _drained(site, cases, State.REVIEW)
        _held(site, "release_all", cases=cases)
        packed, second = _drained(site, cases, State.CLOSED)
        laps.append(first + second)
        times.append((found, packed))
    rates = tuple(many / (found + packed) for found, packed in times)
    found, packed = map(statistics.median, zip(*times, strict=True))
    said = f"found in {found:.1f} s, packed and closed in {packed:.1f} s"
    detail = f"{many} together, {said}; logged and decided while the workers were held"
    return [Result("batch", rates, statistics.median(laps), before, detail)]


def _held(site: Site, act: str, **arguments: Any) -> Any:
    """Do this while the workers take nothing from the queue."""
    site.drive("hold_workers")
    return site.drive(act, **arguments)


def _drained(site: Site, cases: list[str], state: State) -> tuple[float, float]:
    """Let the workers go until all these cases are there: wall seconds, and CPU seconds."""
    with lap(site.roots) as run:
        seconds = site.drive("drain", cases=cases, state=state.value, seconds=LONGEST_SECONDS)
    return seconds, run.cpu_seconds


def _whole(site: Site, options: Options) -> list[Result]:
    """The same with logging and deciding within the time, by a driver that has no core of its own."""
    many, before, laps, steps = _how_many(options), quiet(), [], []
    for round_ in range(options.runs(3)):
        with lap(site.roots) as run:
            steps.append(_run(site, _emails(round_ + MOST_ROUNDS, many)))
        laps.append(run)
    rates = tuple(many / step["closed"] for step in steps)
    cpu = statistics.median(run.cpu_seconds for run in laps)
    return [Result("batch-whole", rates, cpu, before, f"{many} together, {_phases(steps)}")]


def _erasure(site: Site, options: Options) -> list[Result]:
    """Each of another person with as many rows; of a CRM that was given nothing is erased."""
    if options.crm_url:
        return skipped("a CRM that is given is only read", "erasure")
    before, laps, seconds = quiet(), [], []
    for number in range(options.runs(9, 3) + 1):
        email = f"user{FIRST_ERASED + number}@example.com"
        case = site.drive("propose_erasure", email=email, seconds=LONGEST_SECONDS)
        with lap(site.roots) as run:
            said = site.drive("erase", case=case, seconds=LONGEST_SECONDS)
        if (said["receipts"], said["left"]) != ({"done": ORDINARY_ROWS}, 0):
            raise RuntimeError(f"an erasure of {ORDINARY_ROWS} rows ended with {said}")
        laps.append(run)
        seconds.append(said["seconds"])
    # What is loaded at first use was loaded by the first.
    cpu = statistics.median(run.cpu_seconds for run in laps[1:])
    detail = f"{ORDINARY_ROWS} rows in 4 tables, from the approval to the closed case; searched for and planned before"
    return [Result("erasure", tuple(seconds[1:]), cpu, before, detail)]


def _how_many(options: Options) -> int:
    return 20 if options.quick else 200


def _emails(round_: int, many: int) -> list[str]:
    """Other people in each round."""
    first = FIRST_OF_MANY + round_ * many
    return [f"user{number}@example.com" for number in range(first, first + many)]


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
