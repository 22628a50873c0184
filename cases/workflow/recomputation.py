"""Walk over a controller's open cases and compute their dates anew: when the law around them has changed, or on demand.

A walk goes in batches, each a transaction that keeps how far it came together with what it changed; whoever goes on
after a crash begins where the last batch ended. The facts of a batch are read at once, and only dates that moved are
written.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection

from cases import calendars, queries
from cases.deadlines.deadline import Deadline
from cases.models import Case, Recomputation
from cases.permissions import BY_SYSTEM
from cases.words import State
from cases.workflow import date_moves
from cases.workflow.clock import cached, put_move_on_record
from dsar.audit.record import gathered
from dsar.jobs.queue import enqueue
from dsar.lib.uuid7 import uuid7
from identity.models import Controller

log = logging.getLogger(__name__)

RECOMPUTE = "recompute"
BATCH = 1000
RESUMABLE = timedelta(days=1)

_OF_A_CASE = (
    *("controller_id", "right", "regime", "regime_version"),
    *("due_on", "target_on", "clock_state", "letter_on", "paused_on"),
)


@dataclass(frozen=True)
class Computed:
    """What a case's facts say, beside what it keeps of it."""

    case: Case
    noted: Sequence[queries.NotedRow]
    deadline: Deadline
    dates: dict[str, date | str | None]

    @property
    def differs(self) -> bool:
        return any(getattr(self.case, name) != value for name, value in self.dates.items())

    @property
    def moves_due_date(self) -> bool:
        return bool(self.case.due_on != self.dates["due_on"])


# -- what makes it necessary -----------------------------------------------------------------------------


def mark_of(controller: Controller) -> str | None:
    """A mark of everything but the facts that this controller's dates follow from; None while it is not known."""
    law = calendars.law_in_force()
    if law is None:
        return None
    own = f"{controller.region}|{controller.time_zone}|{controller.target_days}"
    return hashlib.sha256(f"{law}|{own}".encode()).hexdigest()


def follow_the_law(controller_id: UUID, now: datetime) -> UUID | None:
    """Order a walk where the law, the holidays or the controller's region changed since the newest one.

    Any number of schedulers may ask at once: one walk is ordered a change. Returns its id, or None.
    """
    # Not FOR UPDATE: requests that are logged meanwhile refer to this row.
    controller = Controller.objects.select_for_update(no_key=True).get(pk=controller_id)
    mark = mark_of(controller)
    newest = Recomputation.objects.filter(controller=controller, by_command=False).last()
    if mark is None or (newest is not None and newest.law == mark and newest.ended_at is not None):
        return None
    if newest is None or newest.law != mark:
        newest = Recomputation.objects.create(controller=controller, law=mark, begun_at=now)
    _order(newest, now)
    return newest.pk


def _order(walk: Recomputation, now: datetime) -> None:
    """While a job for it is open this adds none; one that was given up is made up for."""
    key, args = f"{RECOMPUTE}:{walk.pk}", {"walk": str(walk.pk)}
    enqueue(RECOMPUTE, controller_id=walk.controller_id, key=key, args=args, now=now)


def is_overtaken(walk: Recomputation) -> bool:
    """Whether the law changed again meanwhile: a newer walk passes every case that this one would."""
    newer = Recomputation.objects.filter(controller_id=walk.controller_id, by_command=False, pk__gt=walk.pk)
    return bool(newer.exists())


def is_of_another_law(walk: Recomputation) -> bool:
    """Whether this process knows another law than the walk is for, as while a new version is rolled out."""
    return mark_of(walk.controller) != walk.law


def begin_by_hand(controller_id: UUID, now: datetime, *, anew: bool) -> Recomputation:
    """The walk of a command: one that was cut off within a day goes on, unless it is to begin anew."""
    open_walks = Recomputation.objects.filter(controller=controller_id, by_command=True, ended_at=None)
    mark = mark_of(Controller.objects.get(pk=controller_id)) or ""
    cut_off = open_walks.filter(law=mark, begun_at__gt=now - RESUMABLE).last()
    if cut_off is not None and not anew:
        return cut_off
    return Recomputation.objects.create(controller_id=controller_id, law=mark, by_command=True, begun_at=now)


# -- the walk --------------------------------------------------------------------------------------------


def go_on(walk_id: UUID, now: datetime, *, batch: int = BATCH) -> Recomputation:
    """Look at the next cases, and put right what is wrong; in the caller's transaction. ``ended_at`` says it is over.

    Two that walk at once do not pass the same case twice: the row of the walk is held.
    """
    walk: Recomputation = Recomputation.objects.select_for_update(no_key=True).get(pk=walk_id)
    if walk.ended_at is not None:
        return walk
    cases = _next(walk.controller, walk.cursor, batch)
    wrong = _wrong(cases, walk.controller, now)
    moved = _put_right(wrong, walk, now) if wrong else 0
    walk.examined += len(cases)
    walk.moved += moved
    if cases:
        walk.cursor = cases[-1].pk
    if len(cases) < batch:
        walk.ended_at = now
        date_moves.tell(walk, now)
    walk.save(update_fields=["cursor", "examined", "moved", "ended_at"])
    return walk


@dataclass(frozen=True)
class Compared:
    """What a look at some cases gave; ``last`` is where to go on, None at the end."""

    examined: int
    differing: int
    last: UUID | None


def compare(controller_id: UUID, after: UUID | None, now: datetime, *, batch: int = BATCH) -> Compared:
    """How many of the next cases have wrong dates; nothing is changed."""
    controller = Controller.objects.get(pk=controller_id)
    cases = _next(controller, after, batch)
    wrong = _wrong(cases, controller, now)
    return Compared(len(cases), len(wrong), cases[-1].pk if len(cases) == batch else None)


def _next(controller: Controller, after: UUID | None, batch: int) -> list[Case]:
    cases = Case.objects.filter(controller=controller).exclude(state=State.CLOSED)
    if after is not None:
        cases = cases.filter(pk__gt=after)
    return list(cases.order_by("pk").only(*_OF_A_CASE)[:batch])


def _wrong(cases: Sequence[Case], controller: Controller, now: datetime) -> list[Computed]:
    noted = queries.noted_of([case.pk for case in cases])
    computed = (_computed_if_known(case, noted[case.pk], controller, now) for case in cases)
    return [found for found in computed if found is not None and found.differs]


def _computed_if_known(
    case: Case, noted: Sequence[queries.NotedRow], controller: Controller, now: datetime
) -> Computed | None:
    """None where the case's law or calendar is not installed here: the others are not to wait for it."""
    try:
        return _computed(case, noted, controller, now)
    except LookupError as error:
        log.warning("case %s keeps its dates: %s", case.pk, error)
        return None


def _computed(
    case: Case, noted: Sequence[queries.NotedRow], controller: Controller, now: datetime
) -> Computed:
    case.controller = controller
    facts = queries.facts_from(noted, case.right, controller.zone)
    deadline = queries.deadline_from(case, facts, now)
    return Computed(case, noted, deadline, cached(deadline))


def _put_right(wrong: Sequence[Computed], walk: Recomputation, now: datetime) -> int:
    """Hold what is wrong, and look again: somebody may have added a fact in between."""
    wrong = [found for found in _held(wrong, walk.controller, now) if found.differs]
    moved = [found for found in wrong if found.moves_due_date]
    with gathered():
        for found in moved:
            put_move_on_record(found.case, found.deadline, BY_SYSTEM, now)
    _keep_moves(moved, walk, now)
    _write(wrong, now)
    return len(wrong)


def _held(seen: Sequence[Computed], controller: Controller, now: datetime) -> list[Computed]:
    before = {found.case.pk: found for found in seen}
    cases = Case.objects.filter(pk__in=before).exclude(state=State.CLOSED).only(*_OF_A_CASE)
    held = list(cases.order_by("pk").select_for_update(of=("self",)))
    noted = queries.noted_of([case.pk for case in held])
    return [_seen_again(case, noted[case.pk], before[case.pk], controller, now) for case in held]


def _seen_again(
    case: Case, noted: Sequence[queries.NotedRow], before: Computed, controller: Controller, now: datetime
) -> Computed:
    """The same facts of the same right give the same dates; others are computed once more."""
    if noted != before.noted or case.right != before.case.right:
        return _computed(case, noted, controller, now)
    case.controller = controller
    return replace(before, case=case)


_UPDATE = """
UPDATE cases_case SET due_on = new.due_on, target_on = new.target_on, clock_state = new.clock_state,
       letter_on = new.letter_on, paused_on = new.paused_on,
       dates_version = cases_case.dates_version + 1, dates_moved_at = %s
  FROM unnest(%s::uuid[], %s::date[], %s::date[], %s::text[], %s::date[], %s::date[])
       AS new (id, due_on, target_on, clock_state, letter_on, paused_on)
 WHERE cases_case.id = new.id"""
_WRITTEN = ("due_on", "target_on", "clock_state", "letter_on", "paused_on")


def _write(wrong: Sequence[Computed], now: datetime) -> None:
    """All at once: a thousand rows cost what one does."""
    columns = [[found.dates[name] for found in wrong] for name in _WRITTEN]
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [now, [found.case.pk for found in wrong], *columns])


_KEEP = """
INSERT INTO cases_datemove (id, controller_id, case_id, recomputation_id, from_on, to_on, moved_at)
SELECT id, %s, case_id, %s, from_on, to_on, %s
  FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %s::date[]) AS new (id, case_id, from_on, to_on)"""


def _keep_moves(moved: Sequence[Computed], walk: Recomputation, now: datetime) -> None:
    columns = (
        [uuid7() for _found in moved],
        [found.case.pk for found in moved],
        [found.case.due_on for found in moved],
        [found.dates["due_on"] for found in moved],
    )
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [walk.controller_id, walk.pk, now, *columns])
