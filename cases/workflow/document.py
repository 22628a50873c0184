"""An identity document: sent, read, looked at, judged by a person, and destroyed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import translation
from django.utils.translation import gettext as _

from cases.assurance import standing
from cases.correspondence.compose import Kind
from cases.errors import not_yours
from cases.models import Case, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.words import State
from cases.workflow import document_words as words
from cases.workflow import identity, letters
from cases.workflow.perform import lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import assurance, services
from identity.evidence import keeping
from identity.evidence.keeping import Checked
from identity.models import (
    DocumentKind,
    DocumentStage,
    IdentityDocument,
    Level,
    Verification,
    VerificationState,
)
from identity.models.document import OPEN_STAGES
from identity.models.policy import rules_of
from identity.providers import registry
from identity.providers.base import JSON, Context, Factor, Person, Step
from identity.providers.document import method
from identity.roles import Permission

READ_ZONE = "read_zone"
METHOD = method.IdentityDocument.about.code
MOST_PICTURES = 6
# A customer who is refused may try again; whoever is refused so often is helped by a person.
MOST_DOCUMENTS = 5


def documents_of(request: SubjectRequest) -> list[IdentityDocument]:
    """What was sent for this request, newest first."""
    found = IdentityDocument.objects.filter(verification__subject_request=request)
    return list(found.select_related("verification", "decided_by").order_by("-sent_at", "-pk"))


def waiting_for_a_look(request: SubjectRequest) -> IdentityDocument | None:
    """The document that a person has to judge."""
    found: IdentityDocument | None = IdentityDocument.objects.filter(
        verification__subject_request=request, stage=DocumentStage.WAITING
    ).first()
    return found


def may_send(request: SubjectRequest) -> bool:
    """Whether a picture would help: the person themselves asks, and something still waits for who they are."""
    if request.representative_id is not None or request.is_drill:
        return False
    return any(case.takes_proof and case.identity_level < case.required_level for case in request.cases.all())


def is_offered(request: SubjectRequest, now: datetime) -> bool:
    """Whether the customer is shown the way: identity was asked for, and the policy lets a document count."""
    return may_send(request) and any(
        case.waits_for_proof and _counts(case, now)
        for case in request.cases.select_related("subject_request__representative", "identity_policy")
    )


def _counts(case: Case, now: datetime) -> bool:
    requirement = standing(case, now).requirement
    return requirement.allows(METHOD, requirement.level)


# -- sending -----------------------------------------------------------------------------------------


def hand_in(
    request: SubjectRequest, kind: DocumentKind, pictures: Sequence[Checked], by: By, now: datetime
) -> IdentityDocument:
    """The customer sent pictures, or those that were asked for beside the first. Raises NotAllowed or Refused.

    Receiving them is a clock event; whether they suffice is for a person to say.
    """
    if by.actor.kind != "customer" or by.actor.id != request.pk:
        raise not_yours("send_document")
    with transaction.atomic():
        lock_all(request.pk)
        if not may_send(request):
            raise Refused(_("We do not need a document from you at the moment."), "no_document_needed")
        document = _open(request) or _begun(request, kind, now)
        if not pictures or document.pictures.count() + len(pictures) > MOST_PICTURES:
            raise Refused(_("Please send one or two pictures."), "picture_count")
        keeping.add(document, pictures, now)
        _step(document, {"kind": document.kind, "pictures": document.pictures.count()}, now)
        document.stage, document.reason = DocumentStage.WAITING, ""
        document.save(update_fields=["stage", "reason"])
        identity.received(request, by, now)
        _on_record(document, Action.DOCUMENT_RECEIVED, by, now, {"pictures": len(pictures)})
        _have_it_read(document, now)
        return document


def _open(request: SubjectRequest) -> IdentityDocument | None:
    found = IdentityDocument.objects.filter(
        verification__subject_request=request,
        verification__state=VerificationState.OPEN,
        stage__in=OPEN_STAGES,
    )
    return found.select_related("verification").select_for_update(of=("self",)).first()


def _begun(request: SubjectRequest, kind: DocumentKind, now: datetime) -> IdentityDocument:
    if IdentityDocument.objects.filter(verification__subject_request=request).count() >= MOST_DOCUMENTS:
        raise Refused(
            _("You have sent several documents. Please write to us below, so that somebody can help you."),
            "too_many_documents",
        )
    return keeping.new_document(services.new_verification(request, now, METHOD), kind, now)


def _have_it_read(document: IdentityDocument, now: datetime) -> None:
    if settings.TESSERACT and document.kind != DocumentKind.DRIVING_LICENCE:
        enqueue(
            READ_ZONE,
            controller_id=document.controller_id,
            key=f"zone:{document.pk}:{now.timestamp()}",
            args={"document": str(document.pk)},
            now=now,
            max_attempts=2,
        )


# -- looking -----------------------------------------------------------------------------------------


def to_review(case: Case, document_id: UUID, by: By) -> IdentityDocument:
    """A document of the case's own request, for who may judge it. Raises NotAllowed; DoesNotExist for any other."""
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("record_identity")
    found: IdentityDocument = IdentityDocument.objects.select_related("verification", "decided_by").get(
        pk=document_id, verification__subject_request_id=case.subject_request_id
    )
    return found


def view_picture(case: Case, document_id: UUID, picture_id: UUID, turn: int, by: By, now: datetime) -> bytes:
    """One picture for the screen, put on the record each time. Raises as ``to_review`` does."""
    document = to_review(case, document_id, by)
    picture = document.pictures.select_related("file").get(pk=picture_id)
    shown = keeping.rendition(picture, turn)
    _on_record(document, Action.DOCUMENT_VIEWED, by, now, {"picture": str(picture.pk)})
    return shown


def note_reading(case: Case, document_id: UUID, text: str, by: By, now: datetime) -> IdentityDocument:
    """The reviewer typed or corrected the zone."""
    with transaction.atomic():
        lock_all(case.subject_request_id)
        document = _held(case, document_id, by)
        document.reading = {"text": text.strip(), "by": "staff"}
        document.save(update_fields=["reading"])
        _on_record(document, Action.DOCUMENT_READ, by, now, {"by": "staff"})
        return document


def machine_read(document_id: UUID, text: str, now: datetime) -> None:
    """What character recognition found, unless a person was quicker or it is over."""
    document = IdentityDocument.objects.select_for_update().get(pk=document_id)
    if document.is_open and document.reading is None:
        document.reading = {"text": text, "by": "machine"}
        document.save(update_fields=["reading"])
        _on_record(document, Action.DOCUMENT_READ, BY_SYSTEM, now, {"by": "machine"})


# -- judging -----------------------------------------------------------------------------------------


def accept(case: Case, document_id: UUID, level: int, by: By, now: datetime) -> IdentityDocument:
    """A person compared it with the record: it shows who asks, to this level. Raises NotAllowed or Refused."""
    with transaction.atomic():
        lock_all(case.subject_request_id)
        document = _held(case, document_id, by)
        if level == Level.HIGH and not has_another_factor(case.subject_request):
            raise Refused(
                _(
                    "A picture alone does not reach the highest level: a code to an address on file is needed as well."
                ),
                "document_alone",
            )
        step = _step(document, {"verdict": method.ACCEPTED, "level": level}, now)
        if step.result is None:
            raise Refused(_("Choose the level that this document shows."), step.problem)
        _decide(document, DocumentStage.ACCEPTED, "", by, now, {"level": level})
        Verification.objects.filter(pk=document.verification_id).update(recorded_by=by.person_id)
        services.achieve(document.verification, step.result.level, by.actor, now)
        return document


def refuse(case: Case, document_id: UUID, reason: str, by: By, now: datetime) -> IdentityDocument:
    """It does not show who asks; the customer learns why. Raises NotAllowed or Refused."""
    found = words.refusal(reason)
    if found is None:
        raise Refused(_("Choose the reason: the customer reads it."), "reason_missing")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        document = _held(case, document_id, by)
        _step(document, {"verdict": method.REFUSED, "reason": reason}, now)
        _decide(document, DocumentStage.REFUSED, reason, by, now, {})
        services.fail(document.verification, now)
        _tell(case, found.told, words.AFTER_REFUSAL, by, now)
        return document


def ask_more(case: Case, document_id: UUID, reason: str, by: By, now: datetime) -> IdentityDocument:
    """Something is missing; what was sent is kept until it comes. Raises NotAllowed or Refused."""
    found = words.more(reason)
    if found is None:
        raise Refused(_("Choose what is missing: the customer reads it."), "reason_missing")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        document = _held(case, document_id, by)
        _step(document, {"verdict": method.MORE, "reason": reason}, now)
        document.stage, document.reason = DocumentStage.MORE, reason
        document.save(update_fields=["stage", "reason"])
        _on_record(document, Action.DOCUMENT_DECIDED, by, now, {"outcome": document.stage, "reason": reason})
        _tell(case, found.told, words.AFTER_MORE, by, now)
        return document


def _held(case: Case, document_id: UUID, by: By) -> IdentityDocument:
    """The document, locked, while it can still be judged."""
    document = to_review(case, document_id, by)
    locked: IdentityDocument = IdentityDocument.objects.select_for_update(of=("self",)).get(pk=document.pk)
    locked.verification = document.verification
    if locked.stage != DocumentStage.WAITING:
        raise Refused(_("Somebody has judged this document already."), "decided_before")
    if locked.verification.state != VerificationState.OPEN:
        raise Refused(
            _(
                "The check that this document belongs to was ended meanwhile. Ask the customer to send it again."
            ),
            "check_ended",
        )
    return locked


def _decide(
    document: IdentityDocument,
    stage: DocumentStage,
    reason: str,
    by: By,
    now: datetime,
    codes: dict[str, Any],
) -> None:
    """The outcome stays, the pictures go: at once, or after the days that the policy gives."""
    days = rules_of(assurance.policy_in_force(document.controller_id)).keep_pictures_days
    document.stage, document.reason = stage, reason
    document.decided_by_id, document.decided_at = by.person_id, now
    document.keep_until = min(document.keep_until, now + timedelta(days=days))
    document.save(update_fields=["stage", "reason", "decided_by", "decided_at", "keep_until"])
    outcome = {"outcome": stage.value, "reason": reason, "kind": document.kind, **codes}
    _on_record(document, Action.DOCUMENT_DECIDED, by, now, outcome)
    if days == 0:
        _destroy(document, now)


def _tell(case: Case, told: words.Words, what_now: words.Words, by: By, now: datetime) -> None:
    """Write to the customer in their language."""
    request = case.subject_request
    with translation.override(request.language):
        text = "\n\n".join([_("Thank you for the picture of your document."), str(told), str(what_now)])
    letters.to_requester(Kind.MESSAGE, request, by, now, case=case, text=text)


# -- destroying --------------------------------------------------------------------------------------


def destroy_overdue(controller_id: UUID, now: datetime) -> int:
    """Destroy what is over its time or not needed any more; what nobody judged proves nothing. Returns how many.

    Part of upkeep. A picture is not needed where no open case waits for who asks, or where its check was ended,
    as it is when the requester's address is corrected.
    """
    waiting = Case.objects.exclude(state=State.CLOSED).filter(
        subject_request=OuterRef("verification__subject_request"), identity_level__lt=F("required_level")
    )
    unjudged = IdentityDocument.objects.filter(
        controller_id=controller_id, destroyed_at=None, stage__in=OPEN_STAGES
    )
    is_wanted = Q(Exists(waiting)) & Q(verification__state=VerificationState.OPEN)
    unjudged.exclude(is_wanted).update(keep_until=now)
    gone = 0
    for document in keeping.overdue(controller_id, now):
        if document.is_open:
            keeping.lapse(document)
            services.fail(document.verification, now)
        gone += _destroy(document, now)
    return gone


def _destroy(document: IdentityDocument, now: datetime) -> bool:
    if not keeping.destroy(document, now):
        return False
    _on_record(document, Action.DOCUMENT_DESTROYED, BY_SYSTEM, now, {})
    return True


# -- help --------------------------------------------------------------------------------------------


def _step(document: IdentityDocument, given: dict[str, JSON], now: datetime) -> Step:
    """Hand it to the method and keep what it wants remembered."""
    verification = document.verification
    step = registry.build(METHOD).step(verification.progress or {}, given, Person(), Context(now, b""))
    verification.progress = step.state
    verification.save(update_fields=["progress"])
    return step


def _on_record(
    document: IdentityDocument, action: Action, by: By, now: datetime, codes: dict[str, Any]
) -> None:
    """On the chain of each case of the request, since they share the check."""
    for case in document.verification.subject_request.cases.order_by("pk"):
        put_on_record(case, action, by, now, {"document": str(document.pk), **codes})


def has_another_factor(request: SubjectRequest) -> bool:
    """Whether the customer has shown something of another kind here, such as that an address on file is theirs."""
    own = (one for one in assurance.evidence_of(request) if one.is_own)
    return any(
        one.worth.factor in (Factor.CHANNEL, Factor.LOGIN) and one.worth.level > Level.NONE for one in own
    )


def levels(request: SubjectRequest) -> list[Level]:
    """What a document of this request can be taken for."""
    most = Level.HIGH if has_another_factor(request) else Level.SUBSTANTIAL
    return [level for level in Level if Level.NONE < level <= most]
