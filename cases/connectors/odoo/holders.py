"""What refers to records or hangs on them: what Odoo would delete along, and what it refuses to delete them for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cases.connectors.base import PermissionDenied
from cases.connectors.odoo.behaviour import BOOKKEEPING, HELD_BY_CODE, INSEPARABLE, SWEPT
from cases.connectors.odoo.client import Domain, all_of, any_of
from cases.connectors.odoo.records import MOST_AT_ONCE, Reader, batched
from cases.connectors.odoo.wanted import Data, Place

_HOLDING: Final = ("restrict", "cascade")


@dataclass
class Holders:
    """Asks once for many records of a model; which fields hold it is remembered for as long as this lasts."""

    reader: Reader
    _fields: dict[str, list[Place]] = field(default_factory=dict, init=False)
    _referring: dict[str, list[tuple[str, str]]] = field(default_factory=dict, init=False)

    def of(self, model: str, ids: Sequence[int]) -> dict[int, set[Place]]:
        """Return for each of these records what keeps it or goes with it."""
        found: dict[int, set[Place]] = defaultdict(set)
        for some in batched(ids, MOST_AT_ONCE):
            for number, place in self._held(model, some):
                if place != (model, number):
                    found[number].add(place)
        return found

    def emptied(self, partners: Sequence[int]) -> Iterator[Place]:
        """Yield the records that name one of these contacts, and would be left without."""
        for model in self.reader.schema.models.values() if partners else ():
            names = [name for name in model.ones if not model.fields[name].cascades]
            if names and model.name not in BOOKKEEPING:
                named = any_of([[name, "in", [*partners]]] for name in names)
                yield from ((model.name, one) for one in self._readable(model.name, named))

    def _readable(self, model: str, domain: Domain) -> list[int]:
        try:
            return self.reader.odoo.ids(model, domain)
        except PermissionDenied:
            return []

    def _held(self, model: str, ids: Sequence[int]) -> Iterator[tuple[int, Place]]:
        for other, name in self._referring_to(model):
            yield from self._rows(other, name, [[name, "in", [*ids]]])
        for other, kind, name in self._hanging_on(model):
            yield from self._rows(other, name, all_of([[[kind, "=", model]], [[name, "in", [*ids]]]]))

    def _rows(self, other: str, name: str, domain: Domain) -> Iterator[tuple[int, Place]]:
        """What the account may not read, Odoo itself has to refuse."""
        try:
            rows = self.reader.odoo.rows(other, domain, [name])
        except PermissionDenied:
            return
        for row in rows:
            number = row[name][0] if isinstance(row[name], list) else row[name]
            yield number, (other, row["id"])

    def _referring_to(self, model: str) -> list[tuple[str, str]]:
        """The fields whose reference keeps a record of this model, or has the record that refers deleted with it."""
        if model not in self._referring:
            stored = [["relation", "=", model], ["store", "=", True], ["ttype", "=", "many2one"]]
            holding = [["on_delete", "in", [*_HOLDING]], ["model_id.transient", "=", False]]
            asked = ["model", "name", "on_delete"]
            rows = self.reader.odoo.rows("ir.model.fields", all_of([stored, holding]), asked)
            found = {
                (str(row["model"]), str(row["name"]))
                for row in rows
                if row["on_delete"] == "restrict" or self._is_noticed(model, str(row["model"]))
            }
            self._referring[model] = sorted({*found, *HELD_BY_CODE.get(model, ())})
        return self._referring[model]

    def _is_noticed(self, model: str, part: str) -> bool:
        """Whether somebody has to have decided about a part; of what is nobody's own nobody was asked about parts."""
        schema = self.reader.schema
        return part in schema.models and schema[model].is_owned and part not in BOOKKEEPING

    def _hanging_on(self, model: str) -> list[tuple[str, str, str]]:
        schema = self.reader.schema
        noticed = [schema[name] for name in SWEPT if name != model and self._is_noticed(model, name)]
        return [(one.name, *one.resource) for one in noticed if one.resource]


def whole_of(model: str, row: Data) -> Place | None:
    """Return what a record goes with, and only with; None where it can go by itself."""
    name, parent = INSEPARABLE.get(model, ("", ""))
    number = row.get(name)
    return (parent, number) if isinstance(number, int) else None
