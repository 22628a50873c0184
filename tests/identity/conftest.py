"""What every test of signing in stands on."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from tests.identity.signing_in import at


@pytest.fixture(autouse=True)
def _static_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> None:
    """Collected files are not needed: the finders serve the sources, but the directory must exist."""
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def _quick_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real algorithm at its least cost: these tests sign in hundreds of times."""
    for name, value in {"time_cost": 1, "memory_cost": 8, "parallelism": 1}.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, value)


@pytest.fixture(autouse=True)
def _noon(request: pytest.FixtureRequest) -> Iterator[None]:
    """Time stands still unless a test moves it, so that codes and sessions do not depend on a slow machine."""
    if request.node.get_closest_marker("browser"):
        yield
        return
    with at():
        yield
