"""What the demo CRM keeps, in SQLite: records of a few kinds, their files in pieces, and jobs of deletion."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

Data = Mapping[str, Any]

# The fields of each kind that the interface promises; ``id`` and ``version`` come with every record.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": (
        "number", "name", "email", "other_emails", "phone", "street", "city", "postcode", "born_on", "language",
        "marketing", "restricted", "archived", "note",
    ),
    "subscriptions": ("email", "list", "since"),
    "tickets": ("contact_id", "subject", "status", "agent", "opened_on"),
    "messages": ("contact_id", "ticket_id", "author", "from_customer", "text", "sent_at"),
    "calls": ("contact_id", "agent", "taken_at", "seconds", "summary"),
    "invoices": ("contact_id", "number", "issued_on", "amount", "status"),
    "files": ("contact_id", "on_type", "on_id", "name", "media_type", "size"),
    "history": ("contact_id", "field", "old", "new", "changed_by"),
}  # fmt: skip
# What a deletion has to wait for, by kind: records that refer to it.
REFER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "contacts": tuple((kind, "contact_id") for kind in ("tickets", "messages", "calls", "invoices", "files")),
    "tickets": (("messages", "ticket_id"),),
}
BOOKED = "booked"
PIECE_BYTES = 256 * 1024

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
  kind TEXT NOT NULL, id INTEGER NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL,
  job INTEGER, ghost INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_contact ON records (kind, json_extract(data, '$.contact_id'), id);
CREATE INDEX IF NOT EXISTS by_ticket ON records (kind, json_extract(data, '$.ticket_id'), id);
CREATE INDEX IF NOT EXISTS by_email ON records (kind, lower(json_extract(data, '$.email')));
CREATE TABLE IF NOT EXISTS pieces (file INTEGER NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (file, number));
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, record INTEGER NOT NULL,
  asks_left INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One record. ``job`` is the deletion that it waits for; a ``ghost`` was deleted, and a search finds it still."""

    kind: str
    id: int
    version: int
    data: Data
    job: int | None = None

    def told(self) -> dict[str, Any]:
        """Return it as the interface gives it."""
        waiting = {"deletion_job": self.job} if self.job is not None else {}
        return {"id": self.id, "version": self.version, **self.data, **waiting}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records of a kind are asked for; empty means all."""

    equals: Mapping[str, tuple[str, ...]]
    text: str = ""
    archived: bool = False


class Store:
    """Everything that is kept. Safe for several threads."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.create_function("digits", 1, _digits, deterministic=True)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # -- reading -----------------------------------------------------------------------------------------------

    def get(self, kind: str, number: int) -> Kept | None:
        """Return a record that has not been deleted."""
        rows = self._rows(f"{_SELECT} WHERE kind = ? AND id = ? AND ghost = 0", [kind, number])
        return rows[0] if rows else None

    def page(self, kind: str, wanted: Filter, after: int, limit: int) -> tuple[list[Kept], int]:
        """Return records in the order of their ids, and how many there are in all."""
        where, values = _where(kind, wanted)
        with self._lock:
            total = self._db.execute(f"SELECT count(*) FROM records WHERE {where}", values).fetchone()[0]  # noqa: S608
        return self._rows(
            f"{_SELECT} WHERE {where} AND id > ? ORDER BY id LIMIT ?", [*values, after, limit]
        ), total

    def fields(self) -> dict[str, list[str]]:
        """Return the fields of each kind, with those that somebody added."""
        query = "SELECT DISTINCT kind, key FROM records, json_each(data)"
        found = {kind: set(names) for kind, names in FIELDS.items()}
        with self._lock:
            for kind, name in self._db.execute(query):
                found[kind].add(name)
        return {kind: sorted({"id", "version", *names}) for kind, names in found.items()}

    def counts(self) -> dict[str, int]:
        with self._lock:
            rows = self._db.execute("SELECT kind, count(*) FROM records WHERE ghost = 0 GROUP BY kind")
            return dict.fromkeys(FIELDS, 0) | dict(rows.fetchall())

    def pieces(self, file: int) -> Iterator[bytes]:
        """Yield a file in pieces."""
        number = 0
        while True:
            with self._lock:
                query = "SELECT content FROM pieces WHERE file = ? AND number = ?"
                row = self._db.execute(query, [file, number]).fetchone()
            if row is None:
                return
            yield row[0]
            number += 1

    def referring(self, kind: str, number: int) -> dict[str, int]:
        """Return how many records of which kinds refer to this one."""
        found = {}
        for other, name in REFER.get(kind, ()):
            wanted = Filter({name: (str(number),)}, archived=True)
            found[other] = self.page(other, wanted, 0, 0)[1]
        return {other: count for other, count in found.items() if count}

    # -- writing -----------------------------------------------------------------------------------------------

    def add(self, kind: str, rows: Iterable[Data]) -> list[int]:
        """Keep records, with ids of their own where they bring none; return the ids."""
        ids = []
        with self._writing() as db:
            top = db.execute("SELECT coalesce(max(id), 0) FROM records WHERE kind = ?", [kind]).fetchone()[0]
            for row in rows:
                top = max(top + 1, int(row.get("id", 0)))
                data = {name: value for name, value in row.items() if name not in {"id", "version"}}
                number = int(row.get("id", top))
                db.execute(
                    "INSERT INTO records (kind, id, version, data) VALUES (?, ?, 1, ?)"
                    " ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, version = version + 1, ghost = 0",
                    [kind, number, json.dumps(data)],
                )
                ids.append(number)
        return ids

    def attach(self, about: Data, content: Iterable[bytes]) -> tuple[int, str]:
        """Keep a file and its content; return its id and the SHA-256 of the content."""
        hashed, size = hashlib.sha256(), 0
        [number] = self.add("files", [about])
        with self._writing() as db:
            for place, piece in enumerate(content):
                hashed.update(piece)
                size += len(piece)
                db.execute("INSERT INTO pieces VALUES (?, ?, ?)", [number, place, piece])
            db.execute(
                "UPDATE records SET data = json_set(data, '$.size', ?) WHERE kind = 'files' AND id = ?",
                [size, number],
            )
        return number, hashed.hexdigest()

    def change(self, kept: Kept, values: Data, by: str) -> Kept:
        """Set fields, and keep the old values of a contact in its history."""
        changed = {name: value for name, value in values.items() if kept.data.get(name) != value}
        if kept.kind == "contacts" and changed:
            self.add("history", [_remembered(kept, name, value, by) for name, value in changed.items()])
        now = Kept(kept.kind, kept.id, kept.version + bool(changed), {**kept.data, **changed})
        with self._writing() as db:
            query = "UPDATE records SET data = ?, version = ? WHERE kind = ? AND id = ?"
            db.execute(query, [json.dumps(now.data), now.version, now.kind, now.id])
        return now

    def remove(self, kept: Kept, *, leave_ghost: bool = False) -> None:
        """Delete a record; a ghost is no longer there by its id, and a search finds it still."""
        with self._writing() as db:
            if leave_ghost:
                db.execute("UPDATE records SET ghost = 1 WHERE kind = ? AND id = ?", [kept.kind, kept.id])
                return
            db.execute("DELETE FROM records WHERE kind = ? AND id = ?", [kept.kind, kept.id])
            if kept.kind == "files":
                db.execute("DELETE FROM pieces WHERE file = ?", [kept.id])

    def remove_later(self, kept: Kept, asks: int) -> int:
        """Begin a job that deletes the record once it has been asked after so many times; return its number."""
        with self._writing() as db:
            made = db.execute(
                "INSERT INTO jobs (kind, record, asks_left) VALUES (?, ?, ?)", [kept.kind, kept.id, asks]
            )
            job = int(made.lastrowid or 0)
            db.execute("UPDATE records SET job = ? WHERE kind = ? AND id = ?", [job, kept.kind, kept.id])
        return job

    def ask_after(self, job: int) -> bool | None:
        """Say whether a job has ended, None where there is none; asking brings it nearer to its end."""
        with self._writing() as db:
            row = db.execute("SELECT kind, record, asks_left FROM jobs WHERE id = ?", [job]).fetchone()
            if row is not None:
                db.execute("UPDATE jobs SET asks_left = max(asks_left - 1, 0) WHERE id = ?", [job])
        if row is None:
            return None
        if row[2] == 0 and (kept := self.get(row[0], row[1])):
            self.remove(kept)
        return bool(row[2] == 0)

    def clear(self) -> None:
        """Forget everything."""
        with self._writing() as db:
            for table in ("records", "pieces", "jobs"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own.

    def _rows(self, query: str, values: list[Any]) -> list[Kept]:
        with self._lock:
            rows = self._db.execute(query, values).fetchall()
        return [Kept(row[0], row[1], row[2], json.loads(row[3]), row[4]) for row in rows]


_SELECT = "SELECT kind, id, version, data, job FROM records"


def _where(kind: str, wanted: Filter) -> tuple[str, list[Any]]:
    clauses, values = ["kind = ?"], list[Any]([kind])
    for name, given in wanted.equals.items():
        clause, extra = _condition(name, given)
        clauses.append(clause)
        values += extra
    if wanted.text:
        clauses.append("instr(lower(data), lower(?)) > 0")
        values.append(json.dumps(wanted.text)[1:-1])
    if kind == "contacts" and not wanted.archived:
        clauses.append("NOT coalesce(json_extract(data, '$.archived'), 0)")
    return " AND ".join(clauses), values


def _condition(name: str, given: tuple[str, ...]) -> tuple[str, list[Any]]:
    marks = ", ".join("?" * len(given))
    if name == "email":
        lowered = [one.strip().lower() for one in given]
        others = f"EXISTS (SELECT 1 FROM json_each(data, '$.other_emails') WHERE lower(value) IN ({marks}))"  # noqa: S608 - question marks alone.
        return f"(lower(json_extract(data, '$.email')) IN ({marks}) OR {others})", [*lowered, *lowered]
    if name == "phone":
        return f"digits(json_extract(data, '$.phone')) IN ({marks})", [_digits(one) for one in given]
    if name.endswith("_id"):
        return f"json_extract(data, '$.{name}') IN ({marks})", [int(one) for one in given]
    return f"json_extract(data, '$.{name}') IN ({marks})", [*given]


def _digits(text: str | None) -> str:
    return "".join(sign for sign in text or "" if sign.isdigit()).removeprefix("00")


def _remembered(kept: Kept, name: str, value: Any, by: str) -> Data:
    old = kept.data.get(name)
    return {"contact_id": kept.id, "field": name, "old": old, "new": value, "changed_by": by}
