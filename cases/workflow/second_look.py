"""An automated decision, looked at again by a person (EU Art 22(3); UK Arts 22A to 22D).

It is logged with what it was and how it was made; the person says what they think of it; somebody named who had no
part in it looks again, and says what they found and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import rights
from cases.law import loader as law
from cases.models import Case, ItemDecision, LookResult, SecondLook
from cases.permissions import By
from cases.words import Right, State
from cases.workflow.people import colleagues
from cases.workflow.perform import act, lock, once_recorded, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Conflict, Refused
from identity.models import User
from identity.roles import Permission


@dataclass(frozen=True)
class Prepared:
    """Which decision, how it was made, what the person says to it, who had a part in it, and who looks again."""

    about: str
    basis: str
    logic: str
    reviewer_id: UUID
    decided_on: date | None = None
    is_special: bool = False
    special_basis: str = ""
    representations: str = ""
    involved: Sequence[UUID] = ()
    involved_others: str = ""


def bases(case: Case) -> tuple[law.Ground, ...]:
    """Why a decision may be automated (EU Art 22(2)); where the law lists safeguards instead (UK), those."""
    return law.grounds_for("automated_exception", case.regime) or law.grounds_for(
        "automated_safeguard", case.regime
    )


def rests_on_exception(case: Case) -> bool:
    """Whether the law forbids such decisions but for exceptions (EU), rather than asking for safeguards (UK)."""
    return bool(law.grounds_for("automated_exception", case.regime))


def stated_logic(case: Case) -> str:
    """What the controller states of its automated decisions (Art 15(1)(h)), to begin from."""
    stated: Any = case.controller.statement.get("automated_decisions") or ()
    return stated if isinstance(stated, str) else "\n\n".join(stated)


def prepare(case: Case, made: Prepared, by: By, now: datetime, *, version: int | None = None) -> SecondLook:
    """Put the decision on record and name who looks again; until they have, it can be prepared anew."""
    with transaction.atomic():
        locked = _acting(case, Action.LOOK_PREPARED, Permission.WORK, by, now, version)
        _check(locked, made, by, now)
        before = rights.look_of(locked)
        if before is not None and before.found_at is None:
            before.delete()
        look = _made(locked, made, by, now)
        codes: dict[str, str | int] = {"look": str(look.pk), "version": locked.version}
        codes["reviewer"] = str(look.reviewer_id)
        put_on_record(locked, Action.LOOK_PREPARED, by, now, codes)
        touch(locked)
        return look


def end(
    look: SecondLook, finding: str, reasons: str, by: By, now: datetime, *, version: int | None = None
) -> SecondLook:
    """What the person named found, in their own hand. Raises Refused for anybody else, and for who decided before."""
    if finding not in LookResult.values:
        raise Refused(_("Choose what you found."), "unknown_finding")
    if not reasons.strip():
        raise Refused(_("Give the reasons: the person reads them."), "reasons_missing")
    with transaction.atomic():
        case = _acting(look.case, Action.LOOK_ENDED, Permission.VIEW_CONTENT, by, now, version)
        held = SecondLook.objects.select_for_update().get(pk=look.pk, case=case)
        held.case = case
        if held.found_at is not None or case.state != State.REVIEW:
            raise Conflict(_("This look has ended, or the case has moved on."), "look_ended")
        _forbid_own(held, by, now)
        held.finding, held.reasons, held.found_at = finding, reasons.strip(), now
        held.save()
        _decide_items(case, by, now)
        codes: dict[str, str | int] = {"look": str(held.pk), "finding": held.finding}
        codes["version"] = case.version
        put_on_record(case, Action.LOOK_ENDED, by, now, codes)
        touch(case)
        return held


def reviewers(case: Case) -> list[User]:
    """Whom a handler can name: those who may see what was collected, and work cases of the brand."""
    return colleagues(case.controller_id)


def _acting(
    case: Case, action: Action, permission: Permission, by: By, now: datetime, version: int | None
) -> Case:
    locked = lock(case.pk)
    once_recorded(locked, action, by, version)
    return act(locked, permission, by, now, version=version, name=action.value.replace(".", "_"))


def _check(case: Case, made: Prepared, by: By, now: datetime) -> None:
    if case.right != Right.AUTOMATED or case.state != State.REVIEW:
        raise Refused(_("A decision is looked at again while its case is in review."), "not_in_review")
    if not made.about.strip() or not made.logic.strip():
        raise Refused(_("Say which decision it is, and how it was made."), "about_missing")
    if made.basis not in {one.code for one in bases(case)}:
        raise Refused(_("Choose on what the automated decision rests."), "unknown_basis")
    if made.is_special and not made.special_basis.strip():
        raise Refused(_("Say what allows the use of special categories of data."), "special_basis_missing")
    if made.reviewer_id not in {one.pk for one in reviewers(case)}:
        raise Refused(_("Choose somebody who works the cases of this brand."), "unknown_reviewer")
    if made.reviewer_id in set(made.involved):
        sentence = _("Who had a part in the decision does not look at it again: name somebody else.")
        refuse(case, "name_reviewer", by, now, Refused(sentence, "had_a_part"))


def _made(case: Case, made: Prepared, by: By, now: datetime) -> SecondLook:
    assert by.person_id is not None
    look = SecondLook(
        controller_id=case.controller_id,
        case=case,
        decided_on=made.decided_on,
        basis=made.basis,
        is_special=made.is_special,
        involved=list(made.involved),
        reviewer_id=made.reviewer_id,
        named_by_id=by.person_id,
        named_at=now,
    )
    look.about, look.logic = made.about.strip(), made.logic.strip()
    look.special_basis = made.special_basis.strip() if made.is_special else ""
    look.representations, look.involved_others = made.representations.strip(), made.involved_others.strip()
    look.save()
    return look


def _forbid_own(look: SecondLook, by: By, now: datetime) -> None:
    if by.person_id in set(look.involved):
        sentence = _("You had a part in this decision: somebody else has to look at it again.")
        refuse(look.case, "look_again", by, now, Refused(sentence, "had_a_part"))
    if by.person_id != look.reviewer_id:
        sentence = _("Somebody else is named to look at this decision again.")
        refuse(look.case, "look_again", by, now, Refused(sentence, "not_named"))


def _decide_items(case: Case, by: By, now: datetime) -> None:
    """What was found was looked at; nothing of it is taken away by that."""
    case.items.filter(decision=ItemDecision.UNDECIDED).update(
        decision=ItemDecision.ACT, decided_by=by.person_id, decided_at=now
    )
