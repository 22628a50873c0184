"""How sure one is of a person: the policy in force, what was established for a request, and what it amounts to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from dsar.audit.actions import Action
from dsar.audit.record import Actor, record
from dsar.lib.prepared import Prepared
from identity.models import Controller, IdentityPolicy, Method, Verification, VerificationState
from identity.policy.combine import Evidence, Worth
from identity.policy.form import policy_of
from identity.providers import registry
from identity.providers.base import Factor, Level, Performer

_IN_FORCE = Prepared(
    lambda controller_id: IdentityPolicy.objects.filter(controller_id=controller_id).order_by("-version")[:1],
    UUID,
)
_ACHIEVED = Prepared(
    lambda controller_id, subject_id: Verification.objects.filter(
        controller_id=controller_id, subject_id=subject_id, state=VerificationState.ACHIEVED
    ).select_related("subject_request"),
    UUID,
    UUID,
)

# -- policies ----------------------------------------------------------------------------------------


def policy_in_force(controller_id: UUID) -> IdentityPolicy | None:
    """The newest version; None where the controller has written none, which means: the house's own."""
    return _IN_FORCE.first(controller_id)


def issue_policy(
    controller: Controller, content: Mapping[str, Any], by: Actor, now: datetime
) -> IdentityPolicy:
    """Put a new version in force; versions are never changed. Raises pydantic's ValidationError for a wrong one."""
    newest = IdentityPolicy.objects.filter(controller=controller).aggregate(at=Max("version"))["at"] or 0
    policy_of(content, newest + 1)
    issued = IdentityPolicy.objects.create(
        controller=controller,
        version=newest + 1,
        content=dict(content),
        issued_by_id=by.id if by.kind == "staff" else None,
        issued_at=now,
    )
    codes: dict[str, str | int] = {"policy": str(issued.pk), "version": issued.version}
    record(Action.IDENTITY_POLICY_ISSUED, by, now, controller_id=controller.pk, data=codes)
    return issued


# -- what was established ----------------------------------------------------------------------------


def evidence_of(subject_request: Any) -> list[Evidence]:
    """What was established of the request's person: in this request, and in earlier ones of the same person.

    Never of another person's or brand's: the check has to be of the very person whom the request names. What
    an agent heard in one conversation, and what was shown by a representative, serves no other request.
    """
    rows = _ACHIEVED.all(subject_request.controller_id, subject_request.subject_id)
    return [_evidence(row, subject_request.pk) for row in rows if _may_serve(row, subject_request)]


def _may_serve(row: Verification, subject_request: Any) -> bool:
    if row.subject_request_id == subject_request.pk:
        return True
    about = registry.known().get(row.method)
    is_a_person_s_own = not (row.subject_request.representative_id or subject_request.representative_id)
    is_of_a_conversation = (
        about is None or about.performer == Performer.STAFF_ON_CALL or bool(row.contact_reference)
    )
    is_rehearsed = row.method == Method.DRILL or row.subject_request.is_drill or subject_request.is_drill
    return is_a_person_s_own and not is_of_a_conversation and not is_rehearsed


def _evidence(row: Verification, request_id: UUID) -> Evidence:
    level, about = Level(row.level), registry.known().get(row.method)
    worth = (
        Worth(about.factor, level, max(level, about.reaches_with))
        if about
        # Its package is gone: what was reached stands, and adds to nothing.
        else Worth(Factor.DOCUMENT, level, level)
    )
    assert row.ended_at is not None
    return Evidence(row.method, worth, row.ended_at, row.subject_request_id == request_id)


def retracted_methods(subject_request: Any) -> frozenset[str]:
    """Methods whose proof in this request was found to be none: they prove nothing more here."""
    rows = Verification.objects.filter(subject_request=subject_request, state=VerificationState.RETRACTED)
    return frozenset(rows.values_list("method", flat=True))
