"""What a case knows of its identity: a copy of what policy and evidence say, brought up to date where it counts."""

from datetime import datetime
from uuid import UUID

from cases import assurance, authority
from cases.models import Case
from cases.models.case import (
    authority_suffices,
    authority_suffices_for_answer,
    identity_suffices_for_answer,
    requester_suffices,
)
from cases.permissions import BY_SYSTEM
from cases.words import State
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record

REFRESH = "refresh_levels"
BATCH = 50
_FIELDS = ("identity_level", "required_level", "identity_rule", "authority")


def is_known(case: Case, now: datetime) -> bool:
    """Whether the requester of this locked case is known well enough, and may ask, at this very moment."""
    refresh(case, now)
    return requester_suffices(case)


def may_be_told(case: Case, now: datetime) -> bool:
    """Whether what is decided may leave the house at this very moment."""
    refresh(case, now)
    return identity_suffices_for_answer(case) and authority_suffices_for_answer(case)


def why_not(case: Case) -> str:
    """The condition that a case does not meet, as of its last refreshing; the code of its refusal."""
    return "identity_suffices" if authority_suffices(case) else "authority_suffices"


def lapsed(case: Case) -> str:
    """What a job notes where something did not leave because of it."""
    return "identity_lapsed" if authority_suffices(case) else "authority_lapsed"


def refresh_open(controller_id: UUID, after: UUID | None, now: datetime) -> UUID | None:
    """The next batch of a controller's open cases; gives the last one's id, None where there is none left."""
    cases = Case.objects.filter(controller_id=controller_id).exclude(state=State.CLOSED).order_by("pk")
    if after is not None:
        cases = cases.filter(pk__gt=after)
    batch = list(
        cases.select_related("subject_request", "subject", "controller").select_for_update(of=("self",))[
            :BATCH
        ]
    )
    for case in batch:
        refresh(case, now)
    return batch[-1].pk if batch else None


def refresh(case: Case, now: datetime) -> bool:
    """Compute a locked case's levels from policy and evidence as they are now; True where they moved.

    Called before every step that identity opens, so that a stale result, one that was taken back, or a policy
    that was tightened meanwhile is seen at that very moment.
    """
    found = assurance.standing(case, now)
    may_ask = authority.standing(case, now).code
    values = (int(found.level), int(found.requirement.level), found.requirement.rule, may_ask)
    if tuple(getattr(case, name) for name in _FIELDS) == values:
        return False
    for name, value in zip(_FIELDS, values, strict=True):
        setattr(case, name, value)
    case.save(update_fields=list(_FIELDS))
    codes: Codes = {
        "level": values[0],
        "required": values[1],
        "rule": values[2],
        "authority": values[3],
        "policy": found.requirement.version,
    }
    record(
        Action.IDENTITY_STANDING,
        BY_SYSTEM.actor,
        now,
        controller_id=case.controller_id,
        case_id=case.pk,
        data=codes,
    )
    return True
