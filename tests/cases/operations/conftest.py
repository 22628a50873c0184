"""A place for a configuration file, and the command that applies it."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

Apply = Callable[..., dict[str, Any]]


@pytest.fixture
def apply_text(tmp_path: Path) -> Apply:
    """Write a text to a file and apply it; gives the exit code and the report."""

    def run(text: str, *flags: str) -> dict[str, Any]:
        path = tmp_path / "desk.yaml"
        path.write_text(text, encoding="utf-8")
        out, code = StringIO(), 0
        try:
            call_command("apply", str(path), "--json", *flags, stdout=out)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return {"code": code, **json.loads(out.getvalue())}

    return run
