"""The statutory clock: whole computations with their steps on one core, and all open cases computed anew."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

import psycopg

from cases.deadlines.calendars import Calendar
from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts
from cases.deadlines.loader import Regime, calendar_for, default_catalogue
from cases.deadlines.notation import Row, facts_of
from tests.bench import processes
from tests.bench.figures import Result
from tests.bench.options import Options
from tests.bench.queue import column_names, column_values, fill
from tests.bench.site import Site, quiet
from tests.kills.desk import CHECKOUT

RECOMPUTED = ("recompute-moved", "recompute", "recompute-memory")
ROWS = ("clock", *RECOMPUTED)
SIZE = 100_000

REGIMES = ("UK-ENG", "UK-SCT", "UK-NIR", "EU-DE", "EU-FR", "EU-IE", "EU-NO", "US-CA", "NZ")
STORIES = (
    "",
    "identity_requested=2026-06-03;identity_received=2026-06-10",
    "identity_requested=2026-06-03",
    "clarification_requested=2026-06-07;clarification_received=2026-06-14",
    "clarification_requested=2026-06-07;clarification_received=2026-06-14;extended=2026-06-25",
    (
        "identity_requested=2026-06-03;identity_received=2026-06-10;clarification_requested=2026-06-12;"
        "clarification_received=2026-06-20;clarification_requested=2026-06-15;clarification_received=2026-06-24"
    ),
    "fee_requested=2026-06-08;fee_paid=2026-06-20",
    "extended=2026-06-20",
)

Work = tuple[CaseFacts, Regime, Calendar, datetime]


def measure_engine(options: Options) -> list[Result]:
    """Histories of many kinds, places and days, computed over and over; CPU seconds, so that others don't count."""
    before, histories = quiet(), list(_histories())
    _rate(histories, 1)
    rates = [_rate(histories, options.runs(20, 2)) for _ in range(options.runs(7, 2))]
    detail = f"{len(histories)} histories of {len(REGIMES)} regimes; each with its steps; a second of CPU"
    return [Result("clock", tuple(rates), None, before, detail)]


def _histories() -> Iterator[Work]:
    catalogue = default_catalogue()
    for code in REGIMES:
        for day in range(28):
            for story in STORIES:
                row = Row(code, date(2026, 6, 1) + timedelta(days=day), story)
                regime = catalogue.regime(code, row.received_on)
                facts = facts_of(row, regime.zone)
                yield facts, regime, calendar_for(regime), max(event.instant for event in facts.events)


def _rate(histories: Sequence[Work], rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        for facts, regime, calendar, now in histories:
            compute(facts, regime, calendar, now=now)
    return rounds * len(histories) / (time.process_time() - began)


def measure_recomputing(site: Site, options: Options) -> list[Result]:
    """The command over so many open cases: first every date is wrong and moves, then none."""
    size = options.runs(SIZE, 5_000)
    pattern, url = site.drive("one_request"), site.environment_url("dsar")
    fill(url, pattern, size)
    _fill_facts(url, pattern)
    before = quiet()
    moved, (again, peak, cpu) = _run(site), _run(site)
    detail = f"{size} open cases, {_facts(url)} facts"
    results = (
        Result("recompute-moved", (moved[0],), moved[2], before, f"{detail}; peak memory {moved[1]:.0f} MB"),
        Result("recompute", (again,), cpu, before, detail),
        Result("recompute-memory", (peak,), None, before),
    )
    return [result for result in results if options.wants(result.name)]


def _run(site: Site) -> tuple[float, float, float]:
    """Seconds, peak of memory in MB, and CPU seconds with the database's."""
    servers: Callable[[], set[int]] = site.servers.pids
    cpu, began = processes.cpu_seconds(servers()), time.monotonic()
    command = [sys.executable, "manage.py", "recompute_deadlines", "--anew", "--skip-checks"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=dict(site.environment), stdout=subprocess.DEVNULL
    ) as process:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"recompute_deadlines ended with {process.returncode}")
    took = time.monotonic() - began
    ours = processes.cpu_seconds(servers()) - cpu + used.ru_utime + used.ru_stime
    return took, used.ru_maxrss / 1024, ours


# So that not all fall on the same few days.
_FACT_DIFFERS = {
    "id": "gen_random_uuid()",
    "case_id": "copy.id",
    "at": "original.at - mod(abs(hashtext(copy.id::text)), 120) * interval '1 day'",
}


def _fill_facts(url: str, pattern: str) -> None:
    """Give every case that has none the pattern's facts, some days earlier."""
    with psycopg.connect(url) as database:
        database.execute("SET LOCAL session_replication_role = replica")
        database.execute(
            f"""
            INSERT INTO cases_clockevent ({column_names(database, "cases_clockevent")})
            SELECT {column_values(database, "cases_clockevent", _FACT_DIFFERS)}
              FROM cases_clockevent original, cases_case copy
             WHERE original.case_id = %(pattern)s
               AND NOT EXISTS (SELECT FROM cases_clockevent known WHERE known.case_id = copy.id)""",
            {"pattern": pattern},
        )
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE cases_clockevent")


def _facts(url: str) -> int:
    with psycopg.connect(url) as database:
        row = database.execute("SELECT count(*) FROM cases_clockevent").fetchone()
        return int(row[0]) if row else 0
