"""Mark the lists' sentences for the translators: ``python -m cases.law.mark`` writes ``texts.py`` anew.

Translators' tools read Python and templates, not TOML. So the sentences stand once more in a module that
nobody imports, and a test says when it is stale.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from cases.law.loader import Exemption, Ground, LawBook, Negative, Phrase, book

TARGET = Path(__file__).with_name("texts.py")
_HEAD = '''\
# fmt: off
# ruff: noqa: E501
"""The sentences of the lists, for the translators' tools. Written by ``python -m cases.law.mark``: do not edit."""


def gettext_noop(message: str) -> str:
    """Mark a sentence for the translators' tools, which know this name; the text stays as it is."""
    return message


SENTENCES = (
'''


def source() -> str:
    """Give the module's text, each sentence once, in the order of the lists."""
    lines = [
        f"    gettext_noop({json.dumps(text, ensure_ascii=False)}),\n"
        for text in dict.fromkeys(_texts(book()))
    ]
    return f"{_HEAD}{''.join(lines)})\n"


def _texts(lists: LawBook) -> Iterator[str]:
    """What customers read, then what staff choose from and read out."""
    listed: tuple[Exemption | Ground, ...] = (*lists.exemptions, *lists.grounds)
    card: tuple[Phrase | Negative, ...] = (*lists.phrases, *lists.negatives)
    yield from (entry.letter for entry in listed)
    yield from (remedy.text for remedy in lists.remedies)
    yield from (entry.name for entry in listed)
    yield from (text for line in card for text in (line.says, line.note) if text)
    yield from (entry.asks for entry in lists.mandates)
    yield from (entry.letter for entry in lists.outside)
    yield from (entry.name for entry in lists.mandates)
    yield from (entry.name for entry in lists.outside)
    yield from (entry.note for entry in lists.mandates if entry.note)
    yield from (entry.note for entry in lists.grounds if entry.kind == "automated_limit")


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
