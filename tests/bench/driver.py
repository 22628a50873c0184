"""Drives the workflow as screens do, in a process that stays warm: ``python -m tests.bench.driver``.

Reads one JSON line an act, ``["name", {arguments}]``, and answers with one.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from cases import tasks as _tasks  # noqa: E402, F401  (declares the kinds of job)
from cases.collection import identifiers, runs  # noqa: E402
from cases.connectors.base import EMAIL, Connector, Identifier, Page  # noqa: E402
from cases.models import Case, Instruction, ResponsePack, SourceSystem  # noqa: E402
from cases.operations import drill_changes  # noqa: E402
from cases.permissions import BY_SYSTEM, By, by_staff  # noqa: E402
from cases.words import Channel, Right, Say, State, Step  # noqa: E402
from cases.workflow import decide, identity, review  # noqa: E402
from cases.workflow.intake import Intake, Person, log_request  # noqa: E402
from dsar.celery import app  # noqa: E402
from dsar.jobs.models import Job, JobState  # noqa: E402
from dsar.jobs.run import run_job  # noqa: E402
from dsar.lib.tenancy import unit_of_work  # noqa: E402
from dsar.lib.uuid7 import uuid7  # noqa: E402
from dsar.vault import keyring  # noqa: E402
from dsar.vault.models import KeyPurpose  # noqa: E402
from identity import sessions  # noqa: E402
from identity.models import Controller, User  # noqa: E402
from identity.roles import Role  # noqa: E402
from identity.session_store import SessionStore  # noqa: E402
from tests.bench import metered  # noqa: E402
from tests.factories.identity import enrolled, give_policy, staff  # noqa: E402
from tests.kills.driving import answer  # noqa: E402

SLUG = "bench"
POLL_SECONDS = 0.005
LOOK_SECONDS = 0.1  # at what takes many seconds
REST = 4  # times as long as a look took, so that looking itself is no work to speak of
QUEUE = app.conf.task_default_queue
PREPARER, APPROVER = "preparer@bench.example", "approver@bench.example"


def _brand(slug: str = SLUG) -> Controller:
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_controller_for_slug(%s)", [slug])
        controller_id = cursor.fetchone()[0]
    with unit_of_work([controller_id]):
        return Controller.objects.get(pk=controller_id)


def _by(email: str) -> By:
    return by_staff(User.objects.get(email=email))


# -- setting up ------------------------------------------------------------------------------------------


def set_up() -> str:
    """A brand whose instruction lets the desk release by itself, a handler and a DPO; returns its slug."""
    brand = _made(SLUG)
    with unit_of_work([brand.pk]):
        rules = {step.value: Say.ALLOW.value for step in Step}
        Instruction.objects.create(controller=brand, version=1, rules=rules, issued_at=timezone.now())
        staff(Role.HANDLER, brand, email=PREPARER)
        staff(Role.DPO, brand, email=APPROVER)
    return SLUG


def _made(slug: str) -> Controller:
    controller_id = uuid7()
    with unit_of_work([controller_id]):
        brand = Controller.objects.create(
            id=controller_id,
            slug=slug,
            name="Bench",
            legal_name="Bench Limited",
            privacy_email="privacy@bench.example",
            regime="UK-ENG",
            time_zone="Europe/London",
            language="en-gb",
            languages=["en-gb"],
        )
        give_policy(brand, {"default": 1})
        return brand


def connect(options: dict[str, Any], dataset: str) -> None:
    """The CRM as the brand's source system."""
    secrets = {"password": options.pop("password")}
    erasing = options.pop("erasing", None)
    _add_source(_brand(), "crm", "postgresql", options, secrets, dataset, erasing)


def _add_source(
    brand: Controller,
    name: str,
    connector: str,
    options: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    dataset: str = "",
    erasing: Mapping[str, str] | None = None,
) -> None:
    with unit_of_work([brand.pk]):
        source = SourceSystem(
            controller=brand,
            key=keyring.shared_key(KeyPurpose.CONTROLLER, brand.pk, timezone.now()),
            slug=name,
            name=name.upper(),
            connector=connector,
            options=dict(options),
            dataset=dataset,
        )
        source.secrets = dict(secrets or {})
        source.erasing_secrets = {**source.secrets, **erasing} if erasing else None
        source.save()


def workers() -> list[str]:
    """The workers that answer: ``worker``, ``upkeep``."""
    return sorted(name.partition("@")[0] for reply in app.control.ping(timeout=0.5) or () for name in reply)


# -- accesses --------------------------------------------------------------------------------------------


def access(emails: Sequence[str], seconds: float) -> dict[str, float]:
    """Log accesses as drills and work each as soon as it can be, until all are closed with their packs.

    Returns when, in seconds from the first, the last was logged, reviewed and closed. Raises TimeoutError.
    """
    brand, began = _brand(), time.monotonic()
    open_cases = {_log(brand, email) for email in emails}
    logged = time.monotonic() - began
    reviewed = 0.0
    preparer, approver = _by(PREPARER), _by(APPROVER)
    while open_cases:
        _in_time(began + seconds, open_cases)
        looked = time.monotonic()
        with unit_of_work([brand.pk]):
            still = Case.objects.filter(controller=brand).exclude(state=State.CLOSED)
            states = dict(still.values_list("pk", "state"))
        looking = time.monotonic() - looked
        open_cases &= states.keys()
        for case_id in [case_id for case_id in open_cases if states[case_id] == State.REVIEW]:
            _release(brand, case_id, preparer, approver)
            reviewed = time.monotonic() - began
        time.sleep(max(POLL_SECONDS, REST * looking))
    return {"logged": logged, "reviewed": reviewed, "closed": time.monotonic() - began}


def _log(brand: Controller, email: str, right: Right = Right.ACCESS) -> UUID:
    with unit_of_work([brand.pk]):
        now = timezone.now()
        intake = Intake(
            controller=brand,
            person=Person(name="Ada Example", email=email),
            rights=[right],
            channel=Channel.CALL,
            received_at=now,
            is_drill=True,
        )
        request = log_request(intake, BY_SYSTEM, now)
        identity.record_drill(request, BY_SYSTEM, now)
        case_id: UUID = request.cases.values_list("pk", flat=True).get()
        return case_id


def _release(brand: Controller, case_id: UUID, preparer: By, approver: By) -> None:
    """What a handler and a second person do, by the rules alone."""
    with unit_of_work([brand.pk]):
        now = timezone.now()
        case = Case.objects.get(pk=case_id)
        review.decide_by_rules(case, preparer, now)
        title, body = decide.draft_letter(case, decide.outcome_of(case), "", now)
        case = decide.submit(case, title, body, preparer, now)
    with unit_of_work([brand.pk]):
        decide.approve(case, approver, timezone.now())


def _in_time(until: float, open_cases: set[UUID]) -> None:
    if time.monotonic() > until:
        raise TimeoutError(f"{len(open_cases)} cases are still open")


def log_all(emails: Sequence[str]) -> list[str]:
    """Log an access of each as a drill; the ids of their cases."""
    brand = _brand()
    return [str(_log(brand, email)) for email in emails]


def release_all(cases: Sequence[str]) -> None:
    """Decide all of them, by the rules alone."""
    brand, preparer, approver = _brand(), _by(PREPARER), _by(APPROVER)
    for case_id in cases:
        _release(brand, UUID(case_id), preparer, approver)


def hold_workers() -> None:
    """Let the workers take nothing more from the queue; they stay as warm as they are."""
    app.control.cancel_consumer(QUEUE, destination=_takers(), reply=True)


def drain(cases: Sequence[str], state: str, seconds: float) -> float:
    """Let the workers go; how long it takes until all these cases are in a state. Raises TimeoutError."""
    brand, takers, first = _brand(), _takers(), min(map(UUID, cases))
    began = time.monotonic()
    app.control.add_consumer(QUEUE, destination=takers)
    while left := _left(brand, first, state):
        if time.monotonic() > began + seconds:
            raise TimeoutError(f"{left} cases are still open")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _left(brand: Controller, first: UUID, state: str) -> int:
    """How many of the cases that were logged since then are not in this state; ids follow the time."""
    with unit_of_work([brand.pk]):
        return Case.objects.filter(controller=brand, pk__gte=first).exclude(state=state).count()


def _takers() -> list[str]:
    """The workers that take jobs, by their whole names."""
    names = [name for reply in app.control.ping(timeout=0.5) or () for name in reply]
    return [name for name in names if name.startswith("worker@")]


# -- erasures --------------------------------------------------------------------------------------------


def propose_erasure(email: str, seconds: float) -> str:
    """Log an erasure as a drill and prepare it up to the approval; its case's id. Raises TimeoutError."""
    brand, preparer = _brand(), _by(PREPARER)
    case_id, until = _log(brand, email, Right.ERASURE), time.monotonic() + seconds
    _wait(brand, case_id, drill_changes.is_planned, until)
    with unit_of_work([brand.pk]):
        drill_changes.decide_all(Case.objects.get(pk=case_id), preparer, timezone.now())
    _wait(brand, case_id, drill_changes.is_planned, until)
    with unit_of_work([brand.pk]):
        case, now = Case.objects.get(pk=case_id), timezone.now()
        title, body = decide.draft_letter(case, decide.outcome_of(case), "", now)
        decide.submit(case, title, body, preparer, now)
    return str(case_id)


def erase(case: str, seconds: float) -> dict[str, Any]:
    """Approve it, and wait until it is carried out, proven and closed: how long, and what became of each record."""
    brand, approver, case_id = _brand(), _by(APPROVER), UUID(case)
    began = time.monotonic()
    with unit_of_work([brand.pk]):
        decide.approve(Case.objects.get(pk=case_id), approver, timezone.now())
    _wait(brand, case_id, lambda one: one.state == State.CLOSED, began + seconds)
    took = time.monotonic() - began
    with unit_of_work([brand.pk]):
        found = drill_changes.told(Case.objects.get(pk=case_id), is_executed=True)
        return {"seconds": took, "receipts": dict(found.receipts), "left": len(found.leftovers)}


def _wait(brand: Controller, case_id: UUID, true: Callable[[Case], bool], until: float) -> None:
    while True:
        looked = time.monotonic()
        with unit_of_work([brand.pk]):
            if true(Case.objects.get(pk=case_id)):
                return
        _in_time(until, {case_id})
        time.sleep(max(POLL_SECONDS, REST * (time.monotonic() - looked)))


def newest_pack() -> dict[str, int]:
    """What the last pack holds: records, files and bytes."""
    brand = _brand()
    with unit_of_work([brand.pk]):
        pack = ResponsePack.objects.filter(controller=brand).order_by("-built_at").first()
        assert pack is not None
        sizes = list(pack.files.values_list("file__size", flat=True))
        return {"records": pack.case.items.count(), "files": len(sizes), "bytes": sum(sizes)}


# -- a crowd -------------------------------------------------------------------------------------------------


def plant(slug: str, sources: Mapping[str, Mapping[str, Any]]) -> None:
    """A brand of its own, with these metered sources."""
    brand = _made(slug)
    for name, options in sources.items():
        _add_source(brand, name, metered.KEY, options)


def log_many(slug: str, count: int) -> None:
    """So many people ask, each of them once."""
    brand = _brand(slug)
    for number in range(count):
        _log(brand, f"user{number}@example.com")


def searching(slug: str) -> dict[str, int]:
    """How many cases are still searched for, how many searches could run, and how many jobs of any kind do."""
    brand = _brand(slug)
    with unit_of_work([brand.pk]):
        cases = Case.objects.filter(controller=brand, state=State.SEARCHING).count()
        jobs = Job.objects.filter(controller_id=brand.pk, kind=runs.SEARCH)
        due = jobs.filter(state=JobState.QUEUED, not_before__lte=timezone.now()).count()
        running = Job.objects.filter(controller_id=brand.pk, state=JobState.RUNNING).count()
        return {"cases": cases, "running": running, "due": due}


def search_alone(slug: str, records: int) -> dict[str, float]:
    """Search one person's only source in this process; the seconds of that, and of reading the source alone."""
    brand = _brand(slug)
    case_id = _log(brand, "user77@example.com")
    with unit_of_work([brand.pk]):
        connector = identifiers.connect(SourceSystem.objects.get(controller=brand))
        job_id = Job.objects.values_list("pk", flat=True).get(case_id=case_id, kind=runs.SEARCH)
    began = time.monotonic()
    if not run_job(job_id):
        raise RuntimeError("a worker was quicker")
    searched = time.monotonic()
    read = sum(len(page.records) for page in _pages(connector))
    ended = time.monotonic()
    with unit_of_work([brand.pk]):
        found = Case.objects.get(pk=case_id).items.count()
    if (found, read) != (records, records):
        raise RuntimeError(f"of {records} records {found} were found and {read} read")
    return {"search": searched - began, "reading": ended - searched}


def _pages(connector: Connector) -> Iterator[Page]:
    matches = connector.find([Identifier(EMAIL, "user77@example.com")])
    page = connector.collect(matches, None)
    yield page
    while page.next:
        page = connector.collect(matches, page.next)
        yield page


# -- pages -----------------------------------------------------------------------------------------------


def address(name: str, arguments: Sequence[str] = ()) -> str:
    """The path of a page."""
    return str(reverse(name, args=list(arguments)))


def sign_in() -> str:
    """A handler's session that has passed both factors, made in the database; returns the cookie's value."""
    with unit_of_work([_brand().pk]):
        person = User.objects.get(email=PREPARER)
        device = person.totpdevice_set.first() or enrolled(person)
        now = int(time.time())
        session = SessionStore()
        session.update(
            {
                "_auth_user_id": str(person.pk),
                "_auth_user_backend": "identity.signin.PasswordBackend",
                "_auth_user_hash": person.get_session_auth_hash(),
                "otp_device_id": device.persistent_id,
                sessions.STARTED: now,
                sessions.SEEN: now,
                sessions.FACTOR_AT: now,
            }
        )
        session.create()
        return str(session.session_key)


def queries(path: str, cookie: str) -> dict[str, int]:
    """Status and number of statements of one page."""
    client = Client(headers={"host": "127.0.0.1"})
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    return {"status": response.status_code, "queries": len(captured)}


def one_request() -> str:
    """An ordinary request, as a pattern for many; returns its case's id."""
    brand = _brand()
    with unit_of_work([brand.pk]), transaction.atomic():
        now = timezone.now()
        person = Person(name="Ada Example", email="pattern@example.com")
        intake = Intake(brand, person, [Right.ACCESS], Channel.CALL, now)
        return str(log_request(intake, BY_SYSTEM, now).cases.get().pk)


if __name__ == "__main__":
    answer(
        set_up,
        connect,
        workers,
        access,
        log_all,
        release_all,
        hold_workers,
        drain,
        propose_erasure,
        erase,
        newest_pack,
        plant,
        log_many,
        searching,
        search_alone,
        address,
        sign_in,
        queries,
        one_request,
    )
