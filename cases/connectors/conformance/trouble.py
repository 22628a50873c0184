"""Points 6 and 13: limits, errors in another dress, and keys that are revoked."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from cases.connectors.base import AuthError, ConnectorError, NotSearchable, Throttled
from cases.connectors.conformance.bench import Bench
from cases.connectors.conformance.child import fingerprint
from cases.connectors.conformance.world import WAIT, Aspect, Trouble

# Seconds; a worker may hold on for a moment, and never for as long as a limit lasts.
MOMENT = 1.0


@dataclass
class ListeningGate:
    """Lets through, or not, and takes note of what the connector learned."""

    shut: bool = False
    asked: int = 0
    waits: list[float] = field(default_factory=list)

    def take(self, bucket: str = "") -> None:
        """Count, and refuse when shut."""
        self.asked += 1
        if self.shut:
            raise Throttled(retry_after=WAIT)

    def learn(self, *, bucket: str = "", wait: float | None = None, remaining: int | None = None) -> None:
        """Keep the waits."""
        self.waits += [] if wait is None else [wait]


class TroublePoints(Bench):
    """Whatever the source answers, the engine is told the truth in time."""

    # --- 6 -------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "trouble", [Trouble.LIMIT_WITH_WAIT, Trouble.LIMIT_WITHOUT_WAIT, Trouble.LIMIT_AS_FORBIDDEN]
    )
    def test_06_tells_of_a_limit_and_goes_on_after_it(
        self, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected, matches = Counter(fingerprint(one) for one in self.records()), self.matches()
        first, slept = self.page(matches, None, 2), list[float]()
        self.make_trouble(trouble)
        monkeypatch.setattr(time, "sleep", slept.append)

        with pytest.raises(Throttled) as finding:
            self.find(self.world().subject)
        with pytest.raises(Throttled) as collecting:
            self.page(matches, first.next, 2)

        self.behave()
        rest = [
            one for page in self.walk(page_size=2, matches=matches, cursor=first.next) for one in page.records
        ]
        waits = {caught.value.retry_after for caught in (finding, collecting)}
        assert waits == {WAIT} if trouble is Trouble.LIMIT_WITH_WAIT else 0 not in waits
        assert sum(slept) < MOMENT
        assert Counter(fingerprint(one) for one in [*first.records, *rest]) == expected

    def test_06_takes_no_error_for_an_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        matches = self.matches()
        self.make_trouble(Trouble.ERROR_IN_SUCCESS)
        monkeypatch.setattr(
            time, "sleep", list[float]().append
        )  # A quick second try may go without its pause.

        with pytest.raises(ConnectorError) as finding:
            self.find(self.world().subject)
        with pytest.raises(ConnectorError):
            self.page(matches, None, 2)

        assert not isinstance(finding.value, NotSearchable)

    def test_06_asks_the_gate_before_each_call(self) -> None:
        if not self.connect().capabilities().limits:
            pytest.skip("Not claimed: This source declares no limits.")
        gate, matches = ListeningGate(), self.matches()
        connector = self.connect(gate=gate)
        connector.find(self.identify(self.world().subject))
        asked, gate.shut = gate.asked, True

        with pytest.raises(Throttled):
            connector.find(self.identify(self.world().subject))
        with pytest.raises(Throttled):
            connector.collect(matches, None)

        connector.close()
        assert asked > 0
        assert gate.asked == asked + 2

    def test_06_tells_the_gate_how_long_to_wait(self) -> None:
        if not self.connect().capabilities().limits:
            pytest.skip("Not claimed: This source declares no limits.")
        self.make_trouble(Trouble.LIMIT_WITH_WAIT)
        gate = ListeningGate()
        connector = self.connect(gate=gate)

        with pytest.raises(Throttled):
            connector.find(self.identify(self.world().subject))

        connector.close()
        assert gate.waits == [WAIT]

    # --- 13 ------------------------------------------------------------------------------------------------------

    def test_13_stops_at_a_wrong_secret(self) -> None:
        self.require(Aspect.SECRET)
        connector = self.connect(wrong_secret=True)

        with pytest.raises(AuthError) as caught:
            connector.find(self.identify(self.world().subject))
        with pytest.raises(AuthError):
            connector.check()

        connector.close()
        assert caught.value.retryable is False

    def test_13_stops_when_the_key_is_revoked_and_goes_on_when_it_is_back(self) -> None:
        expected, matches = Counter(fingerprint(one) for one in self.records()), self.matches()
        connector = self.connect(page_size=2)
        first = connector.collect(matches, None)
        self.make_trouble(Trouble.KEY_REVOKED)

        with pytest.raises(AuthError) as caught:
            connector.collect(matches, first.next)

        connector.close()
        self.behave()
        rest = [
            one for page in self.walk(page_size=2, matches=matches, cursor=first.next) for one in page.records
        ]
        assert caught.value.retryable is False
        assert Counter(fingerprint(one) for one in [*first.records, *rest]) == expected
