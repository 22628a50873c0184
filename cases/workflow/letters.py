"""Letters that the workflow writes: to the requester, to sources' owners, to the controller."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse


from cases.correspondence import send
from cases.correspondence.compose import Kind, compose
from cases.law.loader import remedies
from cases.models import Case, Letter, LetterState, SourceSystem, SubjectRequest
from cases.permissions import By
from cases.words import AnswerBy
from cases.workflow.perform import act
from dsar.audit.actions import Action
from dsar.audit.record import record
from identity import services
from identity.models import TokenPurpose
from identity.roles import Permission

FOLLOW_DAYS = 180


def to_requester(
    kind: Kind,
    request: SubjectRequest,
    by: By,
    now: datetime,
    *,
    case: Case | None = None,
    title: str = "",
    body: str = "",
    is_silent: bool = False,
    **context: Any,
) -> Letter:
    """Write to the requester by the route that reaches them; an edited ``body`` goes as it is."""
    if not body:
        title, body = draft(kind, request, now, case=case, **context)
    email, postal = address_of(request)
    by_post = not email or (request.answer_by == AnswerBy.POST and kind != Kind.ONE_TIME_CODE)
    return send.write(
        kind,
        request,
        title,
        body,
        by,
        now,
        case=case,
        address=postal if by_post else email,
        by_post=by_post,
        to_requester=not is_silent,
    )


def draft(
    kind: Kind, request: SubjectRequest, now: datetime, *, case: Case | None = None, **context: Any
) -> tuple[str, str]:
    """Title and body as the template has them, for a person to edit or to send."""
    return compose(kind, request.language, {**facts(request, now, case), **context})


def facts(request: SubjectRequest, now: datetime, case: Case | None = None) -> Mapping[str, Any]:
    """What every letter may say."""
    controller = request.controller
    cases = [case] if case else list(request.cases.all())
    addressee = request.representative or request.subject
    return {
        "controller": controller,
        "request": request,
        "case": case,
        "cases": cases,
        "name": addressee.name,
        "reference": case.reference if case else request.reference,
        "due_on": min((one.due_on for one in cases if one.due_on), default=None),
        "identity_outstanding": any(one.identity_level < one.required_level for one in cases),
        "code_minutes": controller.code_minutes,
        "follow_url": follow_url(request, now),
        "portal_url": portal_url(request),
        "remedies": remedies(controller.regime, now.date()),
        "pack_days": controller.pack_days,
    }


def portal_url(request: SubjectRequest) -> str:
    return settings.BASE_URL + reverse("portal:home", args=[request.controller.slug])


def follow_url(request: SubjectRequest, now: datetime) -> Any:
    """Made only where the template asks for it, since each is a token of its own."""

    def make() -> str:
        token = services.new_token(TokenPurpose.FOLLOW, request, now, timedelta(days=FOLLOW_DAYS))
        return settings.BASE_URL + reverse("portal:follow", args=[request.controller.slug, token])

    return make


def address_of(request: SubjectRequest) -> tuple[str, str]:
    """E-mail and postal address of whoever is answered."""
    person = request.representative or request.subject
    return person.email, f"{person.name}\n{person.postal_address}".strip()


def ask_to_preserve(request: SubjectRequest, by: By, now: datetime) -> None:
    """Recordings that the source will purge soon are to be kept until the case is closed (DPA 2018 s.173)."""
    sources = SourceSystem.objects.filter(
        controller_id=request.controller_id, is_active=True, purged_after_days__isnull=False
    ).exclude(owner_email="")
    for source in sources:
        title, body = draft(Kind.PRESERVE, request, now, source=source)
        send.write(Kind.PRESERVE, request, title, body, by, now, address=source.owner_email, to_requester=False)
        record(
            Action.PRESERVE_NOTICE_SENT,
            by.actor,
            now,
            controller_id=request.controller_id,
            data={"request": str(request.pk), "source": str(source.pk)},
        )


def tell_controller(kind: Kind, case: Case, by: By, now: datetime) -> Letter:
    """A mail to the controller's privacy desk; codes and references, no personal data."""
    request = case.subject_request
    title, body = draft(kind, request, now, case=case)
    return send.write(
        kind, request, title, body, by, now, case=case, address=case.controller.privacy_email, to_requester=False
    )


def say(case: Case, text: str, by: By, now: datetime) -> Letter:
    """A message from staff to the customer."""
    with transaction.atomic():
        case = act(case, Permission.WORK, by, now, name="message")
        return to_requester(Kind.MESSAGE, case.subject_request, by, now, case=case, text=text)


def mark_posted(letter: Letter, tracking: str, by: By, now: datetime) -> None:
    """A printed letter was handed to the post."""
    assert letter.case_id or letter.subject_request_id
    with transaction.atomic():
        locked = Letter.objects.select_for_update().get(pk=letter.pk)
        if locked.state == LetterState.TO_PRINT:
            send.mark_sent(locked, by, now, tracking=tracking)
            letter.refresh_from_db()


