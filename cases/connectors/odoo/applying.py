"""Carries out one action of a plan: reads the record, writes unless it is as wished, and reads it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cases.connectors.base import (
    Clock,
    Conflict,
    ContractBroken,
    Effect,
    PermissionDenied,
    Refused,
    Throttled,
    Transient,
)
from cases.connectors.changes import Action, Obstacle, Outcome, Receipt, Verb
from cases.connectors.odoo.client import ROUTE, Domain, Row
from cases.connectors.odoo.holders import Holders
from cases.connectors.odoo.records import Reader
from cases.connectors.odoo.schema import TRACKING
from cases.connectors.odoo.tracking import tracked
from cases.connectors.odoo.wanted import (
    FORGET,
    changed,
    id_of,
    is_as_wished,
    pictures,
    written,
)
from cases.connectors.web import Answer

EFFECTS: Final = {Verb.DELETE: Effect.REMOVED, Verb.ANONYMISE: Effect.ANONYMISED, Verb.SET: Effect.RETAINED}
_GONE, _REFUSED = 404, 422
# What Odoo says, in English as it was asked to, where the database forbids a deletion.
_REFERRED: Final = "another model requires the record"


@dataclass(frozen=True, slots=True)
class _End:
    """How an action ended."""

    outcome: Outcome
    effect: Effect = Effect.RETAINED
    answer: Answer | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True)
class Writer:
    """Writes with the account that changes. Raises ContractBroken for an action that no plan of this Odoo holds."""

    reader: Reader
    clock: Clock

    def apply(self, action: Action) -> Receipt:
        """Raises Conflict where somebody changed the record, Transient where nobody knows whether it was written."""
        if action.verb not in EFFECTS or self._model(action) not in self.reader.schema.models:
            raise ContractBroken(what="an action that names what this Odoo does not have")
        started = self.clock()
        end = self._forget(action) if FORGET in action.payload else self._change(action)
        return self._receipt(action, end, started)

    @staticmethod
    def _model(action: Action) -> str:
        return TRACKING if FORGET in action.payload else action.type

    # --- A record -------------------------------------------------------------------------------------------------

    def _change(self, action: Action) -> _End:
        row = self._row(action)
        if self._is_done(action, row):
            return _End(Outcome.ALREADY, EFFECTS[action.verb])
        if row is None or changed(action.expected, row, self.reader.described(action.type)):
            raise Conflict
        if action.verb is Verb.DELETE and self._takes_along(action):
            return _End(Outcome.REFUSED, obstacle=Obstacle.REFERENCED)
        return self._written(action, row)

    def _row(self, action: Action) -> Row | None:
        number = id_of(action)
        return self.reader.data(action.type, [number]).get(number)

    def _is_done(self, action: Action, row: Row | None) -> bool:
        return is_as_wished(action.verb, action.payload, row) and not self._has_pictures(action)

    def _has_pictures(self, action: Action) -> bool:
        """A picture is not read: it is enough to know whether there is one."""
        names = pictures(action.payload, self.reader.fields(action.type)) if action.payload else []
        here: Domain = [["id", "=", id_of(action)]]
        return any(self.reader.odoo.count(action.type, [*here, [name, "!=", False]]) for name in names)

    def _takes_along(self, action: Action) -> bool:
        """Whether something came meanwhile that would go along, and that nobody has decided about."""
        number = id_of(action)
        found = Holders(self.reader).of(action.type, [number])[number]
        planned = action.payload.get("with")
        return bool(
            {f"{model}/{one}" for model, one in found} - {*(planned if isinstance(planned, list) else ())}
        )

    def _written(self, action: Action, before: Row) -> _End:
        try:
            answer = self._tell(action)
        except Throttled:
            raise
        except Transient:
            if not self._is_done(action, self._row(action)):
                raise
            return _End(Outcome.DONE, EFFECTS[action.verb])
        except PermissionDenied:
            return _End(Outcome.REFUSED, obstacle=Obstacle.PERMISSION)
        except Refused:
            return _End(Outcome.REFUSED, obstacle=Obstacle.STATE)
        if answer.status == _REFUSED:
            return _End(Outcome.REFUSED, answer=answer, obstacle=_why(answer))
        return self._read_back(action, before, answer)

    def _tell(self, action: Action) -> Answer:
        if action.verb is Verb.DELETE:
            return self.reader.odoo.tell(action.type, "unlink", [id_of(action)])
        return self.reader.odoo.tell(action.type, "write", [id_of(action)], vals=written(action.payload))

    def _read_back(self, action: Action, before: Row, answer: Answer) -> _End:
        """Odoo acknowledges what it does not do, and writes some values in a way of its own."""
        after = self._row(action)
        if self._is_done(action, after):
            return _End(Outcome.DONE, EFFECTS[action.verb], answer)
        if after is None:
            raise Conflict
        is_as_it_was = not changed(before, after, self.reader.described(action.type))
        effect = Effect.RETAINED if is_as_it_was else Effect.UNKNOWN
        return _End(Outcome.REFUSED, effect, answer, Obstacle.STATE)

    # --- What it held before ----------------------------------------------------------------------------------------

    def _forget(self, action: Action) -> _End:
        """Delete what Odoo tracked of the values that were replaced."""
        odoo, domain = self.reader.odoo, tracked(action)
        ids = odoo.ids(TRACKING, domain)
        if not ids:
            return _End(Outcome.ALREADY, Effect.REMOVED)
        try:
            answer = odoo.tell(TRACKING, "unlink", ids)
        except PermissionDenied:
            return _End(Outcome.REFUSED, obstacle=Obstacle.PERMISSION)
        except Throttled:
            raise
        except Transient:
            if odoo.ids(TRACKING, domain):
                raise
            return _End(Outcome.DONE, Effect.REMOVED)
        if odoo.ids(TRACKING, domain):
            return _End(Outcome.REFUSED, answer=answer, obstacle=Obstacle.STATE)
        return _End(Outcome.DONE, Effect.REMOVED, answer)

    # --- The receipt --------------------------------------------------------------------------------------------------

    def _receipt(self, action: Action, end: _End, started: datetime) -> Receipt:
        method = "unlink" if action.verb is Verb.DELETE else "write"
        return Receipt(
            key=action.key,
            outcome=end.outcome,
            effect=end.effect,
            request=f"POST {ROUTE.format(model=self._model(action), method=method)}",
            started_at=started,
            ended_at=self.clock(),
            status=end.answer.status if end.answer else None,
            vendor_request=end.answer.vendor_request if end.answer else "",
            answer_hash=end.answer.digest if end.answer else "",
            obstacle=end.obstacle,
        )


def _why(answer: Answer) -> Obstacle:
    return Obstacle.REFERENCED if _REFERRED in str(answer.at("message")) else Obstacle.STATE
