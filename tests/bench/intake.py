"""Requests through the portal's form: one process of gunicorn, real HTTP, keep-alive, the form's token checked."""

import itertools
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.figures import Before, Result, percentile, skipped
from tests.bench.options import Options
from tests.bench.site import Site, quiet
from tests.bench.watch import lap
from tests.bench.web import Browser, untouched
from tests.kills.driving import DriverError

ROWS = ("intake-1", "intake-1-p95", "intake-8", "intake-8-p95")
CLIENTS = (1, 8)
WARM_UP = 10
MS = 1000.0

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Round:
    """One run: requests a second, the 95th percentile in milliseconds, CPU seconds a request."""

    rate: float
    p95: float
    cpu_seconds: float


class Visitors:
    """Clients who have opened the form and now send it, each request as a person of its own."""

    def __init__(self, site: Site, clients: int) -> None:
        self._path = site.drive("address", name="portal:ask", arguments=[site.slug()])
        self._browsers = [Browser(site.port) for _ in range(clients)]
        self._forms = [untouched(browser.get(self._path).text, "submission") for browser in self._browsers]

    def send(self, client: int) -> float:
        """Send one request; return its milliseconds. Raises RuntimeError where it was not accepted."""
        number = next(_numbers)
        values = self._forms[client] | {
            "submission": str(uuid4()),
            "wishes": "access",
            "name": f"Ada Example {number}",
            "email": f"ada{number}@example.com",
        }
        began = time.monotonic()
        answer = self._browsers[client].post(self._path, values, X_Forwarded_For=_address(number))
        took = (time.monotonic() - began) * MS
        if answer.status != 303:
            raise RuntimeError(f"the form was answered with {answer.status}: {_errors(answer.text)}")
        return took

    def send_many(self, client: int, share: int) -> list[float]:
        return [self.send(client) for _ in range(share)]

    def close(self) -> None:
        for browser in self._browsers:
            browser.close()


def measure(site: Site, options: Options) -> list[Result]:
    """Rate and 95th percentile for one client and for eight."""
    site.start_web()
    try:
        site.drive("address", name="portal:ask", arguments=[site.slug()])
    except DriverError as error:
        return skipped(f"the portal's form cannot be opened: {error}", *ROWS)
    wanted = [number for number in CLIENTS if options.wants(f"intake-{number}", f"intake-{number}-p95")]
    return [result for number in wanted for result in _for(site, number, options)]


def _for(site: Site, clients: int, options: Options) -> list[Result]:
    visitors, many = Visitors(site, clients), options.runs(240, 40)
    try:
        visitors.send_many(0, WARM_UP)
        before = quiet()
        rounds = [_round(site, visitors, clients, many) for _ in range(options.runs(5, 2))]
    finally:
        visitors.close()
    return _results(clients, many, rounds, before)


def _round(site: Site, visitors: Visitors, clients: int, many: int) -> Round:
    with lap(site.roots) as run, ThreadPoolExecutor(clients) as pool:
        lists = list(pool.map(visitors.send_many, range(clients), [many // clients] * clients))
    times = [took for taken in lists for took in taken]
    return Round(len(times) / run.seconds, percentile(times, 0.95), run.cpu_seconds / len(times))


def _results(clients: int, many: int, rounds: Sequence[Round], before: Before) -> list[Result]:
    cpu = statistics.median(round_.cpu_seconds for round_ in rounds)
    detail = f"{many} requests a run; web, database and broker use {cpu * MS:.1f} ms of CPU a request"
    return [
        Result(f"intake-{clients}", tuple(round_.rate for round_ in rounds), cpu * many, before, detail),
        Result(f"intake-{clients}-p95", tuple(round_.p95 for round_ in rounds), None, before),
    ]


def _errors(page: str) -> str:
    """What the page says is wrong: the lines that speak of errors."""
    return " ".join(line.strip() for line in page.splitlines() if "error" in line.lower())[:500]


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
