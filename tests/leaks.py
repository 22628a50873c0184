"""Whether words got out to where none may be."""

import re
from collections.abc import Iterable

# What is drawn by lot or taken from the clock spells a short word now and then: identifiers, hashes, tokens of forms,
# places in memory, and the time of day.
_BY_CHANCE = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b[0-9A-Za-z]{32,}\b"
    r"|\b0x[0-9a-f]+\b"
    r"|\d\d:\d\d:\d\d(?:\.\d+)?"
)


def leaked(words: Iterable[str], text: str) -> list[str]:
    """Which of the words stand in the text, outside of what chance may spell."""
    chosen = _BY_CHANCE.sub(" ", text)
    return [word for word in words if word in chosen]
