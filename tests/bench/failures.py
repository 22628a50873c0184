"""What dies in production, killed here: the worker, the broker, the database."""

import contextlib
import http.client
import time
from collections import Counter
from collections.abc import Callable

import psycopg

from tests.bench.figures import FAILED, Result, skipped
from tests.bench.intake import Visitors
from tests.bench.options import Options
from tests.bench.site import Site, opened, quiet, scratch_folder
from tests.bench.watch import wait
from tests.bench.web import Browser

ROWS = ("kill-worker", "redis-down", "redis-empty-lost", "redis-empty-found", "postgres-gone")
BIG = "c1@example.com"
LARGE_ROWS = 30_000
HALF = LARGE_ROWS // 2
QUEUED = 4
GONE_SECONDS = 10.0
WAIT_SECONDS = 180.0
FOUND = """
SELECT coalesce(sum(found), 0) FROM cases_sourcesearch JOIN cases_collectionrun run ON run.id = run_id
 WHERE run.case_id = %s"""


def measure(options: Options) -> list[Result]:
    """Each on the same desk, one after the other, with a customer of 30,000 rows."""
    with scratch_folder() as folder, opened(Site(folder)) as site:
        site.make_own_crm(LARGE_ROWS)
        site.start_web()
        site.start_jobs()
        wanted = [(names, act) for names, act in ACTS if options.wants(*names)]
        return [result for names, act in wanted for result in _tried(site, names, act)]


def _tried(site: Site, names: tuple[str, ...], act: Callable[[Site], list[Result]]) -> list[Result]:
    """One failure measured; where that goes wrong, the others are measured all the same."""
    try:
        return act(site)
    except (RuntimeError, TimeoutError, AssertionError, OSError, psycopg.Error) as error:
        return skipped(f"{FAILED}: {type(error).__name__}: {error}", *names)


def kill_worker(site: Site) -> list[Result]:
    """Until another worker goes on with the run, and until it is done; nothing may be doubled."""
    before = quiet()
    with site.holding_searches(HALF):
        (case,) = site.act("log", email=BIG)["cases"]
        wait(lambda: _is_half_way(site, case), "the collection to be half-way", WAIT_SECONDS)
        site.kill("worker")
        killed, had = time.monotonic(), _found(site, case)
    site.start_worker()
    wait(lambda: _found(site, case) > had, "the run to go on", WAIT_SECONDS)
    resumed = time.monotonic() - killed
    wait(lambda: _in_review(site, case), "the run to be done", WAIT_SECONDS)
    done = time.monotonic() - killed
    return [Result("kill-worker", (resumed,), None, before, f"done after {done:.1f} s; {_whole(site, case)}")]


def redis_down(site: Site) -> list[Result]:
    """A customer's request is answered meanwhile, and what it queued is done when Redis is back."""
    before, visitors = quiet(), Visitors(site, 1)
    visitors.send(0)
    site.kill_server("valkey")
    try:
        taken = visitors.send(0) / 1000
    finally:
        site.revive()
        visitors.close()
    done = wait(lambda: not _open_jobs(site), "what was queued without Redis", WAIT_SECONDS)
    return [
        Result(
            "redis-down",
            (taken,),
            None,
            before,
            f"accepted; its work was done {done:.1f} s after Redis was back",
        )
    ]


def redis_empty(site: Site) -> list[Result]:
    """Four requests are queued, and what carries their messages forgets all of them."""
    before = quiet()
    site.kill("worker")
    cases = site.act("log", email="c2@example.com", times=QUEUED)["cases"]
    site.kill_server("valkey")
    site.revive(empty_broker=True)
    back = time.monotonic()
    site.start_worker()
    with contextlib.suppress(TimeoutError):
        wait(lambda: all(_in_review(site, case) for case in cases), "the forgotten requests", WAIT_SECONDS)
    took = time.monotonic() - back
    lost = sum(not _in_review(site, case) for case in cases)
    return [
        Result("redis-empty-lost", (float(lost),), None, before),
        Result("redis-empty-found", (took,), None, before, "the start of a worker included"),
    ]


def postgres_gone(site: Site) -> list[Result]:
    """A run is half-way; the database is away for ten seconds, and visitors read a page that says so."""
    before = quiet()
    path = f"/p/{site.slug()}/"
    with site.holding_searches(HALF):
        (case,) = site.act("log", email=BIG)["cases"]
        wait(lambda: _is_half_way(site, case), "the collection to be half-way", WAIT_SECONDS)
        site.kill_server("postgres")
    try:
        statuses = _visit_for(site, path, GONE_SECONDS)
    finally:
        site.revive()
    done = wait(lambda: _in_review(site, case), "the run to be done", WAIT_SECONDS)
    visited = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    return [
        Result("postgres-gone", (done,), None, before, f"visitors meanwhile: {visited}; {_whole(site, case)}")
    ]


def _visit_for(site: Site, path: str, seconds: float) -> Counter[str]:
    """Open the portal again and again; count what comes."""
    statuses: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        statuses[_visited(site, path)] += 1
        time.sleep(0.5)
    return statuses


def _visited(site: Site, path: str) -> str:
    browser = Browser(site.port)
    try:
        return str(browser.get(path).status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        browser.close()


def _found(site: Site, case: str) -> int:
    return int(site.one(FOUND, case))


def _is_half_way(site: Site, case: str) -> bool:
    return 0 < _found(site, case) < LARGE_ROWS


def _in_review(site: Site, case: str) -> bool:
    return bool(site.one("SELECT state = 'review' FROM cases_case WHERE id = %s", case))


def _open_jobs(site: Site) -> int:
    return int(site.one("SELECT count(*) FROM jobs_job WHERE state IN ('queued', 'running')"))


def _whole(site: Site, case: str) -> str:
    """Raises RuntimeError where anything is missing, doubled, or broken in the trail."""
    facts = site.act("found", case=case)
    if (facts["items"], facts["distinct"], facts["broken_chains"]) != (LARGE_ROWS + 1, LARGE_ROWS + 1, 0):
        raise RuntimeError(f"the run is not whole: {facts}")
    return f"{facts['items']} rows, none missing, none doubled"


ACTS: tuple[tuple[tuple[str, ...], Callable[[Site], list[Result]]], ...] = (
    (("kill-worker",), kill_worker),
    (("redis-down",), redis_down),
    (("redis-empty-lost", "redis-empty-found"), redis_empty),
    (("postgres-gone",), postgres_gone),
)
