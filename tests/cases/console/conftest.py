"""What tests of the console's pages stand on."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _static_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> None:
    """Collected files are not needed: the finders serve the sources, but the directory must exist."""
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
