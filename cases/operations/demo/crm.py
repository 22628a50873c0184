"""The demonstration's customer databases: beside our own where the server lets us, else a schema within it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cases.operations.demo.people import Customer, Tongue, histories
from dsar import env

PERSON = (
    "bigint PRIMARY KEY",
    *("text",) * 6,
    "date",
    *("text",) * 3,
    "date",
    "boolean",
)
CONTRACT = ("bigint PRIMARY KEY", "bigint", "text", "text", "text")
USE = ("bigint PRIMARY KEY", "bigint", "date", "integer", "text")
BILL = ("bigint PRIMARY KEY", "bigint", "date", "numeric(10, 2)", "date")
CONTACT = ("bigint PRIMARY KEY", "bigint", "bigint", "timestamp", "text")
STAFF = ("bigint PRIMARY KEY", "text", "text")


@dataclass(frozen=True)
class Table:
    """A table of a customer system; what it holds is told by its kinds of column."""

    name: str
    columns: Sequence[str]
    kinds: Sequence[str]
    looked_up: Sequence[str] = ()


TABLES: Mapping[str, Sequence[Table]] = {
    "meridian": (
        Table(
            "customer",
            [
                "id",
                "account_number",
                "title",
                "first_name",
                "last_name",
                "email",
                "phone",
                "born_on",
                "street",
                "town",
                "postcode",
                "joined_on",
                "marketing",
            ],
            PERSON,
            ("lower(trim(email))", "regexp_replace(phone, '[^0-9]', '', 'g')", "account_number"),
        ),
        Table(
            "supply_point",
            ["id", "customer_id", "fuel", "meter_number", "tariff"],
            CONTRACT,
            ("customer_id",),
        ),
        Table("reading", ["id", "supply_point_id", "read_on", "kwh", "taken_by"], USE, ("supply_point_id",)),
        Table("bill", ["id", "customer_id", "issued_on", "pounds", "paid_on"], BILL, ("customer_id",)),
        Table("call", ["id", "customer_id", "adviser_id", "taken_at", "note"], CONTACT, ("customer_id",)),
        Table("adviser", ["id", "name", "email"], STAFF),
    ),
    "nordlicht": (
        Table(
            "kunde",
            [
                "id",
                "kundennummer",
                "anrede",
                "vorname",
                "nachname",
                "email",
                "telefon",
                "geboren_am",
                "strasse",
                "ort",
                "plz",
                "kunde_seit",
                "werbung",
            ],
            PERSON,
            ("lower(trim(email))", "regexp_replace(telefon, '[^0-9]', '', 'g')", "kundennummer"),
        ),
        Table("vertrag", ["id", "kunde_id", "art", "sim_nummer", "tarif"], CONTRACT, ("kunde_id",)),
        Table("verbindung", ["id", "vertrag_id", "tag", "megabyte", "netz"], USE, ("vertrag_id",)),
        Table("rechnung", ["id", "kunde_id", "vom", "euro", "bezahlt_am"], BILL, ("kunde_id",)),
        Table("anfrage", ["id", "kunde_id", "mitarbeiter_id", "am", "notiz"], CONTACT, ("kunde_id",)),
        Table("mitarbeiter", ["id", "name", "email"], STAFF),
    ),
}


@dataclass(frozen=True)
class Crm:
    """Where a brand's customer system lies, for its maker, for the desk that reads it, and for what it may change."""

    maker: str
    schema: str
    reader: Mapping[str, str]

    def values(self, slug: str) -> dict[str, str]:
        """What the configuration file asks the environment for."""
        return {f"DEMO_{slug.upper()}_{name.upper()}": value for name, value in self.reader.items()}


def prepare(slug: str, tongue: Tongue, people: Sequence[Customer], today: date) -> Crm:
    """Make the brand's customer system where there is none; twice is once."""
    crm = _beside_ours(slug) if env.text("DATABASE_ADMIN_URL", "") else _within_ours(slug)
    with psycopg.connect(crm.maker) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(crm.schema)))
        if not _is_filled(connection, crm.schema):
            _fill(connection, TABLES[slug], tongue, people, today)
        _grant(connection, crm, "SELECT", crm.reader["user"])
        _grant(connection, crm, "SELECT, UPDATE, DELETE", crm.reader["eraser"])
    return crm


def chat(people: Iterable[Customer], greeting: str, agent: str) -> str:
    """A small chat archive of these people, as the demonstration connector takes it."""
    listed = list(people)
    persons = [
        {"id": one.id, "email": one.email, "name": one.name, "phone_number": one.phone} for one in listed
    ]
    notes = [{"id": one.id, "person_id": one.id, "agent": agent, "text": greeting} for one in listed]
    return json.dumps({"token": chat_token(), "people": persons, "notes": notes}, ensure_ascii=False)


def chat_token() -> str:
    return _password("chat")


def _beside_ours(slug: str) -> Crm:
    """A database of its own, named after ours, with a role that may only read it, and one that may change it."""
    server = env.text("DATABASE_ADMIN_URL")
    name = f"{settings.DATABASES['default']['NAME']}_{slug}"
    reader, eraser = f"{name}_reader", f"{name}_eraser"
    with psycopg.connect(server, autocommit=True) as connection:
        _make_role(connection, reader, _password(name))
        _make_role(connection, eraser, _password(eraser))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    known = conninfo_to_dict(server)
    place = {"host": str(known.get("host") or "localhost"), "port": str(known.get("port") or 5432)}
    account = {"database": name, "schema": "public", "user": reader, "password": _password(name)}
    account |= {"eraser": eraser, "eraser_password": _password(eraser)}
    return Crm(make_conninfo(server, dbname=name), "public", {**place, **account})


def _within_ours(slug: str) -> Crm:
    """A schema of our own database, read and changed by the application's own role, where no other can be made."""
    owner, app = settings.DATABASES["owner"], settings.DATABASES["default"]
    schema = f"demo_{slug}"
    place = {"host": str(app["HOST"] or "localhost"), "port": str(app["PORT"] or 5432)}
    account = {"database": app["NAME"], "schema": schema, "user": app["USER"], "password": app["PASSWORD"]}
    account |= {"eraser": app["USER"], "eraser_password": app["PASSWORD"]}
    maker = make_conninfo(dbname=owner["NAME"], user=owner["USER"], password=owner["PASSWORD"], **place)
    with psycopg.connect(maker, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    return Crm(maker, schema, {**place, **account})


def _password(name: str) -> str:
    """The same each time on one site, and another on the next."""
    return hmac.new(settings.SECRET_KEY.encode(), f"demo {name}".encode(), hashlib.sha256).hexdigest()[:32]


def _exists(connection: psycopg.Connection[Any], query: str, *values: str) -> bool:
    return connection.execute(query, values).fetchone() is not None


def _is_filled(connection: psycopg.Connection[Any], schema: str) -> bool:
    return _exists(connection, "SELECT 1 FROM pg_tables WHERE schemaname = %s", schema)


def _fill(
    connection: psycopg.Connection[Any],
    tables: Sequence[Table],
    tongue: Tongue,
    people: Sequence[Customer],
    today: date,
) -> None:
    lives = histories(tongue, people, today)
    rows: list[Iterable[Sequence[Any]]] = [
        (tuple(vars(person).values()) for person in people),
        lives.contracts,
        lives.uses,
        lives.bills,
        lives.contacts,
        lives.staff,
    ]
    for table, held in zip(tables, rows, strict=True):
        _make(connection, table)
        _copy(connection, table, held)


def _make(connection: psycopg.Connection[Any], table: Table) -> None:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in zip(table.columns, table.kinds, strict=True)
    )
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table.name), columns))
    for expression in table.looked_up:
        index = sql.SQL("CREATE INDEX ON {} ({})")
        connection.execute(index.format(sql.Identifier(table.name), sql.SQL(f"({expression})")))


def _copy(connection: psycopg.Connection[Any], table: Table, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table.name))) as copy:
        for row in rows:
            copy.write_row(row)


def _make_role(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(role.format(sql.Identifier(name), sql.Literal(password)))


def _grant(connection: psycopg.Connection[Any], crm: Crm, rights: LiteralString, role: str) -> None:
    schema, whom = sql.Identifier(crm.schema), sql.Identifier(role)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, whom))
    tables = sql.SQL("GRANT {} ON ALL TABLES IN SCHEMA {} TO {}")
    connection.execute(tables.format(sql.SQL(rights), schema, whom))
