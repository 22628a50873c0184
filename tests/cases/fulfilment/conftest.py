"""Jobs that run inside a test's own transaction, which their heartbeat cannot see from another connection."""

import pytest

from dsar.jobs import run


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine a job would be taken for lost when it lasts longer than one beat."""
    monkeypatch.setattr(run, "BEAT_SECONDS", 600.0)
