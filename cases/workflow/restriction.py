"""Restriction (Art 18): where a person's data is kept and not used, since when, and how that ends.

It begins by a decision of two, or at once while something is checked. It ends only after the person was told
(Art 18(3)): one proposes, another agrees, the letter goes out, and from the day that it names it can be lifted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import rights
from cases.correspondence.compose import Kind
from cases.law import loader as law
from cases.models import (
    Case,
    Decision,
    FulfilmentTask,
    ItemDecision,
    Letter,
    LetterState,
    PlaceState,
    RestrictedPlace,
    Restriction,
    SourceSystem,
    TaskState,
)
from cases.models.case import requester_suffices
from cases.permissions import BY_SYSTEM, By
from cases.words import Right, State
from cases.workflow import letters, marking
from cases.workflow.perform import act, lock, once_recorded, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Conflict, Refused
from identity.roles import Permission

# Why data is restricted while something else of the person is looked into, by the right of that case.
MEANWHILE: dict[str, str] = {Right.OBJECTION: "OBJECTION_PENDING", Right.RECTIFICATION: "ACCURACY"}
# Under which records stay in use that lie in a system which is not restricted.
ELSEWHERE = "NO_GROUND"


@dataclass(frozen=True)
class Chosen:
    """On which ground of the picklist the use is restricted, in which systems, and in words what of it."""

    ground: str
    source_ids: Sequence[UUID]
    words: str = ""


@dataclass(frozen=True)
class Ending:
    """Why a restriction can end, from which day, and the letter that says so before."""

    reason: str
    lifts_on: date
    title: str
    body: str


# -- beginning ---------------------------------------------------------------------------------------


def choose(case: Case, chosen: Chosen, by: By, now: datetime, *, version: int | None = None) -> Restriction:
    """Say, in the review, what is to be restricted; a second person approves it with the answer."""
    with transaction.atomic():
        locked = _acting(case, Action.RESTRICTION_CHOSEN, Permission.WORK, by, now, version)
        if locked.right != Right.RESTRICTION or locked.state != State.REVIEW:
            raise Refused(_("This is said while a request to restrict is in review."), "not_in_review")
        before = rights.restriction_of(locked)
        if before is not None:
            _forbid_changing(before)
            before.delete()
        made = _made(locked, chosen, by, now, is_meanwhile=False)
        _decide_items(locked, chosen, by, now)
        _on_record(made, Action.RESTRICTION_CHOSEN, by, now, ground=made.ground)
        touch(locked)
        return made


def begin_meanwhile(
    case: Case, chosen: Chosen, by: By, now: datetime, *, version: int | None = None
) -> Restriction:
    """Restrict at once what is being checked (Art 18(1)(a) and (d)): it protects the person, so one decides alone."""
    with transaction.atomic():
        locked = _acting(case, Action.RESTRICTION_BEGUN, Permission.WORK, by, now, version)
        if not may_begin_meanwhile(locked):
            raise Refused(_("There is nothing here that is checked while the use rests."), "nothing_checked")
        if rights.restriction_of(locked) is not None:
            raise Conflict(_("A restriction of this case is in force already."), "restricted_already")
        made = _made(locked, chosen, by, now, is_meanwhile=True, begun_at=now)
        _on_record(made, Action.RESTRICTION_BEGUN, by, now, ground=made.ground)
        touch(locked)
        _tell_of_it(locked, by, now)
        marking.order(made, now)
        return made


def may_begin_meanwhile(case: Case) -> bool:
    """While an objection is weighed or a disputed value is checked; marketing is stopped, not restricted."""
    return case.right in MEANWHILE and case.is_open and not case.about_marketing


def approved(case: Case, decision: Decision, now: datetime) -> None:
    """What was chosen is in force from the approval on, and has a task in each place."""
    found = rights.restriction_of(case)
    if case.right != Right.RESTRICTION or found is None or found.begun_at is not None:
        return
    found.begun_at = now
    found.save(update_fields=["begun_at"])
    tasks = {task.source_id: task for task in case.tasks.filter(decision=decision, verb="restrict")}
    found.places.filter(state=PlaceState.TO_FREE).update(state=PlaceState.TO_MARK)
    for place in found.places.all():
        place.task = tasks.get(place.source_id)
        place.save(update_fields=["task"])
    marking.order(found, now)
    put_on_record(case, Action.RESTRICTION_BEGUN, BY_SYSTEM, now, _codes(found) | {"ground": found.ground})


def undone(case: Case) -> None:
    """An approval was taken back before anything was marked: nothing is restricted by it."""
    if case.right == Right.RESTRICTION:
        case.restrictions.filter(lifted_at=None, lift_agreed_at=None).update(begun_at=None)


def task_recorded(task: FulfilmentTask) -> None:
    """The task that marks a place was recorded; the place says the same."""
    place = RestrictedPlace.objects.filter(task=task).select_related("restriction__case").first()
    if place is None:
        return
    place.state = PlaceState.MARKED if task.state == TaskState.DONE else PlaceState.IMPOSSIBLE
    place.evidence = marking.together(place.evidence, task.evidence)
    place.marked_by_id, place.marked_at = task.done_by_id, task.done_at
    place.save()


def mark(place: RestrictedPlace, done: bool, evidence: str, by: By, now: datetime) -> None:
    """Record how one place was marked, or why it could not be; for places that no task speaks of."""
    _demand(evidence, _("Say how it was done and checked, or why it could not be."), "evidence_missing")
    with transaction.atomic():
        case = act(place.restriction.case, Permission.WORK, by, now, name="mark_restricted")
        held = _held(place, case)
        if held.state != PlaceState.TO_MARK or held.task_id is not None or not held.restriction.is_in_force:
            raise Conflict(_("This place waits for no mark."), "place_not_open")
        held.state = PlaceState.MARKED if done else PlaceState.IMPOSSIBLE
        held.evidence, held.marked_by_id, held.marked_at = evidence.strip(), by.person_id, now
        held.save()
        _place_on_record(held, by, now)
        touch(case)


# -- ending ------------------------------------------------------------------------------------------


def draft(found: Restriction, lifts_on: date, reason: str, now: datetime) -> tuple[str, str]:
    """Title and body of the letter that the restriction ends, in the requester's language, ready to edit."""
    return letters.draft(
        Kind.RESTRICTION_ENDS,
        found.case.subject_request,
        now,
        case=found.case,
        lifts_on=lifts_on,
        lift_reason=reason.strip(),
        begun_at=found.begun_at,
    )


def propose_lift(
    found: Restriction, ending: Ending, by: By, now: datetime, *, version: int | None = None
) -> Restriction:
    """Propose that it ends; another agrees, and the letter goes out before it does."""
    _demand(ending.reason, _("Say why the restriction can end."), "reason_missing")
    _demand(ending.title and ending.body, _("The letter is empty."), "letter_empty")
    with transaction.atomic():
        case = _acting(found.case, Action.LIFT_PROPOSED, Permission.WORK, by, now, version)
        held = _in_force(found, case)
        if held.lift_proposed_at is not None:
            raise Conflict(_("It is proposed already that this restriction ends."), "lift_under_way")
        if ending.lifts_on < now.astimezone(case.controller.zone).date():
            raise Refused(_("This day has passed."), "day_passed")
        held.lift_reason, held.lifts_on = ending.reason.strip(), ending.lifts_on
        held.letter_subject, held.letter_body = ending.title.strip(), ending.body.strip()
        held.lift_proposed_by_id, held.lift_proposed_at = by.person_id, now
        held.return_reason = ""
        held.save()
        _on_record(held, Action.LIFT_PROPOSED, by, now)
        touch(case)
        return held


def agree_to_lift(found: Restriction, by: By, now: datetime, *, version: int | None = None) -> Restriction:
    """The second pair of eyes: the letter goes out now. Whoever proposed it does not agree to it."""
    with transaction.atomic():
        case = _acting(found.case, Action.LIFT_AGREED, Permission.APPROVE, by, now, version)
        held = _in_force(found, case)
        if held.lift_proposed_at is None or held.lift_agreed_at is not None:
            raise Conflict(_("Nothing of this restriction waits for your decision."), "no_lift_proposed")
        if held.lift_proposed_by_id == by.person_id:
            sentence = _("Who prepared this cannot approve it: it takes a second pair of eyes.")
            refuse(case, "agree_to_lift", by, now, Refused(sentence, "own_proposal"))
        held.lift_agreed_by_id, held.lift_agreed_at = by.person_id, now
        held.save()
        _on_record(held, Action.LIFT_AGREED, by, now)
        words = {"title": held.letter_subject, "body": held.letter_body}
        letters.to_recipients(Kind.RESTRICTION_ENDS, case, by, now, **words)
        touch(case)
        return held


def keep(
    found: Restriction, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Restriction:
    """The restriction goes on after all: who proposed its end takes it back, or another sends it back."""
    _demand(reason, _("Say why it goes back."), "reason_missing")
    with transaction.atomic():
        case = _acting(found.case, Action.LIFT_RETURNED, None, by, now, version)
        permissions = (Permission.WORK, Permission.APPROVE)
        if not any(by.allows(one, case.controller_id) for one in permissions):
            act(case, Permission.WORK, by, now, name="keep_restriction")
        held = _in_force(found, case)
        if held.lift_proposed_at is None:
            raise Conflict(_("Nobody has proposed that this restriction ends."), "no_lift_proposed")
        if held.lift_agreed_at is not None and held.told_at is None:
            raise Refused(_("The letter is on its way: wait until it is out."), "being_sent")
        held.lift_proposed_by = held.lift_agreed_by = None
        held.lift_proposed_at = held.lift_agreed_at = held.told_at = held.lifts_on = None
        held.return_reason = reason.strip()
        held.save()
        _on_record(held, Action.LIFT_RETURNED, by, now)
        touch(case)
        return held


def told(letter: Letter, by: By, now: datetime) -> None:
    """The letter is out; where two get it, the last of them."""
    found = _of_letter(letter)
    if found is None or found.told_at is not None or not _is_everybody_told(found):
        return
    found.told_at = now
    found.save(update_fields=["told_at"])
    _on_record(found, Action.LIFT_TOLD, by, now)


def not_told(letter: Letter, by: By, now: datetime) -> None:
    """The letter came back: nobody was told, and nothing is lifted before another one is out."""
    found = _of_letter(letter)
    if found is None or found.told_at is None:
        return
    found.told_at = None
    found.save(update_fields=["told_at"])
    _on_record(found, Action.LIFT_TOLD, by, now, what="came_back")


def why_not_lifted(found: Restriction, now: datetime) -> Refused | None:
    """Why a restriction cannot be lifted at this moment; None where it can (Art 18(3))."""
    if not found.is_in_force:
        return Conflict(_("This restriction is not in force."), "not_in_force")
    if found.lift_agreed_at is None:
        return Refused(_("A second person has to agree first that this restriction ends."), "not_agreed")
    if found.told_at is None:
        sentence = _("The person has to be told first: the letter is not out yet (Article 18(3)).")
        return Refused(sentence, "not_told")
    if found.lifts_on is not None and now.astimezone(found.case.controller.zone).date() < found.lifts_on:
        sentence = _("The letter says that the restriction lasts until %(day)s.")
        return Refused(sentence % {"day": date_format(found.lifts_on, "DATE_FORMAT")}, "too_early")
    return None


def lift(found: Restriction, by: By, now: datetime, *, version: int | None = None) -> Restriction:
    """End it. The marks in the systems are taken away one by one, each with its evidence."""
    with transaction.atomic():
        case = _acting(found.case, Action.RESTRICTION_LIFTED, Permission.WORK, by, now, version)
        held = _in_force(found, case)
        hindrance = why_not_lifted(held, now)
        if hindrance is not None:
            refuse(case, "lift_restriction", by, now, hindrance)
        held.lifted_by_id, held.lifted_at = by.person_id, now
        held.save()
        _free_places(held)
        marking.order(held, now)
        _on_record(held, Action.RESTRICTION_LIFTED, by, now)
        touch(case)
        return held


def _free_places(found: Restriction) -> None:
    """Every mark is taken away, also those of a connector that was stopped before it had marked everything."""
    found.places.filter(state=PlaceState.MARKED).update(state=PlaceState.TO_FREE)
    begun = found.places.filter(state__in=[PlaceState.TO_MARK, PlaceState.IMPOSSIBLE])
    perhaps = [place.pk for place in begun.select_related("source") if marking.is_for_connector(place)]
    found.places.filter(pk__in=perhaps).update(state=PlaceState.TO_FREE)


def try_again(place: RestrictedPlace, by: By, now: datetime) -> None:
    """Have the connector try once more what it did not get done; what is marked already is found so."""
    with transaction.atomic():
        case = act(place.restriction.case, Permission.WORK, by, now, name="mark_again")
        held = _held(place, case)
        if held.state not in marking.VERBS or not marking.is_for_connector(held):
            raise Conflict(_("No connector can do this in this place."), "place_not_open")
        marking.queue(held, now)
        codes: dict[str, str | None] = {"source": str(held.source_id), "state": held.state, "what": "again"}
        put_on_record(case, Action.PLACE_RECORDED, by, now, codes)
        touch(case)


def free(place: RestrictedPlace, evidence: str, by: By, now: datetime) -> None:
    """Record how a mark was taken away after the restriction was lifted."""
    _demand(evidence, _("Say how it was done and checked."), "evidence_missing")
    with transaction.atomic():
        case = act(place.restriction.case, Permission.WORK, by, now, name="free_restricted")
        held = _held(place, case)
        if held.state != PlaceState.TO_FREE:
            raise Conflict(_("There is no mark to be taken away in this place."), "place_not_open")
        held.state = PlaceState.FREED
        held.freed_evidence = marking.together(held.freed_evidence, evidence.strip())
        held.freed_by_id, held.freed_at = by.person_id, now
        held.save()
        _place_on_record(held, by, now)
        touch(case)


# -- parts -------------------------------------------------------------------------------------------


def _acting(
    case: Case, action: Action, permission: Permission | None, by: By, now: datetime, version: int | None
) -> Case:
    """The case, locked; AlreadyDone where this person did this from the version that they saw."""
    locked = lock(case.pk)
    once_recorded(locked, action, by, version)
    return act(locked, permission, by, now, version=version, name=action.value.replace(".", "_"))


def _made(
    case: Case, chosen: Chosen, by: By, now: datetime, *, is_meanwhile: bool, begun_at: datetime | None = None
) -> Restriction:
    known = {one.code for one in law.grounds_for("restriction_trigger", case.regime)}
    if chosen.ground not in known or (is_meanwhile and chosen.ground != MEANWHILE[case.right]):
        raise Refused(_("Choose the ground from the list."), "unknown_ground")
    assert by.person_id is not None
    made = Restriction(
        controller_id=case.controller_id,
        case=case,
        subject_id=case.subject_id,
        ground=chosen.ground,
        is_meanwhile=is_meanwhile,
        chosen_by_id=by.person_id,
        chosen_at=now,
        begun_at=begun_at,
    )
    made.words = chosen.words.strip()
    made.save()
    for source in _places(case, chosen):
        RestrictedPlace.objects.create(controller_id=case.controller_id, restriction=made, source=source)
    return made


def _places(case: Case, chosen: Chosen) -> list[SourceSystem | None]:
    """The systems chosen; where none is connected, whatever place a person has to see to."""
    own = SourceSystem.objects.filter(controller_id=case.controller_id, is_active=True)
    found: list[SourceSystem | None] = list(own.filter(pk__in=chosen.source_ids))
    if len(found) != len(set(chosen.source_ids)) or (not found and own.exists()):
        raise Refused(_("Choose the systems in which the use is restricted."), "no_place")
    return found or [None]


def _decide_items(case: Case, chosen: Chosen, by: By, now: datetime) -> None:
    """What was found follows the systems: there it is not used, elsewhere it stays in use."""
    open_ = case.items.exclude(decision=ItemDecision.WITHHOLD)
    decided = {"decided_by": by.person_id, "decided_at": now, "redactions": None}
    inside = open_.filter(source_id__in=chosen.source_ids)
    inside.update(decision=ItemDecision.ACT, exemption="", **decided)
    open_.exclude(source_id__in=chosen.source_ids).filter(source_id__isnull=False).update(
        decision=ItemDecision.KEEP, exemption=ELSEWHERE, **decided
    )
    open_.filter(source_id__isnull=True).update(decision=ItemDecision.ACT, exemption="", **decided)


def _forbid_changing(before: Restriction) -> None:
    if before.begun_at is not None:
        raise Conflict(_("This restriction is in force: propose that it ends instead."), "restricted_already")


def _tell_of_it(case: Case, by: By, now: datetime) -> None:
    """Whoever is known well enough is told at once; of others it shows in the answer."""
    if not case.is_drill and requester_suffices(case):
        title, body = letters.draft(Kind.RESTRICTED, case.subject_request, now, case=case)
        letters.to_recipients(Kind.RESTRICTED, case, by, now, title=title, body=body)


def _in_force(found: Restriction, case: Case) -> Restriction:
    """The restriction as it is now, with its locked case."""
    held = Restriction.objects.select_for_update().get(pk=found.pk, case=case)
    held.case = case
    if not held.is_in_force:
        raise Conflict(_("This restriction is not in force."), "not_in_force")
    return held


def _held(place: RestrictedPlace, case: Case) -> RestrictedPlace:
    held: RestrictedPlace = (
        RestrictedPlace.objects.select_for_update(of=("self",))
        .select_related("restriction", "source")
        .get(pk=place.pk, restriction__case=case)
    )
    held.restriction.case = case
    return held


def _of_letter(letter: Letter) -> Restriction | None:
    """The restriction whose end a letter tells of, held after its case."""
    if letter.case_id is None:
        return None
    case = lock(letter.case_id)
    found: Restriction | None = (
        case.restrictions.select_for_update()
        .filter(lifted_at=None, lift_agreed_at__isnull=False, lift_agreed_at__lte=letter.written_at)
        .first()
    )
    if found is not None:
        found.case = case
    return found


def _is_everybody_told(found: Restriction) -> bool:
    written = found.case.letters.filter(
        kind=Kind.RESTRICTION_ENDS, is_incoming=False, written_at__gte=found.lift_agreed_at
    )
    states: dict[str, set[str]] = {}
    for party, state in written.values_list("party", "state"):
        states.setdefault(party, set()).add(state)
    return bool(states) and all(LetterState.SENT in found for found in states.values())


def _on_record(found: Restriction, action: Action, by: By, now: datetime, **codes: str) -> None:
    put_on_record(found.case, action, by, now, _codes(found) | codes | {"version": found.case.version})


def _codes(found: Restriction) -> dict[str, str | int]:
    return {"restriction": str(found.pk)}


def _place_on_record(place: RestrictedPlace, by: By, now: datetime) -> None:
    codes: dict[str, str | None] = {
        "source": str(place.source_id) if place.source_id else None,
        "state": place.state,
    }
    put_on_record(place.restriction.case, Action.PLACE_RECORDED, by, now, codes)


def _demand(text: str, sentence: str, code: str) -> None:
    if not text.strip():
        raise Refused(sentence, code)
