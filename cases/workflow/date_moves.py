"""Due dates that moved though nobody touched the case: who is told, and that somebody has seen it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from cases.correspondence import date_moves as words
from cases.correspondence import reminders as staff_mail
from cases.models import Case, DateMove, Recomputation
from cases.permissions import By
from cases.words import State
from cases.workflow.in_charge import Staff
from cases.workflow.perform import act, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from identity.models import User
from identity.roles import Permission

MAIL = "mail_date_moves"
LISTED = 50


def tell(walk: Recomputation, now: datetime) -> int:
    """Order a mail for everybody in charge of a case that the walk moved; returns for how many people."""
    staff = _staff(walk, now)
    people = {person_id for hands in _hands(walk) for person_id in staff.in_charge(_held_by(*hands))}
    for person_id in sorted(people):
        enqueue(
            MAIL,
            controller_id=walk.controller_id,
            key=f"{MAIL}:{walk.pk}:{person_id}",
            args={"walk": str(walk.pk), "person": str(person_id)},
            now=now,
            max_attempts=8,
        )
    return len(people)


@dataclass(frozen=True)
class Written:
    """A mail, ready to be sent outside of any transaction."""

    person: User
    title: str
    body: str
    walk_id: UUID

    def send(self) -> None:
        """Raises OSError or SMTPException where the mail server does not take it."""
        staff_mail.send(self.person, self.title, self.body, self.walk_id)


def written(walk_id: UUID, person_id: UUID, now: datetime) -> Written | None:
    """The mail as it is true now; None where the person is not in charge of any of it any more."""
    walk = Recomputation.objects.select_related("controller").get(pk=walk_id)
    person = User.objects.get(pk=person_id)
    if not person.is_active:
        return None
    mine = _of_person(walk, person_id, _staff(walk, now))
    first = mine.select_related("case__subject_request", "case__controller").order_by("pk")[:LISTED]
    count = mine.count()
    return Written(person, *words.mail(person, list(first), count), walk_id) if count else None


def _of_person(walk: Recomputation, person_id: UUID, staff: Staff) -> "QuerySet[DateMove]":
    """The moves of cases that this person is in charge of today."""
    mine = Q(pk=None)
    for owner_id, team_id in _hands(walk):
        if person_id in staff.in_charge(_held_by(owner_id, team_id)):
            mine |= Q(case__owner=owner_id, case__team=team_id)
    return _moves(walk).filter(mine)


def _hands(walk: Recomputation) -> list[tuple[UUID | None, UUID | None]]:
    """In whose hands the cases are, each owner and team once: few, however many cases moved."""
    return list(_moves(walk).values_list("case__owner_id", "case__team_id").distinct())


def _held_by(owner_id: UUID | None, team_id: UUID | None) -> Case:
    return Case(owner_id=owner_id, team_id=team_id)


def _staff(walk: Recomputation, now: datetime) -> Staff:
    return Staff(walk.controller_id, now.astimezone(walk.controller.zone).date())


def _moves(walk: Recomputation) -> "QuerySet[DateMove]":
    """What moved and nobody has seen yet, without drills and what is closed by now."""
    found: QuerySet[DateMove] = DateMove.objects.filter(
        recomputation=walk, seen_at=None, case__is_drill=False
    )
    return found.exclude(case__state=State.CLOSED)


# -- in the desk -------------------------------------------------------------------------------------------


def unseen(case: Case) -> "QuerySet[DateMove]":
    """What nobody has said to have seen, oldest first."""
    found: QuerySet[DateMove] = case.date_moves.filter(seen_at=None)
    return found


def seen(case: Case, by: By, now: datetime) -> None:
    """Whoever works the case has taken note; it counts for all."""
    with transaction.atomic():
        locked = act(case, Permission.WORK, by, now, name="see_moved_date")
        if unseen(locked).update(seen_at=now, seen_by=by.person_id):
            put_on_record(locked, Action.DATE_MOVE_SEEN, by, now)
