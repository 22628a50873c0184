"""What a connector is asked to do for a line of a plan."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cases.connectors.base import JSON
from cases.connectors.changes import Verb, Wish
from cases.fulfilment import anonymise
from cases.models import PlannedChange, Treatment
from dsar.lib import crypto
from dsar.vault import keyring

VERBS: Final[Mapping[str, Verb]] = {
    Treatment.DELETE: Verb.DELETE,
    Treatment.ANONYMISE: Verb.ANONYMISE,
    Treatment.BLOCK: Verb.RESTRICT,
    Treatment.CORRECT: Verb.SET,
    Treatment.SUPPLEMENT: Verb.SET,
    Treatment.RESTRICT: Verb.RESTRICT,
    Treatment.LIFT: Verb.LIFT_RESTRICTION,
}


class NoWish(Exception):
    """The line asks nothing of a connector: it stays, or a human does it, or nothing proves whose it is."""


def wish_of(line: PlannedChange) -> Wish:
    """The wish of a line that a connector carries out; the same each time. Raises NoWish, and StrategyWrong.

    What is not shown to be the verified person's is never written to, whatever the line says.
    """
    item = line.item
    writes = line.treatment in VERBS and line.may_write and not line.by_hand
    if not writes or item is None or item.is_third_party or not item.content:
        raise NoWish
    content = item.content
    expected = line.expected or {}
    return Wish(
        key=line.key,
        verb=VERBS[line.treatment],
        ref=content["ref"],
        type=line.collection,
        handle=content.get("handle", {}),
        values=_VALUES.get(line.treatment, _none)(line, expected),
        expected=expected,
    )


def _none(_line: PlannedChange, _held: Mapping[str, JSON]) -> dict[str, JSON]:
    return {}


def _anonymous(line: PlannedChange, held: Mapping[str, JSON]) -> dict[str, JSON]:
    """What the strategies make of what is held; for fields that none names the connector knows best."""
    strategies: Mapping[str, Any] = line.wanted or {}
    if not strategies:
        return {}
    secret = crypto.blind(keyring.key(line.case.collected_key_id), "anonymise")
    return {
        name: anonymise.value(strategies[name], held[name], anonymise.Place(secret, line.key, name))
        for name in strategies
        if name in held
    }


def _set(line: PlannedChange, _held: Mapping[str, JSON]) -> dict[str, JSON]:
    """The values as they were decided."""
    return dict(line.wanted or {})


_VALUES: Final[Mapping[str, Callable[[PlannedChange, Mapping[str, JSON]], dict[str, JSON]]]] = {
    Treatment.ANONYMISE: _anonymous,
    Treatment.CORRECT: _set,
    Treatment.SUPPLEMENT: _set,
}
