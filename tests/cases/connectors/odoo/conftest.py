"""A real Odoo to test against, where there is one.

``DSAR_TEST_ODOO_URL``, ``DSAR_TEST_ODOO_KEY`` and ``DSAR_TEST_ODOO_DATABASE`` (a connection string for PostgreSQL) say
where; by default it is looked for on this machine, with its files in ``~/.cache/dsar-crm``. Where none answers, the
tests say so and are left out.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.cases.connectors.odoo.real import HOME, Odoo, Place


def _key() -> str:
    said = os.environ.get("DSAR_TEST_ODOO_KEY", "")
    file = HOME / "run" / "odoo19.key"
    return said or (file.read_text(encoding="ascii").strip() if file.exists() else "")


@pytest.fixture(scope="session")
def place() -> Place:
    url = os.environ.get("DSAR_TEST_ODOO_URL", "http://127.0.0.1:18069")
    try:
        answer = httpx2.get(f"{url}/web/version", timeout=5, trust_env=False)
    except httpx2.HTTPError:
        answer = None
    if answer is None or answer.status_code != 200 or not _key():
        pytest.skip(
            "NOT TESTED against Odoo: none answers here. Set DSAR_TEST_ODOO_URL and DSAR_TEST_ODOO_KEY."
        )
    return Place(url, _key())


@pytest.fixture
def odoo(place: Place) -> Iterator[Odoo]:
    """One test at a time has it: some compare the whole of its database before and after."""
    with (Path(tempfile.gettempdir()) / "dsar-test-odoo.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with Odoo(place) as client:
            yield client


@pytest.fixture
def database() -> Iterator[psycopg.Connection[Any]]:
    """Odoo's own database: the test may read it, the connector may not."""
    said = os.environ.get(
        "DSAR_TEST_ODOO_DATABASE", f"host={HOME / 'pg'} dbname=odoo19 user=odoo password=odoo"
    )
    try:
        connection = psycopg.connect(said, autocommit=True)
    except psycopg.OperationalError:
        pytest.skip("NOT TESTED against Odoo's database: set DSAR_TEST_ODOO_DATABASE.")
    with connection:
        connection.execute("SET default_transaction_read_only TO on")
        yield connection
