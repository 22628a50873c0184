"""Point 15: nothing of a person, and no secret, where it does not belong."""

from __future__ import annotations

import logging
import time
import traceback

import pytest

from cases.connectors.base import ConnectorError
from cases.connectors.conformance.bench import Bench
from cases.connectors.conformance.world import Aspect, Trouble


class SilencePoints(Bench):
    """Logs, messages, reprs and references say what happened, and never to whom."""

    def test_15_repr_shows_nothing(self) -> None:
        connector = self.connect(page_size=2)
        matches = connector.find(self.identify(self.world().subject))
        page = connector.collect(matches, None)

        shown = repr([connector, matches, page, page.records, page.next, self.identify(self.world().subject)])

        connector.close()
        assert self.leaks(shown) == []

    def test_15_references_show_nothing(self) -> None:
        records = self.records()
        refs = [match.ref for match in self.matches()] + [one.ref for one in records]

        shown = " ".join([*refs, *(blob.ref for one in records for blob in one.blobs)])

        assert self.leaks(shown) == []

    def test_15_logs_show_nothing(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)

        self.records(page_size=2)

        printed = capfd.readouterr()
        assert self.leaks(caplog.text + printed.out + printed.err) == []

    def test_15_refusal_of_a_wrong_secret_shows_nothing(self) -> None:
        self.require(Aspect.SECRET)
        connector = self.connect(wrong_secret=True)

        with pytest.raises(ConnectorError) as caught:
            connector.find(self.identify(self.world().subject))

        connector.close()
        assert self.leaks(everything_about(caught.value)) == []

    @pytest.mark.parametrize(
        "trouble",
        [
            Trouble.LIMIT_WITHOUT_WAIT,
            Trouble.LIMIT_AS_FORBIDDEN,
            Trouble.ERROR_IN_SUCCESS,
            Trouble.KEY_REVOKED,
        ],
    )
    def test_15_errors_show_nothing(
        self,
        trouble: Trouble,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        self.make_trouble(trouble)
        monkeypatch.setattr(time, "sleep", list[float]().append)

        told = self._told_of_trouble()

        printed = capfd.readouterr()
        shown = told + caplog.text + printed.out + printed.err
        assert self.leaks(shown) == []

    def _told_of_trouble(self) -> str:
        try:
            return repr(self.find(self.world().subject))
        except ConnectorError as error:
            return everything_about(error)


def everything_about(error: ConnectorError) -> str:
    """Return all that a log, a screen or an error tracker could show of an error."""
    chain = "".join(traceback.format_exception(error))
    return f"{error!r} {error} {error.what_to_do} {chain} {error.__context__!r} {error.__cause__!r}"
