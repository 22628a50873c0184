"""Shared reads. Look-ups by a person start from ``visible_to``, so that a stranger's case is not found."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from cases.calendars import overrides_in_force
from cases.deadlines.engine import Deadline, Policy, compute
from cases.deadlines.events import ANSWERED, ASKED, CaseFacts, EventKind, ExtensionReason, FeeBasis
from cases.deadlines.events import ClockEvent as Fact
from cases.deadlines.events import Right as DeadlineRight
from cases.deadlines.loader import Regime, calendar_for, default_catalogue
from cases.deadlines.rules import ExtensionRule
from cases.models import Case, ClockEvent, DataSubject, Instruction, SubjectIdentifier, SubjectRequest
from cases.words import Say
from dsar.lib import crypto, normalise, references
from dsar.lib.prepared import Prepared
from dsar.lib.tenancy import scratch
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, User
from identity.roles import Permission

_NOTED = Prepared(lambda case_id: ClockEvent.objects.filter(case_id=case_id).order_by("at", "id"), UUID)
_INSTRUCTION = Prepared(
    lambda controller_id: Instruction.objects.filter(controller_id=controller_id).order_by("-version")[:1],
    UUID,
)

# -- requests and cases ------------------------------------------------------------------------------


def case_visible_to(user: User, case_id: UUID, permission: Permission = Permission.VIEW_CASE) -> Case:
    """The case with what its page needs; raises Case.DoesNotExist for a stranger's as for none."""
    cases: Case = (
        Case.objects.visible_to(user, permission)
        .select_related(
            "subject_request__subject", "subject_request__representative", "controller", "owner", "team"
        )
        .get(pk=case_id)
    )
    return cases


def request_by_reference(user: User, typed: str) -> SubjectRequest | None:
    """What somebody read out or typed in; None where it is nobody's or another brand's.

    Raises references.BadReference, with a sentence, where it cannot be a reference at all.
    """
    found: SubjectRequest | None = (
        SubjectRequest.objects.visible_to(user).filter(reference=references.parse(typed)).first()
    )
    return found


# -- people ------------------------------------------------------------------------------------------


def lookup_key(controller_id: UUID, now: datetime) -> crypto.DataKey:
    """The controller's key of the blind index; derived once per unit of work."""
    cached = scratch().get(("lookup", controller_id))
    if not isinstance(cached, crypto.DataKey):
        cached = keyring.opened_of(keyring.shared_key(KeyPurpose.LOOKUP, controller_id, now))
        scratch()["lookup", controller_id] = cached
    return cached


def blind_identifiers(
    controller: Controller,
    now: datetime,
    *,
    name: str = "",
    email: str = "",
    phone: str = "",
    external_id: str = "",
    birth_date: str = "",
) -> set[tuple[str, bytes]]:
    """What a person may be found by, normalised, as keyed hashes. Nonsense is left out, never an error."""
    key = lookup_key(controller.pk, now)
    plain = {
        *_normal("email", email, normalise.email),
        *_normal("phone", phone, lambda text: normalise.phone(text, controller.phone_region)),
        *_normal("external_id", external_id, normalise.external_id),
        *_normal("birth_date", birth_date, normalise.birth_date),
        *(("name", token) for token in normalise.name_tokens(name)),
    }
    return {(kind, crypto.blind(key, f"{kind}|{value}")) for kind, value in plain}


def _normal(kind: str, text: str, rule: object) -> list[tuple[str, str]]:
    if not text.strip():
        return []
    try:
        value = rule(text)  # type: ignore[operator]
    except ValueError:
        return []
    return [(kind, value)] if value else []


def likely_subjects(
    user: User,
    controller: Controller,
    now: datetime,
    *,
    limit: int = 8,
    permission: Permission = Permission.LOG_REQUEST,
    **typed: str,
) -> list[DataSubject]:
    """Data subjects of this brand that share an identifier, or every word of the name, newest first."""
    if not user.access.allows(permission, controller.pk):
        return []
    wanted = blind_identifiers(controller, now, **typed)
    names = [blind for kind, blind in wanted if kind == "name"]
    strong = Q()
    for kind, blind in wanted:
        if kind not in {"name", "birth_date"}:
            strong |= Q(kind=kind, blind=blind)
    found = _subjects_with(controller, strong) | _subjects_with_all(controller, names)
    subjects = DataSubject.objects.visible_to(user, permission).filter(
        pk__in=sorted(found)[-limit:], controller=controller
    )
    return list(subjects.order_by("-created_at"))


def _subjects_with(controller: Controller, condition: Q) -> set[UUID]:
    if not condition:
        return set()
    rows = SubjectIdentifier.objects.filter(condition, controller=controller)
    return set(rows.values_list("subject_id", flat=True)[:100])


def _subjects_with_all(controller: Controller, names: list[bytes]) -> set[UUID]:
    """Those who bear all the names; one alone (every Smith of the brand) says too little."""
    if len(names) < 2:
        return set()
    found: set[UUID] | None = None
    for blind in names:
        rows = SubjectIdentifier.objects.filter(controller=controller, kind="name", blind=blind)
        ids = set(rows.values_list("subject_id", flat=True)[:1000])
        found = ids if found is None else found & ids
    return found or set()


# By which a brand knows that two rows are one person.
SAME_PERSON = ("email", "external_id")


def same_person(subject: DataSubject) -> set[UUID]:
    """Every row under which the brand knows this person: those that share an address or a customer number.

    Who asks twice through the portal is noted twice.
    """
    strong = SubjectIdentifier.objects.filter(controller_id=subject.controller_id, kind__in=SAME_PERSON)
    known = strong.filter(subject=subject).values("blind")
    return {subject.pk, *strong.filter(blind__in=known).values_list("subject_id", flat=True)}


def is_held(subject: DataSubject) -> bool:
    """Whether a legal hold lies on the person, under any row by which the brand knows them."""
    return DataSubject.objects.filter(pk__in=same_person(subject), legal_hold=True).exists()


# -- the clock ---------------------------------------------------------------------------------------

NotedType = TypeVar("NotedType", bound="Noted")


class Noted(Protocol):
    """A clock event as a row gives it."""

    @property
    def pk(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def supersedes_id(self) -> UUID | None: ...


class NotedRow(NamedTuple):
    """The columns of a clock event that dates follow from, read without an object for each."""

    pk: UUID
    kind: str
    at: datetime
    data: dict[str, Any]
    supersedes_id: UUID | None


def facts_of(case: Case, zone_of: Controller) -> CaseFacts:
    """The case's clock events that stand, as the engine wants them."""
    return facts_from(_NOTED.all(case.pk), case.right, zone_of.zone)


def facts_from(noted: Iterable[Noted], right: str, zone: ZoneInfo) -> CaseFacts:
    """What stands of these events: neither superseded nor taken back."""
    standing = tuple(fact_from(event) for event in standing_of(noted))
    return CaseFacts(DeadlineRight(right), zone, standing)


def standing_of(noted: Iterable[NotedType]) -> list[NotedType]:
    """The events that nothing supersedes; one that takes another back is no fact of its own."""
    every = list(noted)
    superseded = {event.supersedes_id for event in every}
    return [event for event in every if event.pk not in superseded and not event.data.get("withdraws")]


def unanswered(case: Case, asked: EventKind) -> list[ClockEvent]:
    """The questions of this kind that wait for their answer, oldest first."""
    standing = standing_of(_NOTED.all(case.pk))
    answers = {kind.value for kind, about in ANSWERED.items() if about is ASKED[asked]}
    put = [event for event in standing if event.kind == asked.value]
    return put[sum(event.kind in answers for event in standing) :]


def fact_from(event: Noted) -> Fact:
    """One event as the engine knows it."""
    data = event.data
    if not data:
        return Fact(EventKind(event.kind), event.at)
    return Fact(
        kind=EventKind(event.kind),
        instant=event.at,
        question=data.get("question"),
        reasonable=data.get("reasonable", True),
        prompt=data.get("prompt"),
        large_quantity=data.get("large_quantity", True),
        fee_basis=FeeBasis(data.get("fee_basis", FeeBasis.EXCESSIVE)),
        extension_reason=ExtensionReason(data.get("extension_reason", ExtensionReason.COMPLEXITY)),
        new_due_on=date.fromisoformat(data["new_due_on"]) if data.get("new_due_on") else None,
    )


def noted_of(case_ids: Sequence[UUID]) -> dict[UUID, list[NotedRow]]:
    """The clock events of many cases in one query, by case."""
    columns = ("case_id", "pk", "kind", "at", "data", "supersedes_id")
    rows = ClockEvent.objects.filter(case__in=case_ids).order_by("at", "id").values_list(*columns)
    found: dict[UUID, list[NotedRow]] = {case_id: [] for case_id in case_ids}
    for case_id, *rest in rows:
        found[case_id].append(NotedRow(*rest))
    return found


@cache
def regime_in_force(code: str, on: date) -> Regime:
    """The version of a regime's rules for what is received on that day."""
    return default_catalogue().regime(code, on)


@cache
def _regime_version(code: str, version: str) -> Regime:
    return default_catalogue().version(code, version)


def regime_of(case: Case, controller: Controller) -> Regime:
    """The rules that the case arrived under, in the region whose holidays its controller keeps."""
    place = controller.region and "/" not in case.regime
    code = f"{case.regime}/{controller.region}" if place else case.regime
    return _regime_version(code, case.regime_version)


def deadline_of(case: Case, now: datetime) -> Deadline:
    """All dates of the case with their reasons, from its facts and the rules that it arrived under."""
    return deadline_from(case, facts_of(case, case.controller), now)


def deadline_from(case: Case, facts: CaseFacts, now: datetime) -> Deadline:
    """The dates that these facts would give the case: those on record, or others that are considered."""
    regime, policy = regime_of(case, case.controller), Policy(target_days=case.controller.target_days)
    return compute(facts, regime, calendar_for(regime, overrides_in_force()), now=now, policy=policy)


def extension_rule(case: Case) -> ExtensionRule | None:
    """How the law of the case lengthens its period; None where it does not, or where it fixes none."""
    rules, right = regime_of(case, case.controller).version, DeadlineRight(case.right)
    if rules.extension is None or right is DeadlineRight.COMPLAINT or rules.period_for(right) is None:
        return None
    return rules.extension if rules.extension.covers(right) else None


# -- instructions ------------------------------------------------------------------------------------


def instruction_in_force(controller_id: UUID) -> Instruction | None:
    """The newest version; None where the controller has issued none, which means: ask."""
    return _INSTRUCTION.first(controller_id)


def instructed(controller_id: UUID, steps: Iterable[str], right: str) -> tuple[Instruction | None, Say]:
    """The strictest of what the instruction says about these steps."""
    instruction = instruction_in_force(controller_id)
    said = {instruction.says(step, right) if instruction else Say.ASK for step in steps}
    for strict in (Say.FORBID, Say.ASK):
        if strict in said:
            return instruction, strict
    return instruction, Say.ALLOW
