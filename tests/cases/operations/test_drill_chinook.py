"""A real public sample database, described in a configuration file, and a drill over it."""

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHINOOK = Path(__file__).parents[4] / "shared" / "data" / "chinook"
LUIS = "luisg@embraer.com.br"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not CHINOOK.exists(), reason="the Chinook sample database is not beside the project"),
]

DESK = """
controllers:
  - slug: chinook
    name: Chinook
    legal_name: Chinook Music Limited
    privacy_email: privacy@chinook.example
    regime: UK-ENG
    identity: {{rules: [{{name: all, level: low}}]}}
    sources:
      - slug: shop
        name: Music shop
        connector: postgresql
        options: {{host: "{host}", port: {port}, database: {name}, user: {name}, sslmode: prefer}}
        secrets: {{password: {{env: CHINOOK_PASSWORD}}}}
        dataset: "{dataset}"
        test_persons: [{person}]
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[dict[str, Any]]:
    """The sample in a database of its own, and an account that may only read it."""
    server = os.environ.get("DATABASE_ADMIN_URL")
    if not server:
        pytest.skip("needs a PostgreSQL: set DATABASE_ADMIN_URL to a superuser's address")
    name = f"chinook_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'a-password'")
    with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as connection:
        connection.execute((CHINOOK / "chinook.sql").read_text(encoding="utf-8"))
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    known = conninfo_to_dict(server)
    yield {"name": name, "host": known["host"], "port": known.get("port") or 5432}
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {name}")


@pytest.fixture
def desk(shop: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHINOOK_PASSWORD", "a-password")
    path = tmp_path / "desk.yaml"
    path.write_text(DESK.format(**shop, dataset=CHINOOK / "dataset.yml", person=LUIS))
    call_command("apply", str(path), stdout=StringIO())
    return path


def test_drill_over_chinook_answers_with_46_rows_of_one_customer(
    desk: Path, shop: dict[str, Any], tmp_path: Path
) -> None:
    out = StringIO()
    flags = ["--controller", "chinook", "--right", "access", "--email", LUIS, "--out", str(tmp_path / "pack")]

    call_command("drill", *flags, "--json", "--in-process", stdout=out)

    report = json.loads(out.getvalue())
    source = report["sources"][0]
    assert (report["state"], report["outcome"], source["state"]) == ("closed", "partly_fulfilled", "done")
    assert source["collections"] == {"customer": 1, "invoice": 7, "invoice_line": 38, "employee": 1}
    assert (report["decisions"]["disclosed"], report["decisions"]["withheld"]) == (46, 1)
    assert sum(report["withheld"].values()) == 1
    assert _rows_of(tmp_path / "pack" / "data.json") == _rows_held(shop["name"])
    assert _files_naming(tmp_path / "pack", "jane@chinookcorp.com") == []


def test_drill_over_chinook_refuses_another_customer(desk: Path, tmp_path: Path) -> None:
    flags = ["--controller", "chinook", "--right", "access", "--email", "leonekohler@surfeu.de"]

    with pytest.raises(CommandError) as refused:
        call_command("drill", *flags, "--out", str(tmp_path / "pack"), "--in-process")

    assert (refused.value.returncode, (tmp_path / "pack").exists()) == (3, False)


def _rows_of(path: Path) -> Counter[tuple[str, int]]:
    """The rows in an answer: collection and primary key of each."""
    collections = [
        collection
        for source in json.loads(path.read_text(encoding="utf-8"))["sources"]
        for collection in source["collections"]
    ]
    return Counter(
        (held["collection"], record["data"][f"{held['collection']}_id"])
        for held in collections
        for record in held["records"]
    )


def _rows_held(database: str) -> Counter[tuple[str, int]]:
    """The customer's rows as the database itself gives them: 1 + 7 + 38."""
    with psycopg.connect(make_conninfo(os.environ["DATABASE_ADMIN_URL"], dbname=database)) as connection:
        rows = connection.execute(
            "WITH who AS (SELECT customer_id FROM customer WHERE email = %s)"
            " SELECT 'customer', customer_id FROM who"
            " UNION ALL SELECT 'invoice', invoice_id FROM invoice JOIN who USING (customer_id)"
            " UNION ALL SELECT 'invoice_line', invoice_line_id FROM invoice_line"
            "                  JOIN invoice USING (invoice_id) JOIN who USING (customer_id)",
            [LUIS],
        ).fetchall()
    assert len(rows) == 46
    return Counter((str(collection), int(key)) for collection, key in rows)


def _files_naming(folder: Path, words: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert "data.json" in {path.name for path in files}
    return [path.name for path in files if words.encode() in path.read_bytes()]
