"""The demonstration's telephone: messages become files, and the outbox page shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dsar.lib.uuid7 import uuid7
from identity.sms.base import Text


@dataclass(frozen=True)
class Outbox:
    """Keeps each message as a file, for demonstrations and tests alone (deploy check DSAR.E013)."""

    folder: Path

    def send(self, text: Text) -> None:
        """Keep it; sent again it is the same file, as a gateway knows it by its key."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not list(self.folder.glob(f"*.{text.key}.sms")):
            content = json.dumps({"to": text.number, "text": text.text})
            (self.folder / f"{uuid7().hex}.{text.key}.sms").write_text(content, encoding="utf-8")


@dataclass(frozen=True)
class Kept:
    """A message as the page shows it; ``file`` sorts it among mails."""

    file: str
    sent_at: datetime
    to: str
    text: str


def texts(folder: Path, limit: int = 50) -> list[Kept]:
    """The newest messages first."""
    files = sorted(folder.glob("*.sms"), reverse=True)[:limit] if folder.is_dir() else []
    return [_read(path) for path in files]


def _read(path: Path) -> Kept:
    content = json.loads(path.read_text(encoding="utf-8"))
    sent_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Kept(path.name, sent_at, str(content["to"]), str(content["text"]))
