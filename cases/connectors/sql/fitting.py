"""Says whether a value fits into a column, before anything is written, and whether two values are the same there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from cases.connectors.base import JSON
from cases.connectors.description import Field
from cases.connectors.sql.dialect import Dialect, is_binary, is_text
from cases.connectors.sql.identity import integer_bounds


class UnfitError(Exception):
    """A value cannot stand in a column. Says why in a sentence without the value."""


def fit(field: Field, column: sa.Column[Any], value: JSON) -> JSON:
    """Return a value as the column is to hold it. Raises UnfitError where it cannot."""
    if value is None:
        if not column.nullable:
            raise UnfitError("it must not be empty.")
        return None
    if isinstance(column.type, sa.JSON):
        return value
    if isinstance(column.type, sa.ARRAY) or is_binary(column):
        raise UnfitError("lists and binary data cannot be written, only emptied.")
    if isinstance(value, list | dict):
        raise UnfitError("it holds one plain value.")
    return _fit_plain(field, column, value)


def _fit_plain(field: Field, column: sa.Column[Any], value: Any) -> JSON:
    for kind, make in _MAKERS:
        if isinstance(column.type, kind):
            try:
                return make(column.type, value)
            except (ValueError, TypeError, InvalidOperation, AttributeError):
                raise UnfitError(f"it holds values of the kind {_kind(column)} only.") from None
    limits = [limit for limit in (getattr(column.type, "length", None), field.length) if limit]
    if limits and len(str(value)) > min(limits):
        raise UnfitError(f"it holds {min(limits)} characters at most.")
    return str(value) if is_text(column) else value


def _kind(column: sa.Column[Any]) -> str:
    return str(column.type.__visit_name__).lower().replace("_", " ")


def _whole(kind: Any, value: Any) -> int:
    number, (low, high) = int(value), integer_bounds(kind)
    if Decimal(str(int(value) if isinstance(value, bool) else value)) != number or not low <= number <= high:
        raise ValueError
    return number


def _truth(kind: Any, value: Any) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    return known[str(value).lower()] if str(value).lower() in known else _refuse()


def _number(kind: Any, value: Any) -> str:
    number = Decimal(str(value))
    digits, scale = kind.precision, kind.scale
    if digits is not None and abs(number) >= Decimal(10) ** (digits - (scale or 0)):
        raise ValueError
    if scale is not None and round(number, scale) != number:
        raise ValueError
    return str(number)


def _moment(kind: Any, value: Any) -> str:
    found = datetime.fromisoformat(value)
    return (found.astimezone(UTC) if found.tzinfo else found).isoformat()


def _member(kind: Any, value: Any) -> str:
    return str(value) if str(value) in kind.enums else _refuse()


def _refuse() -> Any:
    raise ValueError


# The narrower kinds come first, as one kind may be derived from another.
_MAKERS: tuple[tuple[Any, Callable[[Any, Any], JSON]], ...] = (
    (sa.Boolean, _truth),
    (sa.Integer, _whole),
    (sa.Float, lambda _kind, value: float(value)),
    (sa.Numeric, _number),
    (sa.DateTime, _moment),
    (sa.Date, lambda _kind, value: date.fromisoformat(value).isoformat()),
    (sa.Uuid, lambda _kind, value: str(UUID(value))),
    (sa.Enum, _member),
)


def same(column: sa.Column[Any], held: JSON, wanted: JSON) -> bool:
    """Say whether a column holds this value, however the two are written: 12.50 is 12.5."""
    if held is None or wanted is None or isinstance(held, list | dict):
        return held == wanted
    if is_text(column) and isinstance(column.type, sa.CHAR):
        return str(held).rstrip(" ") == str(wanted).rstrip(" ")
    return held == wanted or _plain(column, held) == _plain(column, wanted)


def _plain(column: sa.Column[Any], value: JSON) -> object:
    try:
        if isinstance(column.type, sa.Boolean | sa.Numeric):
            return Decimal(str(int(value) if isinstance(value, bool) else value))
        if isinstance(column.type, sa.DateTime):
            found = datetime.fromisoformat(str(value))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, InvalidOperation):
        pass
    return str(value)


def assigned(column: sa.Column[Any], value: JSON, dialect: Dialect) -> sa.ColumnElement[Any]:
    """Return a value that fits as what a statement sets a column to."""
    if value is None:
        return sa.null()
    if isinstance(column.type, sa.JSON):
        return sa.literal(value, column.type)
    if isinstance(column.type, mysql.ENUM):
        # As a key its place is compared; to set it, its name says more to the rules of the table.
        return sa.literal(str(value), sa.Text)
    return dialect.typed(column, str(value))
