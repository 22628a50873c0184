"""Which records of an Odoo are a person's: how they are asked for, and how each of them proves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cases.connectors.base import EMAIL, EXTERNAL_ID, JSON, PHONE, Link, LinkKind
from cases.connectors.odoo.client import Domain, Odoo, Row, all_of, any_of
from cases.connectors.odoo.people import Person, addresses, bearing
from cases.connectors.odoo.schema import ATTACHMENT, MESSAGE, PARTNER, TRACKING, WHOSE, Model, Schema

# Files that belong to a field, such as a photograph, hide from every search that does not ask for them.
_ALL_FILES: Final[Domain] = ["|", ["res_field", "=", False], ["res_field", "!=", False]]
_DEEPEST: Final = 8
_CHATTER: Final = "messages on records of the person's own"


@dataclass
class Scope:
    """What belongs to one person, in one Odoo.

    ``owned`` names the models of which the person has records of their own; those are asked for once, and their ids
    kept for as long as one page takes.
    """

    odoo: Odoo
    schema: Schema
    person: Person
    owned: Sequence[str] = ()
    _ids: dict[str, frozenset[int]] = field(default_factory=dict)

    # -- what is asked for -------------------------------------------------------------------------------------

    def find_owned(self) -> None:
        """Ask which models hold records of the person's own."""
        names = [model.name for model in self.schema.models.values() if model.is_owned]
        self.owned = [name for name in names if self.ids_of(name)]

    def stages(self) -> list[str]:
        """All models in the order in which they are collected: what is referred to before what refers."""
        return sorted(self.schema.models, key=lambda name: (self._depth(name), name))

    def _depth(self, name: str, level: int = 0) -> int:
        model = self.schema[name]
        if name == PARTNER or level > _DEEPEST:
            return 0
        if name == TRACKING:
            return _DEEPEST + 3
        if model.resource:
            return _DEEPEST + 1 + (name != MESSAGE)
        return 1 + max((self._depth(parent, level + 1) for _field, parent in model.parts_of), default=0)

    def domain(self, name: str) -> Domain | None:
        """Describe the records of a model that may be the person's; None where there cannot be any."""
        model = self.schema[name]
        ways = [*self._direct(model), *self._hanging(model)]
        if chosen := self.person.single.get(name):
            ways.append([["id", "in", sorted(chosen)]])
        if not ways:
            return None
        return all_of([any_of(ways), _ALL_FILES]) if name == ATTACHMENT else any_of(ways)

    def _direct(self, model: Model) -> Iterable[Domain]:
        ids = self.person.ids
        if model.name == PARTNER:
            return [[["id", "in", ids]]] if ids else []
        ways: list[Domain] = [[[name, "in", ids]] for name in (*model.ones, *model.many)] if ids else []
        if model.emails and self.person.emails:
            ways.append(bearing(model, self.person.emails))
        return ways

    def _hanging(self, model: Model) -> Iterable[Domain]:
        """What hangs on records of the person's own, unless it says itself that it is somebody else's."""
        ways = [
            [[name, "in", sorted(held)]]
            for name, parent in model.parts_of
            if (held := self.ids_of(parent, known=True))
        ]
        if model.resource:
            kind, number = model.resource
            held_by = {one: self.ids_of(one, known=True) for one in self.owned if one != model.name}
            ways += [_on(kind, one, number, ids) for one, ids in held_by.items() if ids]
        if model.name == TRACKING and (messages := self._messages()):
            ways.append([["mail_message_id", "in", sorted(messages)]])
        if WHOSE in model.ones:
            return [all_of([way, [[WHOSE, "in", [False, *self.person.ids]]]]) for way in ways]
        return ways

    def ids_of(self, name: str, *, known: bool = False) -> frozenset[int]:
        """The person's own records of a model; ``known`` asks only where there are some."""
        if known and name not in self.owned:
            return frozenset()
        if name not in self._ids:
            self._ids[name] = self._own_ids(self.schema[name])
        return self._ids[name]

    def _own_ids(self, model: Model) -> frozenset[int]:
        if model.name == PARTNER:
            return frozenset(self.person.ids)
        fields = [*_only(model.ones, WHOSE), *model.emails, *model.owned_by_many]
        ways: list[Domain] = []
        if self.person.ids:
            ways += [
                [[name, "in", self.person.ids]] for name in (*_only(model.ones, WHOSE), *model.owned_by_many)
            ]
        if model.emails and self.person.emails:
            ways.append(bearing(model, self.person.emails))
        rows = self.odoo.rows(model.name, any_of(ways), fields) if ways else []
        return frozenset(row["id"] for row in rows if self._is_own(model, row))

    def _is_own(self, model: Model, row: Row) -> bool:
        whose = _number(row.get(WHOSE))
        if whose is not None:
            return whose in self.person.ids
        many = any(set(row[name] or ()) & set(self.person.ids) for name in model.owned_by_many)
        return many or any(self.person.emails & set(addresses(row[name])) for name in model.emails)

    def _messages(self) -> frozenset[int]:
        """The messages that hang on records of the person's own."""
        if _CHATTER not in self._ids:
            ways = list(self._hanging(self.schema[MESSAGE]))
            self._ids[_CHATTER] = frozenset(self.odoo.ids(MESSAGE, any_of(ways))) if ways else frozenset()
        return self._ids[_CHATTER]

    # -- what proves it ----------------------------------------------------------------------------------------

    def prove(self, name: str, data: Mapping[str, Any]) -> Link | None:
        """Say by what a record belongs to the person, from what the record itself holds; None where nothing does."""
        model = self.schema[name]
        if name == PARTNER:
            return self._prove_partner(data)
        return self._by_reference(model, data) or self._by_address(model, data) or self._by_whole(model, data)

    def _prove_partner(self, data: Mapping[str, Any]) -> Link | None:
        if data["id"] in self.person.partners:
            kinds = {address_key("email", data): EMAIL, "phone": PHONE, "ref": EXTERNAL_ID}
            keys = {key: data[key] for key in kinds if data.get(key)}
            via = tuple(f"{PARTNER}.{key}" for key in keys)
            return Link(LinkKind.IDENTITY, via, keys, {key: kinds[key] for key in keys})
        if data["id"] in self.person.children and data.get("parent_id") in self.person.ids:
            return _reference(PARTNER, "parent_id", PARTNER, data)
        return None

    def _by_reference(self, model: Model, data: Mapping[str, Any]) -> Link | None:
        ids = set(self.person.ids)
        # The field that says whose the record is counts before any other.
        for one in sorted(model.ones, key=lambda name: name != WHOSE):
            if data.get(one) in ids:
                return _reference(model.name, one, PARTNER, data)
        for many in model.many:
            if ids & set(data.get(many) or ()):
                return _reference(model.name, many, PARTNER, data)
        return None

    def _by_address(self, model: Model, data: Mapping[str, Any]) -> Link | None:
        for name in model.emails:
            if self.person.emails & set(addresses(data.get(name))):
                key = address_key(name, data)
                return Link(LinkKind.IDENTITY, (f"{model.name}.{key}",), {key: data[key]}, {key: EMAIL})
        return None

    def _by_whole(self, model: Model, data: Mapping[str, Any]) -> Link | None:
        if data["id"] in self.person.single.get(model.name, ()):
            return Link(LinkKind.IDENTITY, (f"{model.name}.id",), {"id": data["id"]})
        if WHOSE in model.ones and data.get(WHOSE) not in {None, *self.person.ids}:
            return None
        for name, parent in model.parts_of:
            if data.get(name) in self.ids_of(parent, known=True):
                return _reference(model.name, name, parent, data)
        if model.name == TRACKING and data.get("mail_message_id") in self._messages():
            return _reference(TRACKING, "mail_message_id", MESSAGE, data)
        return self._by_resource(model, data)

    def _by_resource(self, model: Model, data: Mapping[str, Any]) -> Link | None:
        if model.resource is None:
            return None
        kind, number = model.resource
        parent = str(data.get(kind) or "")
        if parent == model.name or data.get(number) not in self.ids_of(parent, known=True):
            return None
        via = (f"{model.name}.{number} = {parent}.id",)
        return Link(LinkKind.REFERENCE, via, {kind: parent, number: data[number]})


def address_key(name: str, data: Mapping[str, Any]) -> str:
    """Return where the bare address of a field stands: beside it, where a name stands before the address."""
    return f"{name}.address" if f"{name}.address" in data else name


def _reference(model: str, name: str, parent: str, data: Mapping[str, Any]) -> Link:
    value: JSON = data[name]
    return Link(LinkKind.REFERENCE, (f"{model}.{name} = {parent}.id",), {name: value})


def _on(kind: str, model: str, number: str, ids: Iterable[int]) -> Domain:
    return ["&", [kind, "=", model], [number, "in", sorted(ids)]]


def _only(names: Iterable[str], wanted: str) -> list[str]:
    return [name for name in names if name == wanted]


def _number(value: object) -> int | None:
    """The id of a reference, which Odoo gives with a name beside it."""
    return value[0] if isinstance(value, list) and value else None
