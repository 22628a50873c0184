"""Who works a case, what they note, and putting right what was logged in haste."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.collection import runs
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.deadlines.loader import UnknownRegimeError
from cases.errors import not_yours
from cases.models import Case, DataSubject, Note, SubjectRequest
from cases.models.case import requester_suffices
from cases.permissions import BY_SYSTEM, By
from cases.words import SUFFIX, AnswerBy, Channel, Right, State
from cases.workflow import (
    authority,
    carry_out,
    complaint,
    extension,
    identity,
    intake,
    letters,
    level,
    plan,
    search,
)
from cases.workflow.clock import add_fact, recompute
from cases.workflow.perform import act, lock, lock_all, note, perform, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib import cards
from dsar.lib.errors import Refused
from dsar.lib.tenancy import serving
from dsar.vault import files
from dsar.vault.models import StoredFile
from identity import services
from identity.models import Controller, User
from identity.roles import Permission

HASTY = (State.RECEIVED, State.AWAITING_IDENTITY)
CONTACT = "contact"


def colleagues(controller_id: UUID) -> list[User]:
    """Active staff who can work this controller's cases, by name."""
    return list(
        User.objects.filter(
            memberships__team__serves__controller_id=controller_id,
            memberships__role="handler",
            is_active=True,
        )
        .exclude(is_principal=True)
        .distinct()
    )


def assign(case: Case, owner: User | None, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Give the case to somebody who may work it; while they are away, to their cover."""
    with transaction.atomic():
        case = act(case, Permission.ASSIGN, by, now, version=version, name="assign")
        taker = present(owner, now.date()) if owner else None
        if taker and not taker.access.allows(Permission.WORK, case.controller_id):
            raise Refused(_("This person does not work for this brand."), "not_a_handler")
        if taker and complaint.dealt_with(case.linked_to, taker.pk):
            raise Refused(
                _("A complaint is dealt with by people who neither handled nor decided what it is about."),
                "worked_it_before",
            )
        case.owner = taker
        touch(case, "owner")
        put_on_record(case, Action.CASE_ASSIGNED, by, now, {"owner": str(taker.pk) if taker else None})
        return case


def present(person: User, today: date) -> User:
    """The person, or whoever covers them while they are away; absences do not chain without end."""
    seen = {person.pk}
    while person.away_until and person.away_until >= today and person.cover and person.cover.pk not in seen:
        person = person.cover
        seen.add(person.pk)
    return person


def set_absence(person: User, until: date | None, cover: User | None, by: By, now: datetime) -> int:
    """Somebody is away: their open cases go to their cover, who is told by the queue. Returns how many.

    Raises NotAllowed unless it is oneself, or somebody of a brand whose cases one assigns.
    """
    if by.person_id != person.pk and not any(
        by.allows(Permission.ASSIGN, one) for one in person.access.by_controller
    ):
        raise not_yours("set_absence")
    with transaction.atomic():
        person.away_until, person.cover = until, cover
        person.save(update_fields=["away_until", "cover"])
        if not (until and cover):
            return 0
        mine = list(Case.objects.filter(owner=person).exclude(state=State.CLOSED).order_by("pk"))
        for case in mine:
            assign(case, cover, by, now)
        return len(mine)


def add_note(case: Case, text: str, by: By, now: datetime, *, about: str = "") -> Note:
    """An internal note; the customer never sees it. Agents are shown those about a later ``CONTACT`` alone."""
    if not text.strip():
        raise Refused(_("The note is empty."), "note_empty")
    with transaction.atomic():
        case = act(case, None, by, now)
        if not (by.allows(Permission.VIEW_CASE, case.controller_id)):
            refuse(case, "note", by, now, not_yours("note"))
        written = note(case, by, now, cards.mask_cards(text.strip())[0], about)
        put_on_record(case, Action.NOTE_ADDED, by, now, {"note": str(written.pk)})
        return written


def withdraw(case: Case, by: By, now: datetime, *, reason: str = "", version: int | None = None) -> Case:
    """The requester takes the request back; they get a confirmation."""
    with transaction.atomic():
        was_approved = lock(case.pk).state == State.FULFILLING
        case = perform(case, "withdraw", by, now, version=version, reason=reason.strip())
        search.void_proposal(case)
        extension.drop(case, now)
        runs.abandon(case, now)
        if was_approved:
            carry_out.undo(case, now)
        plan.void(case, now)
        if not case.is_drill:
            letters.to_requester(Kind.WITHDRAWN, case.subject_request, by, now, case=case)
        return case


def complain(
    case: Case,
    words: str,
    channel: Channel,
    at: datetime,
    by: By,
    now: datetime,
    *,
    submission: UUID | None = None,
) -> SubjectRequest:
    """A complaint about the handling: a linked case of its own, worked by somebody else (UK DPA s.164A)."""
    request = case.subject_request
    if by.actor.kind == "customer" and by.actor.id != request.pk:
        raise not_yours("complain")
    submitted = intake.Intake(
        controller=request.controller,
        person=intake.Person(),
        subject_id=request.subject_id,
        rights=[Right.COMPLAINT],
        channel=channel,
        received_at=at,
        words=words,
        language=request.language,
        linked_to=case.pk,
        answer_by=request.answer_by,  # type: ignore[arg-type]
        representation=_same_representation(request),
        submission=submission,
        is_drill=request.is_drill,
    )
    return intake.log_request(submitted, by, now)


def _same_representation(request: SubjectRequest) -> intake.Representation | None:
    """Who spoke for the person in the request speaks for them in the complaint as well, and is written to."""
    known = request.representative
    if known is None:
        return None
    names = ("kind", "name", "email", "postal_address", "authority")
    return intake.Representation(**{name: getattr(known, name) for name in names})


def correct_received(case: Case, at: datetime, reason: str, by: By, now: datetime) -> None:
    """The request was made at another moment than was logged; every case of it is computed anew."""
    _reasoned(reason)
    with transaction.atomic():
        request = _correcting(case, by, now).subject_request
        if at > now:
            raise Refused(_("A request cannot have been made in the future."), "received_in_the_future")
        request.received_at = at
        request.save(update_fields=["received_at"])
        # What is closed was answered by the dates that it had then.
        for locked in [sibling for sibling in lock_all(request.pk) if sibling.is_open]:
            wrong = locked.clock_events.filter(kind__in=_RECEIPTS, superseded_by=None).first()
            locked.received_at, locked.regime_version = at, regime_version_at(locked, at)
            touch(locked, "received_at", "regime_version")
            kind = EventKind.COMPLAINT_RECEIVED if locked.right == Right.COMPLAINT else EventKind.RECEIVED
            add_fact(locked, kind, at, by, now, reason=reason, supersedes=wrong)
            _corrected(locked, "received", reason, by, now)


def regime_version_at(case: Case, at: datetime) -> str:
    """The version of the case's law that held on that day; raises Refused where none did."""
    try:
        regime = queries.regime_in_force(case.regime, at.astimezone(case.controller.zone).date())
    except UnknownRegimeError:
        raise Refused(_("On that day this law was not in force."), "no_law_then") from None
    return regime.version.version


_RECEIPTS = [EventKind.RECEIVED.value, EventKind.COMPLAINT_RECEIVED.value]


def correct_right(case: Case, right: Right, reason: str, by: By, now: datetime) -> Case:
    """Another right than was logged; before the search begins."""
    _reasoned(reason)
    with transaction.atomic():
        case = _correcting(case, by, now)
        _still_hasty(case)
        if Right.COMPLAINT in {right, case.right}:
            raise Refused(
                _("A complaint is a case of its own: log it from the case that it is about."), "complaint"
            )
        if right not in SUFFIX or case.subject_request.cases.filter(right=right).exists():
            raise Refused(_("There is a case for this right already."), "right_taken")
        case.right = right
        touch(case, "right")
        level.refresh(case, now)
        _corrected(case, "right", reason, by, now)
        recompute(case, by, now)
        if requester_suffices(case):
            _identity_was_not_needed(case, reason, by, now)
            return search.begin(case, BY_SYSTEM, now)
        return case


def _identity_was_not_needed(case: Case, reason: str, by: By, now: datetime) -> None:
    """For this right nobody had to ask who it is: a question that stays open would hold the clock for ever."""
    asked = case.clock_events.filter(kind=EventKind.IDENTITY_REQUESTED.value, superseded_by=None)
    if case.clock_events.filter(kind=EventKind.IDENTITY_CONFIRMED.value).exists():
        return
    for event in asked:
        data = {"withdraws": True}
        add_fact(
            case, EventKind.IDENTITY_REQUESTED, event.at, by, now, data=data, reason=reason, supersedes=event
        )


def correct_person(case: Case, person: intake.Person, reason: str, by: By, now: datetime) -> None:
    """What was noted of the person was wrong; identity has to be proved anew, since the address may be another.

    Where the person has other requests these keep them as they are: this request gets a person of its own.
    """
    _reasoned(reason)
    with transaction.atomic():
        case = _correcting(case, by, now)
        _still_hasty(case)
        request = case.subject_request
        if request.cases.exclude(state__in=HASTY).exists():
            raise Refused(
                _("Work on a case of this request has begun: the person stays as noted."), "too_late"
            )
        if case.identity_level:
            raise Refused(
                _("The customer has shown who they are: the person stays as noted."), "identity_known"
            )
        intake.amend_subject(_person_alone(request, now), case.controller, person, now)
        identity.begin_anew(request, by, now)
        authority.begin_anew(request, by, now)
        for sibling in lock_all(request.pk):
            _corrected(sibling, "person", reason, by, now)


def _person_alone(request: SubjectRequest, now: datetime) -> DataSubject:
    """The request's person with nothing noted yet, and of no other request."""
    subject = request.subject
    if subject.requests.exclude(pk=request.pk).exists():
        subject = intake.new_subject(request.controller, request.language, now)
        subject.save()
        request.subject = subject
        request.save(update_fields=["subject"])
        for sibling in request.cases.all():
            locked = lock(sibling.pk)
            locked.subject = subject
            touch(locked, "subject")
    subject.identifiers.all().delete()
    for name in vars(intake.Person()):
        setattr(subject, name, "")
    return subject


def correct_brand(case: Case, controller: Controller, reason: str, by: By, now: datetime) -> SubjectRequest:
    """Logged for the wrong brand: logged again for the right one with its original date; the wrong one is voided.

    Nothing links the two for anybody who does not serve both.
    """
    _reasoned(reason)
    if not by.allows(Permission.LOG_REQUEST, controller.pk):
        raise not_yours("correct_brand")
    with transaction.atomic():
        request = _correcting(case, by, now).subject_request
        siblings = list(request.cases.all())
        again = _intake_again(request, siblings, controller)
        for sibling in siblings:
            extension.drop(perform(sibling, "void", by, now, reason=reason), now)
        services.revoke_tokens(request, now)
        # Both brands are served for a moment, so that what came along can be read from one into the other.
        with serving([controller.pk, case.controller_id]):
            return intake.log_request(again, by, now)


def _intake_again(request: SubjectRequest, cases: Sequence[Case], controller: Controller) -> intake.Intake:
    person = request.subject
    known = {name: getattr(person, name) for name in vars(intake.Person())}
    return replace(
        intake.Intake(
            controller=controller,
            person=intake.Person(**known),
            rights=[Right(case.right) for case in cases],
            channel=Channel(request.channel),
            received_at=request.received_at,
        ),
        words=request.words,
        claims=tuple(request.claims),
        contact_reference=request.contact_reference,
        language=request.language,
        answer_by=AnswerBy(request.answer_by),
        about_marketing=any(case.about_marketing for case in cases),
        representation=_same_representation(request),
        files=[_again(came.file, came.claim) for came in request.files.select_related("file")],
    )


def _again(file: StoredFile, claim: int | None) -> intake.Upload:
    return intake.Upload(file.name, file.media_type, files.read(file), claim)


def _correcting(case: Case, by: By, now: datetime) -> Case:
    """The locked case, for whoever may correct; in haste also for whoever may log."""
    lock_all(case.subject_request_id)
    locked = act(case, None, by, now, name="correct")
    in_haste = not locked.subject_request.cases.exclude(state__in=HASTY).exists()
    if not any(by.allows(permission, locked.controller_id) for permission in _CORRECTORS[in_haste]):
        refuse(locked, "correct", by, now, not_yours("correct"))
    return locked


_CORRECTORS = {True: (Permission.CORRECT, Permission.LOG_REQUEST), False: (Permission.CORRECT,)}


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise Refused(_("Give the reason for the correction."), "reason_missing")


def _still_hasty(case: Case) -> None:
    if case.state not in HASTY:
        raise Refused(_("Work on this case has begun: it can no longer be corrected like this."), "too_late")


def _corrected(case: Case, what: str, reason: str, by: By, now: datetime) -> None:
    put_on_record(case, Action.CASE_CORRECTED, by, now, {"what": what})
    note(case, by, now, reason.strip(), about=f"correct_{what}")
