"""Coming back: codes, tokens and sessions under attack."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import SubjectRequest
from cases.portal import claims, sessions
from cases.portal.views import enter
from cases.words import Right, State
from dsar.jobs.models import Job
from identity import services
from identity.limits import Limit
from identity.models import AccessToken, Attempt, OneTimeCode, TokenPurpose, VerificationState
from tests.cases.portal.conftest import ADA, Visitor, ask, at_once, meridian, newest_code, text_of
from tests.factories.cases import log, run_jobs
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")


def build_world(patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> SubjectRequest:
    """A request whose address is on file."""
    at_once(patch)
    return ask(meridian())


@pytest.fixture
def asked(world: SubjectRequest) -> SubjectRequest:
    return world


brand = part("controller", called="brand")


def follow_token(request: SubjectRequest) -> str:
    return services.new_token(TokenPurpose.FOLLOW, request, timezone.now(), timedelta(days=1))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


# -- the link ----------------------------------------------------------------------------------------


def test_opening_the_link_does_nothing_yet(asked, visitor):
    response = visitor.see("follow", follow_token(asked))

    assert (response.status_code, OneTimeCode.objects.count(), len(response.cookies)) == (200, 0, 1)
    assert list(response.cookies) == ["csrftoken"]


def test_pressing_the_button_sends_a_code(asked, visitor):
    response = visitor.send("follow", follow_token(asked))
    run_jobs()

    assert response["Location"] == visitor.at("code")
    assert visitor.send("code", code=newest_code())["Location"] == visitor.at("mine") + "?done=welcome"


@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked", "session"])
def test_link_that_does_not_open_says_so(asked, visitor, kind):
    token = follow_token(asked)
    if kind == "unknown":
        token = "A" * len(token)
    elif kind == "session":
        token = sessions.begin(asked, timezone.now())
    elif kind == "expired":
        AccessToken.objects.filter(purpose="follow").update(expires_at=timezone.now())
    else:
        services.revoke_tokens(asked, timezone.now())

    response = visitor.see("follow", token)

    assert (response.status_code, response.templates[0].name) == (404, "portal/follow_stale.html")


def test_token_of_one_brand_opens_nothing_at_another(asked, visitor, stranger):
    token = follow_token(asked)
    there = Visitor(stranger)

    assert there.send("follow", token).status_code == 404
    visitor.sign_in(asked)
    there.cookies[sessions.COOKIE] = visitor.cookies[sessions.COOKIE].value
    assert there.see("mine")["Location"] == there.at("enter") + "?ended"


# -- telling nothing ---------------------------------------------------------------------------------

CLAIMS = {
    "true": ("{reference}", ADA),
    "wrong address": ("{reference}", "eve@example.com"),
    "unknown reference": ("{other}", ADA),
    "of another brand": ("{stranger}", ADA),
}


@pytest.fixture
def told(asked, stranger, brand) -> dict[str, str]:
    gone = log(brand, Right.ACCESS)
    SubjectRequest.objects.filter(pk=gone.pk).update(reference="2222-2223")
    return {"reference": asked.reference, "other": gone.reference, "stranger": log(stranger).reference}


def walk(brand: Any, reference: str, email: str) -> list[Any]:
    """Claim, look, fail until nothing is left, and ask for codes until there are no more."""
    here = Visitor(brand)
    answers = [here.claim(reference, email), here.see("code")]
    answers += [here.send("code", code="not it") for _ in range(6)]
    answers += [here.send("resend") for _ in range(5)]
    return [
        (answer.status_code, answer.get("Location"), sorted(answer.cookies), text_of(answer))
        for answer in answers
    ]


def test_true_and_false_claims_are_answered_alike(brand, told):
    walks = {
        name: walk(brand, reference.format(**told), email) for name, (reference, email) in CLAIMS.items()
    }

    assert walks["wrong address"] == walks["true"]
    assert walks["unknown reference"] == walks["true"]
    assert walks["of another brand"] == walks["true"]
    assert [status for status, *_ in walks["true"]] == [303, 200] + [422] * 6 + [303] * 4 + [429]


def work(brand: Any, reference: str, email: str) -> list[tuple[int, int]]:
    """How many statements and jobs each step costs, up to typing a wrong code."""
    here, costs = Visitor(brand), []
    steps = [
        lambda: here.claim(reference, email),
        lambda: here.see("code"),
        lambda: here.send("resend"),
    ]
    for step in steps:
        before = Job.objects.count()
        with CaptureQueriesContext(connection) as statements:
            step()
        costs.append((len(statements), Job.objects.count() - before))
        run_jobs()
    return costs


def test_asking_for_a_code_costs_the_same_work_whether_or_not_the_claim_is_true(brand, told):
    """So that neither time nor the load tells: who the claim belongs to, a job looks at."""
    costs = {
        name: work(brand, reference.format(**told), email) for name, (reference, email) in CLAIMS.items()
    }

    assert costs["wrong address"] == costs["true"]
    assert costs["unknown reference"] == costs["true"]
    assert costs["of another brand"] == costs["true"]
    assert [jobs for _statements, jobs in costs["true"]] == [1, 0, 1]


def test_false_claims_send_nothing(brand, told):
    run_jobs()
    before = len(mails())

    for name, (reference, email) in CLAIMS.items():
        if name != "true":
            Visitor(brand).claim(reference.format(**told), email)
    run_jobs()

    assert len(mails()) == before


def test_reference_is_understood_as_people_type_it(asked, visitor):
    visitor.claim(f" {asked.reference.lower().replace('-', ' ')} ", "ADA@Example.com")
    run_jobs()

    assert visitor.send("code", code=newest_code()).status_code == 303


def test_reference_that_cannot_be_one_keeps_what_was_typed(visitor):
    response = visitor.claim("K7QF-2M9A")

    assert response.status_code == 422
    assert 'value="K7QF-2M9A"' in response.content.decode()


def test_claim_of_another_brand_or_forged_is_forgotten(asked, visitor, stranger):
    visitor.claim(asked.reference)
    there = Visitor(stranger)
    there.cookies[claims.COOKIE] = visitor.cookies[claims.COOKIE].value
    forged = Visitor(visitor.brand)
    forged.cookies[claims.COOKIE] = '["K7QF-2M9D","00"]:x:y'

    assert there.see("code")["Location"] == there.at("enter") + "?ended"
    assert forged.see("code")["Location"] == forged.at("enter") + "?ended"


# -- guessing ----------------------------------------------------------------------------------------


def test_right_code_after_too_many_tries_no_longer_works(asked, visitor):
    visitor.claim(asked.reference)
    run_jobs()
    code = newest_code()

    for _ in range(services.CODE_TRIES):
        visitor.send("code", code=wrong(code))
    late = visitor.send("code", code=code)

    assert late.status_code == 422
    assert "wrong too often" in late.content.decode()
    assert sessions.COOKIE not in visitor.cookies


def test_expired_code_no_longer_works(asked, visitor):
    visitor.claim(asked.reference)
    run_jobs()
    old = timezone.now() - timedelta(minutes=11)
    OneTimeCode.objects.update(sent_at=old, expires_at=old + timedelta(minutes=10))
    Attempt.objects.filter(what="send").update(at=old)

    late = visitor.send("code", code=newest_code())

    assert (late.status_code, "too old" in late.content.decode()) == (422, True)


def test_code_before_the_newest_no_longer_works(asked, visitor):
    visitor.claim(asked.reference)
    run_jobs()
    first = newest_code()
    visitor.send("resend")
    run_jobs()

    assert visitor.send("code", code=first).status_code == 422 or first == newest_code()
    assert visitor.send("code", code=newest_code()).status_code == 303


def test_code_works_once(asked, visitor):
    visitor.claim(asked.reference)
    run_jobs()
    claim, code = visitor.cookies[claims.COOKIE].value, newest_code()
    visitor.send("code", code=code)
    thief = Visitor(visitor.brand)
    thief.cookies[claims.COOKIE] = claim

    assert thief.send("code", code=code).status_code == 422


def test_superseded_code_with_a_wrong_try_proves_nothing(brand, visitor):
    request = log(brand, Right.ACCESS)
    visitor.claim(request.reference)
    visitor.send("code", code="not it")
    visitor.send("resend")
    run_jobs()

    verification = services.open_verification(request, timezone.now())
    assert (verification.address_on_file, verification.state) == (True, VerificationState.OPEN)
    assert request.cases.get().state == State.AWAITING_IDENTITY


def test_many_places_cannot_guess_for_one_claim_for_ever(asked, brand, monkeypatch):
    """Each visitor has a claim cookie and an address of their own; the claim is counted."""
    monkeypatch.setattr(enter, "TRY", Limit("try", 3))
    sent = Visitor(brand)
    sent.claim(asked.reference)
    run_jobs()
    code = newest_code()
    cookie = sent.cookies[claims.COOKIE].value
    for number in range(3):
        guesser = Visitor(brand, REMOTE_ADDR=f"192.0.2.{number}")
        guesser.cookies[claims.COOKIE] = cookie
        guesser.send("code", code=wrong(code))

    assert sent.send("code", code=code).status_code == 422


# -- the session -------------------------------------------------------------------------------------


def test_session_cookie_is_for_this_brand_and_no_script(asked, visitor):
    visitor.sign_in(asked)

    cookie = visitor.cookies[sessions.COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (visitor.at("home"), True, "Lax")
    kept = AccessToken.objects.get(purpose=TokenPurpose.SESSION)
    assert bytes(kept.token_hash) == services.token_hash(cookie.value)


def test_session_cookie_is_secure_where_the_site_is(asked, visitor, settings):
    settings.SESSION_COOKIE_SECURE = True
    visitor.sign_in(asked)

    assert visitor.cookies[sessions.COOKIE]["secure"] is True


def test_session_ends_when_idle_and_is_prolonged_by_use(asked, visitor):
    visitor.sign_in(asked)
    token = AccessToken.objects.filter(purpose=TokenPurpose.SESSION)
    soon = timezone.now() + timedelta(minutes=5)
    token.update(expires_at=soon)

    assert visitor.see("mine").status_code == 200
    assert token.get().expires_at > soon
    token.update(expires_at=timezone.now())
    assert visitor.see("mine")["Location"] == visitor.at("enter") + "?ended"


def test_session_ends_after_a_working_day_however_busy(asked, visitor):
    visitor.sign_in(asked)
    AccessToken.objects.filter(purpose=TokenPurpose.SESSION).update(
        created_at=timezone.now() - sessions.LONGEST - timedelta(seconds=1)
    )

    assert visitor.see("mine").status_code == 303


def test_signing_out_ends_the_session_for_good(asked, visitor):
    visitor.sign_in(asked)
    value = visitor.cookies[sessions.COOKIE].value
    visitor.send("leave")
    thief = Visitor(visitor.brand)
    thief.cookies[sessions.COOKIE] = value

    assert thief.see("mine").status_code == 303


@pytest.mark.parametrize("page", ["mine", "code", "message", "resend", "leave"])
def test_pages_behind_the_code_show_strangers_nothing(asked, brand, page):
    here = Visitor(brand)

    response = here.see(page) if page in {"mine", "code"} else here.send(page)

    assert response.status_code == 303
    assert asked.reference not in response.content.decode()


def test_pages_are_not_kept_by_browsers(asked, visitor):
    visitor.sign_in(asked)

    assert set(visitor.see("mine")["Cache-Control"].split(", ")) == {"no-store", "private"}


def test_form_without_its_token_is_refused(asked):
    brand = asked.controller
    strict = Client(enforce_csrf_checks=True)
    visitor = Visitor(brand)
    visitor.sign_in(asked)
    strict.cookies[sessions.COOKIE] = visitor.cookies[sessions.COOKIE].value

    response = strict.post(visitor.at("message"), {"text": "forged"})

    assert (response.status_code, asked.letters.filter(is_incoming=True).count()) == (403, 0)
