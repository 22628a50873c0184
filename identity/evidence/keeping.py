"""Keeps pictures of documents, shows them, and destroys them with their key."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from PIL import Image

from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose, StoredFile
from identity.evidence import decoder
from identity.evidence.intake import MEDIA_TYPE, Picture
from identity.models import DocumentKind, DocumentPicture, DocumentStage, IdentityDocument, Verification

# Nobody keeps what nobody looked at: a document that was not judged by then is destroyed all the same.
LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Checked:
    """A picture with what was found about its quality, as codes and numbers."""

    picture: Picture
    quality: Mapping[str, Any] = field(default_factory=dict)


def new_document(verification: Verification, kind: DocumentKind, now: datetime) -> IdentityDocument:
    """A document that was sent for this check; its pictures follow."""
    return IdentityDocument.objects.create(
        controller_id=verification.controller_id,
        verification=verification,
        key=keyring.new_key(KeyPurpose.EVIDENCE, verification.controller_id, now),
        kind=kind,
        sent_at=now,
        keep_until=now + LONGEST,
    )


def add(document: IdentityDocument, pictures: Sequence[Checked], now: datetime) -> None:
    """Keep pictures, each under a key of its own beneath the document's; durable with the transaction."""
    for number, checked in enumerate(pictures, document.pictures.count() + 1):
        stored = files.store(
            [checked.picture.jpeg],
            key_id=document.key_id,
            controller_id=document.controller_id,
            name=f"{number}.jpg",
            media_type=MEDIA_TYPE,
            now=now,
        )
        DocumentPicture.objects.create(
            controller_id=document.controller_id,
            document=document,
            file=stored,
            quality=dict(checked.quality),
            added_at=now,
        )


def rendition(picture: DocumentPicture, turn: int = 0) -> bytes:
    """The picture made anew for a screen, turned counter-clockwise by so many degrees. Raises KeyDestroyed."""
    return rendition_of(picture.file, turn)


def rendition_of(file: StoredFile, turn: int = 0) -> bytes:
    """The same of any picture that was kept so."""
    with Image.open(io.BytesIO(b"".join(files.read(file))), formats=["JPEG"]) as kept:
        shown = kept.rotate(turn, expand=True) if turn else kept.copy()
    made = io.BytesIO()
    shown.save(made, "JPEG", quality=decoder.QUALITY)
    return made.getvalue()


def destroy(document: IdentityDocument, now: datetime) -> bool:
    """Destroy the key, what was read, the rows and, when that commits, the bytes; False where it was done before."""
    if document.destroyed_at is not None:
        return False
    for picture in document.pictures.select_related("file"):
        stored = picture.file
        picture.delete()
        files.remove(stored)
    document.reading, document.destroyed_at = None, now
    document.save(update_fields=["reading", "destroyed_at"])
    keyring.destroy(document.key_id, now)
    return True


def overdue(controller_id: Any, now: datetime) -> Iterator[IdentityDocument]:
    """Documents whose pictures are to go by now, held for whoever destroys them."""
    due = IdentityDocument.objects.filter(controller_id=controller_id, destroyed_at=None, keep_until__lte=now)
    yield from due.select_related("verification").select_for_update(of=("self",), skip_locked=True)


def lapse(document: IdentityDocument) -> None:
    """Nobody judged it in time."""
    document.stage = DocumentStage.LAPSED
    document.save(update_fields=["stage"])
