"""Compares a column with an identifier: exactly, but for what people write in more than one way."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases.connectors.base import EMAIL, PHONE, phone_digits
from cases.connectors.sql.dialect import Dialect, as_text, is_text

# The bounds of whole-number columns, in bytes; a greater number is in no row, and would be an error to ask
# for.
_INTEGER_BYTES = ((sa.SmallInteger, 2), (sa.BigInteger, 8), (sa.Integer, 4))


# A household, or a switchboard, has one number: a row that agrees in it alone may be somebody else's.
SHARED_KINDS = frozenset({PHONE})


def is_filled(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds more than blanks."""
    return sa.func.coalesce(sa.func.trim(as_text(column)), "") != ""


def equals(column: sa.ColumnElement[Any], kind: str, value: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds this identifier."""
    if kind == EMAIL:
        return _equals_email(column, value)
    if kind == PHONE:
        digits = phone_digits(value)
        return dialect.digits(as_text(column)).in_([digits, f"00{digits}"])
    return _equals_exactly(column, value.strip())


def _equals_email(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    """Compare without regard to case, blanks round it, or the two ways in which Unicode writes an accent.

    Both sides go through the database's lower(), since databases differ in what it does to letters beyond
    ASCII.
    """
    plain = value.strip()
    forms = {unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain)}
    candidates = sorted(forms | {form.lower() for form in forms})
    return sa.func.lower(sa.func.trim(as_text(column))).in_(
        [sa.func.lower(sa.literal(candidate, sa.Text)) for candidate in candidates]
    )


def _equals_exactly(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    if is_text(column):
        return column == sa.literal(value, sa.Text)
    if isinstance(column.type, sa.Integer):
        return _equals_number(column, value)
    if isinstance(column.type, sa.Uuid):
        return _equals_uuid(column, value)
    return sa.cast(column, sa.Text) == sa.literal(value, sa.Text)


def _equals_number(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    size = next(size for kind, size in _INTEGER_BYTES if isinstance(column.type, kind))
    try:
        number = int(value)
    except ValueError:
        return sa.false()
    # "007" and "７" are other numbers than 7 to whoever wrote them on a membership card.
    if str(number) != value or not -(2 ** (8 * size - 1)) <= number < 2 ** (8 * size - 1):
        return sa.false()
    return column == sa.literal(number, column.type)


def _equals_uuid(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    try:
        return column == sa.literal(UUID(value), sa.Uuid())
    except ValueError:
        return sa.false()
