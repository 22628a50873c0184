"""An objection that is not about marketing (Art 21(1)): weighed on the record before it is answered.

The use stops unless the controller shows compelling grounds that override the person's, or needs the data for claims.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cases.law import loader as law
from cases.models import Balancing, Case, ItemDecision
from cases.permissions import By
from cases.words import Outcome, Right, State
from cases.workflow.perform import act, lock, once_recorded, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from identity.roles import Permission

# What any request may be refused for (Arts 11(2), 12(5)), whatever the balance.
OF_ANY_RIGHT = frozenset({"UNFOUNDED", "EXCESSIVE", "NOT_IDENTIFIABLE"})
# How an objection to marketing never ends: it is carried out, without a test and without proof (Art 21(3)).
NEVER_OF_MARKETING = frozenset({Outcome.REFUSED, Outcome.IDENTITY_NOT_VERIFIED, Outcome.NO_REPLY})


@dataclass(frozen=True)
class Weighed:
    """The use objected to and its basis, both sides, and what came of it. ``exception`` where the use goes on."""

    use: str
    basis: str
    reasons: str
    grounds: str
    weighing: str
    exception: str = ""

    @property
    def goes_on(self) -> bool:
        return bool(self.exception)


def weigh(case: Case, weighed: Weighed, by: By, now: datetime, *, version: int | None = None) -> Balancing:
    """Put the balance on record, and let what was found follow it; done anew it replaces what was weighed before."""
    with transaction.atomic():
        locked = lock(case.pk)
        once_recorded(locked, Action.OBJECTION_WEIGHED, by, version)
        locked = act(locked, Permission.WORK, by, now, version=version, name="weigh_objection")
        if locked.right != Right.OBJECTION or locked.state != State.REVIEW:
            raise Refused(_("An objection is weighed while it is in review."), "not_in_review")
        if locked.about_marketing:
            raise Refused(_("An objection to marketing is not weighed: it is carried out."), "marketing")
        _check(locked, weighed)
        made = _made(locked, weighed, by, now)
        _decide_items(locked, weighed, by, now)
        codes: dict[str, str | int | bool] = {"balancing": str(made.pk), "goes_on": made.goes_on}
        codes |= {"exception": made.exception, "version": locked.version}
        put_on_record(locked, Action.OBJECTION_WEIGHED, by, now, codes)
        touch(locked)
        return made


def forbid_refusing(case: Case, outcome: str, code: str, weighed: Balancing | None) -> Refused | None:
    """Why an objection may not end so; None where it may, and for every other right."""
    if case.right != Right.OBJECTION:
        return None
    if case.about_marketing and outcome in NEVER_OF_MARKETING:
        sentence = _(
            "An objection to direct marketing is never refused: the marketing stops (Article 21(3))."
        )
        return Refused(sentence, "marketing_never_refused")
    if outcome != Outcome.REFUSED or code in OF_ANY_RIGHT:
        return None
    if weighed is None or not weighed.goes_on or code != weighed.exception:
        sentence = _(
            "An objection is refused only where compelling grounds or legal claims outweigh it, and that was"
            " weighed on the record (Article 21(1))."
        )
        return Refused(sentence, "not_outweighed")
    return None


def _check(case: Case, weighed: Weighed) -> None:
    bases = {one.code for one in law.grounds_for("objection_ground", case.regime)} - {"MARKETING"}
    exceptions = {one.code for one in law.grounds_for("objection_exception", case.regime)}
    if weighed.basis not in bases:
        raise Refused(_("Choose on what the use of the data rests."), "unknown_basis")
    if weighed.exception and weighed.exception not in exceptions:
        raise Refused(_("Choose the exception under which the use goes on."), "unknown_exception")
    if not weighed.use.strip() or not weighed.weighing.strip():
        raise Refused(_("Say which use it is about, and why it was decided so."), "weighing_missing")
    if weighed.goes_on and not weighed.grounds.strip():
        raise Refused(_("Our grounds have to be named: it is ours to show them."), "grounds_missing")


def _made(case: Case, weighed: Weighed, by: By, now: datetime) -> Balancing:
    assert by.person_id is not None
    made = Balancing(
        controller_id=case.controller_id,
        case=case,
        basis=weighed.basis,
        goes_on=weighed.goes_on,
        exception=weighed.exception,
        weighed_by_id=by.person_id,
        weighed_at=now,
    )
    made.use, made.reasons = weighed.use.strip(), weighed.reasons.strip()
    made.grounds, made.weighing = weighed.grounds.strip(), weighed.weighing.strip()
    made.save()
    return made


def _decide_items(case: Case, weighed: Weighed, by: By, now: datetime) -> None:
    decision = ItemDecision.KEEP if weighed.goes_on else ItemDecision.ACT
    case.items.exclude(decision=ItemDecision.WITHHOLD).update(
        decision=decision,
        exemption=weighed.exception,
        redactions=None,
        decided_by=by.person_id,
        decided_at=now,
    )
