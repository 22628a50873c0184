"""Through the simulator and back, over real HTTP: the provider's messages, in order and not, true and false."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from django.utils import timezone

from cases.models import Case, SubjectRequest
from cases.permissions import by_customer, by_staff
from cases.portal.views import external
from cases.words import State
from cases.workflow import external as checks
from cases.workflow import people
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job, JobState
from dsar.lib.tenancy import unit_of_work
from identity.limits import Limit, Per
from identity.models import Controller, ExternalCheck, ExternalEvent, IdentityProvider, Verification
from identity.providers.external.simulator.server import Server, running
from identity.providers.external.simulator.service import KEY, SIGNATURE_HEADER
from identity.providers.external.wire import MOST_BYTES, signature
from identity.roles import Role
from tests.browser import serving
from tests.cases.portal.conftest import Visitor, make_brand, newest_code
from tests.conftest import as_superuser
from tests.factories.cases import log, run_jobs
from tests.factories.external import provider_for
from tests.factories.identity import give_policy, staff
from tests.leaks import leaked

OTHER_KEY = "simulator-another"
NO_CERTIFICATES = (
    False  # reading all that a machine knows takes longer than most calls, and these go to itself
)


@pytest.fixture
def simulator() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def site(committed_db: None, settings: Any) -> Iterator[str]:
    """The desk behind a port, as the provider reaches it."""
    settings.DEMO = True
    with serving() as url:
        settings.BASE_URL = url
        yield url


@dataclass
class Office:
    """A brand with a provider, a customer's request that waits for who asks, and the customer's browser."""

    site: str
    simulator: Server
    brand: Controller
    request: SubjectRequest
    visitor: Visitor

    def work(self) -> None:
        """What workers would do by now."""
        with unit_of_work([self.brand.pk]):
            run_jobs()

    def begin(self) -> str:
        """Press the button; gives the simulator's address."""
        answer = self.visitor.send("external", agree="on")
        assert answer.status_code == 303, answer.content.decode()
        return str(answer.headers["Location"])

    def press(self, address: str, act: str) -> str:
        """Press a button of the simulator; gives the address to which the browser is sent."""
        with httpx2.Client(trust_env=False, verify=NO_CERTIFICATES) as client:
            answer = client.post(
                address,
                content=urlencode({"act": act}),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
        assert answer.status_code == 303
        self.work()
        return str(answer.headers["Location"])

    def tell(
        self,
        status: str,
        *,
        session: str = "",
        event: str = "",
        key: str = KEY,
        at: datetime | None = None,
        signed_at: float | None = None,
        body: bytes | None = None,
        signature_of: bytes | None = None,
    ) -> int:
        """Send a message in the provider's name; gives the status of the answer."""
        said = {
            "id": event or f"event-{time.monotonic_ns()}",
            "created": (at or datetime.now(UTC)).isoformat(),
            "session": {"id": session or self.session, "status": status},
        }
        content = json.dumps(said).encode() if body is None else body
        stamp = str(int(signed_at or time.time()))
        signed = signature(key, f"{stamp}.".encode() + (signature_of or content)).hex()
        with httpx2.Client(trust_env=False, verify=NO_CERTIFICATES) as client:
            answer = client.post(
                f"{self.site}/p/{self.brand.slug}/provider/messages/",
                content=content,
                headers={SIGNATURE_HEADER: f"t={stamp},v1={signed}", "Content-Type": "application/json"},
            )
        return int(answer.status_code)

    @property
    def check(self) -> ExternalCheck:
        with unit_of_work([self.brand.pk]):
            found = ExternalCheck.objects.latest("asked_at")
            found.session = str(found.session)
            return found

    @property
    def session(self) -> str:
        return str(self.check.session)

    @property
    def case(self) -> Case:
        with unit_of_work([self.brand.pk]):
            return Case.objects.get(subject_request=self.request, right="access")

    @property
    def effects(self) -> list[tuple[str, str]]:
        with unit_of_work([self.brand.pk]):
            return list(ExternalEvent.objects.order_by("received_at").values_list("outcome", "effect"))

    @property
    def known(self) -> tuple[str, int, str]:
        """The case's state, its level (a code to the address on file has shown 1), and the stage of the check."""
        case = self.case
        return (str(case.state), case.identity_level, self.check.stage)


@pytest.fixture
def office(site: str, simulator: Server) -> Office:
    with unit_of_work([]):
        brand = make_brand()
        give_policy(brand, {"default": 2})
        provider_for(brand, simulator.url)
    with unit_of_work([brand.pk]):
        request = log(brand)
        run_jobs()
        visitor = Visitor(brand)
    made = Office(site, simulator, brand, request, visitor)
    enter(made)
    return made


def enter(office: Office) -> None:
    """Sign the customer in with a code, as the portal asks for."""
    with unit_of_work([office.brand.pk]):
        request = SubjectRequest.objects.get(pk=office.request.pk)
        reference = request.reference
    office.visitor.claim(reference)
    office.work()
    office.visitor.send("code", code=newest_code())


# -- the way it goes ---------------------------------------------------------------------------------


def test_a_verified_customer_is_known_and_the_search_begins(office: Office) -> None:
    back = office.press(office.begin(), "approved")

    office.visitor.get(back.removeprefix(office.site))
    page = office.visitor.see("external")
    assert back == office.site + office.visitor.at("external-back")
    assert office.known == (State.REVIEW, 3, "verified")
    assert office.effects == [("high", "applied")]
    assert "The check was successful" in page.content.decode()


@pytest.mark.parametrize(
    ("act", "known", "effects"),
    [
        ("approved_document", (State.REVIEW, 2, "verified"), [("substantial", "applied")]),
        ("declined", (State.AWAITING_IDENTITY, 1, "refused"), [("refused", "applied")]),
        ("other_person", (State.AWAITING_IDENTITY, 1, "refused"), [("high", "applied")]),
        ("expired", (State.AWAITING_IDENTITY, 1, "expired"), [("expired", "applied")]),
        ("twice", (State.REVIEW, 3, "verified"), [("high", "applied")]),
        ("reordered", (State.REVIEW, 3, "verified"), [("high", "applied"), ("open", "out_of_order")]),
        ("late", (State.AWAITING_IDENTITY, 1, "open"), []),
        ("stale", (State.AWAITING_IDENTITY, 1, "open"), []),
        ("forged", (State.AWAITING_IDENTITY, 1, "open"), []),
    ],
)
def test_each_button_of_the_simulator(
    office: Office, act: str, known: tuple[str, int, str], effects: list[tuple[str, str]]
) -> None:
    office.press(office.begin(), act)

    assert (office.known, sorted(office.effects)) == (known, effects)


def test_another_persons_genuine_document_is_told_apart_by_its_name(office: Office) -> None:
    office.press(office.begin(), "other_person")

    assert office.check.reason == "other_person"


def test_a_result_that_nobody_told_is_found_when_the_customer_is_back(office: Office) -> None:
    back = office.press(office.begin(), "late")

    office.visitor.get(back.removeprefix(office.site))
    office.work()
    assert office.known == (State.REVIEW, 3, "verified")
    with unit_of_work([office.brand.pk]):
        assert [event.by_message for event in ExternalEvent.objects.all()] == [False]


def test_a_result_that_nobody_told_is_found_by_the_rounds(office: Office) -> None:
    office.press(office.begin(), "late")

    due(office)
    assert office.known == (State.REVIEW, 3, "verified")


def due(office: Office) -> None:
    """Let the next round come."""
    with unit_of_work([office.brand.pk]):
        Job.objects.filter(kind=checks.LOOK, state=JobState.QUEUED).update(not_before=timezone.now())
        run_jobs()


def test_rounds_grow_rarer_and_end_when_the_session_has_run_out(office: Office) -> None:
    office.begin()
    waits = []
    for _round in range(3):
        with unit_of_work([office.brand.pk]):
            job = Job.objects.get(kind=checks.LOOK, state=JobState.QUEUED)
            waits.append(round((job.not_before - job.created_at).total_seconds() / 60))
        due(office)
    with unit_of_work([office.brand.pk]):
        ExternalCheck.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    due(office)

    with unit_of_work([office.brand.pk]):
        left = Job.objects.filter(kind=checks.LOOK, state=JobState.QUEUED).count()
    assert (waits, office.known[2], office.check.reason, left) == ([2, 5, 15], "unanswered", "no_result", 0)


def test_pressing_twice_opens_one_session(office: Office) -> None:
    first, second = office.begin(), office.begin()

    assert (first, len(office.simulator.simulator._by_id)) == (second, 1)


def test_a_provider_that_is_away_says_so_and_the_next_press_goes_on(office: Office) -> None:
    with unit_of_work([office.brand.pk]):
        provider = IdentityProvider.objects.get()
        right, provider.options = (
            dict(provider.options),
            provider.options | {"base_url": "http://127.0.0.1:9"},
        )
        provider.save()
    away = office.visitor.send("external", agree="on")
    with unit_of_work([office.brand.pk]):
        IdentityProvider.objects.update(options=right)

    address = office.begin()
    assert (away.status_code, away.content.decode().count("cannot be reached at the moment")) == (422, 1)
    assert address.startswith(office.simulator.url)
    with unit_of_work([office.brand.pk]):
        assert ExternalCheck.objects.count() == 1


def test_what_is_sent_is_what_the_description_names(office: Office) -> None:
    office.begin()

    (session,) = office.simulator.simulator._by_id.values()
    with unit_of_work([office.brand.pk]):
        assert session.reference == str(ExternalCheck.objects.get().pk)
    assert (session.name, session.back) == ("Ada Example", office.site + office.visitor.at("external-back"))


def test_nothing_of_the_person_is_kept_with_what_was_told(office: Office) -> None:
    office.press(office.begin(), "approved")

    with as_superuser() as database:
        rows = str(database.execute("SELECT * FROM identity_externalevent").fetchall())
        rows += str(database.execute("SELECT * FROM identity_externalcheck").fetchall())
        rows += str(database.execute("SELECT data FROM audit_event WHERE action ~ 'external'").fetchall())
        rows += str(database.execute("SELECT args FROM jobs_job").fetchall())
    assert leaked(["Ada", "Example", "example.com", office.session], rows) == []


def test_the_way_there_leads_to_the_provider_alone(office: Office) -> None:
    policy = office.visitor.see("external").headers["Content-Security-Policy"]

    (forms,) = [part.strip() for part in policy.split(";") if part.strip().startswith("form-action")]
    assert forms == f"form-action 'self' {office.simulator.url}"


# -- in whatever order -------------------------------------------------------------------------------


def test_the_same_message_a_hundred_times_counts_once(office: Office) -> None:
    office.press(office.begin(), "declined")
    with unit_of_work([office.brand.pk]):
        before = AuditEvent.objects.filter(case_id=office.case.pk).count()
    event = "the-same"
    said = [office.tell("declined", event=event) for _time in range(5)]
    office.work()

    assert (said, office.effects[1:]) == ([200] * 5, [("refused", "nothing_new")])
    with unit_of_work([office.brand.pk]):
        assert AuditEvent.objects.filter(case_id=office.case.pk).count() == before + 1


def test_verified_after_expired_still_counts_while_the_case_waits(office: Office) -> None:
    office.press(office.begin(), "expired")
    session = next(iter(office.simulator.simulator._by_id.values()))
    message = office.simulator.simulator.decide(session, "approved")
    office.simulator.simulator.tell(session, message)
    office.work()

    assert office.known == (State.REVIEW, 3, "verified")
    with unit_of_work([office.brand.pk]):
        states = Verification.objects.filter(method="external_provider").values_list("state", flat=True)
        assert sorted(states) == ["achieved", "failed"]


def test_verified_after_the_rounds_ended_still_counts_while_the_case_waits(office: Office) -> None:
    address = office.begin()
    with unit_of_work([office.brand.pk]):
        ExternalCheck.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    due(office)
    assert office.known[2] == "unanswered"

    office.press(address, "approved")
    assert office.known == (State.REVIEW, 3, "verified")


def test_expired_after_verified_changes_nothing(office: Office) -> None:
    office.press(office.begin(), "approved")

    assert office.tell("expired") == 200
    office.work()
    assert (office.known[1:], office.effects[-1]) == ((3, "verified"), ("expired", "out_of_order"))


def test_an_older_verdict_does_not_overturn_a_newer_one(office: Office) -> None:
    office.press(office.begin(), "declined")

    office.tell("declined", at=datetime.now(UTC) - timedelta(hours=1))
    session = next(iter(office.simulator.simulator._by_id.values()))
    session.status, session.at = "approved", datetime.now(UTC) - timedelta(hours=1)
    office.tell("approved", at=session.at)
    office.work()
    assert office.known == (State.AWAITING_IDENTITY, 1, "refused")
    assert [effect for _outcome, effect in office.effects] == ["applied", "out_of_order", "out_of_order"]


def test_a_later_refusal_takes_the_proof_back(office: Office) -> None:
    office.press(office.begin(), "approved")

    office.tell("declined", at=datetime.now(UTC) + timedelta(seconds=1))
    office.work()
    with unit_of_work([office.brand.pk]):
        retracted = Verification.objects.get(method="external_provider").state
    assert (office.known[1:], retracted) == ((1, "refused"), "retracted")


def test_a_message_of_a_session_that_is_not_known_yet_waits_for_it(office: Office) -> None:
    said = office.tell("approved", session="not-known")
    office.work()

    with unit_of_work([office.brand.pk]):
        job = Job.objects.get(kind=checks.TAKE)
    assert (said, office.effects, job.state, job.error_code) == (
        200,
        [("high", "waiting")],
        JobState.QUEUED,
        "no_check_yet",
    )


# -- what is not believed ----------------------------------------------------------------------------


def untouched(office: Office) -> bool:
    office.work()
    return (office.known, office.effects) == ((State.AWAITING_IDENTITY, 1, "open"), [])


def test_a_stranger_s_signature_is_not_believed(office: Office) -> None:
    office.begin()

    assert (office.tell("approved", key=OTHER_KEY), untouched(office)) == (401, True)


def test_a_signature_of_another_message_is_not_believed(office: Office) -> None:
    office.begin()

    assert (office.tell("approved", signature_of=b'{"id": 1}'), untouched(office)) == (401, True)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_message_out_of_its_time_is_not_believed(office: Office, seconds: int) -> None:
    office.begin()

    assert (office.tell("approved", signed_at=time.time() + seconds * 1.05), untouched(office)) == (401, True)


def test_a_message_without_a_signature_is_not_believed(office: Office) -> None:
    office.begin()

    with httpx2.Client(trust_env=False, verify=NO_CERTIFICATES) as client:
        answer = client.post(f"{office.site}/p/{office.brand.slug}/provider/messages/", content=b"{}")
    assert (answer.status_code, untouched(office)) == (401, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"approved", 400),
        (b"[]", 400),
        (b'{"session": {"id": 5}}', 400),
        (b"[" * 50_000, 400),
        (b"\xff\xfe", 400),
        (b" " * (MOST_BYTES + 1), 413),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(office: Office, body: bytes, status: int) -> None:
    office.begin()

    assert (office.tell("approved", body=body), untouched(office)) == (status, True)


def test_another_brand_s_provider_decides_nothing_here(office: Office) -> None:
    """With its own key at this brand's address, and with its own address about this brand's session."""
    office.begin()
    session = office.session
    with unit_of_work([]):
        other = make_brand("nordlicht")
        provider_for(other, office.simulator.url, keys=[OTHER_KEY])
    at_ours = office.tell("approved", session=session, key=OTHER_KEY)
    stranger = Office(office.site, office.simulator, other, office.request, office.visitor)

    at_theirs = stranger.tell("approved", session=session, key=OTHER_KEY)

    stranger.work()
    assert (at_ours, at_theirs, untouched(office)) == (401, 200, True)


def test_another_session_s_result_is_that_session_s(office: Office) -> None:
    """Bob's check at the same provider goes well; Ada's does not become better for it."""
    office.begin()
    with unit_of_work([office.brand.pk]):
        provider = IdentityProvider.objects.get()
    session = office.simulator.simulator.start("", {"name": "Bob Stranger"})
    office.simulator.simulator.decide(session, "approved")

    assert office.tell("approved", session=session.id) == 200
    office.work()
    assert (office.known, provider.name) == ((State.AWAITING_IDENTITY, 1, "open"), "Prova ID")


def test_what_the_browser_brings_back_is_not_believed(office: Office) -> None:
    office.begin()

    answer = office.visitor.get(office.visitor.at("external-back") + "?status=approved&session=1")
    assert (answer.status_code, untouched(office)) == (303, True)


def test_whoever_is_not_believed_too_often_is_not_listened_to_for_an_hour(
    office: Office, monkeypatch: Any
) -> None:
    monkeypatch.setattr(external, "NOT_BELIEVED", Limit("not_believed", 3, per=Per.NETWORK))
    office.begin()

    said = [office.tell("approved", key=OTHER_KEY) for _time in range(5)]

    assert (said, untouched(office)) == ([401, 401, 401, 429, 429], True)


def test_the_simulator_s_word_counts_for_nothing_in_earnest(office: Office, settings: Any) -> None:
    office.begin()
    settings.DEMO = False

    assert (office.tell("approved"), untouched(office)) == (401, True)


def test_both_keys_hold_while_one_takes_the_place_of_the_other(office: Office) -> None:
    office.begin()
    with unit_of_work([office.brand.pk]):
        provider = IdentityProvider.objects.get()
        provider.secrets = provider.secrets | {"webhook_keys": ["simulator-new", KEY]}
        provider.save()

    said = [office.tell("created", key=key) for key in ("simulator-new", KEY, OTHER_KEY)]

    assert said == [200, 200, 401]


def test_a_stranger_cannot_begin_or_see_a_check(office: Office) -> None:
    office.begin()
    stranger = Visitor(office.brand)

    answers = [stranger.see("external"), stranger.send("external"), stranger.see("external-back")]

    assert [answer.headers["Location"] for answer in answers] == [stranger.at("enter") + "?ended"] * 3


def test_nobody_is_sent_there_without_consent(office: Office) -> None:
    answer = office.visitor.send("external")

    assert (answer.status_code, "Tick the box" in answer.content.decode()) == (422, True)
    with unit_of_work([office.brand.pk]):
        assert (ExternalCheck.objects.count(), len(office.simulator.simulator._by_id)) == (0, 0)


def test_a_form_from_elsewhere_begins_nothing(office: Office) -> None:
    careful = Visitor(office.brand, enforce_csrf_checks=True)
    careful.cookies = office.visitor.cookies

    assert careful.send("external").status_code == 403
    with unit_of_work([office.brand.pk]):
        assert ExternalCheck.objects.count() == 0


# -- after the end -----------------------------------------------------------------------------------


def close(office: Office) -> None:
    """The customer takes the request back while the provider still looks."""
    with unit_of_work([office.brand.pk]):
        case = Case.objects.get(subject_request=office.request)
        people.withdraw(case, by_customer(office.request.pk), timezone.now())


def test_a_result_after_the_case_was_closed_is_recorded_and_opens_nothing(office: Office) -> None:
    address = office.begin()
    close(office)

    office.press(address, "approved")
    check = office.check
    assert office.known == (State.CLOSED, 1, "unanswered")
    assert (check.reason, office.effects) == ("came_too_late", [("high", "late")])
    with unit_of_work([office.brand.pk]):
        assert list(
            Verification.objects.filter(method="external_provider").values_list("state", flat=True)
        ) == ["failed"]


def test_a_handler_lets_a_late_result_count_and_opens_the_case_with_a_reason(office: Office) -> None:
    address = office.begin()
    close(office)
    office.press(address, "approved")
    with unit_of_work([office.brand.pk]):
        handler = staff(Role.HANDLER, office.brand)

    with unit_of_work([office.brand.pk]):
        case, now = Case.objects.get(pk=office.case.pk), timezone.now()
        checks.count_late(case, office.check.pk, "The result came a day late.", by_staff(handler), now)
    assert office.known == (State.SEARCHING, 3, "verified")


def test_a_cancelled_check_proves_nothing_afterwards(office: Office) -> None:
    address = office.begin()
    with unit_of_work([office.brand.pk]):
        handler = staff(Role.HANDLER, office.brand)
    with unit_of_work([office.brand.pk]):
        checks.cancel(Case.objects.get(pk=office.case.pk), office.check.pk, by_staff(handler), timezone.now())

    office.work()
    told = next(iter(office.simulator.simulator._by_id.values())).status
    office.press(address, "approved")
    assert (told, office.known) == ("cancelled", (State.AWAITING_IDENTITY, 1, "cancelled"))
    assert office.effects == [("high", "late")]
