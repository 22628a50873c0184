"""The site that is measured: real servers of its own, durable, and the programs as they are in production."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from dsar.supervisor import web, web_answers
from tests.bench import metered, processes
from tests.bench.figures import Before
from tests.bench.watch import wait
from tests.kills.desk import Desk
from tests.kills.driving import Driver

SHARED_CRM = Path(__file__).resolve().parents[3] / "shared" / "data" / "crm_bench"
READY_SECONDS = 90.0
WORKERS = 2  # processes that take jobs
REST_SECONDS = 2.0


class Site(Desk):
    """A desk whose web server is measured as well, and one process that drives the workflow."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.driver: Driver | None = None

    def prepare(self) -> None:
        super().prepare()
        # Each request of the intake comes from another address, as the visitors of a real site do.
        self.environment |= {
            "TRUSTED_PROXIES": "1",
            "DSAR_BASE_URL": f"http://127.0.0.1:{self.port}",
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(metered.offered_in(self.folder)),
        }

    def close(self) -> None:
        if self.driver is not None:
            self.driver.close()
        super().close()

    def roots(self) -> set[int]:
        """Everything of ours whose CPU seconds count: servers, programs, and the driver."""
        pids = {process.pid for process in self.programs.values()} | self.servers.pids()
        return pids | ({self.driver.pid} if self.driver else set())

    def drive(self, act: str, **arguments: Any) -> Any:
        """Do something by the workflow, in a process that is warm."""
        if self.driver is None:
            self.driver = Driver("tests.bench.driver", self.environment, self.folder / "driver.log")
        return self.driver.ask(act, **arguments)

    def start_web(self) -> None:
        """One web process with eight threads, until it answers."""
        if "web" not in self.programs:
            self.start("web", web(self.port).argv)
            wait(lambda: web_answers(self.port), "the web server", READY_SECONDS)

    def start_jobs(self) -> None:
        """One worker of two processes, and whoever finds lost work, until both take work."""
        if "worker" not in self.programs:
            self.start_worker()
            self.start_sweeper()
            wait(lambda: {"worker", "upkeep"} <= set(self.drive("workers")), "the workers", READY_SECONDS)

    def restart_jobs(self) -> None:
        """Fresh processes, whose peak of memory is their own."""
        self.stop_jobs()
        self.start_jobs()

    def stop_jobs(self) -> None:
        """Let what is queued wait."""
        for name in ("worker", "upkeep", "beat"):
            if name in self.programs:
                self.kill(name)

    def worker_children(self) -> set[int]:
        return processes.descendants(self.programs["worker"].pid)

    def slug(self) -> str:
        """The brand's part of the portal's addresses."""
        return str(self.one("SELECT slug FROM identity_controller"))

    def set_up(self) -> None:
        """The brand and its staff."""
        self.drive("set_up")

    def connect_crm(self, options: dict[str, Any], dataset: str) -> None:
        """Make the CRM the brand's source system."""
        self.drive("connect", options=options, dataset=dataset)

    def make_own_crm(self, rows: int) -> None:
        """A brand with a small CRM of its own, whose first customer has so many rows."""
        self._make_crm(rows)
        self.act("set_up", crm=self.crm_options())

    def load_crm(self, script: Path) -> dict[str, Any]:
        """Make the CRM from its script, once; return how the desk reaches it."""
        with psycopg.connect(self.environment_url("postgres"), autocommit=True) as server:
            server.execute("CREATE ROLE bench_reader LOGIN PASSWORD 'reader'")
            server.execute("CREATE ROLE bench_eraser LOGIN PASSWORD 'eraser'")
            server.execute("CREATE DATABASE bench_crm")
        with psycopg.connect(self.environment_url("bench_crm"), autocommit=True) as crm:
            crm.execute(script.read_text())
            # The peer finds a customer by the table's own index; ours is the one that the check of a source asks for.
            crm.execute("CREATE INDEX ON customers (lower(trim(email)))")
            crm.execute("ANALYZE customers")
            crm.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench_reader")
            crm.execute("GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bench_eraser")
        erasing = {"erase_user": "bench_eraser", "erase_password": "eraser"}
        return self.crm_options() | {"database": "bench_crm", "user": "bench_reader", "erasing": erasing}


def options_of(url: str) -> dict[str, Any]:
    """The options of the PostgreSQL connector for an address as ``--crm`` takes it."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError("--crm takes postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE")
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "database": parts.path.strip("/"),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "sslmode": "prefer",
    }


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quiet() -> Before:
    """Look at the machine while ours rests, before each measurement."""
    return processes.before()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, with what the servers kept beside it."""
    folder = Path(tempfile.mkdtemp(prefix="dsar-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened(site: Site) -> Iterator[Site]:
    """The site with its servers and an empty, migrated database; nothing is left of it."""
    try:
        site.prepare()
        yield site
    finally:
        site.close()
