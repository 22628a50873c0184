"""A request is logged: by an agent in the middle of a call, by the customer in the portal, by a drill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases import assurance, queries
from cases import authority as authorities
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.errors import not_yours
from cases.models import Case, DataSubject, Representative, RequestFile, SubjectIdentifier, SubjectRequest
from cases.models.case import requester_suffices
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerBy, Channel, Right, State
from cases.workflow import authority, identity, letters, level, search
from cases.workflow.clock import note_fact, recompute
from cases.workflow.perform import perform, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import gathered, record, record_whatever_happens
from dsar.lib import cards, references
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose, VaultKey
from identity.assurance import policy_in_force
from identity.evidence.intake import Picture
from identity.models import Controller, Team
from identity.models.policy import rules_of
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
    """Somebody who asks for the data subject. ``pictures`` are of what shows that they may, if it came along."""

    kind: str
    name: str
    email: str = ""
    postal_address: str = ""
    authority: str = ""
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Upload:
    """A file that came along; already inspected. ``claim`` is the number of the claim for which it is evidence."""

    name: str
    media_type: str
    chunks: Any
    claim: int | None = None


@dataclass(frozen=True)
class Intake:
    """One thing said on one occasion. ``submission`` is the form's own id: it logs once however often sent.

    ``about_marketing`` says so of an objection; with ``ends_marketing`` an erasure also asks for no advertising ever.
    """

    controller: Controller
    person: Person
    rights: Sequence[Right]
    channel: Channel
    received_at: datetime
    words: str = ""
    subject_id: UUID | None = None
    about_marketing: bool = False
    ends_marketing: bool = False
    claims: Sequence[dict[str, str]] = ()
    particulars: Mapping[str, dict[str, str]] = field(default_factory=dict)
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
    return _log(intake, by, now)


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
    for _try in range(REFERENCE_TRIES):
        try:
            with transaction.atomic(), gathered():
                return _written(intake, by, now)
        except IntegrityError as error:
            # Either the same form was sent twice, which the database notices even at the same moment, or the
            # reference is somebody's already, perhaps of a brand that cannot be seen from here.
            found = _logged_before(intake)
            if found is not None:
                return found
            if not _is_of_reference(error):
                raise
    raise Refused(_("No free reference was found; press again."), "no_free_reference")


def _is_of_reference(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and "reference" in (cause.diag.constraint_name or "")


def _written(intake: Intake, by: By, now: datetime) -> SubjectRequest:
    rights = list(dict.fromkeys(intake.rights))
    keys = _keys(intake, len(rights), now)
    subject = _subject(intake, keys, now)
    request = _request(intake, subject, keys, by, now)
    for upload in intake.files:
        add_file(request, upload, by, now)
    team = _team(intake.controller)
    opened = [_open(intake, request, right, team, keys, now) for right in rights]
    for case in opened:
        put_on_record(case, Action.CASE_OPENED, by, now, {"right": case.right, "regime": case.regime})
        if case.ends_marketing:
            put_on_record(case, Action.SUPPRESSION_CHANGED, by, now, {"what": "asked"})
        note_fact(case, _receipt(case), intake.received_at, by, now)
    identity.begin(request, opened, by, now)
    if intake.representation is not None:
        authority.begin(request, opened, intake.representation.pictures, by, now)
    for case in opened:
        _first_step(case, by, now)
    if not intake.is_drill:
        letters.to_requester(Kind.ACKNOWLEDGEMENT, request, by, now)
        letters.ask_to_preserve(request, by, now)
    return request


Keys = dict[KeyPurpose, list[VaultKey]]


def _keys(intake: Intake, rights: int, now: datetime) -> Keys:
    """All the keys that this intake needs, made at once; each is taken once."""
    persons = (intake.subject_id is None) + (intake.representation is not None)
    purposes = [KeyPurpose.PERSON] * persons + [KeyPurpose.REQUEST]
    purposes += [KeyPurpose.COLLECTED, KeyPurpose.CASE_FILE] * rights
    made: Keys = {purpose: [] for purpose in purposes}
    for key in keyring.new_keys(purposes, intake.controller.pk, now):
        made[KeyPurpose(key.purpose)].append(key)
    return made


def _receipt(case: Case) -> EventKind:
    return EventKind.COMPLAINT_RECEIVED if case.right == Right.COMPLAINT else EventKind.RECEIVED


def _subject(intake: Intake, keys: Keys, now: datetime) -> DataSubject:
    if intake.subject_id is None:
        key, person = keys[KeyPurpose.PERSON].pop(), intake.person
        subject = new_subject(intake.controller, intake.language, now, key)
    else:
        # Held, so that a person whose last file is being forgotten is either found here or not chosen any more.
        known = DataSubject.objects.select_for_update(no_key=True)
        subject = known.get(pk=intake.subject_id, controller=intake.controller)
        person = _unknown_so_far(subject, intake.person)
        if (person.email or person.postal_address) and _is_being_answered(subject):
            subject, person = _beside(subject, intake.language, now), _with_known(subject, person)
    amend_subject(subject, intake.controller, person, now)
    return subject


def new_subject(
    controller: Controller, language: str, now: datetime, key: VaultKey | None = None
) -> DataSubject:
    """Somebody of whom nothing is noted yet; not saved."""
    key = key or keyring.new_key(KeyPurpose.PERSON, controller.pk, now)
    return DataSubject(controller=controller, key=key, language=language, created_at=now)


def _unknown_so_far(subject: DataSubject, person: Person) -> Person:
    """What adds to a known person. What is noted stays: an answer that is under way goes where it was asked from."""
    return Person(**{name: value for name, value in person.known().items() if not getattr(subject, name)})


def _is_being_answered(subject: DataSubject) -> bool:
    """Whether something of another request may yet go to this person: a new address must not redirect it."""
    return Case.objects.filter(subject=subject).exclude(state=State.CLOSED).exists()


def _beside(subject: DataSubject, language: str, now: datetime) -> DataSubject:
    """Another row for the same person, so that a request keeps the addresses under which it was asked."""
    twin = new_subject(subject.controller, language, now)
    twin.legal_hold = subject.legal_hold
    return twin


def _with_known(subject: DataSubject, person: Person) -> Person:
    return Person(**{name: getattr(subject, name) or value for name, value in vars(person).items()})


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


def _request(intake: Intake, subject: DataSubject, keys: Keys, by: By, now: datetime) -> SubjectRequest:
    words, _masked = cards.mask_cards(intake.words)
    request = SubjectRequest(
        controller=intake.controller,
        reference=references.new_reference(),
        subject=subject,
        representative=_representative(intake, keys, now),
        key=keys[KeyPurpose.REQUEST].pop(),
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
    request.particulars = dict(intake.particulars)
    request.save()
    record(
        Action.REQUEST_LOGGED,
        by.actor,
        now,
        controller_id=intake.controller.pk,
        data={"request": str(request.pk), "channel": intake.channel, "drill": intake.is_drill},
    )
    return request


def _representative(intake: Intake, keys: Keys, now: datetime) -> Representative | None:
    if intake.representation is None:
        return None
    given = intake.representation
    representative = Representative(
        controller=intake.controller,
        key=keys[KeyPurpose.PERSON].pop(),
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
        claim=upload.claim,
    )


def _open(
    intake: Intake, request: SubjectRequest, right: Right, team: Team | None, keys: Keys, now: datetime
) -> Case:
    controller = intake.controller
    asked = assurance.asked(
        right, intake.about_marketing, request, assurance.data_kinds(controller.pk), new_address=False
    )
    policy = policy_in_force(controller.pk)
    required = rules_of(policy).require(asked)
    regime = queries.regime_in_force(controller.regime, intake.received_at.astimezone(controller.zone).date())
    case = Case(
        controller=controller,
        subject_request=request,
        subject=request.subject,
        right=right,
        about_marketing=right == Right.OBJECTION and intake.about_marketing,
        ends_marketing=right == Right.ERASURE and intake.ends_marketing,
        required_level=required.level,
        identity_policy=policy,
        identity_rule=required.rule,
        regime=regime.code,
        regime_version=regime.version.version,
        received_at=intake.received_at,
        team=team,
        linked_to_id=intake.linked_to if right == Right.COMPLAINT else None,
        collected_key=keys[KeyPurpose.COLLECTED].pop(),
        file_key=keys[KeyPurpose.CASE_FILE].pop(),
        opened_at=now,
        state_since=now,
        is_drill=intake.is_drill,
    )
    case.save()
    return case


def _team(controller: Controller) -> Team | None:
    """The team that works this brand's cases: the first that serves it, the principals of drills apart."""
    teams = Team.objects.filter(serves__controller=controller).exclude(memberships__user__is_principal=True)
    found: Team | None = teams.order_by("name").first()
    return found


def _first_step(case: Case, by: By, now: datetime) -> None:
    """It follows from the rules, not from anybody's wish: the system makes it."""
    is_marketing = case.right == Right.OBJECTION and case.about_marketing
    if case.subject_request.representative_id is not None:
        level.refresh(case, now)
    is_outside = case.authority == authorities.OUTSIDE
    if case.right != Right.COMPLAINT and not is_marketing and not requester_suffices(case) and not is_outside:
        identity.ask(case, BY_SYSTEM, now)  # which computes the dates
        return
    recompute(case, by, now)
    if case.right == Right.COMPLAINT:
        perform(case, "begin_review", BY_SYSTEM, now)
    elif is_marketing:
        search.stop_marketing(case, BY_SYSTEM, now)
    elif not is_outside:  # whom the law gives no right, nobody is asked for anything: a person writes to them
        search.begin(case, BY_SYSTEM, now)
