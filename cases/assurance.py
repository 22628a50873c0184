"""How sure one has to be of who asks in a case, how sure one is, and what to ask for next. Reads only.

Two versions of the policy are asked, the one in force when the request was made and the one in force now, and
the stricter holds: a policy that was tightened protects whoever is being answered today, and one that was
loosened does not open what was promised to be closed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max

from cases import asking, queries
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.models import Case, Letter, SourceSystem, SubjectRequest
from cases.words import Right
from dsar.lib.prepared import Prepared
from identity import assurance, texting
from identity.external import provider_of
from identity.models import (
    CustomerLogin,
    IdentityPolicy,
    Method,
    TextMessage,
    Verification,
    VerificationState,
)
from identity.models.policy import rules_of
from identity.policy.combine import Evidence, reached
from identity.policy.propose import Proposal, propose
from identity.policy.rules import Asked, CallCheck, Patience, Policy, Requirement
from identity.policy.words import MARKETING, DataKind, Requester
from identity.providers import registry
from identity.providers.base import About, Level, Need

_DECLARED = Prepared(
    lambda controller_id: (
        SourceSystem.objects.filter(controller_id=controller_id, is_active=True)
        .order_by()
        .values_list("data_kinds", flat=True)
    ),
    UUID,
)
_ON_FILE = Prepared(
    lambda request_id: (
        Verification.objects.filter(subject_request_id=request_id, method=Method.EMAIL_CODE)
        .order_by("-started_at", "-pk")
        .values_list("address_on_file", flat=True)[:1]
    ),
    UUID,
)


@dataclass(frozen=True)
class Standing:
    """How sure one has to be and how sure one is. ``requirements`` holds one for each version that is asked."""

    requirements: tuple[Requirement, ...]
    evidence: tuple[Evidence, ...]
    level: Level

    @property
    def requirement(self) -> Requirement:
        """The stricter of the two; of equals the newer."""
        return max(reversed(self.requirements), key=lambda one: one.level)

    @property
    def is_enough(self) -> bool:
        return self.level >= self.requirement.level


def standing(case: Case, now: datetime) -> Standing:
    """From the policy and the evidence as they are at this moment."""
    return standings([case], now)[0]


def standings(cases: Sequence[Case], now: datetime) -> list[Standing]:
    """Of the cases of one request, which share their evidence: a few queries, however many they are."""
    if not cases:
        return []
    request = cases[0].subject_request
    in_force = assurance.policy_in_force(request.controller_id)
    evidence = tuple(assurance.evidence_of(request))
    kinds, new_address = data_kinds(request.controller_id), answers_elsewhere(request)
    return [
        _standing(
            asked(case.right, case.about_marketing, request, kinds, new_address),
            [
                in_force if in_force and in_force.pk == case.identity_policy_id else case.identity_policy,
                *([in_force] if in_force and in_force.pk != case.identity_policy_id else []),
            ],
            evidence,
            now,
        )
        for case in cases
    ]


def _standing(
    what: Asked, policies: Iterable[IdentityPolicy | None], evidence: tuple[Evidence, ...], now: datetime
) -> Standing:
    found = tuple(rules_of(one).require(what) for one in policies)
    return Standing(found, evidence, min(reached(evidence, one, now) for one in found))


def is_enough_for(case: Case, right: Right, now: datetime) -> bool:
    """Whether the requester of a case is known well enough for another right: that to see, before anything is shown."""
    request = case.subject_request
    kinds, new_address = data_kinds(request.controller_id), answers_elsewhere(request)
    what = asked(right, False, request, kinds, new_address)
    policies = [case.identity_policy, assurance.policy_in_force(request.controller_id)]
    return _standing(what, policies, tuple(assurance.evidence_of(request)), now).is_enough


def asked(
    right: str, about_marketing: bool, request: SubjectRequest, kinds: frozenset[DataKind], new_address: bool
) -> Asked:
    """What a policy is asked about one right of a request."""
    is_marketing = right == Right.OBJECTION and about_marketing
    representative = request.representative
    requester = Requester(representative.kind) if representative else Requester.SELF
    return Asked(MARKETING if is_marketing else str(right), kinds, requester, new_address)


def data_kinds(controller_id: UUID) -> frozenset[DataKind]:
    """What the controller's connected sources hold; one that says nothing holds an ordinary account's data."""
    kinds: set[DataKind] = set()
    for named in _DECLARED.all(controller_id):
        kinds |= {DataKind(kind) for kind in named} or {DataKind.ORDINARY}
    return frozenset(kinds)


def answers_elsewhere(request: SubjectRequest) -> bool:
    """Whether the answer is to go to an address that no source knows.

    Of a representative's address the rules about representatives speak; a postal address is compared by
    staff. While the sources have not answered nobody knows, and nothing is proved by that address either.
    """
    if request.representative_id is not None:
        return False
    return _ON_FILE.first(request.pk) is False


# -- what to ask for ---------------------------------------------------------------------------------


def proposal(case: Case, now: datetime, *, in_contact: bool = False) -> Proposal:
    """The least intrusive way to what is missing for this case, for this person."""
    return proposal_from(case.subject_request, standing(case, now), now, in_contact=in_contact)


def proposal_from(
    request: SubjectRequest, found: Standing, now: datetime, *, in_contact: bool = False
) -> Proposal:
    """``in_contact``: the requester is on the telephone or in a chat at this moment."""
    way = propose(
        found.requirement,
        found.evidence,
        _as_configured(rules_of(assurance.policy_in_force(request.controller_id))),
        needs_met(request, now, in_contact=in_contact),
        now,
        used_up=assurance.retracted_methods(request),
    )
    return replace(way, level=found.level, is_enough=found.is_enough)


def _as_configured(policy: Policy) -> dict[str, About]:
    """What each method says of itself, with the level that the controller gives to its own questions."""
    known = dict(registry.known())
    known["agent_check"] = replace(known["agent_check"], reaches=policy.call_check.max_level)
    known[asking.METHOD] = replace(known[asking.METHOD], reaches=policy.record_questions.max_level)
    return known


def call_check_of(request: SubjectRequest) -> CallCheck:
    """The script for the telephone, and what it is worth, by the policy in force."""
    return rules_of(assurance.policy_in_force(request.controller_id)).call_check


def needs_met(request: SubjectRequest, now: datetime, *, in_contact: bool = False) -> frozenset[Need]:
    """What is there for this requester."""
    there = {Need.STAFF}
    person = request.representative or request.subject
    if person.email and request.representative_id is None:
        there.add(Need.CAMERA)  # the portal takes pictures, and its door is a mail
    if person.email and request.representative_id is None and not answers_elsewhere(request):
        there.add(Need.EMAIL)
    if request.representative_id is None and _may_be_texted(request, now):
        there.add(Need.PHONE)
    if asking.are_there(request, now):
        there.add(Need.FACTS)
    if person.email and request.representative_id is None and _has_login(request.controller_id):
        there.add(Need.LOGIN)
    if person.email and request.representative_id is None and provider_of(request.controller_id):
        there.add(Need.PROVIDER)
    if in_contact and request.representative_id is None:
        there |= _there_on_the_line(request, now)
    return frozenset(there)


def _may_be_texted(request: SubjectRequest, now: datetime) -> bool:
    """A code by text message is a way until one was asked for, had its time, and showed nothing.

    That follows from what the customer did alone: whether a number is on file is not to be read off what is
    proposed to whoever names it.
    """
    if not mobile_of(request) or not texting.can_text(request.controller_id):
        return False
    before = now - timedelta(minutes=request.controller.code_minutes)
    in_vain = TextMessage.objects.filter(
        verification__subject_request=request, verification__state=VerificationState.OPEN, asked_at__lt=before
    )
    return not in_vain.exists()


def mobile_of(request: SubjectRequest) -> str:
    """The person's number in E.164; empty where they have none that takes text messages."""
    phone = request.subject.phone
    return texting.textable(phone, request.controller.phone_region) if phone.strip() else ""


def _has_login(controller_id: UUID) -> bool:
    return CustomerLogin.objects.filter(controller_id=controller_id, is_active=True).exists()


def _there_on_the_line(request: SubjectRequest, now: datetime) -> set[Need]:
    """The conversation in which the request was logged is still going on, and there is a script for it."""
    check = call_check_of(request)
    is_same = bool(request.contact_reference) and now - request.logged_at <= timedelta(minutes=check.minutes)
    return {Need.CONTACT, Need.SCRIPT} if check.questions and is_same else set()


# -- patience ----------------------------------------------------------------------------------------


def policy_of(case: Case) -> Policy:
    """The rules under which the case was asked."""
    return rules_of(case.identity_policy)


def patience(case: Case, now: datetime) -> Patience | None:
    """When to remind and to give up; None where identity was not asked for.

    Days are counted from the last sign of life: from the question, or from what was shown and did not suffice.
    The law's own day (Art 12(4), before the first month is over) comes from the deadline engine.
    """
    quiet_since = _quiet_since(case)
    if quiet_since is None:
        return None
    deadline = queries.deadline_of(case, now)
    reasons_by = deadline.reasoned_letter_by or deadline.refusal_by
    return policy_of(case).patience(quiet_since.astimezone(case.controller.zone).date(), reasons_by)


def asked_at(case: Case) -> datetime | None:
    """When identity was last asked for; a letter that went to a corrected address asks anew."""
    asked = _latest(case, EventKind.IDENTITY_REQUESTED)
    if asked is None:
        return None
    told = Letter.objects.filter(
        subject_request_id=case.subject_request_id, case=None, kind=Kind.ACKNOWLEDGEMENT, is_incoming=False
    )
    return max(asked, told.aggregate(at=Max("written_at"))["at"] or asked)


def shown_at(case: Case) -> datetime | None:
    """When something that shows who asks came in last."""
    return _latest(case, EventKind.IDENTITY_RECEIVED)


def _quiet_since(case: Case) -> datetime | None:
    asked, shown = asked_at(case), shown_at(case)
    return max(asked, shown) if asked and shown else asked


def _latest(case: Case, kind: EventKind) -> datetime | None:
    events = queries.standing_of(case.clock_events.all())
    return max((event.at for event in events if event.kind == kind.value), default=None)
