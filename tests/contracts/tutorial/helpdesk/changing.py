"""Deletes tickets and corrects contacts, in addition to reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cases.connectors.base import (
    Ability,
    Capabilities,
    Conflict,
    Effect,
    Identifier,
    Match,
    Refused,
)
from cases.connectors.changes import (
    Action,
    Blocker,
    Finding,
    Obstacle,
    Outcome,
    Plan,
    Receipt,
    Remains,
    Verb,
    Wish,
)
from cases.connectors.web import Answer
from helpdesk.reading import ReadingHelpDesk, Row

CORRECTABLE = frozenset({"name", "phone"})


class HelpDesk(ReadingHelpDesk):
    """The whole connector."""

    def capabilities(self) -> Capabilities:
        known = super().capabilities()
        contact = replace(
            known.types["contact"],
            abilities=frozenset({Ability.RECTIFY}),
            rectifiable=CORRECTABLE,
            delete_effect=Effect.RETAINED,
        )
        ticket = replace(
            known.types["ticket"], abilities=frozenset({Ability.DELETE}), delete_effect=Effect.REMOVED
        )
        return replace(known, types={"contact": contact, "ticket": ticket})

    # --- Planning: reads only --------------------------------------------------------------------------------

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        judged = [self._judge(wish) for wish in wishes]
        return Plan(
            actions=tuple(one for one in judged if isinstance(one, Action)),
            blockers=tuple(one for one in judged if isinstance(one, Blocker)),
        )

    def _judge(self, wish: Wish) -> Action | Blocker:
        if not _is_possible(wish):
            return _blocker(wish, Obstacle.NO_API, "Make this change in the help desk itself.")
        row = self._read(wish.ref)
        if row is None and wish.verb is Verb.SET:
            return _blocker(wish, Obstacle.NOT_FOUND, "Search the help desk again: the record is gone.")
        if row is not None and not _is_as_expected(row, wish.expected):
            return _blocker(wish, Obstacle.CHANGED, "Look at the record again: it has been changed since.")
        if row is not None and wish.verb is Verb.DELETE and row["status"] == "billed":
            return _blocker(wish, Obstacle.STATE, "Take the ticket off its invoice, then plan again.")
        return _action(wish)

    # --- Applying: read, write unless it is so already, read back --------------------------------------------

    def apply(self, action: Action) -> Receipt:
        began, row = self._clock(), self._read(action.ref)
        if _is_as_wished(row, action):
            return self._receipt(action, Outcome.ALREADY, began, "GET")
        if row is None or not _is_as_expected(row, action.expected):
            raise Conflict
        try:
            answer = self._write(action)
        except Refused:
            return self._receipt(action, Outcome.REFUSED, began, "DELETE", obstacle=Obstacle.STATE)
        done = _is_as_wished(self._read(action.ref), action)
        outcome = Outcome.DONE if done else Outcome.REFUSED
        return self._receipt(action, outcome, began, answer.request, answer, None if done else Obstacle.STATE)

    def _write(self, action: Action) -> Answer:
        kind, number = action.ref.split("/")
        route = f"/{kind}s/{{id}}"
        if action.verb is Verb.DELETE:
            return self._web.write("DELETE", route, fill={"id": number}, accept=[404])
        return self._web.write("PATCH", route, fill={"id": number}, json=dict(action.payload))

    def _read(self, ref: str) -> Row | None:
        kind, number = ref.split("/")
        answer = self._web.read("GET", f"/{kind}s/{{id}}", fill={"id": number}, accept=[404])
        return None if answer.status == 404 else answer.data

    def _receipt(
        self,
        action: Action,
        outcome: Outcome,
        began: datetime,
        request: str,
        answer: Answer | None = None,
        obstacle: Obstacle | None = None,
    ) -> Receipt:
        changed = outcome in {Outcome.DONE, Outcome.ALREADY}
        return Receipt(
            key=action.key,
            outcome=outcome,
            effect=action.predicted if changed else Effect.RETAINED,
            request=request,
            started_at=began,
            ended_at=self._clock(),
            status=answer.status if answer else None,
            answer_hash=answer.digest if answer else "",
            obstacle=obstacle,
        )

    def poll(self, receipt: Receipt) -> Receipt:
        return receipt  # The help desk does everything at once.

    # --- Verifying: by another way than that of apply --------------------------------------------------------

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        """Look in the lists, which the desk keeps apart from what it answers for a single number."""
        wanted = {action.ref: action for action in actions}
        found = {record.ref: record.data for record in self._everything(matches)}
        return [
            Finding(ref, action.type, f"the list of {action.type}s", Remains.RESIDUAL)
            for ref, action in wanted.items()
            if not _is_as_wished(found.get(ref), action)
        ]

    def _everything(self, matches: Sequence[Match]) -> Iterator[Any]:
        page = self.collect(matches, None)
        yield from page.records
        while page.next:
            page = self.collect(matches, page.next)
            yield from page.records


def _is_possible(wish: Wish) -> bool:
    if wish.verb is Verb.DELETE:
        return wish.type == "ticket"
    return wish.verb is Verb.SET and wish.type == "contact" and set(wish.values) <= CORRECTABLE


def _is_as_wished(row: Row | None, action: Action) -> bool:
    if action.verb is Verb.DELETE:
        return row is None
    return row is not None and action.payload.items() <= row.items()


def _is_as_expected(row: Row, expected: Mapping[str, Any]) -> bool:
    return expected.items() <= row.items()


def _action(wish: Wish) -> Action:
    predicted = Effect.REMOVED if wish.verb is Verb.DELETE else Effect.UNKNOWN
    return Action(
        wish.key, wish.verb, wish.ref, wish.type, predicted, payload=wish.values, expected=wish.expected
    )


def _blocker(wish: Wish, obstacle: Obstacle, remedy: str) -> Blocker:
    return Blocker(wish.key, wish.ref, wish.type, obstacle, remedy)
