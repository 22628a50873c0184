"""Letters that the workflow writes: to the requester, to sources' owners, to the controller."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases import authority
from cases.correspondence import links, send
from cases.correspondence.compose import Kind, compose
from cases.errors import not_yours, unmet
from cases.law.loader import remedies
from cases.models import Case, Letter, LetterState, SourceSystem, SubjectRequest
from cases.permissions import By
from cases.words import AnswerBy, Party, Right
from cases.workflow.perform import act
from dsar.audit.actions import Action
from dsar.audit.record import record
from dsar.lib.errors import Refused
from identity import services
from identity.models import TokenPurpose
from identity.roles import Permission

FOLLOW_DAYS = 180
_NOTHING: Mapping[str, Any] = {}

# The letters by which a case is answered: sent, they let it close.
ANSWERS = frozenset(
    {
        Kind.ANSWER,
        Kind.DONE,
        Kind.REFUSAL,
        Kind.NOT_A_REQUEST,
        Kind.DUPLICATE,
        Kind.TRANSFERRED,
        Kind.IDENTITY_NOT_VERIFIED,
        Kind.NO_REPLY,
        Kind.COMPLAINT_OUTCOME,
    }
)


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
    by_post: bool = False,
    party: Party = Party.REQUESTER,
    **context: Any,
) -> Letter:
    """Write to the requester by the route that reaches them; an edited ``body`` goes as it is.

    ``by_post`` where mails are known not to arrive.
    ``party`` is whose letter it is, where a representative asked and the person themselves is written to.

    Raises Refused for a drill, which writes to nobody.
    """
    if request.is_drill:
        raise Refused(_("This is a drill: it writes to nobody."), "drill")
    if not body:
        title, body = draft(kind, request, now, case=case, **context)
    email, postal = address_of(request, party)
    by_post = by_post or not email or (request.answer_by == AnswerBy.POST and kind != Kind.ONE_TIME_CODE)
    return send.write(
        kind,
        request,
        title,
        _with_link(body, request, party, now),
        by,
        now,
        case=case,
        address=postal if by_post else email,
        by_post=by_post,
        to_requester=not is_silent,
        party=party,
    )


def to_recipients(
    kind: Kind, case: Case, by: By, now: datetime, *, title: str = "", body: str = ""
) -> list[Letter]:
    """An answer to whom it may go at this moment: whoever asked, the person whose data it is, or both.

    Raises Refused where a representative has not shown that they may ask.
    """
    parties = authority.recipients(case, now)
    if not parties:
        raise unmet("authority_suffices_for_answer")
    request = case.subject_request
    return [
        to_requester(kind, request, by, now, case=case, title=title, body=body, party=one) for one in parties
    ]


def draft(
    kind: Kind, request: SubjectRequest, now: datetime, *, case: Case | None = None, **context: Any
) -> tuple[str, str]:
    """Title and body as the template has them, for a person to edit or to send."""
    return _composed(kind, request.language, request, now, case, context)


def _composed(
    kind: Kind,
    language: str,
    request: SubjectRequest,
    now: datetime,
    case: Case | None = None,
    context: Mapping[str, Any] = _NOTHING,
) -> tuple[str, str]:
    """In the reader's language and on the controller's calendar, whoever it is that has it written."""
    with translation.override(language), timezone.override(request.controller.zone):
        return compose(kind, language, {**facts(request, now, case), **context})


def facts(request: SubjectRequest, now: datetime, case: Case | None = None) -> Mapping[str, Any]:
    """What every letter may say."""
    controller = request.controller
    cases = [case] if case else list(request.cases.all())
    parties = authority.recipients(case, now) if case else ()
    return {
        "controller": controller,
        "request": request,
        "case": case,
        "cases": cases,
        # One text for two readers greets neither by name.
        "name": "" if len(parties) > 1 else authority.person_of(request, *parties).name,
        "on_behalf_of": request.subject.name
        if request.representative_id and Party.REQUESTER in parties
        else "",
        "reference": case.reference if case else request.reference,
        "due_on": min((one.due_on for one in cases if one.due_on), default=None),
        "is_complaint": any(one.right == Right.COMPLAINT for one in cases),
        "identity_outstanding": any(
            one.identity_level < one.required_level and one.authority != authority.OUTSIDE for one in cases
        ),
        "is_represented": request.representative_id is not None,
        "mandates": _asked_of(request, cases),
        "authority_unjudged": any(one.authority == authority.UNJUDGED for one in cases),
        "code_minutes": controller.code_minutes,
        "follow_url": links.follow(controller),
        "portal_url": links.home(controller),
        "remedies": remedies(controller.regime, now.astimezone(controller.zone).date(), _),
        "pack_days": controller.pack_days,
    }


def _asked_of(request: SubjectRequest, cases: Sequence[Case]) -> list[str]:
    """What a representative has to send, while nothing of it is here."""
    if not request.representative_id:
        return []
    waiting = (one for one in cases if one.authority in _TO_BE_SHOWN)
    return list(dict.fromkeys(_(mandate.asks) for one in waiting for mandate in authority.mandates(one)))


# What is received is not asked for once more, nor what nobody could show.
_TO_BE_SHOWN = frozenset(
    {authority.MISSING, authority.REFUSED, authority.REVOKED, authority.EXPIRED, authority.NOT_COVERED}
)


def _with_link(body: str, request: SubjectRequest, party: Party, now: datetime) -> str:
    """A letter that goes out gets a link of its own; one that holds none makes no token."""
    lifetime = timedelta(days=FOLLOW_DAYS)

    def make() -> str:
        return links.follow(
            request.controller,
            services.new_token(TokenPurpose.FOLLOW, request, now, lifetime, party=party),
        )

    return links.replaced(body, request.controller, make)


def address_of(request: SubjectRequest, party: str = Party.REQUESTER) -> tuple[str, str]:
    """E-mail and postal address of whoever is written to."""
    person = authority.person_of(request, party)
    return person.email, f"{person.name}\n{person.postal_address}".strip()


def ask_to_preserve(request: SubjectRequest, by: By, now: datetime) -> None:
    """Recordings that the source will purge soon are to be kept until the case is closed (DPA 2018 s.173)."""
    sources = SourceSystem.objects.filter(
        controller_id=request.controller_id, is_active=True, purged_after_days__isnull=False
    ).exclude(owner_email="")
    for source in sources:
        language = request.controller.language
        title, body = _composed(Kind.PRESERVE, language, request, now, context={"source": source})
        send.write(
            Kind.PRESERVE,
            request,
            title,
            body,
            by,
            now,
            address=source.owner_email,
            to_requester=False,
            language=language,
        )
        record(
            Action.PRESERVE_NOTICE_SENT,
            by.actor,
            now,
            controller_id=request.controller_id,
            data={"request": str(request.pk), "source": str(source.pk)},
        )


def tell_controller(kind: Kind, case: Case, by: By, now: datetime) -> Letter:
    """A mail to the controller's privacy desk; codes and references, no personal data."""
    controller = case.controller
    return to_outsider(kind, case, controller.privacy_email, controller.language, by, now)


def to_outsider(
    kind: Kind,
    case: Case,
    address: str,
    language: str,
    by: By,
    now: datetime,
    *,
    by_post: bool = False,
    **context: Any,
) -> Letter:
    """A letter about a case to somebody who is no party of it; the portal does not show it."""
    request = case.subject_request
    title, body = _composed(kind, language, request, now, case, context)
    return send.write(
        kind,
        request,
        title,
        body,
        by,
        now,
        case=case,
        address=address,
        by_post=by_post,
        to_requester=False,
        language=language,
    )


def say(case: Case, text: str, by: By, now: datetime) -> Letter:
    """A message from staff to the customer."""
    with transaction.atomic():
        case = act(case, Permission.WORK, by, now, name="message")
        return to_requester(Kind.MESSAGE, case.subject_request, by, now, case=case, text=text)


def mark_posted(letter: Letter, tracking: str, by: By, now: datetime) -> None:
    """A printed letter was handed to the post. What follows from it is ``carry_out.posted``."""
    with transaction.atomic():
        locked = _held(letter, by)
        if locked.state != LetterState.TO_PRINT:
            raise Refused(_("This letter does not wait for the post."), "not_to_print")
        send.mark_sent(locked, by, now, tracking=tracking.strip())
        letter.refresh_from_db()


def send_again(letter: Letter, by: By, now: datetime) -> None:
    """Try a mail anew that could not be sent; the address is read again, as it may have been corrected."""
    with transaction.atomic():
        locked = _held(letter, by)
        if (
            locked.state not in {LetterState.FAILED, LetterState.BOUNCED}
            or locked.by_post
            or not locked.to_requester
        ):
            raise Refused(_("Only a mail that did not reach the requester is sent again."), "not_failed")
        if not locked.body:
            raise Refused(_("A one-time code is not sent twice: ask for a new one."), "code_spent")
        locked.address = address_of(locked.subject_request, locked.party)[0] or locked.address
        send.queue_again(locked, now)


def print_instead(letter: Letter, by: By, now: datetime) -> None:
    """What did not arrive by mail goes by post. Raises Refused where no postal address is known."""
    with transaction.atomic():
        locked = _held(letter, by)
        person = authority.person_of(locked.subject_request, locked.party)
        if locked.state not in {LetterState.FAILED, LetterState.BOUNCED} or not locked.to_requester:
            raise Refused(
                _("Only a letter that did not reach the requester is printed instead."), "not_failed"
            )
        if not person.postal_address.strip() or not locked.body:
            raise Refused(_("There is no postal address to print on it."), "no_postal_address")
        locked.address, locked.by_post = address_of(locked.subject_request, locked.party)[1], True
        locked.state, locked.error_code = LetterState.TO_PRINT, ""
        locked.save(update_fields=["address", "by_post", "state", "error_code"])


def mark_read(letter: Letter, by: By, now: datetime) -> None:
    """Somebody who works the case has read what the customer wrote."""
    with transaction.atomic():
        locked = _held(letter, by)
        if locked.is_incoming and locked.read_at is None:
            locked.read_at = now
            locked.save(update_fields=["read_at"])


def _held(letter: Letter, by: By) -> Letter:
    """The letter as it is now, held; raises NotAllowed for whoever does not work this brand's cases."""
    if not by.allows(Permission.WORK, letter.controller_id):
        raise not_yours("letter")
    held: Letter = (
        Letter.objects.select_for_update(of=("self",))
        .select_related("subject_request__subject", "subject_request__representative")
        .get(pk=letter.pk)
    )
    return held
