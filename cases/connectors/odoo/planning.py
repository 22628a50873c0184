"""Says what would be done in an Odoo, and what stands in the way; reads only.

What Odoo refuses is found beforehand by reading: states that forbid a deletion, and fields whose reference forbids it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cases.connectors.base import JSON, ContractBroken, Effect
from cases.connectors.changes import Action, Blocker, Obstacle, Plan, Verb, Wish, derived_key
from cases.connectors.odoo.client import Odoo, all_of
from cases.connectors.odoo.schema import PARTNER, TRACKING

# What a contact without a person is left with.
ANONYMOUS: Final[Mapping[str, JSON]] = {
    "name": "Anonymised contact",
    "active": False,
    **dict.fromkeys(
        ("email", "phone", "street", "street2", "zip", "city", "vat", "ref", "comment", "website"), False
    ),
    **dict.fromkeys(("state_id", "country_id", "function", "company_name", "image_1920", "barcode"), False),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A state in which Odoo refuses to delete: records of a model for which this path holds one of these values."""

    path: str
    states: frozenset[str]
    obstacle: Obstacle
    remedy: str


_KEPT: Final = "A posted entry is kept by the law on accounts; it can go when its time of retention is over."
_ORDER: Final = "Cancel the order in Odoo first, where it may be cancelled; then plan again."
_POSTED: Final = frozenset({"posted"})
_CONFIRMED: Final = frozenset({"sale", "done"})
RULES: Final[Mapping[str, Rule]] = {
    "account.move": Rule("state", _POSTED, Obstacle.LEGAL_RETENTION, _KEPT),
    "account.move.line": Rule("parent_state", _POSTED, Obstacle.LEGAL_RETENTION, _KEPT),
    "account.payment": Rule("state", frozenset({"in_process", "paid"}), Obstacle.LEGAL_RETENTION, _KEPT),
    "sale.order": Rule("state", _CONFIRMED, Obstacle.STATE, _ORDER),
    "sale.order.line": Rule("state", _CONFIRMED, Obstacle.STATE, _ORDER),
}
_ACCESS: Final = {Verb.DELETE: "unlink"}


@dataclass
class Planner:
    """One plan. What was asked once is not asked again while it is made."""

    odoo: Odoo
    _holding: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _allowed: dict[tuple[str, str], bool] = field(default_factory=dict)

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Plan deletions, anonymised contacts and corrections, what refers before what it refers to."""
        blockers, free = list[Blocker](), list[Wish]()
        waiting = list(wishes)
        going = {(wish.type, _id(wish)) for wish in wishes if wish.verb is Verb.DELETE}
        for wish in waiting:
            obstacle = self._by_record(wish)
            if obstacle is None:
                free.append(wish)
            else:
                blockers.append(obstacle)
                going.discard((wish.type, _id(wish)))
        free, more = self._unreferred(free, going)
        ordered = self._ordered([wish for wish in free if wish.verb is Verb.DELETE], going)
        changed = [wish for wish in free if wish.verb is not Verb.DELETE]
        actions = [action for wish in changed for action in _changing(wish)]
        return Plan((*actions, *ordered), (*blockers, *more))

    # -- what the record itself says ---------------------------------------------------------------------------

    def _by_record(self, wish: Wish) -> Blocker | None:
        if wish.verb not in {Verb.DELETE, Verb.SET} and not (
            wish.verb is Verb.ANONYMISE and wish.type == PARTNER
        ):
            return _blocker(
                wish, Obstacle.NO_API, "Do it in Odoo itself: this is not done through its interface."
            )
        access = _ACCESS.get(wish.verb, "write")
        if not self._may(wish.type, access):
            return _blocker(wish, Obstacle.PERMISSION, f"Let the account “{access}” records of {wish.type}.")
        rule = RULES.get(wish.type)
        asked = [*wish.expected, *([rule.path] if rule else [])]
        rows = self.odoo.rows(wish.type, [["id", "=", _id(wish)]], _roots(asked))
        if not rows:
            gone = _blocker(wish, Obstacle.NOT_FOUND, "The record is no longer there: leave it out.")
            return None if wish.verb is Verb.DELETE else gone
        row = rows[0]
        if any(_plain(row.get(name)) != value for name, value in wish.expected.items() if name in row):
            return _blocker(
                wish, Obstacle.CHANGED, "Somebody changed the record meanwhile: look at it again."
            )
        if wish.verb is Verb.DELETE and rule and row.get(rule.path) in rule.states:
            return _blocker(wish, rule.obstacle, rule.remedy)
        return self._by_field(wish) if wish.verb is Verb.SET else None

    def _by_field(self, wish: Wish) -> Blocker | None:
        """Odoo acknowledges a text where a reference belongs, and clears the field: such a wish is not planned."""
        known = self.odoo.ask(wish.type, "fields_get", attributes=["type", "readonly"])
        if not isinstance(known, Mapping):
            raise ContractBroken(what=f"something that is no list of fields of {wish.type}")
        for name, value in wish.values.items():
            kind = known.get(name, {}).get("type")
            if kind is None or known[name].get("readonly") or kind in {"one2many", "many2many"}:
                return _blocker(
                    wish, Obstacle.NO_API, f"Correct “{name}” in Odoo itself: it cannot be set from outside."
                )
            if kind == "many2one" and not (value is False or isinstance(value, int)):
                return _blocker(
                    wish, Obstacle.NO_API, f"“{name}” refers to another record: give the id of that record."
                )
        return None

    def _may(self, model: str, access: str) -> bool:
        if (model, access) not in self._allowed:
            self._allowed[model, access] = bool(self.odoo.ask(model, "has_access", ids=[], operation=access))
        return self._allowed[model, access]

    # -- what others say ---------------------------------------------------------------------------------------

    def _unreferred(
        self, wishes: list[Wish], going: set[tuple[str, int]]
    ) -> tuple[list[Wish], list[Blocker]]:
        """Take out deletions in whose way something stands that stays; one that stays may stand in another's way."""
        blockers: list[Blocker] = []
        left = list(wishes)
        while True:
            stopped = [
                (wish, kinds)
                for wish in left
                if wish.verb is Verb.DELETE and (kinds := self._staying(wish, going))
            ]
            if not stopped:
                return left, blockers
            for wish, kinds in stopped:
                left.remove(wish)
                going.discard((wish.type, _id(wish)))
                blockers.append(_blocker(wish, Obstacle.REFERENCED, _remedy(wish, kinds)))

    def _staying(self, wish: Wish, going: set[tuple[str, int]]) -> list[str]:
        """The kinds of record that refer to this one, forbid its deletion, and are not deleted themselves."""
        return sorted({model for model, number in self._before(wish) if (model, number) not in going})

    def _before(self, wish: Wish) -> Iterator[tuple[str, int]]:
        for model, name in self._forbidding(wish.type):
            yield from ((model, number) for number in self.odoo.ids(model, [[name, "=", _id(wish)]]))

    def _forbidding(self, model: str) -> list[tuple[str, str]]:
        """The fields whose reference keeps a record of this model from being deleted; and addresses under a contact."""
        if model not in self._holding:
            stored = [["relation", "=", model], ["store", "=", True], ["ttype", "=", "many2one"]]
            forbids = [["on_delete", "=", "restrict"], ["model_id.transient", "=", False]]
            rows = self.odoo.rows("ir.model.fields", all_of([stored, forbids]), ["model", "name"])
            found = [(str(row["model"]), str(row["name"])) for row in rows]
            # Odoo keeps contacts with invoices by code of its own, and addresses by a key that says nothing of itself.
            more = [("account.move", "partner_id"), (PARTNER, "parent_id")] if model == PARTNER else []
            self._holding[model] = sorted({*found, *more})
        return self._holding[model]

    def _ordered(self, wishes: Sequence[Wish], going: set[tuple[str, int]]) -> Iterator[Action]:
        keys = {(wish.type, _id(wish)): wish.key for wish in wishes}
        waits = {
            wish.key: [keys[one] for one in self._before(wish) if one in keys and one in going]
            for wish in wishes
        }
        placed: set[str] = set()
        left = sorted(wishes, key=lambda wish: (wish.type, _id(wish)))
        while left:
            ready = [wish for wish in left if set(waits[wish.key]) <= placed]
            if not ready:
                raise ContractBroken(what="records that refer to each other in a circle")
            for wish in ready:
                yield _deleting(wish, waits[wish.key])
            placed |= {wish.key for wish in ready}
            left = [wish for wish in left if wish.key not in placed]


def _deleting(wish: Wish, waits: Sequence[str]) -> Action:
    return Action(
        key=wish.key,
        verb=Verb.DELETE,
        ref=wish.ref,
        type=wish.type,
        predicted=Effect.REMOVED,
        after=tuple(sorted(set(waits))),
        handle=wish.handle,
        expected=wish.expected,
    )


def _changing(wish: Wish) -> Iterator[Action]:
    """Odoo tracks what a field held before: the old values go after the new ones are there."""
    is_anonymous = wish.verb is Verb.ANONYMISE
    yield Action(
        key=wish.key,
        verb=wish.verb,
        ref=wish.ref,
        type=wish.type,
        predicted=Effect.ANONYMISED if is_anonymous else Effect.RETAINED,
        handle=wish.handle,
        payload={**(ANONYMOUS if is_anonymous else {}), **wish.values},
        expected=wish.expected,
    )
    yield Action(
        key=derived_key(wish.key, TRACKING),
        verb=Verb.DELETE,
        ref=f"{wish.ref}/{TRACKING}",
        type=TRACKING,
        predicted=Effect.REMOVED,
        after=(wish.key,),
        handle=wish.handle,
        payload={"of": wish.type},
    )


def _id(wish: Wish) -> int:
    number = wish.handle.get("id")
    if not isinstance(number, int):
        raise ContractBroken(what="a record that was not named by this connector")
    return number


def _roots(names: Sequence[str]) -> list[str]:
    """The fields of Odoo behind those of a record, of which some give the name of a reference."""
    return sorted({name.partition(".")[0] for name in names} | {"id"})


def _plain(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        return value[0]
    return None if value is False else value


def _blocker(wish: Wish, obstacle: Obstacle, remedy: str) -> Blocker:
    return Blocker(wish.key, wish.ref, wish.type, obstacle, remedy)


def _remedy(wish: Wish, kinds: Sequence[str]) -> str:
    named = ", ".join(kinds)
    if wish.type == PARTNER:
        return f"Records of {named} keep this contact: anonymise it instead, or decide about them first."
    return f"Records of {named} refer to it: decide about them first."
