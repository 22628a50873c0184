"""The certificate of a case: made once what was to be done is done, kept with the case's file, given like an answer."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases.models import Case, ChangePlan, Decision, Letter, PackFile, PackState, ResponsePack
from cases.packs.certificate import content, pdf
from cases.packs.certify import certificate_of
from cases.permissions import By
from cases.words import Right
from cases.workflow import answer, suppression
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import Codes
from dsar.vault import files
from dsar.vault.models import StoredFile

CERTIFIED: Final = frozenset({Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION})
PDF_NAME, JSON_NAME = "certificate.pdf", "certificate.json"


def make(case: Case, plan: ChangePlan | None, decision: Decision, by: By, now: datetime) -> ResponsePack:
    """Make the certificate of a decision, as PDF and JSON, under the key of the case's file; twice is once.

    Its digest goes on the record, and the trail's head of that moment into it.
    """
    pack, is_new = ResponsePack.objects.get_or_create(
        decision=decision, defaults={"controller_id": case.controller_id, "case": case}
    )
    if not is_new and pack.state == PackState.READY:
        return pack
    language = case.subject_request.language
    with translation.override(language), timezone.override(case.controller.zone):
        made = certificate_of(case, plan, decision, now, suppressed=suppression.is_wanted(case))
        data = content.encoded(made)
        colour, right = case.controller.accent, str(case.get_right_display())
        page = pdf.render(made, language.partition("-")[0], case.controller.zone, colour, right)
    kept = [_kept(case, PDF_NAME, "application/pdf", page, now)]
    kept.append(_kept(case, JSON_NAME, "application/json", data, now))
    PackFile.objects.bulk_create(
        PackFile(controller_id=case.controller_id, pack=pack, file=stored, position=position)
        for position, stored in enumerate(kept)
    )
    pack.state, pack.built_at = PackState.READY, now
    pack.save(update_fields=["state", "built_at"])
    codes: Codes = {"pack": str(pack.pk), "sha256": kept[1].sha256, "head": made.trail.seq}
    put_on_record(case, Action.CERTIFICATE_MADE, by, now, codes)
    return pack


def _kept(case: Case, name: str, media_type: str, data: bytes, now: datetime) -> StoredFile:
    return files.store(
        [data],
        key_id=case.file_key_id,
        controller_id=case.controller_id,
        name=f"{case.reference.replace('/', '-')}-{name}",
        media_type=media_type,
        now=now,
    )


def of(case: Case) -> ResponsePack | None:
    """The certificate that stands; None where there is none yet."""
    if case.right not in CERTIFIED:
        return None
    found: ResponsePack | None = case.packs.filter(state=PackState.READY).order_by("-pk").first()
    return found


def give(case: Case, letters_: Iterable[Letter], by: By, now: datetime) -> None:
    """It can be fetched by whoever the last letter goes to, once that letter is sent: by the doors of an answer."""
    pack = of(case)
    if pack is not None:
        answer.give(pack, case, letters_, by, now)


def sentence() -> str:
    """How the person gets it, in the language in force."""
    return _(
        "A certificate of what was done belongs to this letter. You find it in the portal, if it is not enclosed."
    )


def problems(data: bytes) -> list[str]:
    """What is wrong with a certificate's file, compared with the trail; nothing where it is as it was made.

    The caller's transaction serves every controller.
    """
    try:
        said = content.read(data)
    except ValueError:
        return ["the file is no certificate, or was changed."]
    event = AuditEvent.objects.filter(chain=said.trail.chain, seq=said.trail.seq).first()
    if event is None or bytes(event.hash).hex() != said.trail.sha256:
        return ["the trail has no such entry."]
    made = AuditEvent.objects.filter(
        chain=said.trail.chain, seq__gt=said.trail.seq, action=Action.CERTIFICATE_MADE
    )
    if not made.filter(data__sha256=_digest(data), data__head=said.trail.seq).exists():
        return ["the trail knows no certificate with this content."]
    return []


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
