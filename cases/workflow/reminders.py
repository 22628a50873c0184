"""Warn in time: who is told of which date, each once, however often and late this runs.

What is due to be said follows from the day and the rows that were written before. A run that comes after a day
without any says the most urgent of what was missed, and puts the rest on the record as said with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Case as Choose
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value, When

from cases.correspondence import reminders as words
from cases.models import Case, MailState, Notice, Reminder, ReminderKind
from cases.permissions import BY_SYSTEM
from cases.words import State
from cases.workflow.in_charge import Staff
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import Codes, gathered
from dsar.jobs.queue import enqueue
from dsar.lib.uuid7 import uuid7
from identity.models import Controller, User

REMIND = "remind"
MAIL = "mail_reminders"
# Each batch looks at all cases of the brand again, so that large ones cost less.
BATCH = 2_000
# However many were told of, a page works through no more.
LOOKED_AT = 1_000
# A mail in the night is read no earlier; what fell due at midnight is said when the day begins.
FROM_HOUR = time(6)


@dataclass(frozen=True)
class Policy:
    """When a controller has its cases warned of; days before the date, but for ``pause``.

    ``dpo`` is from how many days before the limit on the data protection officer is told as well.
    """

    before_target: Sequence[int] = (3, 0)
    before_due: Sequence[int] = (7, 3, 1, 0)
    before_letter: Sequence[int] = (7, 3, 1, 0)
    pause: int = 14
    dpo: int = 3


USUAL = Policy()


def policy_of(controller: Controller) -> Policy:
    """What the controller chose, the usual for the rest."""
    return Policy(**controller.reminders)


class Reached(NamedTuple):
    """A threshold that a case has reached and nobody was told of."""

    case_id: UUID
    kind: str
    days: int
    aimed_on: date


# The first is said; the others of a case are noted with it.
_URGENCY = {kind.value: rank for rank, kind in enumerate(ReminderKind)}


def order(controller_id: UUID, now: datetime) -> bool:
    """Have a worker remind, where there is something to say; True where there is. Ends what is over."""
    end_what_is_over(controller_id, now)
    controller = Controller.objects.get(pk=controller_id)
    if not _reached(controller, now, 1):
        return False
    enqueue(REMIND, controller_id=controller_id, key=f"remind:{controller_id}", now=now)
    return True


def remind(controller_id: UUID, now: datetime, how_many: int = BATCH) -> int:
    """Tell of up to so many cases in the present transaction; returns of how many. Nought: nothing is left."""
    controller = Controller.objects.get(pk=controller_id)
    reached = _reached(controller, now, how_many)
    if not reached:
        return 0
    by_case: dict[UUID, list[Reached]] = defaultdict(list)
    for one in reached:
        by_case[one.case_id].append(one)
    told = [min(ones, key=lambda one: _URGENCY[one.kind]) for ones in by_case.values()]
    rows = _remembered(controller_id, reached, now)
    _tell(controller, [rows[one] for one in told], now)
    return len(told)


def _remembered(controller_id: UUID, reached: list[Reached], now: datetime) -> dict[Reached, Reminder]:
    """The rows that keep it from being said again; where another run wrote one first, this one fails as a whole."""
    rows = {
        one: Reminder(
            controller_id=controller_id,
            case_id=one.case_id,
            kind=one.kind,
            days=one.days,
            aimed_on=one.aimed_on,
            made_at=now,
        )
        for one in reached
    }
    Reminder.objects.bulk_create(rows.values())
    return rows


# -- what is due to be said ------------------------------------------------------------------------------

# The least threshold that is reached. A day that lies behind is as near as can be.
_LEAST = "(SELECT min(d) FROM unnest(%({name})s::int[]) d WHERE d >= greatest({column} - %(today)s, 0))"


def _part(kind: ReminderKind, name: str, column: str, condition: str) -> str:
    least = _LEAST.format(name=name, column=column)
    return (
        f"SELECT id AS case_id, '{kind.value}' AS kind, {least} AS days, {column} AS aimed_on FROM cases_case"  # noqa: S608
        f" WHERE controller_id = %(controller)s AND state <> 'closed' AND NOT is_drill AND {condition}"
        f" AND {column} <= %(today)s + (SELECT max(d) FROM unnest(%({name})s::int[]) d)"
    )


_STANDS_STILL = "clock_state IN ('paused', 'not_started')"
_RUNS = "clock_state = 'running'"
_ASKED = "state IN ('awaiting_identity', 'awaiting_clarification', 'awaiting_fee')"

# Each part follows an index of its own. Every piece is a constant of this file.
_REACHED = f"""
WITH found AS (
    {_part(ReminderKind.DUE, "before_due", "due_on", f"{_RUNS} AND due_on >= %(today)s")}
    UNION ALL
    {_part(ReminderKind.LETTER, "before_letter", "letter_on", f"clock_state <> 'running' AND {_STANDS_STILL}")}
    UNION ALL
    {_part(ReminderKind.LETTER, "before_letter", "letter_on", f"{_RUNS} AND {_ASKED} AND letter_on < due_on")}
    UNION ALL
    {_part(ReminderKind.TARGET, "before_target", "target_on", _RUNS)}
    UNION ALL
    SELECT id, 'late', 0, due_on FROM cases_case
     WHERE controller_id = %(controller)s AND state <> 'closed' AND NOT is_drill
       AND {_RUNS} AND due_on < %(today)s
    UNION ALL
    SELECT id, 'pause', %(pause)s, paused_on FROM cases_case
     WHERE controller_id = %(controller)s AND state <> 'closed' AND NOT is_drill
       AND clock_state <> 'running' AND paused_on <= %(today)s - %(pause)s
), fresh AS (
    SELECT * FROM found WHERE NOT EXISTS (
        SELECT FROM cases_reminder said
         WHERE said.case_id = found.case_id AND said.kind = found.kind
           AND said.aimed_on = found.aimed_on AND said.days <= found.days)
)
SELECT case_id, kind, days, aimed_on FROM fresh
 WHERE case_id IN (SELECT case_id FROM fresh ORDER BY case_id LIMIT %(how_many)s)
"""  # noqa: S608


def _reached(controller: Controller, now: datetime, how_many: int) -> list[Reached]:
    """What the cases of so many have reached by this day, as the brand's calendar has it."""
    local = now.astimezone(controller.zone)
    if local.time() < FROM_HOUR:
        return []
    policy = policy_of(controller)
    values: dict[str, Any] = {
        "controller": controller.pk,
        "today": local.date(),
        "before_due": list(policy.before_due),
        "before_letter": list(policy.before_letter),
        "before_target": list(policy.before_target),
        "pause": policy.pause,
        "how_many": how_many,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REACHED, values)
        return [Reached(*row) for row in cursor.fetchall()]


# -- telling ---------------------------------------------------------------------------------------------


def _tell(controller: Controller, reminders: list[Reminder], now: datetime) -> None:
    """A notice for each who is told, in the place of what they were told of the case before; one mail for each."""
    staff = Staff(controller.pk, now.astimezone(controller.zone).date())
    policy, batch = policy_of(controller), uuid7()
    cases = Case.objects.in_bulk([reminder.case_id for reminder in reminders])
    notices: list[Notice] = []
    for reminder in reminders:
        told = _recipients(cases[reminder.case_id], reminder, staff, policy)
        notices += [_notice(reminder, person_id, batch, now) for person_id in sorted(told)]
    Notice.objects.bulk_create(notices)
    _end_earlier(batch, now)
    _put_on_record(cases, reminders, notices, now)
    for person_id in sorted({notice.person_id for notice in notices}):
        _order_mail(controller.pk, batch, person_id, now)


def _recipients(case: Case, reminder: Reminder, staff: Staff, policy: Policy) -> set[UUID]:
    """Who is in charge; the controller's reviewer where the case lies with them; near the limit the officer."""
    told = set(staff.in_charge(case))
    if case.state == State.WITH_CONTROLLER:
        told |= set(staff.reviewers)
    near = reminder.kind in {ReminderKind.DUE, ReminderKind.LETTER} and reminder.days <= policy.dpo
    if near or reminder.kind == ReminderKind.LATE:
        told |= set(staff.officers)
    return told


def _end_earlier(batch: UUID, now: datetime) -> None:
    """Who is told of a case again has the new notice in the place of the old one."""
    again = Notice.objects.filter(batch=batch, case=OuterRef("case_id"), person=OuterRef("person_id"))
    cases = Notice.objects.filter(batch=batch).values("case")
    earlier = Notice.objects.filter(case__in=cases, ended_at=None).exclude(batch=batch)
    earlier.filter(Exists(again)).update(ended_at=now)


def _notice(reminder: Reminder, person_id: UUID, batch: UUID, now: datetime) -> Notice:
    return Notice(
        controller_id=reminder.controller_id,
        reminder=reminder,
        case_id=reminder.case_id,
        person_id=person_id,
        batch=batch,
        told_at=now,
    )


def _put_on_record(
    cases: dict[Any, Case], reminders: list[Reminder], notices: list[Notice], now: datetime
) -> None:
    told: dict[UUID, list[str]] = defaultdict(list)
    for notice in notices:
        told[notice.case_id].append(str(notice.person_id))
    with gathered():
        for reminder in reminders:
            codes: Codes = {
                "kind": str(reminder.kind),
                "days": reminder.days,
                "aimed_on": reminder.aimed_on.isoformat(),
                "told": told[reminder.case_id],
            }
            put_on_record(cases[reminder.case_id], Action.REMINDED, BY_SYSTEM, now, codes)


def _order_mail(controller_id: UUID, batch: UUID, person_id: UUID, now: datetime) -> None:
    enqueue(
        MAIL,
        controller_id=controller_id,
        key=f"reminders:{batch}:{person_id}",
        args={"batch": str(batch), "person": str(person_id)},
        now=now,
        max_attempts=8,
    )


@dataclass(frozen=True)
class Written:
    """A mail, ready to be sent outside of any transaction."""

    person: User
    title: str
    body: str
    batch: UUID

    def send(self) -> None:
        """Raises OSError or SMTPException where the mail server does not take it."""
        words.send(self.person, self.title, self.body, self.batch)


def written(batch: UUID, person_id: UUID, now: datetime) -> Written | None:
    """The mail as it is true now; None where nothing of it is left, or the person may not read it any more."""
    person = User.objects.get(pk=person_id)
    mine = notices_for(person).filter(batch=batch, mail=MailState.QUEUED)
    notices = list(mine.select_related("reminder", "case__subject_request", "case__controller"))
    if not notices or not person.is_active:
        return None
    today = now.astimezone(notices[0].case.controller.zone).date()
    notices.sort(key=lambda notice: (_URGENCY[notice.reminder.kind], notice.reminder.aimed_on, notice.pk))
    return Written(person, *words.mail(person, notices, today), batch)


def mailed(batch: UUID, person_id: UUID) -> None:
    """The mail server has taken it, or there was nothing to send."""
    _of(batch, person_id).update(mail=MailState.SENT)


def mail_failed(batch: UUID, person_id: UUID) -> None:
    """The mail server would not take it; the desk shows the notices all the same."""
    _of(batch, person_id).update(mail=MailState.FAILED)


def _of(batch: UUID, person_id: UUID) -> "QuerySet[Notice]":
    return Notice.objects.filter(batch=batch, person=person_id, mail=MailState.QUEUED)


# -- in the desk -----------------------------------------------------------------------------------------


_RUNNING = Q(case__clock_state="running")
_UNANSWERED = ~_RUNNING | Q(
    case__state__in=[State.AWAITING_IDENTITY, State.AWAITING_CLARIFICATION, State.AWAITING_FEE]
)
# The column whose date a reminder means, and what has to be true of the case for it to mean anything.
_AIMS = {
    ReminderKind.LATE: ("due_on", _RUNNING),
    ReminderKind.DUE: ("due_on", _RUNNING),
    ReminderKind.LETTER: ("letter_on", _UNANSWERED),
    ReminderKind.TARGET: ("target_on", _RUNNING),
    ReminderKind.PAUSE: ("paused_on", ~_RUNNING),
}


def standing(notices: "QuerySet[Notice]") -> "QuerySet[Notice]":
    """Those that still say something: not put aside, the case open, and its date still the one meant."""
    same = Q()
    for kind, (column, true) in _AIMS.items():
        same |= Q(true, reminder__kind=kind, reminder__aimed_on=F(f"case__{column}"))
    return notices.filter(same, ended_at=None).exclude(case__state=State.CLOSED)


def end_what_is_over(controller_id: UUID, now: datetime) -> int:
    """Put aside what says nothing any more, so that nobody's list grows for ever; returns how many."""
    alive = Notice.objects.filter(controller=controller_id, ended_at=None)
    over = alive.exclude(pk__in=standing(alive).values("pk"))
    return int(over.update(ended_at=now))


def notices_for(person: User) -> "QuerySet[Notice]":
    """What stands for this person, of cases that they may see."""
    found: QuerySet[Notice] = Notice.objects.visible_to(person).filter(person=person)
    return standing(found)


_RANK = Choose(*[When(reminder__kind=kind, then=Value(rank)) for kind, rank in _URGENCY.items()])


def most_urgent(person: User) -> "QuerySet[Notice]":
    """The latest of them in the order in which they want doing, with what a line shows."""
    latest = Notice.objects.filter(person=person, ended_at=None).order_by("-told_at").values("pk")
    found = notices_for(person).filter(pk__in=latest[:LOOKED_AT])
    found = found.select_related("reminder", "case__subject_request", "case__controller")
    return found.order_by(_RANK, "reminder__aimed_on", "pk")


def put_aside(person: User, notice_ids: Iterable[UUID], now: datetime) -> int:
    """The person has seen these; others keep theirs. Returns how many there were."""
    return int(notices_for(person).filter(pk__in=notice_ids).update(ended_at=now))
