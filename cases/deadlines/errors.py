"""Errors in data files, told with their place."""

from __future__ import annotations

from pydantic import ValidationError


class DataFileError(ValueError):
    """A data file is wrong; ``problems`` says where and how, one sentence each."""

    def __init__(self, file: str, problems: tuple[str, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__(f"{file}: " + "; ".join(problems))


def places(error: ValidationError) -> tuple[str, ...]:
    """Write each problem as ``versions[1].period.months: what is wrong``."""
    return tuple(f"{_path(item['loc'])}: {item['msg']}" for item in error.errors(include_url=False))


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".") or "the file"
