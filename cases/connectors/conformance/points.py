"""The fifteen points of the kit. A test belongs to the point whose number stands in its name: ``test_04_…``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Point 0 is the form of the contract; the fifteen are what goes wrong between real systems.
POINTS: Final[Mapping[int, str]] = {
    0: "Keeps the form of the contract",
    1: "Finds a person however they are written",
    2: "Takes exactly what is there",
    3: "Survives kill -9 after every page",
    4: "Takes nobody else's records",
    5: "Holds when records change meanwhile",
    6: "Knows a limit or an error in any dress",
    7: "Writes once when the answer is lost",
    8: "Plans by reading only",
    9: "Turns refusals into blockers",
    10: "Applies once, however often it is told",
    11: "Sees what a deletion left",
    12: "Sees a correction that was not made",
    13: "Stops when its key is revoked",
    14: "Keeps its memory small",
    15: "Shows nothing in logs, errors and receipts",
}

_NUMBERED = re.compile(r"test_(\d\d)_")


def point_of(test: str) -> int | None:
    """Return the point to which a test of this name belongs; None for a test of the author's own."""
    found = _NUMBERED.match(test)
    return int(found[1]) if found and int(found[1]) in POINTS else None
