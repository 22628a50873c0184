"""Points 7 to 12, and what of point 15 concerns changes: planning, applying and verifying."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pytest

from cases.connectors.base import (
    JSON,
    Ability,
    Conflict,
    Connector,
    ConnectorError,
    Effect,
    Match,
    Record,
    Transient,
)
from cases.connectors.changes import (
    Action,
    ChangesRecords,
    Finding,
    Obstacle,
    Outcome,
    Plan,
    Receipt,
    Remains,
    Verb,
    Wish,
)
from cases.connectors.conformance.bench import NOT_CLAIMED, Bench, text_of, through_json
from cases.connectors.conformance.world import Aspect, Change, Trouble

ABILITY_OF: Final[Mapping[Verb, Ability]] = {
    Verb.DELETE: Ability.DELETE,
    Verb.ANONYMISE: Ability.ANONYMISE,
    Verb.SET: Ability.RECTIFY,
    Verb.RESTRICT: Ability.RESTRICT,
    Verb.LIFT_RESTRICTION: Ability.RESTRICT,
}
# How often a job of the source's own is asked after.
ASKS = 20
# Shorter values than this stand in too much else to be looked for.
SHORTEST_VALUE = 5


class ChangingPoints(Bench):
    """A change is planned by reading, made once, and looked after."""

    # --- 7 -------------------------------------------------------------------------------------------------------

    def test_07_writes_once_when_the_source_fails_after_committing(self) -> None:
        (action,) = self._planned(self._first_change()).actions[:1]
        before = self.writes()
        self.make_trouble(Trouble.COMMIT_THEN_FAIL)

        first = self._apply_or_none(action)
        self.behave()
        second = self._carried_out(action)

        assert first is None or first.outcome in {Outcome.DONE, Outcome.ALREADY}
        assert second.outcome is Outcome.ALREADY
        assert self.writes() - before == 1
        self._check_effect(self._first_change(), action.ref)

    def _apply_or_none(self, action: Action) -> Receipt | None:
        """Apply; None when the connector says that it does not know whether it was done."""
        try:
            return self._changing().apply(action)
        except Transient:
            return None

    # --- 8 -------------------------------------------------------------------------------------------------------

    def test_08_plans_every_wish_without_writing(self) -> None:
        wishes = [self._wish(change) for change in self._all_changes()]
        before = self.writes()

        plan, again = (self._changing().plan(wishes) for _ in range(2))

        assert self.writes() == before
        answered = {action.key for action in plan.actions} | {blocker.key for blocker in plan.blockers}
        assert {wish.key for wish in wishes} <= answered
        assert plan.digest == again.digest

    def test_08_puts_actions_after_those_they_wait_for(self) -> None:
        plan = self._changing().plan([self._wish(change) for change in self._all_changes()])

        keys = [action.key for action in plan.actions]
        early = [
            action.ref
            for place, action in enumerate(plan.actions)
            if not set(action.after) <= set(keys[:place])
        ]
        assert early == []
        assert len(set(keys)) == len(keys)

    def test_08_reads_without_writing(self) -> None:
        self._changing()
        before = self.writes()
        connector = self.connect()

        connector.check()
        connector.holds(self.identify(self.world().subject))
        self.records(page_size=2)

        connector.close()
        assert self.writes() == before

    def test_08_claims_only_what_is_tried(self) -> None:
        self._changing()
        types = self.connect().capabilities().types

        claimed = {(name, ability) for name, held in types.items() for ability in held.abilities}

        tried = {(change.type, ABILITY_OF[change.verb]) for change in self.world().changes}
        kinds = {name for name, _ in tried}
        assert tried <= claimed
        assert {ability for name, ability in claimed if name in kinds} <= {ability for _, ability in tried}

    # --- 9 -------------------------------------------------------------------------------------------------------

    def test_09_makes_a_refusal_a_blocker(self) -> None:
        self._changing()
        self.require(Aspect.REFUSAL, self.world().refused)
        refused = self.world().refused
        assert refused
        before, wish = text_of(self.records()), self._wish(refused)

        plan = self._changing().plan([wish])

        blockers = [(one.key, one.ref, bool(one.remedy.strip())) for one in plan.blockers]
        if not blockers:  # Some refusals cannot be foreseen by reading. Then the receipt has to tell.
            receipts = [self._carried_out(action) for action in plan.actions if action.key == wish.key]
            assert [one.outcome for one in receipts] == [Outcome.REFUSED]
            assert [one.obstacle for one in receipts if one.obstacle is None] == []
        else:
            assert blockers == [(wish.key, wish.ref, True)]
            assert [action.key for action in plan.actions if action.key == wish.key] == []
        assert text_of(self.records()) == before

    # --- 10 ------------------------------------------------------------------------------------------------------

    def test_10_applies_each_change_once(self) -> None:
        for change in self._changes():
            plan = self._planned(change)
            assert plan.blockers == ()

            first = [self._carried_out(action) for action in plan.actions]
            written = self.writes()
            second = [self._carried_out(action) for action in plan.actions]

            keys = [action.key for action in plan.actions]
            assert [(one.key, one.outcome) for one in first] == [(key, Outcome.DONE) for key in keys]
            assert [(one.key, one.outcome) for one in second] == [(key, Outcome.ALREADY) for key in keys]
            assert self.writes() == written
            self._check_effect(change, plan.actions[-1].ref)

    def test_10_writes_nothing_when_somebody_changed_the_record(self) -> None:
        change = self._correction()
        wish = self._wish(change)
        stale = replace(wish, expected={name: _another(value) for name, value in wish.expected.items()})
        before = text_of(self.records())

        plan, written = self._changing().plan([stale]), self.writes()

        if plan.blockers:
            assert [blocker.obstacle for blocker in plan.blockers] == [Obstacle.CHANGED]
        for action in plan.actions:
            with pytest.raises(Conflict):
                self._changing().apply(action)
        assert plan.blockers or plan.actions
        assert (text_of(self.records()), self.writes()) == (before, written)

    # --- 11 ------------------------------------------------------------------------------------------------------

    def test_11_sees_what_a_deletion_left(self) -> None:
        plan, matches = self._planned(self._erasure()), self.matches()
        self.make_trouble(Trouble.RESIDUE_LEFT)
        for action in plan.actions:
            self._carried_out(action)

        findings = self._verified(matches, plan)

        assert Remains.RESIDUAL in {finding.remains for finding in findings}
        assert [finding for finding in findings if not finding.where.strip()] == []

    def test_11_sees_nothing_where_nothing_was_left(self) -> None:
        plan, matches = self._planned(self._erasure()), self.matches()
        for action in plan.actions:
            self._carried_out(action)

        findings = self._verified(matches, plan)

        refs = {action.ref for action in plan.actions}
        assert [one for one in findings if one.ref in refs and one.remains is Remains.RESIDUAL] == []

    def test_11_sees_what_was_never_deleted(self) -> None:
        plan, matches = self._planned(self._erasure()), self.matches()

        findings = self._verified(matches, plan)

        assert {one.ref for one in findings if one.remains is Remains.RESIDUAL} >= {
            action.ref for action in plan.actions if action.verb is self._erasure().verb
        }

    def _verified(self, matches: Sequence[Match], plan: Plan) -> Sequence[Finding]:
        return self._changing().verify(self.identify(self.world().subject), matches, plan.actions)

    # --- 12 ------------------------------------------------------------------------------------------------------

    def test_12_tells_of_a_correction_that_was_not_made(self) -> None:
        plan = self._planned(self._correction())
        self.make_trouble(Trouble.CORRECTION_IGNORED)

        outcomes = [self._outcome(action) for action in plan.actions]

        assert outcomes
        assert set(outcomes) <= {Outcome.REFUSED, None}

    def _outcome(self, action: Action) -> Outcome | None:
        try:
            return self._carried_out(action).outcome
        except ConnectorError:
            return None

    # --- 15 ------------------------------------------------------------------------------------------------------

    def test_15_plans_receipts_and_findings_show_nothing(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        matches, wishes = self.matches(), [self._wish(change) for change in self._all_changes()]
        plan, tried = self._changing().plan(wishes), {wish.key for wish in wishes[: len(self._changes())]}
        receipts = [self._carried_out(action) for action in plan.actions if action.key in tried]
        findings = self._verified(matches, plan)

        printed = capfd.readouterr()
        told = [*plan.tasks, *(blocker.remedy for blocker in plan.blockers)]
        shown = f"{plan!r} {receipts!r} {findings!r} {told} {caplog.text} {printed.out} {printed.err}"
        assert self.leaks(shown) == []
        assert [value for value in _values(self._all_changes()) if value in shown] == []

    # --- Help ------------------------------------------------------------------------------------------------------

    def _changing(self) -> ChangesRecords:
        connector: Connector = self.connect()
        if not isinstance(connector, ChangesRecords):
            pytest.skip(f"{NOT_CLAIMED}This connector only reads.")
        return connector

    def _changes(self) -> tuple[Change, ...]:
        self._changing()
        if not self.world().changes:
            pytest.fail("A connector that changes records needs changes in its world.")
        return self.world().changes

    def _all_changes(self) -> list[Change]:
        refused = self.world().refused
        return [*self._changes(), *([refused] if refused else [])]

    def _first_change(self) -> Change:
        return self._changes()[0]

    def _erasure(self) -> Change:
        return self._change_with(Verb.DELETE, Verb.ANONYMISE)

    def _correction(self) -> Change:
        return self._change_with(Verb.SET)

    def _change_with(self, *verbs: Verb) -> Change:
        found = [change for change in self._changes() if change.verb in verbs]
        if not found and not self._claimed() & {ABILITY_OF[verb] for verb in verbs}:
            pytest.skip(f"{NOT_CLAIMED}This connector does not {' or '.join(verbs)}.")
        assert found, f"the world needs a change that can {' or '.join(verbs)}"
        return found[0]

    def _claimed(self) -> set[Ability]:
        types = self.connect().capabilities().types.values()
        return {ability for held in types for ability in held.abilities}

    def _record(self, change: Change) -> Record:
        found = [one for one in self.records() if one.type == change.type and _holds(one, change.where)]
        assert len(found) == 1, f"{change.where} fits {len(found)} records of type {change.type}"
        return found[0]

    def _wish(self, change: Change) -> Wish:
        record = self._record(change)
        return Wish(
            key=hashlib.sha256(f"{record.ref}|{change.verb}".encode()).hexdigest(),
            verb=change.verb,
            ref=record.ref,
            type=record.type,
            handle=through_json(record.handle),
            values=change.values,
            expected={name: record.data[name] for name in {**change.where, **change.values}},
        )

    def _planned(self, change: Change) -> Plan:
        return self._changing().plan([self._wish(change)])

    def _carried_out(self, action: Action) -> Receipt:
        """Apply from a new connector, and wait for the source's own job where it makes one of it."""
        connector = self._changing()
        receipt = connector.apply(action)
        for _ in range(ASKS):
            if receipt.outcome is not Outcome.PENDING:
                break
            self.settle()
            receipt = connector.poll(receipt)
        return receipt

    def _check_effect(self, change: Change, ref: str) -> None:
        """Look by a new search whether the source is now as wished."""
        now = {record.ref: record for record in self.records()}
        if change.verb is Verb.SET:
            assert {name: now[ref].data[name] for name in change.values} == dict(change.values)
        elif change.verb is Verb.DELETE and self._delete_effect(change) is Effect.REMOVED:
            assert ref not in now

    def _delete_effect(self, change: Change) -> Effect:
        return self.connect().capabilities().types[change.type].delete_effect


def _holds(record: Record, where: Mapping[str, JSON]) -> bool:
    return where.items() <= record.data.items()


def _another(value: JSON) -> JSON:
    """Return a value of the same kind that the field never held."""
    if isinstance(value, str):
        return f"{value} of old"
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else None


def _values(changes: Iterable[Change]) -> list[str]:
    texts = [value for change in changes for value in change.values.values() if isinstance(value, str)]
    return [text for text in texts if len(text) >= SHORTEST_VALUE]
