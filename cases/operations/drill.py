"""A rehearsal: one request through everything, by the same verbs as the screens, for people who are test persons."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import tasks as _tasks  # noqa: F401  (declares the kinds of job)
from cases.models import Case, PackState, SearchState, SourceSystem, TaskState
from cases.operations import drill_changes
from cases.operations.apply import hashes_of
from cases.operations.drill_changes import CHANGING, Changes, Wish
from cases.permissions import By, by_staff
from cases.review import items
from cases.words import Channel, Outcome, Right, State
from cases.workflow import decide, identity, intake, review
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import OPERATOR, Codes, record, record_whatever_happens
from dsar.jobs.models import Job, JobState
from dsar.jobs.run import run_job
from dsar.lib.tenancy import unit_of_work
from dsar.vault import files
from identity.access import controller_for_slug
from identity.models import Controller, Membership, Team, TeamController, User
from identity.roles import Role

RIGHTS = (Right.ACCESS, Right.PORTABILITY, Right.ERASURE, Right.RECTIFICATION)
NOTHING = Wish()
PAUSE_SECONDS = 0.2
DECISIONS = ("disclosed", "redacted", "withheld", "acted", "kept", "undecided")


class UnknownController(Exception):
    """There is no brand of this name."""


class DrillRefused(Exception):
    """This person may not be asked for. ``code`` says why; the attempt is on the record."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class DrillStuck(Exception):
    """The drill went no further; ``report`` tells how far it came."""

    def __init__(self, sentence: str, report: "Report") -> None:
        super().__init__(sentence)
        self.report = report


@dataclass(frozen=True)
class Patience:
    """Who does the work, and how long to wait for it in seconds."""

    seconds: float
    in_process: bool = False


@dataclass(frozen=True)
class Step:
    """A state and when it was reached."""

    state: str
    at: str
    transition: str = ""


@dataclass(frozen=True)
class SourceResult:
    """What one source system answered; ``collections`` counts its records."""

    source: str
    state: str
    found: int
    seconds: float | None
    error: str
    collections: dict[str, int]


@dataclass(frozen=True)
class WrittenFile:
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Report:
    """What a drill tells."""

    reference: str
    controller: str
    right: str
    state: str
    outcome: str
    due_on: str | None
    seconds: float
    history: tuple[Step, ...]
    sources: tuple[SourceResult, ...]
    decisions: dict[str, int]
    withheld: dict[str, int]
    changes: Changes | None = None
    files: tuple[WrittenFile, ...] = ()


@dataclass
class _Drill:
    """One rehearsal under way."""

    controller: Controller
    preparer: By
    approver: By
    case_id: UUID
    patience: Patience
    wish: Wish = NOTHING
    changes: Changes | None = None
    started: float = field(default_factory=time.monotonic)

    def case(self) -> Case:
        found: Case = Case.objects.select_related("subject_request", "subject", "controller").get(
            pk=self.case_id
        )
        return found


def rehearse(
    slug: str, right: Right, person: intake.Person, out: Path, patience: Patience, wish: Wish = NOTHING
) -> Report:
    """Send one request through everything and write the answer to ``out``, decrypted, for its owner alone.

    What would change a source ends with its plan, tried out by reading; ``wish.execute`` carries it out, on test
    systems alone. Raises UnknownController, DrillRefused (on the record, nothing logged), or DrillStuck.
    """
    controller_id = controller_for_slug(slug)
    if controller_id is None:
        raise UnknownController(slug)
    drill = _begin(controller_id, right, person, patience, wish)
    _until(drill, _is_searched, _("The search did not come to its end: see the sources."))
    if right in CHANGING:
        _change(drill)
    else:
        _decide(drill)
        _until(drill, _is_closed, _("The answer was not made in time."))
    with unit_of_work([controller_id]):
        return _report(drill, _write(drill.case(), out))


# -- who may be asked for ----------------------------------------------------------------------------


def _begin(
    controller_id: UUID, right: Right, person: intake.Person, patience: Patience, wish: Wish
) -> _Drill:
    now = timezone.now()
    with unit_of_work([controller_id]):
        controller = Controller.objects.get(pk=controller_id)
        _refuse_strangers(controller, right, person, now)
        if wish.execute:
            _refuse_live_systems(controller, right, now)
        preparer, approver = _principals(controller)
        request = intake.log_request(_asked(controller, right, person, wish, now), preparer, now)
        codes: Codes = {"request": str(request.pk), "right": right.value, "execute": wish.execute}
        record(Action.DRILL_RUN, OPERATOR, now, controller_id=controller_id, data=codes)
        identity.record_drill(request, preparer, now)
        return _Drill(controller, preparer, approver, request.cases.get().pk, patience, wish)


def _refuse_strangers(controller: Controller, right: Right, person: intake.Person, now: datetime) -> None:
    """Each source is a test system, or lists everything by which this person would be searched there."""
    sources = SourceSystem.objects.filter(controller=controller, is_active=True)
    known = {name: value for name, value in person.known().items() if name != "name"}
    wanted = hashes_of(controller, now, **known)
    closed = [source for source in sources if not (source.is_test or _lists(source, wanted))]
    if not sources or len(wanted) < len(known):
        _refuse(
            controller,
            right,
            "nothing_to_search",
            _("There is no source system, or nothing to search by."),
            now,
        )
    if closed:
        sentence = _("%(sources)s: neither a test system nor a place where this person is listed for drills.")
        names = ", ".join(source.slug for source in closed)
        _refuse(controller, right, "not_a_test_person", sentence % {"sources": names}, now)


def _refuse_live_systems(controller: Controller, right: Right, now: datetime) -> None:
    """A listed person suffices to be read. Written is to nothing but a test system, and that for every source."""
    live = SourceSystem.objects.filter(controller=controller, is_active=True, is_test=False)
    if live:
        sentence = _("%(sources)s: not marked as a test system, and a drill changes nothing else.")
        names = ", ".join(source.slug for source in live)
        _refuse(controller, right, "not_a_test_system", sentence % {"sources": names}, now)


def _lists(source: SourceSystem, wanted: set[str]) -> bool:
    return bool(wanted) and wanted <= set(source.test_persons)


def _refuse(controller: Controller, right: Right, code: str, sentence: str, now: datetime) -> None:
    codes = {"code": code, "right": right.value}
    record_whatever_happens(Action.DRILL_REFUSED, OPERATOR, now, controller_id=controller.pk, data=codes)
    raise DrillRefused(code, sentence)


def _principals(controller: Controller) -> tuple[By, By]:
    """Who prepares and who approves: two principals that can never sign in, made at the first drill."""
    team, _created = Team.objects.get_or_create(name=f"Drills: {controller.slug}")
    TeamController.objects.get_or_create(team=team, controller=controller)
    preparer = _principal(controller, team, "preparer", [Role.HANDLER])
    approver = _principal(controller, team, "approver", [Role.DPO, Role.REVIEWER])
    return by_staff(preparer), by_staff(approver)


def _principal(controller: Controller, team: Team, name: str, roles: Sequence[Role]) -> User:
    person, is_new = User.objects.get_or_create(
        email=f"{name}.{controller.slug}@drill.invalid",
        defaults={"full_name": f"Drill: {name}", "is_principal": True, "password": "!"},
    )
    if not person.is_principal:
        raise PermissionError("the address of a principal belongs to somebody else")
    for role in roles if is_new else ():
        Membership.objects.create(team=team, user=person, role=role)
    return person


def _asked(
    controller: Controller, right: Right, person: intake.Person, wish: Wish, now: datetime
) -> intake.Intake:
    return intake.Intake(
        controller=controller,
        person=person,
        rights=[right],
        channel=Channel.PORTAL,
        received_at=now,
        language=controller.language,
        claims=wish.claims,
        is_drill=True,
    )


# -- the way through ---------------------------------------------------------------------------------


def _until(drill: _Drill, is_there: Callable[[Case], bool], otherwise: str) -> None:
    """Wait until the case is there; do its jobs meanwhile where that was asked for."""
    limit = time.monotonic() + drill.patience.seconds
    while True:
        with unit_of_work([drill.controller.pk]):
            case = drill.case()
            if is_there(case):
                return
            if time.monotonic() > limit or _is_stuck(case):
                raise DrillStuck(otherwise, _report(drill))
            jobs = _jobs(case) if drill.patience.in_process else []
        if not sum(run_job(job_id) for job_id in jobs):
            time.sleep(PAUSE_SECONDS)


def _is_searched(case: Case) -> bool:
    return bool(case.state == State.REVIEW)


def _is_closed(case: Case) -> bool:
    return bool(case.state == State.CLOSED)


def _is_stuck(case: Case) -> bool:
    """Nothing more will happen by itself: a source failed and the others are through, or the pack failed."""
    run = case.runs.filter(state="running").first()
    states = set(run.searches.values_list("state", flat=True)) if run else set()
    failed = SearchState.FAILED in states and not states & {SearchState.QUEUED, SearchState.RUNNING}
    return failed or case.packs.filter(state=PackState.FAILED).exists() or drill_changes.is_held_up(case)


def _jobs(case: Case) -> list[UUID]:
    """What is due, and what lost its lease on a machine that was too busy to say that it lives."""
    now = timezone.now()
    due = Q(state=JobState.QUEUED, not_before__lte=now) | Q(state=JobState.RUNNING, lease_until__lt=now)
    return list(Job.objects.filter(due, case_id=case.pk).values_list("pk", flat=True))


def _decide(drill: _Drill) -> None:
    """The review by the rules alone, then the second pair of eyes, then what the decision commands."""
    now = timezone.now()
    with unit_of_work([drill.controller.pk]):
        case = drill.case()
        review.decide_by_rules(case, drill.preparer, now)
        outcome = decide.outcome_of(case)
        reasons = (
            _("The rules alone disclose nothing of what was found.") if outcome == Outcome.REFUSED else ""
        )
        title, body = decide.draft_letter(case, outcome, reasons, now)
        case = decide.submit(case, title, body, drill.preparer, now, reasons=reasons)
        case = decide.approve(case, drill.approver, now)
        if case.state == State.WITH_CONTROLLER:
            decide.approve_for_controller(case, drill.approver, now)


def _change(drill: _Drill) -> None:
    """The plan by the rules, tried out; and where it is to be, approved, carried out, proven and certified."""
    controllers = [drill.controller.pk]
    _until(drill, drill_changes.is_idle, _("What is to be changed was not found in time."))
    with unit_of_work(controllers):
        unwritable = drill_changes.judge_values(drill.case(), drill.preparer, timezone.now())
    _until(drill, drill_changes.is_planned, _("The plan was not made in time."))
    with unit_of_work(controllers):
        drill.changes = drill_changes.told(drill.case(), unwritable=unwritable)
        if not drill.wish.execute:
            drill_changes.end_dry(drill.case(), drill.preparer, timezone.now())
            return
        drill_changes.decide_all(drill.case(), drill.preparer, timezone.now())
    _until(drill, drill_changes.is_planned, _("The plan was not made in time."))
    with unit_of_work(controllers):
        drill_changes.approve(drill.case(), drill.preparer, drill.approver, timezone.now())
    _until(drill, _is_carried_out, _("The changes did not come to their end: see what failed or is left."))
    with unit_of_work(controllers):
        drill_changes.record_by_hand(drill.case(), drill.preparer, timezone.now())
    _until(drill, _is_closed, _("The changes did not come to their end: see what failed or is left."))
    with unit_of_work(controllers):
        drill_changes.certify(drill.case(), drill.preparer, timezone.now())


def _is_carried_out(case: Case) -> bool:
    """Only people could go on."""
    return _is_closed(case) or (
        case.tasks.filter(state=TaskState.OPEN).exists() and drill_changes.is_idle(case)
    )


def _changes(drill: _Drill, case: Case) -> Changes | None:
    """What stands of the plan now; what the sources refused is told as they refused it."""
    if case.right not in CHANGING:
        return None
    before = drill.changes or Changes()
    if not drill.wish.execute and drill.changes is not None:
        return before
    now = drill_changes.told(case, is_executed=drill.wish.execute, unwritable=before.unwritable)
    return replace(now, refusals=before.refusals or now.refusals)


# -- what it tells -----------------------------------------------------------------------------------


def _report(drill: _Drill, written: Sequence[WrittenFile] = ()) -> Report:
    case = drill.case()
    groups = items.groups(case)
    return Report(
        reference=case.reference,
        controller=drill.controller.slug,
        right=case.right,
        state=case.state,
        outcome=case.outcome,
        due_on=case.due_on.isoformat() if case.due_on else None,
        seconds=round(time.monotonic() - drill.started, 2),
        history=tuple(_history(case)),
        sources=tuple(_sources(case, groups)),
        decisions={name: sum(getattr(group, name) for group in groups) for name in DECISIONS},
        withheld=dict(items.withheld_counts(case)),
        changes=_changes(drill, case),
        files=tuple(written),
    )


def _history(case: Case) -> Iterator[Step]:
    yield Step(State.RECEIVED.value, case.received_at.isoformat())
    changes = AuditEvent.objects.filter(case_id=case.pk, action=Action.STATE_CHANGED).order_by("seq")
    for event in changes:
        yield Step(event.data["to"], event.at.isoformat(), event.data["transition"])


def _sources(case: Case, groups: Sequence[items.Group]) -> Iterator[SourceResult]:
    run = case.runs.order_by("-number").first()
    for search in run.searches.select_related("source") if run else ():
        yield SourceResult(
            source=search.source.slug,
            state=search.state,
            found=search.found,
            seconds=_seconds(search),
            error=search.error_text,
            collections={
                group.collection: group.total for group in groups if group.source_id == search.source_id
            },
        )


def _seconds(search: Any) -> float | None:
    if search.started_at is None or search.ended_at is None:
        return None
    return float(round((search.ended_at - search.started_at).total_seconds(), 2))


def _write(case: Case, out: Path) -> list[WrittenFile]:
    """Decrypt the pack to the folder, readable by whoever ran the drill and nobody else."""
    pack = case.packs.filter(state=PackState.READY).first()
    if pack is None:
        return []
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [_write_one(entry.file, out) for entry in pack.files.select_related("file")]


def _write_one(stored: Any, out: Path) -> WrittenFile:
    where = out.joinpath(*[part for part in PurePosixPath(stored.name).parts if part not in {"/", ".."}])
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.unlink(missing_ok=True)
    with os.fdopen(os.open(where, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as target:
        target.writelines(files.read(stored))
    return WrittenFile(str(where), stored.size, stored.sha256)
