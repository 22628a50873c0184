"""Typed readers of the environment, the only place that reads it.

``NAME_FILE`` may stand for ``NAME``: the value is then the content of that file, as container
platforms hand over secrets.
"""

import os
from pathlib import Path


class MissingSetting(Exception):
    """A setting without a default is not in the environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Set {name}, or {name}_FILE to the path of a file that holds it.")


def text(name: str, default: str | None = None) -> str:
    """The value of ``name``; raises MissingSetting where it has neither value nor default."""
    path = os.environ.get(f"{name}_FILE")
    value = Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name)
    if value is not None:
        return value
    if default is None:
        raise MissingSetting(name)
    return default


def flag(name: str, default: bool = False) -> bool:
    """True for 1, true, yes and on, in any case."""
    value = text(name, "")
    return value.lower() in {"1", "true", "yes", "on"} if value else default


def number(name: str, default: int) -> int:
    return int(text(name, str(default)))


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
