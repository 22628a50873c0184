"""What a record is to hold, whether it does, and whether somebody has changed it. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cases.connectors.base import JSON, ContractBroken
from cases.connectors.changes import Action, Verb, Wish
from cases.connectors.odoo.behaviour import NOBODY, NOT_TELLING
from cases.connectors.odoo.client import Row
from cases.connectors.odoo.description import DESCRIPTION
from cases.connectors.odoo.records import Fields
from cases.connectors.odoo.schema import ModelField

FORGET: Final = "forget"
_TEXTS: Final = frozenset({"char", "text", "html"})
_DATES: Final = frozenset({"date", "datetime"})
_BINARY, _TAGS, _REFERENCE = "binary", "many2many", "many2one"
_NUMBERS: Final = frozenset({"float", "integer"})
# By kind of field, the categories of what tells of a person; settings and amounts are kept.
_TELLING: Final[Mapping[str, str]] = {
    **dict.fromkeys((*_TEXTS, *_DATES, _BINARY, "selection", "properties"), "user."),
    **dict.fromkeys(_NUMBERS, "user.location"),
    _REFERENCE: "user.contact.address",
    _TAGS: "user.demographic",
}
# Kept by Odoo for itself, or the other side of what others hold.
_ITS_OWN: Final = frozenset({"create_date", "create_uid", "write_date", "write_uid"})


# A record by its model and number.
Place = tuple[str, int]
Data = Mapping[str, JSON]


def id_of(one: Wish | Action) -> int:
    """Return the number of a record. Raises ContractBroken for one that this connector has not named."""
    number = one.handle.get("id")
    if type(number) is not int:
        raise ContractBroken(what="a record that was not named by this connector")
    return number


@dataclass
class Target:
    """A record that is to be changed, with what it holds now, what it is to hold, and what comes before it."""

    wish: Wish
    row: Data | None
    payload: dict[str, JSON] = field(default_factory=dict)
    held: set[Place] = field(default_factory=set)
    whole: Place | None = None

    @property
    def place(self) -> Place:
        return self.wish.type, id_of(self.wish)

    @property
    def is_deletion(self) -> bool:
        return self.wish.verb is Verb.DELETE


# --- Values -------------------------------------------------------------------------------------------------------


def same(one: JSON, other: JSON) -> bool:
    """Say whether two values are one to Odoo, for which nothing, an empty text and False are."""
    return _bare(one) == _bare(other)


def _bare(value: JSON) -> JSON:
    if isinstance(value, list):
        held = [one for one in value if not isinstance(one, Mapping) or one.get("value")]
        return sorted(held, key=str) or None  # Of a list of properties, those count that hold something.
    return None if value is None or value is False or value == "" else value


def for_odoo(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return values as Odoo takes them: False for nothing."""
    return {name: False if value is None else value for name, value in values.items()}


def written(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return values as a call of ``write`` has them: a list of labels is put in the place of the present one."""
    return {name: [[6, 0, value]] if isinstance(value, list) else value for name, value in values.items()}


def missing(payload: Mapping[str, JSON], row: Mapping[str, JSON]) -> list[str]:
    """Return the fields that do not hold what they are to hold; pictures, which are not read, are left out."""
    return [name for name, value in payload.items() if name in row and not same(row[name], value)]


def changed(expected: Mapping[str, JSON], row: Mapping[str, JSON], said: Mapping[str, Row]) -> list[str]:
    """Return the fields that hold something else than when it was decided.

    What Odoo works out by itself, relations of many, and a reference whose other end has gone are no change.
    """
    return [
        name
        for name, value in expected.items()
        if name in row
        and name in said
        and _is_own(name, said[name])
        and _is_changed(row[name], value, said[name])
    ]


def _is_own(name: str, said: Row) -> bool:
    is_worked_out = bool(said.get("readonly")) and bool(said.get("depends"))
    return name not in _ITS_OWN and said.get("type") != _TAGS and not is_worked_out


def _is_changed(now: JSON, before: JSON, said: Row) -> bool:
    has_gone = said.get("type") == _REFERENCE and now is None
    return not has_gone and not same(now, before)


def is_as_wished(verb: Verb, payload: Mapping[str, JSON], row: Mapping[str, JSON] | None) -> bool:
    """Say whether nothing is left to be done."""
    if verb is Verb.DELETE:
        return row is None
    return row is not None and not missing(payload, row)


# --- A contact without a person -------------------------------------------------------------------------------------


def nobody(fields: Fields, said: Mapping[str, Row]) -> Iterator[tuple[str, JSON]]:
    """Yield what each field about the person is to hold where nobody said it.

    A field that nobody has described may hold anything: a text or date of it is emptied as well.
    """
    yield "name", NOBODY
    yield "active", False
    for one in fields.model.fields.values():
        if one.name in said and not said[one.name].get("readonly") and _tells(one, fields):
            yield one.name, _nothing(one.kind)


def _tells(one: ModelField, fields: Fields) -> bool:
    if one.name in {"id", "name", "active", *NOT_TELLING} or DESCRIPTION.is_secret(one.name):
        return False
    if one.name in fields.unknown:
        return one.kind in _TEXTS | _DATES | {_BINARY}
    categories = DESCRIPTION.categories(fields.model.name, one.name, one.kind, one.relation)
    return any(known.startswith(_TELLING.get(one.kind, "nothing")) for known in categories)


def _nothing(kind: str) -> Any:
    if kind == _TAGS:
        return []
    return 0 if kind in _NUMBERS else False


def pictures(payload: Mapping[str, JSON], fields: Fields) -> list[str]:
    """Return the fields of a payload whose content is never read."""
    return sorted(name for name in payload if fields.kind(name) == _BINARY)
