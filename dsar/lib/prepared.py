"""Queries whose SQL is composed once in the life of a process, for the few that every case asks again and again.

Composing a query and laying out its rows costs Django several times what PostgreSQL needs to answer it: it was half of
all that an access cost. A query is written here as everywhere, as a queryset of its arguments::

    _BY_NAME = Prepared(lambda name: Team.objects.select_related("lead").filter(name=name), str)
    team = _BY_NAME.first("Blue")

The SQL is what the queryset makes of it, so that a change of a model changes it as well.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, TypeVar, cast
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.models import Field, Model, QuerySet
from django.db.models.query import FlatValuesListIterable, ModelIterable, get_related_populators
from django.db.transaction import TransactionManagementError

RowT = TypeVar("RowT")

# What stands for an argument while the query is composed: a value that nothing else in it can have.
_MARKS: dict[type, Callable[[], Any]] = {
    UUID: uuid4,
    str: lambda: uuid4().hex,
    int: lambda: secrets.randbelow(2**29) + 2**30,
}


@dataclass(frozen=True)
class _Plan(Generic[RowT]):
    """The composed statement. ``holes`` are the places of its parameters, and which argument belongs there."""

    sql: str
    params: Sequence[Any]
    holes: Sequence[tuple[int, int]]
    make: Callable[[Sequence[Any]], RowT]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]
    locks: bool

    def fill(self, values: Sequence[Any]) -> list[Any]:
        params = list(self.params)
        for place, number in self.holes:
            params[place] = values[number]
        return params

    def convert(self, row: Sequence[Any]) -> Sequence[Any]:
        """What Django does to the columns of some kinds of field."""
        if not self.converters:
            return row
        values = list(row)
        for place, converters, expression in self.converters:
            for converter in converters:
                values[place] = converter(values[place], expression, connection)
        return values


class Prepared(Generic[RowT]):
    """A query of some arguments, each of one of the ``kinds`` text, number or UUID, never None, and compared as equal.

    ``build`` gives the queryset, of objects or of ``values_list``; it may depend on nothing but its arguments.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, RowT]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds

    def all(self, *values: Any) -> list[RowT]:
        """Every row. Raises TypeError for arguments of another kind than declared."""
        if len(values) != len(self._kinds) or not all(map(isinstance, values, self._kinds)):
            raise TypeError("a prepared query takes exactly what it was declared for")
        plan = self._plan
        if plan.locks and not connection.in_atomic_block:
            raise TransactionManagementError("rows are locked inside of a transaction")
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, plan.fill(values))
            return [plan.make(plan.convert(row)) for row in cursor.fetchall()]

    def first(self, *values: Any) -> RowT | None:
        """The first row in the query's own order, which should ask for one alone."""
        return next(iter(self.all(*values)), None)

    def exists(self, *values: Any) -> bool:
        """Whether there is any row; the query should ask for one alone."""
        return bool(self.all(*values))

    def get(self, *values: Any) -> RowT:
        """The only row; raises what ``QuerySet.get`` raises."""
        found = self.all(*values)
        if len(found) == 1:
            return found[0]
        model = self._query.model
        raise (model.MultipleObjectsReturned if found else model.DoesNotExist)(model.__name__)

    @cached_property
    def _marks(self) -> Sequence[Any]:
        return [_MARKS[kind]() for kind in self._kinds]

    @cached_property
    def _query(self) -> QuerySet[Any, RowT]:
        return self._build(*self._marks)

    @cached_property
    def _plan(self) -> _Plan[RowT]:
        """Have Django compose it, and keep what it would have thrown away."""
        # Whether rows may be locked is asked at each call, by whoever calls.
        compiler = self._query.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        holes = [
            (place, number)
            for place, value in enumerate(params)
            for number, mark in enumerate(self._marks)
            if value == mark
        ]
        assert {number for _place, number in holes} == set(range(len(self._kinds)))
        found = compiler.get_converters([one[0] for one in compiler.select[: compiler.col_count]])
        converters = [(place, convs, expression) for place, (convs, expression) in found.items()]
        return _Plan(
            sql, params, holes, self._maker(compiler), converters, self._query.query.select_for_update
        )

    def _maker(self, compiler: Any) -> Callable[[Sequence[Any]], RowT]:
        """What makes of a row what the queryset would have made of it."""
        kind: Any = self._query._iterable_class  # noqa: SLF001  Nothing else tells objects from values.
        if kind is ModelIterable:
            return cast(Callable[[Sequence[Any]], RowT], _object_maker(compiler))
        if kind is FlatValuesListIterable:
            return lambda row: cast(RowT, row[0])
        return lambda row: cast(RowT, tuple(row))


def write(row: Model, *names: str) -> None:
    """Write these fields of a row that is there, as ``save(update_fields=…)`` does, but that no signal is sent.

    Raises DatabaseError where the row is gone, or is not to be seen.
    """
    statement, fields = _update(type(row), names)
    values = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"a row of {row._meta.db_table} is not there to be written")


@cache
def _update(model: type[Model], names: Sequence[str]) -> "tuple[str, Sequence[Field[Any, Any]]]":
    meta, quoted = model._meta, connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{quoted(field.column)} = {_place(field)}" for field in fields)
    key = quoted(str(meta.pk.column))
    return f"UPDATE {quoted(meta.db_table)} SET {columns} WHERE {key} = %s", fields  # noqa: S608  Names of the house.


def _place(field: Any) -> str:
    """Arrays say of what, and others as they like."""
    placeholder = getattr(field, "get_placeholder", None)
    return str(placeholder(None, None, connection)) if placeholder else "%s"


def _object_maker(compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """The same steps as in ``ModelIterable``, but for those that are the same for every row and call."""
    info = compiler.klass_info
    model, fields = info["model"], info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in compiler.select[start:end]]
    # The stubs know a later Django, which asks for one argument more.
    related = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]

    def make(row: Sequence[Any]) -> Any:
        made = model.from_db(DEFAULT_DB_ALIAS, names, row[start:end])
        for populator in related:
            populator.populate(row, made)
        return made

    return make
