"""A whole desk of real processes on servers of its own, to be killed at will.

Acts are done by ``tests.kills.act`` with the desk's environment, in a process beside its programs; what is true is read
by the superuser straight from PostgreSQL.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import redis

from dsar.embedded import EmbeddedServers
from tests import prepared
from tests.kills.driving import CHECKOUT, Driver

HOLD = 1  # the lock at which a held search waits
WAIT_SECONDS = 120.0
LOOK_SECONDS = 0.2  # each look is a connection to the database, which others want to be busy with their work


class Desk:
    """Embedded servers, a migrated database, a CRM with one large customer, and the programs of the desk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = EmbeddedServers(folder / "servers")
        # The servers of the test run itself are named in the environment; these are others.
        self.servers.wants_postgres = self.servers.wants_valkey = True
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.environment: dict[str, str] = {}
        self._actor: Driver | None = None

    def open(self, rows: int, **options: Any) -> None:
        """Start, with a CRM whose first customer has so many orders; ``options`` are more of its source's."""
        self.prepare()
        self._make_crm(rows)
        self.act("set_up", crm=self.crm_options() | options)

    def prepare(self) -> None:
        """Start the servers and migrate the database."""
        self.servers.start()
        ours = {name: value for name, value in os.environ.items() if name not in SERVER_SETTINGS}
        self.environment = {
            **ours,
            **self.servers.environment(),
            "DSAR_DATA_DIR": str(self.folder / "files"),
            "DJANGO_SETTINGS_MODULE": "dsar.settings",
            "DSAR_OUTBOX": "1",
            "PYTHONUNBUFFERED": "1",
        }
        prepared.fill(
            self.environment_url("dsar"),
            "dsar_app",
            lambda: self._run("manage.py", "migrate", "--verbosity", "0"),
        )

    def close(self) -> None:
        for name in list(self.programs):
            self.kill(name)
        if self._actor is not None:
            self._actor.close()
        self.servers.destroy()

    # -- programs --------------------------------------------------------------------------------

    def start_worker(self, name: str = "worker") -> None:
        host = f"{name}@%h"
        self._start(name, "worker", "--queues", "jobs", "--concurrency", "2", "--hostname", host)

    def run_only(self, *names: str) -> None:
        """Let just these of its worker and its sweeper run, whatever did before."""
        for name in list(self.programs):
            if name not in names:
                self.kill(name)
        if "worker" in names and "worker" not in self.programs:
            self.start_worker()
        if "beat" in names and "beat" not in self.programs:
            self.start_sweeper()

    def start_sweeper(self) -> None:
        self._start("upkeep", "worker", "--queues", "upkeep", "--pool", "solo", "--hostname", "upkeep@%h")
        self._start("beat", "beat", "--schedule", str(self.folder / "beat"), "--pidfile=")

    def _start(self, name: str, *arguments: str) -> None:
        self.start(name, [sys.executable, "-m", "celery", "-A", "dsar", *arguments])

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a program with the desk's environment; its output goes to a log of its name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                argv,
                cwd=CHECKOUT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill -9 a program with all its children."""
        program = self.programs.pop(name)
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()

    def kill_server(self, name: str) -> None:
        """Kill -9 PostgreSQL's or Valkey's main process."""
        process = self.servers.processes[name]
        process.kill()
        process.wait()

    def flush_broker(self) -> None:
        """Take every message out of the broker while it runs."""
        with redis.Redis.from_url(self.environment["REDIS_URL"]) as broker:
            broker.flushall()

    def revive(self, *, empty_broker: bool = False) -> None:
        """Start again what was killed; the broker with what its disk kept, or with nothing."""
        if empty_broker:
            shutil.rmtree(self.servers.data / "valkey", ignore_errors=True)
        self.servers.revive()

    # -- acts and facts --------------------------------------------------------------------------

    def act(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Do one thing by the workflow, and return what it says. Raises DriverError."""
        if self._actor is None:
            self._actor = Driver("tests.kills.act", self.environment, self.folder / "act.log")
        said: dict[str, Any] = self._actor.ask(name, **arguments)
        return said

    def one(self, query: str, *values: Any, database: str = "dsar") -> Any:
        """One value, as the superuser sees it."""
        with psycopg.connect(self.environment_url(database), autocommit=True) as connection:
            row = connection.execute(query, values).fetchone()
            return row[0] if row else None

    def change(self, database: str, statements: str) -> None:
        """Run statements as the superuser."""
        with psycopg.connect(self.environment_url(database), autocommit=True) as connection:
            connection.execute(statements)

    def wait(self, true: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited in vain for {what}\n{self.logs()}"
            time.sleep(LOOK_SECONDS)

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in self.folder.glob("*.log"))

    def environment_url(self, database: str) -> str:
        parts = urlsplit(self.servers.environment()["DATABASE_ADMIN_URL"])
        return urlunsplit(parts._replace(path=f"/{database}"))

    def holding_searches(self, at: int) -> AbstractContextManager[None]:
        """Let no search store more records than so many meanwhile, so that none ends before it is killed."""
        return self.holding("dsar", "UPDATE ON cases_sourcesearch", f"NEW.found > {at}")

    @contextmanager
    def holding(self, database: str, what: str, when: str) -> Iterator[None]:
        """Let nothing of this kind happen to a row there meanwhile; whoever tries waits until it is killed."""
        with closing(psycopg.connect(self.environment_url(database), autocommit=True)) as held:
            held.execute(
                "CREATE OR REPLACE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS"
                f" 'BEGIN PERFORM pg_advisory_xact_lock_shared({HOLD}); RETURN coalesce(NEW, OLD); END'"
            )
            held.execute(
                f"CREATE OR REPLACE TRIGGER held BEFORE {what} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION held()"
            )
            held.execute(f"SELECT pg_advisory_lock({HOLD})")
            yield

    # -- the source ------------------------------------------------------------------------------

    def crm_options(self) -> dict[str, Any]:
        parts = urlsplit(self.environment_url("crm"))
        return {
            "host": parse_qs(parts.query)["host"][0],
            "database": "crm",
            "user": "crm_reader",
            "password": "reader",
            "erasing": {"password": "reader", "erase_user": "crm_writer", "erase_password": "writer"},
        }

    def _make_crm(self, rows: int) -> None:
        with psycopg.connect(self.environment_url("postgres"), autocommit=True) as server:
            server.execute("CREATE ROLE crm_reader LOGIN PASSWORD 'reader'")
            server.execute("CREATE ROLE crm_writer LOGIN PASSWORD 'writer'")
            server.execute("CREATE DATABASE crm")
        with psycopg.connect(self.environment_url("crm"), autocommit=True) as crm:
            crm.execute("CREATE TABLE customers (id int PRIMARY KEY, email text, name text)")
            crm.execute("CREATE TABLE orders (id int PRIMARY KEY, customer_id int, item text)")
            crm.execute("CREATE INDEX ON orders (customer_id)")
            crm.execute(
                "INSERT INTO customers SELECT i, 'c' || i || '@example.com', 'Name ' || i FROM generate_series(1, 50) i"
            )
            crm.execute(
                "INSERT INTO orders SELECT i, CASE WHEN i <= %s THEN 1 ELSE 2 + i %% 40 END, 'item ' || i"
                " FROM generate_series(1, %s) i",
                (rows, rows + 2000),
            )
            crm.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO crm_reader")
            crm.execute("GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO crm_writer")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


SERVER_SETTINGS = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "REDIS_URL"}
