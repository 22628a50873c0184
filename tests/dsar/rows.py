"""A row of two controllers in every tenant table, made from the models' fields, so that none is forgotten.

They are written by the superuser with triggers at rest: nobody's rules but the tables' own are met.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
from django.contrib.postgres.fields import ArrayField
from django.db import models
from psycopg import sql

from dsar.guards import tenant_column, tenant_models

ALPHA = UUID("0a000000-0000-7000-8000-000000000001")
BETA = UUID("0b000000-0000-7000-8000-000000000002")
NOBODY = UUID("0c000000-0000-7000-8000-000000000003")
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
# Columns that may be empty in some rows alone: a rule of their table asks for a value in ours.
ASKED_FOR: dict[str, dict[str, Any]] = {
    "cases.Decision": {"proposed_by_id": NOBODY},
    "cases.PlannedChange": {"may_write": True},
    "cases.KeepingRule": {"exception": "exception"},
    "cases.Recipient": {"email": "recipient@example.com"},
}


def row_id(model: type[models.Model], controller_id: UUID, number: int = 0) -> UUID:
    """The primary key of the controller's row in the model's table."""
    if tenant_column(model) == "id":
        return controller_id
    return uuid5(controller_id, f"{model._meta.label}{number}")


def row(model: type[models.Model], controller_id: UUID, number: int = 0) -> dict[str, Any]:
    """Values for every column but those that the database works out; references lead to the same controller's rows."""
    values = {
        field.column: _value(field, model, controller_id, number)
        for field in model._meta.concrete_fields
        if not field.generated
    }
    return values | ASKED_FOR.get(model._meta.label, {})


def make_rows(database: psycopg.Connection[Any], *controllers: UUID) -> None:
    """One row a tenant table for each controller."""
    database.execute("SET session_replication_role = replica")
    for controller_id in controllers:
        for model in tenant_models():
            insert(database, model, row(model, controller_id))
    database.execute("SET session_replication_role = origin")


def insert(database: Any, model: type[models.Model], values: dict[str, Any]) -> None:
    """Insert as whoever holds the connection or cursor."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    database.execute(statement, list(values.values()))


def references(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The model's references to rows of controllers, the controller itself aside."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field.related_model, type) and tenant_column(field.related_model) == "controller_id"
    ]


def _value(field: models.Field[Any, Any], model: type[models.Model], controller_id: UUID, number: int) -> Any:
    if field.column == tenant_column(model):
        return controller_id
    if field.primary_key:
        return row_id(model, controller_id, number)
    if isinstance(field, models.ForeignKey):
        return _reference(field, controller_id)
    if field.null and not isinstance(field, models.BinaryField):
        return None
    return _plain(field, f"{controller_id.hex[:2]}{number}")


def _reference(field: models.ForeignKey[Any, Any], controller_id: UUID) -> UUID | None:
    assert isinstance(field.related_model, type)
    if tenant_column(field.related_model):
        return row_id(field.related_model, controller_id)
    return None if field.null else NOBODY


def _plain(field: models.Field[Any, Any], mark: str) -> Any:
    if isinstance(field, models.BinaryField):
        return f"{field.name}{mark}".encode()
    if isinstance(field, models.JSONField):
        return "{}"
    if isinstance(field, ArrayField):
        return []
    if field.has_default():
        return field.get_default()
    if field.choices and not field.blank:
        return next(iter(field.flatchoices))[0]
    return _by_kind(field, mark)


def _by_kind(field: models.Field[Any, Any], mark: str) -> Any:
    kinds: list[tuple[type[Any], Any]] = [
        (models.BooleanField, False),
        (models.IntegerField, 1),
        # What is declared later is later: rows that end before they begin are refused.
        (models.DateTimeField, MOMENT + timedelta(seconds=field.creation_counter)),
        (models.DateField, date(2026, 3, 4)),
        (models.UUIDField, uuid5(NOBODY, f"{field.name}{mark}")),
    ]
    for kind, value in kinds:
        if isinstance(field, kind):
            return value
    return "" if field.blank else f"{mark}{field.name}"[: field.max_length]
