"""Who else a change would concern: others whom a record names, and contacts to which Odoo hands an address on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cases.connectors.base import JSON
from cases.connectors.changes import Obstacle, Verb
from cases.connectors.odoo.behaviour import OF_THE_HOUSE, SHARED_ADDRESS, SHARED_DOWNWARDS, SHARED_UPWARDS
from cases.connectors.odoo.description import STAFF
from cases.connectors.odoo.people import ADDRESS_KINDS
from cases.connectors.odoo.records import Reader
from cases.connectors.odoo.schema import PARTNER, Model
from cases.connectors.odoo.wanted import Data, Target, same

Trouble = tuple[Obstacle, str]

_CONTACT: Final = "contact"
_OTHERS: Final = (
    Obstacle.SHARED_RECORD,
    "It names other people too: keep it, or take this person out of it in Odoo itself.",
)
_UPWARDS: Final = (
    Obstacle.SHARED_RECORD,
    "Odoo would write this address or tax number to the company above the contact as well. Change it in Odoo itself.",
)
_DOWNWARDS: Final = (
    Obstacle.SHARED_RECORD,
    "Odoo would write the same to contacts under this one, who are other people. Detach them in Odoo first.",
)
_ACCOUNT: Final = (
    Obstacle.STATE,
    "Archive the account (res.users) of this contact in Odoo first; then plan again.",
)


@dataclass
class Households:
    """What is known of the contacts that the records of a plan name, asked for many at a time."""

    reader: Reader
    _known: dict[int, Data] = field(default_factory=dict, init=False)
    _under: dict[int, list[Data]] = field(default_factory=lambda: defaultdict(list), init=False)
    _users: set[int] = field(default_factory=set, init=False)
    _house: set[int] = field(default_factory=set, init=False)

    def learn(self, targets: Iterable[Target]) -> None:
        """Ask for everybody whom these records name, and for whoever stands above and under changed contacts."""
        named, written = set[int](), set[int]()
        for target in targets:
            if target.row is None:
                continue
            if target.wish.type == PARTNER:
                named |= set(_ids(target.row.get("parent_id")))
                written |= set() if target.is_deletion else {target.place[1]}
            else:
                named |= self._named(target)
        if named:
            rows = self.reader.odoo.rows("res.company", [], ["partner_id"])
            self._house = {one for row in rows for one in _ids(row["partner_id"])}
        self._read(named)
        self._look_under(written)

    def _read(self, ids: Iterable[int]) -> None:
        wanted = set(ids) - self._known.keys()
        if wanted:
            self._known |= self.reader.data(PARTNER, wanted)
        above = {
            one for row in self._known.values() for one in _ids(row.get("parent_id"))
        } - self._known.keys()
        if above and wanted:
            self._read(above)

    def _look_under(self, ids: set[int]) -> None:
        if not ids:
            return
        odoo = self.reader.odoo
        under = odoo.ids(PARTNER, [["parent_id", "in", sorted(ids)]])
        for row in self.reader.data(PARTNER, under).values():
            for above in _ids(row["parent_id"]):
                self._under[above].append(row)
        users = odoo.rows(STAFF, [["partner_id", "in", sorted(ids)], ["active", "=", True]], ["partner_id"])
        self._users = {one for row in users for one in _ids(row["partner_id"][:1])}

    # --- Trouble ----------------------------------------------------------------------------------------------------

    def trouble(self, target: Target, is_dealt_with: Callable[[int], bool]) -> Trouble | None:
        """Say whom a change would concern that nobody has asked about; None where it concerns the person alone."""
        if target.row is None:
            return None
        if target.wish.type != PARTNER:
            return _OTHERS if target.is_deletion and not target.whole and self._is_shared(target) else None
        return None if target.is_deletion else self._written_elsewhere(target, target.row, is_dealt_with)

    def _written_elsewhere(
        self, target: Target, row: Data, is_dealt_with: Callable[[int], bool]
    ) -> Trouble | None:
        if target.wish.verb is Verb.ANONYMISE and target.place[1] in self._users:
            return _ACCOUNT
        if self._goes_up(target, row):
            return _UPWARDS
        others = [one for one in self._under[target.place[1]] if not is_dealt_with(_number(one))]
        return _DOWNWARDS if any(self._goes_down(target, row, one) for one in others) else None

    def _goes_up(self, target: Target, row: Data) -> bool:
        """Odoo hands the address of a contact to the one above, unless nothing is left of it; a tax number likewise."""
        above = next((self._known.get(one) for one in _ids(row.get("parent_id"))), None)
        if above is None:
            return False
        shared = set(SHARED_ADDRESS) if row.get("type") == _CONTACT else set[str]()
        shared |= set() if row.get("is_company") else SHARED_UPWARDS
        after = {**row, **target.payload}
        touched = shared & target.payload.keys()
        return any(after.get(name) and not same(after[name], above.get(name)) for name in touched)

    @staticmethod
    def _goes_down(target: Target, row: Data, under: Data) -> bool:
        shared = set(SHARED_ADDRESS) if under.get("type") == _CONTACT else set[str]()
        if not under.get("is_company") and (row.get("is_company") or not row.get("parent_id")):
            shared |= SHARED_DOWNWARDS
        new = {name: value for name, value in target.payload.items() if not same(value, row.get(name))}
        return any(not same(new[name], under.get(name)) for name in shared & new.keys())

    # --- Others -----------------------------------------------------------------------------------------------------

    def _is_shared(self, target: Target) -> bool:
        """Whether a record names more than one person from outside; or more than one of the house, and nobody else."""
        named = self._named(target)
        inside = {
            one
            for one in named
            if one in self._house or not self._known.get(one, {}).get("partner_share", True)
        }
        outside = {self._head(one) for one in named - inside}
        return len(outside) > 1 or (not outside and len(inside) > 1)

    def _named(self, target: Target) -> set[int]:
        model, row = self.reader.schema[target.wish.type], target.row or {}
        found = {one for name in _naming(model) for one in _ids(row.get(name))}
        return found - {one for name in OF_THE_HOUSE for one in _ids(row.get(name))}

    def _head(self, partner: int) -> int:
        """The contact to which an address belongs."""
        row = self._known.get(partner, {})
        above = _ids(row.get("parent_id"))
        return self._head(above[0]) if above and row.get("type") in ADDRESS_KINDS else partner


def _naming(model: Model) -> Iterator[str]:
    yield from (name for name in (*model.ones, *model.many) if name not in OF_THE_HOUSE)


def _ids(value: JSON) -> list[int]:
    every = value if isinstance(value, list) else [value]
    return [one for one in every if type(one) is int]


def _number(row: Data) -> int:
    return _ids(row.get("id"))[0]
