"""What is changed in the demo CRM: planned by reading, done once, read back, and looked for afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cases.connectors.base import (
    JSON,
    Clock,
    Conflict,
    ContractBroken,
    Effect,
    Identifier,
    Match,
    Refused,
    Throttled,
    Transient,
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
    derived_key,
)
from cases.connectors.demo_crm.description import (
    ANONYMOUS,
    CALLS,
    CATEGORIES,
    CONTACTS,
    FILES,
    HISTORY,
    IDENTITIES,
    INVOICES,
    MESSAGES,
    TICKETS,
)
from cases.connectors.web import Answer, Web

ROUTE: Final = "/v1/{kind}/{id}"
BOOKED: Final = "booked"
BY_US, BEFORE_US = "by-us", "before-us"
# What has to go before a record of a kind can go, and the filter that finds it.
BEFORE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    CONTACTS: tuple((kind, "contact_id") for kind in (TICKETS, MESSAGES, CALLS, INVOICES, FILES)),
    TICKETS: ((MESSAGES, "ticket_id"),),
}
_OBSTACLES: Final = {
    "booked": Obstacle.LEGAL_RETENTION,
    "referenced": Obstacle.REFERENCED,
    "read_only": Obstacle.PERMISSION,
}


class Changes:
    """The half of the connector that writes, and the calls that both halves share."""

    def __init__(self, web: Web, clock: Clock) -> None:
        self._web = web
        self._clock = clock

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        self._web.close()

    # --- Reading ----------------------------------------------------------------------------------------------------

    def _list(self, kind: str, params: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], int, str | None]:
        """Return records, how many there are in all, and where to go on."""
        answer = self._web.read("GET", f"/v1/{kind}", params=params)
        items, total, following = answer.at("items"), answer.at("total"), answer.at("next")
        if not isinstance(items, list) or not isinstance(total, int) or not isinstance(following, str | None):
            raise ContractBroken(what=f"something that is no list of {kind}")
        if not all(isinstance(item, dict) and isinstance(item.get("id"), int) for item in items):
            raise ContractBroken(what=f"{kind} without ids")
        return items, total, following

    def _read(self, kind: str, number: object) -> Mapping[str, Any] | None:
        """Return a record; None where there is none."""
        answer = self._web.read("GET", ROUTE, fill={"kind": kind, "id": number}, accept=(404,))
        if answer.status == 404:
            return None
        if not isinstance(answer.data, dict):
            raise ContractBroken(what=f"something that is none of {kind}")
        return answer.data

    # --- Planning ---------------------------------------------------------------------------------------------------

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Say what would be done for these wishes, and what stands in the way; reads only."""
        actions: list[Action] = []
        blockers: list[Blocker] = []
        going: dict[str, str] = {}
        # Corrections come before deletions, and among these what refers to others before what it refers to.
        for wish in sorted(wishes, key=lambda one: (_TURN[one.verb], _rank(one.type), one.ref, one.key)):
            obstacle = self._obstacle(wish, going)
            if obstacle is not None:
                blockers.append(obstacle)
                continue
            if wish.verb is Verb.DELETE:
                going[wish.ref] = wish.key
            is_touched = any(one.ref == wish.ref and one.type == CONTACTS for one in actions)
            actions += self._actions(wish, going, is_touched=is_touched)
        return Plan(tuple(actions), tuple(blockers))

    def _obstacle(self, wish: Wish, going: Mapping[str, str]) -> Blocker | None:
        if wish.type not in CATEGORIES or (wish.verb is not Verb.DELETE and wish.type != CONTACTS):
            return _blocker(
                wish, Obstacle.NO_API, "Change this record in the CRM itself: its interface cannot."
            )
        row = self._read(wish.type, wish.handle.get("id"))
        if row is None:
            gone = _blocker(wish, Obstacle.NOT_FOUND, "The record is no longer there: leave it out.")
            return None if wish.verb is Verb.DELETE else gone
        if any(row.get(name) != value for name, value in wish.expected.items()) and not _is_as_wished(
            wish, row
        ):
            return _blocker(
                wish, Obstacle.CHANGED, "Somebody changed the record meanwhile: look at it again."
            )
        if wish.verb is not Verb.DELETE:
            return None
        if wish.type == INVOICES and row.get("status") == BOOKED:
            remedy = "A booked invoice has to be kept; it can go when its time of retention is over."
            return _blocker(wish, Obstacle.LEGAL_RETENTION, remedy)
        return self._referred(wish, row["id"], going)

    def _referred(self, wish: Wish, number: int, going: Mapping[str, str]) -> Blocker | None:
        staying = [ref for ref in self._before(wish.type, number) if ref not in going]
        if not staying:
            return None
        kinds = ", ".join(sorted({ref.partition("/")[0] for ref in staying}))
        return _blocker(
            wish, Obstacle.REFERENCED, f"{len(staying)} records refer to it: decide about its {kinds} too."
        )

    def _before(self, kind: str, number: int) -> list[str]:
        return [
            f"{other}/{row['id']}"
            for other, name in BEFORE.get(kind, ())
            for row in self._all(other, name, number)
        ]

    def _all(self, kind: str, name: str, number: int) -> Iterator[Mapping[str, Any]]:
        following: str | None = None
        while True:
            rows, _total, following = self._list(kind, {name: number, "limit": 1000, "cursor": following})
            yield from (row for row in rows if row.get(name) == number)
            if following is None:
                return

    def _actions(self, wish: Wish, going: Mapping[str, str], *, is_touched: bool) -> Iterator[Action]:
        number = _number(wish.handle.get("id"))
        before = self._before(wish.type, number) if wish.verb is Verb.DELETE else []
        after = sorted({going[ref] for ref in before if ref in going})
        yield Action.of(wish, _PREDICTED[wish.verb], after, _payload(wish))
        if wish.type != CONTACTS or wish.verb not in {Verb.DELETE, Verb.ANONYMISE}:
            return
        if wish.verb is Verb.ANONYMISE or is_touched or next(self._all(HISTORY, "contact_id", number), None):
            yield _forgetting(wish)

    def read_again(self, wish: Wish) -> Mapping[str, JSON] | None:
        """Return a record's fields as they are now; None where it is gone."""
        return self._read(wish.type, wish.handle.get("id"))

    # --- Doing ------------------------------------------------------------------------------------------------------

    def apply(self, action: Action) -> Receipt:
        """Read the record, write unless it is as wished, and read it back."""
        started = self._clock()
        if action.payload.get("forget"):
            return self._forget(action, started)
        row = self._read(action.type, action.handle.get("id"))
        if row is None and action.verb is not Verb.DELETE:
            raise Conflict
        if row is None or _is_as_wished(action, row):
            return self._receipt(action, Outcome.ALREADY, started, effect=_PREDICTED[action.verb])
        if row.get("deletion_job") is not None:
            return self._pending(action, started, row["deletion_job"], None)
        if any(row.get(name) != value for name, value in action.expected.items()):
            raise Conflict
        return self._write(action, row, started)

    def _write(self, action: Action, row: Mapping[str, Any], started: datetime) -> Receipt:
        try:
            answer = self._tell(action, row)
        except Transient as error:
            if isinstance(error, Throttled) or not self._is_done(action):
                raise
            return self._receipt(action, Outcome.DONE, started, effect=_PREDICTED[action.verb])
        except Refused:
            return self._receipt(
                action, Outcome.REFUSED, started, effect=Effect.RETAINED, obstacle=Obstacle.STATE
            )
        if answer.status in {403, 422}:
            obstacle = _OBSTACLES.get(str(answer.at("error.code")), Obstacle.STATE)
            return self._receipt(action, Outcome.REFUSED, started, answer, Effect.RETAINED, obstacle)
        if answer.status == 202:
            return self._pending(action, started, answer.at("job"), answer)
        if self._is_done(action):
            return self._receipt(action, Outcome.DONE, started, answer, _PREDICTED[action.verb])
        return self._receipt(action, Outcome.REFUSED, started, answer, Effect.RETAINED, Obstacle.NO_API)

    def _tell(self, action: Action, row: Mapping[str, Any]) -> Answer:
        fill = {"kind": action.type, "id": row["id"]}
        headers = {"If-Match": f'"{row["version"]}"'}
        if action.verb is Verb.DELETE:
            return self._web.write("DELETE", ROUTE, fill=fill, headers=headers, accept=(403, 404, 422))
        return self._web.write(
            "PATCH", ROUTE, fill=fill, headers=headers, json=action.payload, accept=(403, 422)
        )

    def _is_done(self, action: Action) -> bool:
        """Read the record back: an acknowledgement alone proves nothing."""
        row = self._read(action.type, action.handle.get("id"))
        return row is None if action.verb is Verb.DELETE else row is not None and _is_as_wished(action, row)

    def _forget(self, action: Action, started: datetime) -> Receipt:
        """Delete what the history kept of the values that were just replaced."""
        rows = list(self._all(HISTORY, "contact_id", _number(action.handle.get("id"))))
        for row in rows:
            step = Action(
                action.key, Verb.DELETE, f"{HISTORY}/{row['id']}", HISTORY, handle={"id": row["id"]}
            )
            done = self._write(step, row, started)
            if done.outcome is not Outcome.DONE:
                return done
        outcome = Outcome.DONE if rows else Outcome.ALREADY
        return self._receipt(action, outcome, started, effect=Effect.REMOVED)

    def poll(self, receipt: Receipt) -> Receipt:
        """Ask after a deletion that takes its time; done only when the record is no longer there."""
        answer = self._web.read("GET", "/v1/jobs/{job}", fill={"job": receipt.ticket.split(" ")[0]})
        _job, place, begun = receipt.ticket.split(" ")
        kind, _, number = place.partition("/")
        if answer.at("state") != "done":
            return receipt
        gone = self._read(kind, number) is None
        return Receipt(
            key=receipt.key,
            outcome=(Outcome.ALREADY if begun == BEFORE_US else Outcome.DONE) if gone else Outcome.REFUSED,
            effect=Effect.REMOVED if gone else Effect.RETAINED,
            request=receipt.request,
            started_at=receipt.started_at,
            ended_at=self._clock(),
            status=answer.status,
            vendor_request=answer.vendor_request,
            answer_hash=answer.digest,
            obstacle=None if gone else Obstacle.NO_API,
        )

    def _pending(self, action: Action, started: datetime, job: object, answer: Answer | None) -> Receipt:
        made = self._receipt(action, Outcome.PENDING, started, answer, Effect.UNKNOWN)
        # Where this call has begun nothing, an earlier one had: the job is the same.
        ticket = f"{job} {action.type}/{action.handle.get('id')} {BY_US if answer else BEFORE_US}"
        return Receipt(
            made.key, made.outcome, made.effect, made.request, started, made.ended_at, made.status, made.vendor_request,
            made.answer_hash, ticket,
        )  # fmt: skip

    def _receipt(
        self,
        action: Action,
        outcome: Outcome,
        started: datetime,
        answer: Answer | None = None,
        effect: Effect = Effect.UNKNOWN,
        obstacle: Obstacle | None = None,
    ) -> Receipt:
        method = "DELETE" if action.verb is Verb.DELETE or action.payload.get("forget") else "PATCH"
        return Receipt(
            key=action.key,
            outcome=outcome,
            effect=effect,
            request=f"{method} {ROUTE}",
            started_at=started,
            ended_at=self._clock(),
            status=answer.status if answer else None,
            vendor_request=answer.vendor_request if answer else "",
            answer_hash=answer.digest if answer else "",
            obstacle=obstacle,
        )

    # --- Looking afterwards -----------------------------------------------------------------------------------------

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        """Look for what is left: by id, by search, by what hangs on the contact, and in the history."""
        found: dict[tuple[str, str], Finding] = {}
        gone = [action for action in actions if action.verb in {Verb.DELETE, Verb.ANONYMISE}]
        for action in gone:
            for finding in self._left_of(action):
                found[finding.ref, finding.where] = finding
        for finding in self._searched(identifiers, {action.ref for action in gone}):
            found[finding.ref, finding.where] = finding
        return list(found.values())

    def _left_of(self, action: Action) -> Iterator[Finding]:
        number = action.handle.get("id")
        row = self._read(action.type, number)
        if row is not None and not _is_as_wished(action, row):
            yield Finding(action.ref, action.type, f"{action.type}, by id", Remains.RESIDUAL)
        if action.type != CONTACTS:
            yield from self._listed(action)
            return
        for old in self._all(HISTORY, "contact_id", _number(number)):
            yield Finding(f"{HISTORY}/{old['id']}", HISTORY, "history of the contact", Remains.RESIDUAL)

    def _listed(self, action: Action) -> Iterator[Finding]:
        """A list may still show what reading by id no longer does."""
        params: dict[str, Any] = {"limit": 1000}
        following: str | None = None
        while True:
            rows, _total, following = self._list(action.type, {**params, "cursor": following})
            if any(row["id"] == action.handle.get("id") for row in rows):
                yield Finding(action.ref, action.type, f"list of {action.type}", Remains.RESIDUAL)
            if following is None:
                return

    def _searched(self, identifiers: Sequence[Identifier], refs: set[str]) -> Iterator[Finding]:
        for item in identifiers:
            if item.kind in IDENTITIES:
                asked = {IDENTITIES[item.kind]: item.value.strip(), "archived": "include", "limit": 1000}
                for row in self._list(CONTACTS, asked)[0]:
                    if f"{CONTACTS}/{row['id']}" in refs:
                        where = f"search of contacts by {IDENTITIES[item.kind]}"
                        yield Finding(f"{CONTACTS}/{row['id']}", CONTACTS, where, Remains.RESIDUAL)


_PREDICTED: Final = {
    Verb.DELETE: Effect.REMOVED,
    Verb.ANONYMISE: Effect.ANONYMISED,
    Verb.SET: Effect.RETAINED,
    Verb.RESTRICT: Effect.DISABLED,
    Verb.LIFT_RESTRICTION: Effect.RETAINED,
}


_TURN: Final = {
    verb: turn
    for turn, verb in enumerate([Verb.RESTRICT, Verb.LIFT_RESTRICTION, Verb.SET, Verb.ANONYMISE, Verb.DELETE])
}


def _payload(wish: Wish) -> Mapping[str, JSON]:
    match wish.verb:
        case Verb.DELETE:
            return {}
        case Verb.ANONYMISE:
            # A customer number leads to the person as surely as a name does.
            return {**ANONYMOUS, "number": f"gone-{wish.handle.get('id')}", **wish.values}
        case Verb.SET:
            return dict(wish.values)
        case _:
            return {"restricted": wish.verb is Verb.RESTRICT}


def _forgetting(wish: Wish) -> Action:
    """The history keeps what a contact held, also when that has gone, and so goes last."""
    return Action(
        key=derived_key(wish.key, "forget"),
        verb=Verb.DELETE,
        ref=f"{wish.ref}/history",
        type=HISTORY,
        predicted=Effect.REMOVED,
        after=(wish.key,),
        handle=wish.handle,
        payload={"forget": True},
    )


def _is_as_wished(one: Wish | Action, row: Mapping[str, Any]) -> bool:
    wanted = _payload(one) if isinstance(one, Wish) else one.payload
    return one.verb is not Verb.DELETE and all(row.get(name) == value for name, value in wanted.items())


def _blocker(wish: Wish, obstacle: Obstacle, remedy: str) -> Blocker:
    return Blocker(wish.key, wish.ref, wish.type, obstacle, remedy)


def _rank(kind: str) -> int:
    """Records that others refer to come last."""
    return {TICKETS: 1, CONTACTS: 2}.get(kind, 0)


def _number(value: JSON) -> int:
    if not isinstance(value, int):
        raise ContractBroken(what="a record that was not named by this connector")
    return value
