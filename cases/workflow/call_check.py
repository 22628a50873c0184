"""The agent's security check: within the conversation in which the request was logged, and in no other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.assurance import call_check_of
from cases.errors import not_yours
from cases.models import DataSubject, SubjectRequest
from cases.permissions import By
from cases.workflow.perform import lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from identity import services
from identity.models import Level, Verification
from identity.policy.rules import CallCheck
from identity.providers import registry
from identity.providers.base import JSON, Context, Person, Setup
from identity.roles import Permission

METHOD = "agent_check"
A_DAY = timedelta(days=1)


def why_not(request: SubjectRequest, now: datetime) -> Refused | None:
    """Why the check cannot be made for this request at this moment; None where it can."""
    check = call_check_of(request)
    if not check.questions:
        return Refused(_("This brand has no questions for a security check."), "no_script")
    if request.representative_id is not None:
        return Refused(
            _("The caller asks for somebody else: the check would prove the wrong person."), "not_self"
        )
    if not request.contact_reference or now - request.logged_at > timedelta(minutes=check.minutes):
        return Refused(
            _("The check belongs into the conversation in which the request was logged. That one is over."),
            "another_contact",
        )
    if _tries(request, now) >= check.attempts:
        return Refused(_("The check was tried too often today. Ask for another proof."), "too_many_tries")
    return None


def record(
    request: SubjectRequest, contact_reference: str, answers: Sequence[bool], by: By, now: datetime
) -> Verification:
    """Note for each question of the script whether it was answered rightly; never what was answered.

    Raises NotAllowed, or Refused where the check belongs into another conversation or was tried too often.
    """
    if not by.allows(Permission.LOG_REQUEST, request.controller_id):
        raise not_yours("call_check")
    if contact_reference.strip() != request.contact_reference:
        raise Refused(_("This is not the conversation in which the request was logged."), "another_contact")
    with transaction.atomic():
        lock_all(request.pk)
        # Two agents with the same caller take turns, so that the tries are counted.
        DataSubject.objects.select_for_update().get(pk=request.subject_id)
        refusal = why_not(request, now)
        if refusal is not None:
            raise refusal
        return _recorded(request, call_check_of(request), list(answers), by, now)


def _recorded(
    request: SubjectRequest, check: CallCheck, answers: list[bool], by: By, now: datetime
) -> Verification:
    options: dict[str, JSON] = {"questions": list(check.questions), "max_level": int(check.max_level)}
    method = registry.build(METHOD, Setup(options))
    context = Context(now, b"")
    step = method.step(method.begin(Person(), context).state, {"answers": list(answers)}, Person(), context)
    if step.result is None:
        raise Refused(_("Say for each question whether it was answered rightly."), "check_incomplete")
    made = services.new_verification(request, now, METHOD)
    made.recorded_by_id, made.contact_reference = by.person_id, request.contact_reference
    made.progress = {
        "script": [
            {"question": text, "right": right} for text, right in zip(check.questions, answers, strict=True)
        ]
    }
    made.save(update_fields=["recorded_by", "contact_reference", "progress"])
    for case in request.cases.order_by("pk"):
        put_on_record(case, Action.CALL_CHECKED, by, now, dict(step.result.codes))
    if step.result.level > Level.NONE:
        services.achieve(made, step.result.level, by.actor, now)
    else:
        services.fail(made, now)
    made.refresh_from_db()
    return made


def _tries(request: SubjectRequest, now: datetime) -> int:
    """How often the check was made for this person within a day, under whichever request."""
    return Verification.objects.filter(
        subject_id__in=queries.same_person(request.subject), method=METHOD, started_at__gt=now - A_DAY
    ).count()
