"""File names that are safe on every system and inside a zip: no paths, no clashes, no reserved names."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 100  # characters; with a folder before it, a name stays well under every file system's limit
_UNSAFE = re.compile(r"[^\w.\-]+")
# Windows opens a device when a file bears one of these names, whatever its ending.
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{device}{n}" for device in ("com", "lpt") for n in range(1, 10))}
)


def safe_name(text: str) -> str:
    """A file name made of letters, digits, dot, dash and underscore; never empty, hidden or reserved."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    name = _UNSAFE.sub("-", last).strip(".-_") or "file"
    return _shortened(f"_{name}" if name.split(".")[0].lower() in _RESERVED else name)


def _shortened(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


class Names:
    """Gives out names, each only once; letters' case does not tell names apart."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, folder: str, name: str, ending: str = "") -> str:
        """`folder/name` + `ending`, with a number when that name is taken."""
        stem, dot, own = name.rpartition(".") if not ending else (name, "", "")
        stem, tail = (stem, f".{own}") if stem and dot else (name, ending)
        path, number = f"{folder}/{stem}{tail}", 1
        while path.lower() in self._taken:
            number += 1
            path = f"{folder}/{stem}-{number}{tail}"
        self._taken.add(path.lower())
        return path
