"""Whoever received the data is told what became of it: each once, with no more than finds the person there."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest
from django.utils import timezone

from cases.correspondence import outbox
from cases.fulfilment.recipient_call import signature
from cases.models import (
    AnswerCode,
    FoundIdentifier,
    Letter,
    LetterState,
    NoticeState,
    RecipientNotice,
    TaskState,
    Told,
)
from cases.permissions import by_customer
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, recipients, review
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from tests.factories.cases import run_jobs
from tests.factories.recipients import RecipientFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def case(desk):
    return desk.in_review(Right.ERASURE)


def tell(case, desk, sources=("crm",), told=Told.ERASED, occasion=None, **fields):
    return recipients.tell(case, occasion or uuid4(), told, set(sources), desk.handler, NOW, **fields)


def only(case) -> RecipientNotice:
    return case.recipient_notices.select_related("recipient", "case", "letter").get()


class Ear(BaseHTTPRequestHandler):
    """A recipient that notes what it hears, and answers as the test says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, said = self.server.says.pop(0) if self.server.says else (200, b"{}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def listening(*says) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Ear)
    server.heard, server.says = [], list(says)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def calls(desk, server, **fields):
    return RecipientFactory.create(
        controller=desk.controller,
        route="api",
        url=f"http://127.0.0.1:{server.server_port}/notices",
        is_private=True,
        secrets={"token": "its-token", "signing_key": "shared"},
        **fields,
    )


def test_those_whom_the_source_feeds_are_told_once(case, desk):
    RecipientFactory.create(controller=desk.controller, name="Fed", fed_by=["crm", "shop"])
    RecipientFactory.create(controller=desk.controller, name="Fed by all", fed_by=[])
    RecipientFactory.create(controller=desk.controller, name="Elsewhere", fed_by=["shop"])
    RecipientFactory.create(controller=desk.controller, name="Old", fed_by=[], is_active=False)
    occasion = uuid4()

    first, second = tell(case, desk, occasion=occasion), tell(case, desk, occasion=occasion)

    assert ([one.recipient.name for one in first], second) == (["Fed", "Fed by all"], [])


def test_letter_holds_what_finds_the_person_and_nothing_else(case, desk):
    RecipientFactory.create(controller=desk.controller, email="dpo@partner.example", finds_by=["email"])
    tell(case, desk)

    run_jobs()

    mail = next(one for one in outbox.mails() if "dpo@partner.example" in one.to)
    notice = only(case)
    assert (notice.state, "ada@example.com" in mail.body, "Ada Example" in mail.body) == ("sent", True, False)
    assert case.reference in mail.body


@pytest.mark.parametrize(("numbers", "told"), [(["C-7"], "C-7"), (["C-7", "C-8"], None), ([], None)])
def test_number_that_one_source_revealed_finds_the_person_elsewhere(case, desk, numbers, told):
    run = case.runs.get()
    for number in numbers:
        found = FoundIdentifier(case=case, run=run, source=run.searches.first().source, round=1)
        found.controller_id, found.kind, found.value_hash = case.controller_id, "external_id", number.encode()
        found.content = {"value": number, "ref": "people/1", "type": "people"}
        found.save()
    RecipientFactory.create(controller=desk.controller, finds_by=["external_id", "name"])

    (notice,) = tell(case, desk)

    assert notice.content["person"].get("external_id") == told


def test_letter_is_in_the_recipients_language_and_says_what_is_right_now(case, desk):
    RecipientFactory.create(controller=desk.controller, language="en-gb", finds_by=["external_id", "email"])

    tell(case, desk, told=Told.CORRECTED, corrected={"crm": {"city": "Leeds"}})

    letter = Letter.objects.get(kind="recipient")
    assert ("- city: Leeds" in letter.body, letter.to_requester) == (True, False)


def test_nobody_is_told_of_values_that_no_source_of_theirs_holds(case, desk):
    RecipientFactory.create(controller=desk.controller, language="en-gb", fed_by=["crm"])
    right = {"crm": {"city": "Leeds"}, "ledger": {"iban": "GB33 BUKB 2020 1555 5555 55"}}

    tell(case, desk, sources=("crm", "ledger"), told=Told.CORRECTED, corrected=right)

    assert only(case).content["corrected"] == {"city": "Leeds"}


def test_letter_by_post_waits_for_the_post(case, desk):
    RecipientFactory.create(controller=desk.controller, route="post", email="", postal_address="1 Quay\nHull")
    tell(case, desk)
    letter = only(case).letter

    carry_out.posted(letter, "RR 1", desk.handler, NOW)

    assert (letter.address.splitlines()[1:], only(case).state) == (["1 Quay", "Hull"], NoticeState.SENT)


def test_who_cannot_find_the_person_is_not_told_more_instead(case, desk):
    RecipientFactory.create(controller=desk.controller, finds_by=["external_id"])

    tell(case, desk)

    notice = only(case)
    assert (notice.state, notice.error_code, Letter.objects.filter(kind="recipient").count()) == (
        NoticeState.FAILED,
        "not_findable",
        0,
    )


def test_call_is_signed_and_its_answer_is_kept(case, desk):
    with listening((200, b'{"outcome": "not_held"}')) as server:
        calls(desk, server)
        tell(case, desk)
        run_jobs()
        headers, body = server.heard[0]

    notice, stamp = only(case), headers["dsar-signature"].partition(",")[0].removeprefix("t=")
    at = datetime.fromtimestamp(int(stamp), UTC)
    assert (notice.state, notice.answer_code, notice.status) == ("answered", AnswerCode.NOT_HELD, 200)
    assert headers["dsar-signature"] == signature("shared", body, at)
    assert headers["authorization"] == "Bearer its-token"
    assert json.loads(body) | {"id": "", "on": ""} == {
        "id": "",
        "event": "erased",
        "reference": case.reference,
        "controller": case.controller.legal_name,
        "on": "",
        "person": {"email": "ada@example.com"},
        "corrected": {},
        "answer_to": case.controller.privacy_email,
        "reminder": 0,
    }


def test_call_that_is_refused_fails_and_can_be_tried_again(case, desk):
    with listening((403, b""), (202, b"")) as server:
        calls(desk, server)
        tell(case, desk)
        run_jobs()
        refused = only(case)
        recipients.try_again(refused, desk.handler, NOW)
        run_jobs()

    assert (refused.state, refused.error_code, only(case).state) == ("failed", "http_403", "sent")


def test_call_into_a_private_network_is_not_made_unless_that_is_said(case, desk):
    with listening() as server:
        recipient = calls(desk, server)
        recipient.is_private = False
        recipient.save()
        tell(case, desk)
        run_jobs()

        assert (server.heard, only(case).error_code) == ([], "forbidden_destination")


def test_answer_is_recorded_by_the_handler_and_nobody_else(case, desk):
    RecipientFactory.create(controller=desk.controller)
    tell(case, desk)
    run_jobs()

    with pytest.raises(NotAllowed):
        recipients.record_answer(only(case), AnswerCode.DONE, "", desk.agent, NOW)
    recipients.record_answer(only(case), AnswerCode.KEEPS, "Tax law.", desk.handler, NOW)

    notice = only(case)
    assert (notice.state, notice.words, notice.content) == ("answered", "Tax law.", None)


def test_excuse_needs_a_reason_and_cannot_follow_a_notice_that_went(case, desk):
    RecipientFactory.create(controller=desk.controller, finds_by=["phone"])
    tell(case, desk)

    with pytest.raises(Refused):
        recipients.excuse(only(case), NoticeState.IMPOSSIBLE, " ", desk.handler, NOW)
    recipients.excuse(only(case), NoticeState.IMPOSSIBLE, "It was wound up.", desk.handler, NOW)
    with pytest.raises(Refused) as refusal:
        recipients.excuse(only(case), NoticeState.IMPOSSIBLE, "Once more.", desk.handler, NOW)

    assert (only(case).words, refusal.value.code) == ("It was wound up.", "told_already")


def test_silent_recipients_are_reminded_twice_and_no_more(case, desk):
    RecipientFactory.create(controller=desk.controller, remind_days=14)
    RecipientFactory.create(controller=desk.controller, expects_answer=False)
    tell(case, desk)
    run_jobs()
    days = [13, 15, 20, 30, 45, 60]

    reminded = [recipients.chase(desk.controller.pk, NOW + timedelta(days=day)) for day in days]

    silent = case.recipient_notices.select_related("recipient").get(recipient__expects_answer=True)
    assert (reminded, silent.reminders) == ([0, 1, 0, 1, 0, 0], 2)
    assert recipients.is_silent(silent, NOW + timedelta(days=45))


def test_bounced_letter_is_a_notice_that_nobody_got(case, desk):
    RecipientFactory.create(controller=desk.controller)
    tell(case, desk)
    run_jobs()

    carry_out.letter_bounced(only(case).letter, desk.handler, NOW)

    assert (only(case).state, only(case).error_code) == (NoticeState.FAILED, "bounced")


def done_by_hand(desk, right=Right.ERASURE):
    """An erasure that was carried out by hand: its one task is recorded."""
    desk.allow()
    case = desk.in_approval(right)
    decide.approve(case, desk.dpo, timezone.now())
    for task in case.tasks.filter(state=TaskState.OPEN):
        carry_out.record_task(task, True, "Deleted, and looked for again.", desk.handler, timezone.now())
    case.refresh_from_db()
    return case


def test_case_does_not_close_before_its_recipients_are_told(desk):
    recipient = RecipientFactory.create(controller=desk.controller, finds_by=["external_id"])
    case = done_by_hand(desk)
    run_jobs()
    case.refresh_from_db()
    waiting = (case.state, carry_out.unfinished(case))

    recipients.excuse(
        only(case), NoticeState.DISPROPORTIONATE, "Thousands of leaflets.", desk.handler, timezone.now()
    )

    case.refresh_from_db()
    assert (waiting, case.state) == ((State.FULFILLING, ["recipients"]), State.CLOSED)
    assert (case.outcome, only(case).recipient) == (Outcome.FULFILLED, recipient)


def test_letter_names_the_recipients_only_when_asked(desk):
    RecipientFactory.create(controller=desk.controller, name="Adverts GmbH")
    silent = done_by_hand(desk)

    letter = silent.letters.filter(kind="done").get()

    assert "Adverts GmbH" not in letter.body


def test_letter_names_the_recipients_when_the_person_asked(desk):
    RecipientFactory.create(controller=desk.controller, name="Adverts GmbH")
    case = desk.in_review(Right.ERASURE)
    recipients.ask_names(case, desk.agent, timezone.now())
    desk.allow()
    review.decide_by_rules(case, desk.handler, timezone.now())
    decide.approve(desk.submitted(case), desk.dpo, timezone.now())
    for task in case.tasks.filter(state=TaskState.OPEN):
        carry_out.record_task(task, True, "Deleted.", desk.handler, timezone.now())

    letter = case.letters.filter(kind="done").get()
    assert "Adverts GmbH" in letter.body


def test_nobody_asks_for_the_names_of_another_request(desk, case):
    with pytest.raises(NotAllowed):
        recipients.ask_names(case, by_customer(uuid4()), NOW)
    recipients.ask_names(case, by_customer(case.subject_request_id), NOW)

    case.refresh_from_db()
    assert case.names_recipients


def test_trail_and_jobs_hold_no_personal_data(case, desk):
    RecipientFactory.create(controller=desk.controller)
    tell(case, desk)
    run_jobs()

    told = str(list(AuditEvent.objects.values_list("data", flat=True)))

    assert "ada@" not in told
    assert LetterState.SENT in set(Letter.objects.filter(kind="recipient").values_list("state", flat=True))
