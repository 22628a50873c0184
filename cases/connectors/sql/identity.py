"""Compares a column with an identifier: exactly, but for what people write in more than one way."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases.connectors.base import EMAIL, PHONE, phone_digits
from cases.connectors.sql.dialect import Dialect, as_text, is_text

# The size of whole-number columns, in bytes; a greater number is in no row, and would be an error to ask for.
_INTEGER_BYTES = {
    "TINYINT": 1,
    "small_integer": 2,
    "SMALLINT": 2,
    "MEDIUMINT": 3,
    "big_integer": 8,
    "BIGINT": 8,
}
_USUAL_BYTES = 4


# A household, or a switchboard, has one number: a row that agrees in it alone may be somebody else's.
SHARED_KINDS = frozenset({PHONE})


def is_filled(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds more than blanks."""
    return sa.func.coalesce(sa.func.trim(as_text(column)), "") != ""


def equals(column: sa.ColumnElement[Any], kind: str, value: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds this identifier."""
    if kind == EMAIL:
        return dialect.same_folded(as_text(column), _spellings(value.strip()))
    if kind == PHONE:
        digits = phone_digits(value)
        return dialect.digits(as_text(column)).in_([digits, f"00{digits}"])
    return _equals_exactly(column, value.strip(), dialect)


def _spellings(plain: str) -> list[str]:
    """Return the two ways in which Unicode writes an accent, each as written and in small letters.

    The database folds these again, since databases differ in what they do to letters beyond ASCII.
    """
    forms = {unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain)}
    return sorted(forms | {form.lower() for form in forms})


def _equals_exactly(column: sa.ColumnElement[Any], value: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    if is_text(column):
        return dialect.same_text(column, value)
    if isinstance(column.type, sa.Integer):
        return _equals_number(column, value)
    if isinstance(column.type, sa.Uuid):
        return _equals_uuid(column, value)
    return dialect.same_text(sa.cast(column, sa.Text), value)


def integer_bounds(kind: sa.types.TypeEngine[Any]) -> tuple[int, int]:
    """Return the least and the greatest number that a whole-number column holds."""
    bits = 8 * _INTEGER_BYTES.get(kind.__visit_name__, _USUAL_BYTES)
    if getattr(kind, "unsigned", False):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _equals_number(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    low, high = integer_bounds(column.type)
    try:
        number = int(value)
    except ValueError:
        return sa.false()
    # "007" and "７" are other numbers than 7 to whoever wrote them on a membership card.
    if str(number) != value or not low <= number <= high:
        return sa.false()
    return column == sa.literal(number, column.type)


def _equals_uuid(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    try:
        return column == sa.literal(UUID(value), sa.Uuid())
    except ValueError:
        return sa.false()
