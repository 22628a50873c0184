"""Says what would be done in an Odoo, and what stands in the way; reads only, many records at a time.

What Odoo refuses is found beforehand: states that forbid a deletion, and fields whose reference forbids it. So is what
it would do beyond the record that is meant: what is deleted along, and what is written to somebody else's contact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from cases.connectors.base import JSON, Effect
from cases.connectors.changes import Action, Blocker, Obstacle, Plan, Verb, Wish, derived_key
from cases.connectors.odoo.applying import EFFECTS
from cases.connectors.odoo.behaviour import ANONYMISABLE, CORRECTABLE, DELETABLE, INSEPARABLE, RULES
from cases.connectors.odoo.holders import Holders, whole_of
from cases.connectors.odoo.households import Households
from cases.connectors.odoo.records import Reader
from cases.connectors.odoo.schema import PARTNER, TRACKING
from cases.connectors.odoo.tracking import forgetting, history
from cases.connectors.odoo.wanted import (
    FORGET,
    Data,
    Place,
    Target,
    changed,
    for_odoo,
    id_of,
    is_as_wished,
    nobody,
)

_OFFERED: Final = {Verb.DELETE: DELETABLE, Verb.ANONYMISE: ANONYMISABLE, Verb.SET: frozenset(CORRECTABLE)}
_RIGHTS: Final = {Verb.DELETE: "unlink", Verb.ANONYMISE: "write", Verb.SET: "write"}
_UNCHANGEABLE: Final = frozenset({"one2many", "many2many", "binary", "reference", "many2one_reference"})


class Blocked(Exception):
    """A wish cannot be carried out as things are."""

    def __init__(self, obstacle: Obstacle, remedy: str) -> None:
        self.obstacle = obstacle
        self.remedy = remedy
        super().__init__(remedy)


@dataclass
class Planner:
    """One plan, or a part of one: ``going`` gives the deletions that are wished for in other parts."""

    reader: Reader
    going: Mapping[tuple[str, str], str] = field(default_factory=dict)
    _targets: dict[str, Target] = field(default_factory=dict, init=False)
    _blockers: dict[str, Blocker] = field(default_factory=dict, init=False)
    _deletions: dict[Place, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._households = Households(self.reader)
        self._holders = Holders(self.reader)

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Plan deletions, corrections and anonymised contacts; what refers comes before what it refers to."""
        for some in self._by_kind(wishes):
            self._begin(some)
        self._deletions = {one.place: key for key, one in self._targets.items() if one.is_deletion}
        self._households.learn(self._targets.values())
        self._look_round()
        while self._stop_what_concerns_others() or self._stop_what_is_held() or self._stop_circles():
            pass
        actions = [action for key in self._in_order() for action in self._actions(self._targets[key])]
        blockers = [self._blockers[wish.key] for wish in wishes if wish.key in self._blockers]
        return Plan(tuple(actions), tuple(blockers), tuple(self._emptied(actions)))

    @staticmethod
    def _by_kind(wishes: Sequence[Wish]) -> list[list[Wish]]:
        kinds: dict[tuple[str, str], list[Wish]] = defaultdict(list)
        for wish in wishes:
            kinds[wish.type, wish.verb].append(wish)
        return list(kinds.values())

    def _block(self, wish: Wish, why: Blocked) -> None:
        self._blockers[wish.key] = Blocker(wish.key, wish.ref, wish.type, why.obstacle, why.remedy)
        self._targets.pop(wish.key, None)

    # --- What the records themselves say -------------------------------------------------------------------------

    def _begin(self, wishes: Sequence[Wish]) -> None:
        """Read records of one model that are to be changed in one way, and judge each by itself."""
        try:
            self._require_way(wishes[0])
        except Blocked as why:
            for wish in wishes:
                self._block(wish, why)
            return
        rows = self.reader.data(wishes[0].type, [id_of(wish) for wish in wishes])
        allowed = self._allowed(wishes[0], list(rows))
        for wish in wishes:
            try:
                self._targets[wish.key] = self._target(wish, rows.get(id_of(wish)), allowed)
            except Blocked as why:
                self._block(wish, why)

    def _require_way(self, wish: Wish) -> None:
        if wish.type not in self.reader.schema.models or wish.type not in _OFFERED.get(wish.verb, ()):
            raise Blocked(Obstacle.NO_API, "Do it in Odoo itself: this is not done through its interface.")
        right = _RIGHTS[wish.verb]
        if not self.reader.odoo.may(wish.type, right):
            raise Blocked(Obstacle.PERMISSION, f"Let the account “{right}” records of {wish.type}.")

    def _allowed(self, wish: Wish, ids: list[int]) -> set[int]:
        """The records that the account may change; rules may keep some of a model from it."""
        right = _RIGHTS[wish.verb]
        if not ids or self.reader.odoo.may(wish.type, right, ids):
            return set(ids)
        return {number for number in ids if self.reader.odoo.may(wish.type, right, [number])}

    def _target(self, wish: Wish, row: Data | None, allowed: set[int]) -> Target:
        if row is None:
            if wish.verb is Verb.DELETE:
                return Target(wish, None)
            raise Blocked(Obstacle.NOT_FOUND, "The record is no longer there: leave it out.")
        made = Target(wish, row, self._payload(wish))
        if is_as_wished(wish.verb, made.payload, row):
            return made
        if id_of(wish) not in allowed:
            raise Blocked(Obstacle.PERMISSION, f"Let the account change this record of {wish.type}.")
        self._require_unchanged(wish, row)
        if wish.verb is Verb.DELETE:
            _require_state(wish, row)
            made.whole = whole_of(wish.type, row)
        return made

    def _require_unchanged(self, wish: Wish, row: Data) -> None:
        if changed(wish.expected, row, self.reader.described(wish.type)):
            raise Blocked(Obstacle.CHANGED, "Somebody changed the record meanwhile: look at it again.")

    def _payload(self, wish: Wish) -> dict[str, JSON]:
        if wish.verb is Verb.DELETE:
            return {}
        said = self.reader.described(wish.type)
        for name, value in wish.values.items():
            _require_fitting(name, value, said.get(name))
        is_anonymous = wish.verb is Verb.ANONYMISE
        masks = dict(nobody(self.reader.fields(wish.type), said)) if is_anonymous else {}
        if not (masks or wish.values):
            raise Blocked(Obstacle.STATE, "It is not said what the fields are to hold.")
        return {**masks, **for_odoo(wish.values)}

    # --- Who else is meant ----------------------------------------------------------------------------------------

    def _stop_what_concerns_others(self) -> bool:
        """Take out what is somebody else's too: a meeting of several, an order of another, a shared address."""
        stopped = [
            (target.wish, why)
            for target in self._targets.values()
            if not self._hangs_on_what_goes(target)
            if (why := self._households.trouble(target, self._is_dealt_with))
        ]
        for wish, why in stopped:
            self._block(wish, Blocked(*why))
        return bool(stopped)

    def _hangs_on_what_goes(self, target: Target) -> bool:
        """Whether a message or file goes because its record does, whomever else it names."""
        resource = self.reader.schema[target.wish.type].resource
        if resource is None or target.row is None or not target.is_deletion:
            return False
        model, number = (target.row.get(name) for name in resource)
        return isinstance(model, str) and isinstance(number, int) and bool(self._key((model, number)))

    def _is_dealt_with(self, partner: int) -> bool:
        """Whether a contact is itself deleted or made anonymous here."""
        wanted = {one.place for one in self._targets.values() if one.wish.verb is not Verb.SET}
        return (PARTNER, partner) in wanted or (PARTNER, f"{PARTNER}/{partner}") in self.going

    # --- What stands round them -------------------------------------------------------------------------------------

    def _look_round(self) -> None:
        kinds = defaultdict[str, list[Target]](list)
        for target in self._targets.values():
            if target.is_deletion and target.row is not None:
                kinds[target.wish.type].append(target)
        for model, targets in kinds.items():
            held = self._holders.of(model, [target.place[1] for target in targets])
            for target in targets:
                target.held = held[target.place[1]]

    def _stop_what_is_held(self) -> bool:
        """Take out deletions in whose way something stands that stays; one that stays may stand in another's way."""
        stopped = [
            (target, kinds)
            for target in self._targets.values()
            if target.is_deletion and (kinds := self._staying(target))
        ]
        for target, kinds in stopped:
            self._block(target.wish, Blocked(Obstacle.REFERENCED, _remedy(target.wish, kinds)))
        return bool(stopped)

    def _staying(self, target: Target) -> list[str]:
        needed = {target.whole} if target.whole else set()
        return sorted({model for model, number in target.held | needed if not self._key((model, number))})

    def _key(self, place: Place) -> str | None:
        """The key of the deletion that takes care of a record; one of this part that is blocked counts no more."""
        if place in self._deletions:
            key = self._deletions[place]
            return key if key in self._targets else None
        return self.going.get((place[0], f"{place[0]}/{place[1]}"))

    def _waits(self, target: Target) -> set[str]:
        """What comes before: what refers to it; of what goes only along, that with which it goes."""
        before = {place for place in target.held if not self._goes_along(place, target.place)}
        keys = {self._key(place) for place in before | ({target.whole} if target.whole else set())}
        return {key for key in keys if key}

    def _emptied(self, actions: Sequence[Action]) -> Iterator[str]:
        """Tell of records that stay and would no longer say whom they are about."""
        contacts = [id_of(one) for one in actions if one.verb is Verb.DELETE and one.type == PARTNER]
        loose = {model for model, one in self._holders.emptied(contacts) if not self._key((model, one))}
        for model in sorted(loose):
            yield f"Where a contact is deleted, Odoo empties what refers to it in {model}: see that this is right."

    def _goes_along(self, place: Place, whole: Place) -> bool:
        return INSEPARABLE.get(place[0], ("", ""))[1] == whole[0]

    def _stop_circles(self) -> bool:
        """Take out deletions that wait for themselves."""
        try:
            self._sorter().prepare()
        except CycleError as found:
            remedy = "Records refer to each other, so none can go first. Empty one of the references."
            for key in {key for key in found.args[1] if key in self._targets}:
                self._block(self._targets[key].wish, Blocked(Obstacle.REFERENCED, remedy))
            return True
        return False

    def _sorter(self) -> TopologicalSorter[str]:
        deletions = sorted((one for one in self._targets.values() if one.is_deletion), key=_rank)
        return TopologicalSorter({one.wish.key: sorted(self._waits(one)) for one in deletions})

    def _in_order(self) -> Iterator[str]:
        """Deletions first: a contact that is changed has Odoo write its new name to what refers to it."""
        yield from (key for key in self._sorter().static_order() if key in self._targets)
        changes = sorted((one for one in self._targets.values() if not one.is_deletion), key=_rank)
        yield from (one.wish.key for one in changes)

    # --- What is done -------------------------------------------------------------------------------------------------

    def _actions(self, target: Target) -> Iterator[Action]:
        wish = target.wish
        along = sorted(
            f"{model}/{one}" for model, one in target.held if self._goes_along((model, one), target.place)
        )
        payload: Mapping[str, JSON] = {"with": [*along]} if along else target.payload
        yield Action.of(wish, EFFECTS[wish.verb], sorted(self._waits(target)), payload)
        fields = {} if target.is_deletion else forgetting(wish.verb, target.payload, wish.expected)
        if fields and self._is_tracked(wish, fields):
            yield _forgetting(wish, fields)

    def _is_tracked(self, wish: Wish, fields: Data) -> bool:
        if TRACKING not in self.reader.schema.models or not self.reader.odoo.may(TRACKING, "read"):
            return False
        return bool(self.reader.odoo.count(TRACKING, history(wish.type, id_of(wish), fields)))


def _rank(target: Target) -> tuple[Any, ...]:
    """Addresses are made anonymous before the contact to which they belong, which hands its own down to them."""
    is_top = bool(target.row is None or not target.row.get("parent_id"))
    return (target.wish.verb is Verb.ANONYMISE, is_top, target.wish.type, id_of(target.wish), target.wish.key)


def _require_state(wish: Wish, row: Data) -> None:
    rule = RULES.get(wish.type)
    if rule and row.get(rule.path) in rule.states:
        raise Blocked(rule.obstacle, rule.remedy)


def _require_fitting(name: str, value: JSON, said: Mapping[str, Any] | None) -> None:
    """Odoo acknowledges a text where a reference belongs, and clears the field: such a wish is not planned."""
    if said is None or said.get("readonly") or said["type"] in _UNCHANGEABLE:
        raise Blocked(Obstacle.NO_API, f"Correct “{name}” in Odoo itself: it cannot be set from outside.")
    if said["type"] == "many2one" and not (value is None or value is False or type(value) is int):
        raise Blocked(Obstacle.NO_API, f"“{name}” refers to another record: give the id of that record.")
    if said["type"] == "selection" and value and value not in [one[0] for one in said.get("selection") or ()]:
        raise Blocked(Obstacle.STATE, f"“{name}” holds none but the values that Odoo offers for it.")
    if said["type"] == "boolean" and not isinstance(value, bool):
        raise Blocked(Obstacle.STATE, f"“{name}” holds yes or no.")
    if said.get("required") and not value:
        raise Blocked(Obstacle.STATE, f"“{name}” must not be empty.")


def _forgetting(wish: Wish, fields: Data) -> Action:
    """Odoo tracks what a field held before: the old values go after the new ones are there."""
    return Action(
        key=derived_key(wish.key, TRACKING),
        verb=Verb.DELETE,
        ref=f"{wish.ref}/{TRACKING}",
        type=TRACKING,
        predicted=Effect.REMOVED,
        after=(wish.key,),
        handle=wish.handle,
        payload={"of": wish.type, FORGET: dict(fields)},
    )


def _remedy(wish: Wish, kinds: Sequence[str]) -> str:
    named = ", ".join(kinds)
    if wish.type == PARTNER:
        return f"Records of {named} keep this contact: anonymise it instead, or decide about them first."
    if INSEPARABLE.get(wish.type, ("", ""))[1] in kinds:
        return f"It goes with its record of {named}, and only so: decide about that first."
    return f"Records of {named} refer to it or would go with it: decide about them first."
