"""The handler's queue with many open cases, read by a signed-in handler over HTTP."""

import time

import psycopg

from tests.bench.figures import Result, percentile, skipped
from tests.bench.options import Options
from tests.bench.site import Site, quiet
from tests.bench.watch import lap
from tests.bench.web import Browser
from tests.kills.driving import DriverError

SIZES = {"queue-10k": 10_000, "queue-100k": 100_000}
ROWS = tuple(SIZES)
WARM_UP = 5
MS = 1000.0

# What differs from case to case; everything else is as in the pattern. A request's sealed words are its own,
# so that the copies have none that could be opened: the queue shows none.
REQUEST_DIFFERS = {"id": "gen_random_uuid()", "reference": "lpad(to_hex(i), 9, 'x')", "submission": "NULL"}
CASE_DIFFERS = {
    "id": "gen_random_uuid()",
    "subject_request_id": "copy.id",
    "due_on": "current_date + mod(i, 60)::int - 10",
    "right": "(ARRAY['access', 'erasure', 'rectification', 'portability'])[1 + mod(i, 4)::int]",
    "state": "(ARRAY['awaiting_identity', 'searching', 'review', 'approval', 'with_controller'])[1 + mod(i, 5)::int]",
}


def measure(site: Site, options: Options) -> list[Result]:
    """The first page's middle time, with so many open cases in the table."""
    site.start_web()
    try:
        path = site.drive("address", name="console:queue")
    except DriverError as error:
        return skipped(f"the queue cannot be opened: {error}", *ROWS)
    cookie, pattern = site.drive("sign_in"), site.drive("one_request")
    results = []
    for name, size in SIZES.items():
        if options.wants(name):
            fill(site.environment_url("dsar"), pattern, size)
            results.append(_read(site, name, path, cookie, options))
    return results


def fill(url: str, pattern: str, size: int) -> None:
    """Copy one case until there are so many, as the superuser and without triggers, and gather statistics."""
    with psycopg.connect(url) as database:
        database.execute("SET LOCAL session_replication_role = replica")
        row = database.execute(
            "SELECT count(*) FROM cases_case WHERE state <> 'closed' AND NOT is_drill"
        ).fetchone()
        have = int(row[0]) if row else 0
        database.execute(
            f"""
            WITH pattern AS (SELECT * FROM cases_case WHERE id = %(pattern)s),
            copy AS (
                INSERT INTO cases_subjectrequest ({column_names(database, "cases_subjectrequest")})
                SELECT {column_values(database, "cases_subjectrequest", REQUEST_DIFFERS)}
                  FROM cases_subjectrequest original, generate_series(%(have)s, %(size)s - 1) i
                 WHERE original.id = (SELECT subject_request_id FROM pattern)
                RETURNING id, reference)
            INSERT INTO cases_case ({column_names(database, "cases_case")})
            SELECT {column_values(database, "cases_case", CASE_DIFFERS)}
              FROM pattern original, (SELECT id, row_number() OVER () AS i FROM copy) copy""",
            {"pattern": pattern, "have": have, "size": size},
        )
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE cases_case, cases_subjectrequest")


def _columns(database: psycopg.Connection, table: str) -> list[str]:
    rows = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [table],
    )
    return [str(row[0]) for row in rows]


def column_names(database: psycopg.Connection, table: str) -> str:
    return ", ".join(f'"{name}"' for name in _columns(database, table))


def column_values(database: psycopg.Connection, table: str, differs: dict[str, str]) -> str:
    return ", ".join(differs.get(name, f'original."{name}"') for name in _columns(database, table))


def _read(site: Site, name: str, path: str, cookie: str, options: Options) -> Result:
    browser = Browser(site.port, {"sessionid": cookie})
    many = options.runs(60, 15)
    try:
        for _ in range(WARM_UP):
            _timed(browser, path)
        before = quiet()
        with lap(site.roots) as run:
            times = [_timed(browser, path) for _ in range(many)]
    finally:
        browser.close()
    counted = site.drive("queries", path=path, cookie=cookie)
    detail = f"p95 {percentile(times, 0.95):.0f} ms; {counted['queries']} statements"
    return Result(name, tuple(times), run.cpu_seconds / many, before, detail)


def _timed(browser: Browser, path: str) -> float:
    began = time.monotonic()
    answer = browser.get(path)
    took = (time.monotonic() - began) * MS
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}")
    return took
