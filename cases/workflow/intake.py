"""A request is logged: by an agent in the middle of a call, by the customer in the portal, by a drill."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.errors import not_yours
from cases.models import Case, DataSubject, Representative, RequestFile, SubjectIdentifier, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerBy, Channel, Right
from cases.workflow import identity, letters, search
from cases.workflow.clock import add_fact
from cases.workflow.perform import perform, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import record, record_whatever_happens
from dsar.lib import cards, references
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, Team
from identity.roles import Permission

REFERENCE_TRIES = 5


@dataclass(frozen=True)
class Person:
    """What is known of the data subject; all optional but something to answer to."""

    name: str = ""
    email: str = ""
    phone: str = ""
    external_id: str = ""
    birth_date: str = ""
    postal_address: str = ""

    def known(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Representation:
    """Somebody who asks for the data subject."""

    kind: str
    name: str
    email: str = ""
    postal_address: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Upload:
    """A file that came along; already inspected."""

    name: str
    media_type: str
    chunks: Any


@dataclass(frozen=True)
class Intake:
    """One thing said on one occasion. ``submission`` is the form's own id: it logs once however often sent."""

    controller: Controller
    person: Person
    rights: Sequence[Right]
    channel: Channel
    received_at: datetime
    words: str = ""
    subject_id: UUID | None = None
    about_marketing: bool = False
    claims: Sequence[dict[str, str]] = ()
    representation: Representation | None = None
    contact_reference: str = ""
    language: str = "en-gb"
    answer_by: AnswerBy = AnswerBy.PORTAL
    submission: UUID | None = None
    files: Sequence[Upload] = field(default=())
    linked_to: UUID | None = None
    is_drill: bool = False


def log_request(intake: Intake, by: By, now: datetime) -> SubjectRequest:
    """Log a request and open a case for each right in it; the clock runs from ``received_at``.

    Raises NotAllowed, or Refused with a sentence for what cannot be.
    """
    if by.is_person and not by.allows(Permission.LOG_REQUEST, intake.controller.pk):
        record_whatever_happens(
            Action.ACT_REFUSED,
            by.actor,
            now,
            controller_id=intake.controller.pk,
            data={"act": "log_request", "code": "not_allowed"},
        )
        raise not_yours("log_request")
    _check(intake, now)
    return _logged_before(intake) or _log(intake, by, now)


def _check(intake: Intake, now: datetime) -> None:
    if intake.received_at > now:
        raise Refused(_("A request cannot have been made in the future."), "received_in_the_future")
    if not intake.rights:
        raise Refused(_("Choose at least one right that the customer uses."), "no_right")
    if not intake.person.known() and intake.subject_id is None:
        raise Refused(_("Say who the person is: a name, an address or a number."), "nobody_named")


def _logged_before(intake: Intake) -> SubjectRequest | None:
    if intake.submission is None:
        return None
    found: SubjectRequest | None = SubjectRequest.objects.filter(
        controller=intake.controller, submission=intake.submission
    ).first()
    return found


def _log(intake: Intake, by: By, now: datetime) -> SubjectRequest:
    try:
        with transaction.atomic():
            return _written(intake, by, now)
    except IntegrityError:
        # The same form sent twice at the same moment: the other one has logged it.
        found = _logged_before(intake)
        if found is None:
            raise
        return found


def _written(intake: Intake, by: By, now: datetime) -> SubjectRequest:
    subject = _subject(intake, now)
    request = _request(intake, subject, by, now)
    for upload in intake.files:
        add_file(request, upload, by, now)
    opened = [_open(intake, request, right, now) for right in dict.fromkeys(intake.rights)]
    for case in opened:
        put_on_record(case, Action.CASE_OPENED, by, now, {"right": case.right, "regime": case.regime})
        add_fact(case, _receipt(case), intake.received_at, by, now)
    identity.begin(request, opened, by, now)
    for case in opened:
        _first_step(case, now)
    if not intake.is_drill:
        letters.to_requester(Kind.ACKNOWLEDGEMENT, request, by, now)
        letters.ask_to_preserve(request, by, now)
    return request


def _receipt(case: Case) -> EventKind:
    return EventKind.COMPLAINT_RECEIVED if case.right == Right.COMPLAINT else EventKind.RECEIVED


def _subject(intake: Intake, now: datetime) -> DataSubject:
    if intake.subject_id is None:
        subject, person = new_subject(intake.controller, intake.language, now), intake.person
    else:
        subject = DataSubject.objects.get(pk=intake.subject_id, controller=intake.controller)
        person = _unknown_so_far(subject, intake.person)
    amend_subject(subject, intake.controller, person, now)
    return subject


def new_subject(controller: Controller, language: str, now: datetime) -> DataSubject:
    """Somebody of whom nothing is noted yet; not saved."""
    key = keyring.new_key(KeyPurpose.PERSON, controller.pk, now)
    return DataSubject(controller=controller, key=key, language=language, created_at=now)


def _unknown_so_far(subject: DataSubject, person: Person) -> Person:
    """What adds to a known person. What is noted stays: an answer that is under way goes where it was asked from."""
    return Person(**{name: value for name, value in person.known().items() if not getattr(subject, name)})


def amend_subject(subject: DataSubject, controller: Controller, person: Person, now: datetime) -> None:
    """Note what is known of the person, and make it findable; what is not given stays as it is."""
    for name, value in person.known().items():
        setattr(subject, name, value)
    subject.save()
    known = {name: value for name, value in person.known().items() if name != "postal_address"}
    SubjectIdentifier.objects.bulk_create(
        [
            SubjectIdentifier(controller=controller, subject=subject, kind=kind, blind=blind)
            for kind, blind in sorted(queries.blind_identifiers(controller, now, **known))
        ],
        ignore_conflicts=True,
    )


def _request(intake: Intake, subject: DataSubject, by: By, now: datetime) -> SubjectRequest:
    words, _masked = cards.mask_cards(intake.words)
    request = SubjectRequest(
        controller=intake.controller,
        reference=_free_reference(),
        subject=subject,
        representative=_representative(intake, now),
        key=keyring.new_key(KeyPurpose.REQUEST, intake.controller.pk, now),
        channel=intake.channel,
        contact_reference=intake.contact_reference,
        received_at=intake.received_at,
        logged_at=now,
        logged_by_id=by.person_id,
        language=intake.language,
        answer_by=intake.answer_by,
        submission=intake.submission,
        is_drill=intake.is_drill,
    )
    request.words, request.claims = words, list(intake.claims)
    request.save()
    record(
        Action.REQUEST_LOGGED,
        by.actor,
        now,
        controller_id=intake.controller.pk,
        data={"request": str(request.pk), "channel": intake.channel, "drill": intake.is_drill},
    )
    return request


def _free_reference() -> str:
    for _try in range(REFERENCE_TRIES):
        reference = references.new_reference()
        if not SubjectRequest.objects.filter(reference=reference).exists():
            return reference
    raise Refused(_("No free reference was found; press again."), "no_free_reference")


def _representative(intake: Intake, now: datetime) -> Representative | None:
    if intake.representation is None:
        return None
    given = intake.representation
    representative = Representative(
        controller=intake.controller,
        key=keyring.new_key(KeyPurpose.PERSON, intake.controller.pk, now),
        kind=given.kind,
        created_at=now,
    )
    representative.name, representative.email = given.name, given.email
    representative.postal_address, representative.authority = given.postal_address, given.authority
    representative.save()
    return representative


def add_file(request: SubjectRequest, upload: Upload, by: By, now: datetime) -> RequestFile:
    """Keep a file that came with the request."""
    stored = files.store(
        upload.chunks,
        key_id=request.key_id,
        controller_id=request.controller_id,
        name=upload.name,
        media_type=upload.media_type,
        now=now,
    )
    return RequestFile.objects.create(
        controller_id=request.controller_id,
        subject_request=request,
        file=stored,
        added_by_id=by.person_id,
        added_at=now,
    )


def _open(intake: Intake, request: SubjectRequest, right: Right, now: datetime) -> Case:
    controller = intake.controller
    regime = queries.regime_in_force(controller.regime, intake.received_at.astimezone(controller.zone).date())
    case = Case(
        controller=controller,
        subject_request=request,
        subject=request.subject,
        right=right,
        about_marketing=right == Right.OBJECTION and intake.about_marketing,
        required_level=required_level(controller, right),
        regime=regime.code,
        regime_version=regime.version.version,
        received_at=intake.received_at,
        team=_team(controller),
        linked_to_id=intake.linked_to if right == Right.COMPLAINT else None,
        collected_key=keyring.new_key(KeyPurpose.COLLECTED, controller.pk, now),
        file_key=keyring.new_key(KeyPurpose.CASE_FILE, controller.pk, now),
        opened_at=now,
        state_since=now,
        is_drill=intake.is_drill,
    )
    case.save()
    return case


def required_level(controller: Controller, right: str) -> int:
    """The level of identity that the controller's policy asks for this right."""
    levels = controller.required_levels
    return int(levels.get(right, levels.get("default", 1)))


def _team(controller: Controller) -> Team | None:
    """The team that works this brand's cases: the first that serves it, the principals of drills apart."""
    teams = Team.objects.filter(serves__controller=controller).exclude(memberships__user__is_principal=True)
    found: Team | None = teams.order_by("name").first()
    return found


def _first_step(case: Case, now: datetime) -> None:
    """It follows from the rules, not from anybody's wish: the system makes it."""
    if case.right == Right.COMPLAINT:
        perform(case, "begin_review", BY_SYSTEM, now)
    elif case.right == Right.OBJECTION and case.about_marketing:
        search.stop_marketing(case, BY_SYSTEM, now)
    elif case.identity_level >= case.required_level:
        search.begin(case, BY_SYSTEM, now)
    else:
        identity.ask(case, BY_SYSTEM, now)

