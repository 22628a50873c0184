"""The demo's mail server: messages become files, and a page shows them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from dsar.lib.uuid7 import uuid7
from identity import texting
from identity.sms import outbox as sms


def folder() -> Path:
    return texting.outbox()


class EmailBackend(BaseEmailBackend):
    """Writes each message as a file; for demonstrations and tests only (deploy check DSAR.E005)."""

    def send_messages(self, email_messages: Any) -> int:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            (folder() / f"{uuid7().hex}.eml").write_bytes(message.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """A message as the page shows it. A text message has neither sender nor title."""

    sent_at: datetime
    to: str
    sender: str
    title: str
    body: str


def everything(limit: int = 50) -> list[Mail]:
    """Mails and text messages, the newest first."""
    texts = [(one.file, Mail(one.sent_at, one.to, "", "", one.text)) for one in sms.texts(folder(), limit)]
    found = texts + [(path.name, _read(path)) for path in _files(limit)]
    return [mail for _name, mail in sorted(found, key=lambda one: one[0], reverse=True)[:limit]]


def mails(limit: int = 50) -> list[Mail]:
    """The newest messages first."""
    return [_read(path) for path in _files(limit)]


def _files(limit: int) -> list[Path]:
    return sorted(folder().glob("*.eml"), reverse=True)[:limit] if folder().is_dir() else []


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return Mail(
        sent_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        to=str(message["To"]),
        sender=str(message["From"]),
        title=str(message["Subject"]),
        body=body.get_content() if body else "",
    )
