"""What Odoo's own database shows to be about a person, by PostgreSQL's catalogue: foreign keys and columns."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psycopg
from psycopg import sql

# Labels and settings are nobody's records.
SHARED = {
    "res_partner_category",
    "res_company",
    "res_bank",
    "mail_template",
    "mailing_mailing",
    "account_journal",
}
SHARED |= {
    "ir_act_server",
    "account_reconcile_model",
    "chatbot_script",
    "privacy_log",
    "mail_gateway_allowed",
}
# The one model here that keeps its records in a table of another name.
TABLES = {"project.task.stage.personal": "project_task_user_rel"}
ADDRESS_KINDS = ["delivery", "invoice", "other", "private"]

Found = set[tuple[str, int]]


class Truth:
    def __init__(self, connection: psycopg.Connection[Any], email: str) -> None:
        self._connection = connection
        self._email = email
        self._models = {table: model for model, table in self._kept()}
        self._keys = self._foreign_keys()

    def records(self) -> Found:
        """Each record by model and id."""
        partners = self._partners()
        owned: dict[str, set[int]] = defaultdict(set, {"res_partner": partners})
        direct: dict[str, set[int]] = defaultdict(set, {"res_partner": set(partners)})
        for table, column, target, _cascades in self._keys:
            # Who of those under a contact is an address, and who somebody else, is said above.
            if target == "res_partner" and table in self._models and table != target:
                ids = self._where(table, column, partners)
                direct[table] |= ids
                if column == "partner_id":
                    owned[table] |= ids
        for table, column, ids in self._through_relations(partners):
            direct[table] |= ids
            if column == "livechat_customer":
                owned[table] |= ids
        for table, column in self._address_columns():
            ids = self._bearing(table, column)
            direct[table] |= ids
            owned[table] |= {one for one in ids if self._whose(table, one) in {None, *partners}}
        self._add_parts(direct, owned, partners)
        self._add_resources(direct, owned, partners)
        return {(self._models[table], one) for table, ids in direct.items() for one in ids}

    def _kept(self) -> list[tuple[str, str]]:
        rows = self._connection.execute("SELECT model FROM ir_model WHERE NOT transient").fetchall()
        tables = {str(row[0]): TABLES.get(row[0], row[0].replace(".", "_")) for row in rows}
        real = {
            row[0] for row in self._connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")
        }
        return [(model, table) for model, table in tables.items() if table in real - SHARED]

    def _foreign_keys(self) -> list[tuple[str, str, str, bool]]:
        rows = self._connection.execute(
            "SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text, confdeltype = 'c'"
            " FROM pg_constraint JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]"
            " WHERE contype = 'f' AND cardinality(conkey) = 1"
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def _partners(self) -> set[int]:
        rows = self._connection.execute(
            "WITH own AS (SELECT id FROM res_partner WHERE lower(trim(email)) = %(email)s) SELECT id FROM own UNION"
            " SELECT id FROM res_partner WHERE parent_id IN (SELECT id FROM own) AND type = ANY(%(kinds)s)"
            " AND coalesce(lower(trim(email)), %(email)s) = %(email)s",
            {"email": self._email, "kinds": ADDRESS_KINDS},
        )
        return {row[0] for row in rows}

    def _where(self, table: str, column: str, ids: set[int]) -> set[int]:
        query = sql.SQL("SELECT id FROM {} WHERE {} = ANY(%s)").format(
            sql.Identifier(table), sql.Identifier(column)
        )
        return {row[0] for row in self._connection.execute(query, [list(ids)])}

    def _through_relations(self, partners: set[int]) -> list[tuple[str, str, set[int]]]:
        """Tables that only relate two others, one of them partners."""
        found = []
        for table, column, target, _cascades in self._keys:
            if target != "res_partner" or table in self._models or self._has(table, "id"):
                continue
            for _table, other, far, _far_cascades in self._keys:
                if _table == table and other != column and far in self._models:
                    query = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(
                        sql.Identifier(other), sql.Identifier(table), sql.Identifier(column)
                    )
                    ids = {row[0] for row in self._connection.execute(query, [list(partners)])}
                    found.append((far, "livechat_customer" if "customer" in table else "", ids))
        return found

    def _has(self, table: str, column: str) -> bool:
        query = "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = %s"
        return self._connection.execute(query, [table, column]).fetchone() is not None

    def _address_columns(self) -> list[tuple[str, str]]:
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE column_name LIKE '%email%' AND data_type IN ('character varying', 'text')"
        )
        return [(row[0], row[1]) for row in rows if row[0] in self._models and row[0] != "res_partner"]

    def _bearing(self, table: str, column: str) -> set[int]:
        """Rows in which the address stands by itself, or within <>."""
        query = sql.SQL("SELECT id FROM {} WHERE lower({}) ~ %s").format(
            sql.Identifier(table), sql.Identifier(column)
        )
        plain = self._email.replace(".", r"\.")
        return {row[0] for row in self._connection.execute(query, [rf"(^|[\s<,;]){plain}($|[\s>,;])"])}

    def _whose(self, table: str, one: int) -> int | None:
        if not self._has(table, "partner_id"):
            return None
        query = sql.SQL("SELECT partner_id FROM {} WHERE id = %s").format(sql.Identifier(table))
        row = self._connection.execute(query, [one]).fetchone()
        return row[0] if row else None

    def _add_parts(self, direct: dict[str, set[int]], owned: dict[str, set[int]], partners: set[int]) -> None:
        for table, column, target, cascades in self._keys:
            if (
                cascades
                and table in self._models
                and target in owned
                and target not in {"res_partner", "res_users"}
            ):
                ids = self._where(table, column, owned[target])
                direct[table] |= {one for one in ids if self._whose(table, one) in {None, *partners}}

    def _add_resources(
        self, direct: dict[str, set[int]], owned: dict[str, set[int]], partners: set[int]
    ) -> None:
        messages: set[int] = set()
        for table, kind in (
            ("mail_message", "model"),
            ("ir_attachment", "res_model"),
            ("mail_activity", "res_model"),
        ):
            for far, ids in owned.items():
                query = sql.SQL("SELECT id FROM {} WHERE {} = %s AND res_id = ANY(%s)").format(
                    sql.Identifier(table), sql.Identifier(kind)
                )
                found = {row[0] for row in self._connection.execute(query, [self._models[far], list(ids)])}
                direct[table] |= found
                messages |= found if table == "mail_message" else set()
        direct["mail_tracking_value"] |= self._where("mail_tracking_value", "mail_message_id", messages)
