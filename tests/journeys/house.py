"""A whole desk of real processes with two brands, their staff, and their customer databases."""

import socket
from pathlib import Path

import psycopg

from dsar.supervisor import web, web_answers
from tests.factories.identity import PASSWORD
from tests.journeys import crm
from tests.kills.desk import Desk

HERE = Path(__file__).parent
BRANDS = ("albion", "hansa")


class House(Desk):
    """Web server, worker, upkeep and scheduler, as a real site runs them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def open_doors(self) -> None:
        """Start everything, and return when the site answers."""
        self.prepare()
        self.environment |= {
            "DSAR_BASE_URL": self.url,
            "CRM_HOST": str(self.crm_options()["host"]),
            "CRM_PASSWORD": "reader",
            "STAFF_PASSWORD": PASSWORD,
        }
        self.start("web", web(self.port).argv)
        self.start_worker()
        self.start_sweeper()
        self._make_customer_databases()
        self._run("manage.py", "apply", str(HERE / "desk.yaml"))
        self._run("-m", "tests.journeys.enrol")
        self.wait(lambda: web_answers(self.port), "the web server")

    def state(self, reference: str) -> tuple[str, str]:
        """State and outcome of the one case of a request."""
        return (self._of_case("state", reference), self._of_case("outcome", reference))

    def case_id(self, reference: str) -> str:
        return self._of_case("id", reference)

    def wait_for_state(self, reference: str, state: str) -> None:
        self.wait(lambda: self._of_case("state", reference) == state, f"{reference} to be in {state}")

    def _of_case(self, column: str, reference: str) -> str:
        return str(
            self.one(
                f"SELECT c.{column} FROM cases_case c JOIN cases_subjectrequest r ON r.id = c.subject_request_id"
                " WHERE r.reference = %s",
                reference,
            )
        )

    def wait_for_address_check(self, reference: str) -> None:
        """A source has said whether it knows the requester's address."""
        self.wait(
            lambda: (
                self.one(
                    "SELECT v.address_on_file FROM identity_verification v"
                    " JOIN cases_subjectrequest r ON r.id = v.subject_request_id WHERE r.reference = %s",
                    reference,
                )
                is True
            ),
            "the address to be found on file",
        )

    def count(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) FROM {table}"))

    def _make_customer_databases(self) -> None:
        with psycopg.connect(self.environment_url("postgres"), autocommit=True) as server:
            server.execute("CREATE ROLE crm_reader LOGIN PASSWORD 'reader'")
            for brand in BRANDS:
                server.execute(f"CREATE DATABASE crm_{brand}")
        for brand in BRANDS:
            with psycopg.connect(self.environment_url(f"crm_{brand}")) as database:
                crm.fill(database, brand)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
