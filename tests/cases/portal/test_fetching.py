"""Fetching the answer: only by the right person, right after a fresh code, once for each press."""

import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Delivery, PackFile
from cases.permissions import by_staff
from cases.portal import sessions
from cases.portal.views import pack as views
from cases.words import Right
from cases.workflow import answer
from dsar.audit.models import AuditEvent
from identity import services
from identity.models import AccessToken, OneTimeCode, TokenPurpose
from identity.roles import Role
from tests.cases.portal.conftest import Inside, Visitor, answer_it, go_inside, newest_code, tokens
from tests.factories.cases import log, run_jobs
from tests.factories.identity import give_policy, staff
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")


@dataclass(frozen=True)
class World(Inside):
    """An answer that lies ready for a visitor who is in."""

    delivered: Delivery


def build_world(patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> World:
    found = go_inside(patch)
    return World(**vars(found), delivered=answer_it(found.asked.cases.get()))


brand, asked, delivered = part("brand"), part("asked"), part("delivered")


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world.brand, world.cookies)


def fetched(response) -> bytes:
    return b"".join(response.streaming_content)


def downloads(delivery: Delivery) -> int:
    delivery.refresh_from_db()
    return delivery.downloads


def test_request_page_leads_to_the_answer(visitor, delivered):
    assert visitor.at("pack", delivered.pk) in visitor.see("mine").content.decode()


def test_pack_lists_nothing_before_the_fresh_code(visitor, delivered):
    response = visitor.see("pack", delivered.pk)

    page = response.content.decode()
    assert (response.status_code, "manifest.json" in page, tokens(response)) == (200, False, [])


def test_whole_pack_comes_as_one_zip_with_every_file(visitor, delivered):
    page = visitor.step_up(delivered)

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    with zipfile.ZipFile(io.BytesIO(fetched(response))) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert sorted(names) == sorted(entry.file.name for entry in delivered.pack.files.all())
    assert downloads(delivered) == 1
    assert AuditEvent.objects.filter(action="pack.downloaded", actor_kind="customer").count() == 1


def test_download_is_not_kept_not_sniffed_and_safely_named(visitor, delivered):
    page = visitor.step_up(delivered)

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    reference = delivered.pack.case.reference.replace("/", "-")
    assert response["Content-Disposition"] == f'attachment; filename="{reference}.zip"'
    assert response["Cache-Control"] == "no-store, private"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_single_file_has_a_button_of_its_own(visitor, delivered):
    page = visitor.step_up(delivered)
    entry = delivered.pack.files.get(position=1)

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[2], file=entry.pk)

    assert len(fetched(response)) == entry.file.size


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.exe", "/abs.txt", 'a"\r\nSet-Cookie: x=1.txt', ".."]
)
def test_no_file_name_leads_out_of_the_folder(visitor, delivered, name):
    entry = delivered.pack.files.get(position=0)
    entry.file.name = name
    entry.file.save()
    page = visitor.step_up(delivered)
    whole, single, *_ = tokens(page)

    one = visitor.send("pack-fetch", delivered.pk, token=single, file=entry.pk)
    everything = visitor.send("pack-fetch", delivered.pk, token=whole)

    fetched(one)
    with zipfile.ZipFile(io.BytesIO(fetched(everything))) as archive:
        parts = [part for given in archive.namelist() for part in given.split("/")]
    assert [part for part in parts if part in {"", ".", ".."} or "\\" in part] == []
    assert [sign for sign in one["Content-Disposition"] if sign in "/\\\r\n"] == []


def test_button_works_once(visitor, delivered):
    page = visitor.step_up(delivered)
    fetched(visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0]))

    again = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (again.status_code, downloads(delivered)) == (422, 1)
    assert tokens(page)[0] not in tokens(again)


def test_button_is_spent_though_the_download_is_refused(visitor, delivered, monkeypatch):
    page = visitor.step_up(delivered)

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(answer, "fetch", fail)
    visitor.raise_request_exception = False
    visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])
    monkeypatch.undo()
    again = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (again.status_code, downloads(delivered)) == (422, 0)


def test_token_alone_opens_nothing(visitor, delivered):
    token = tokens(visitor.step_up(delivered))[0]

    response = Visitor(visitor.brand).send("pack-fetch", delivered.pk, token=token)

    assert (response.status_code, downloads(delivered)) == (303, 0)


def test_session_without_the_fresh_code_opens_nothing(visitor, delivered):
    token = answer.download_link(delivered, timezone.now())

    response = visitor.send("pack-fetch", delivered.pk, token=token)

    assert (response["Location"], downloads(delivered)) == (visitor.at("pack", delivered.pk), 0)


def test_fresh_code_is_asked_for_again_after_some_minutes(visitor, delivered):
    page = visitor.step_up(delivered)
    AccessToken.objects.filter(purpose=TokenPurpose.SESSION).update(
        created_at=timezone.now() - sessions.STEPPED_UP - timedelta(seconds=1)
    )

    late = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (late.status_code, downloads(delivered)) == (303, 0)
    assert tokens(visitor.see("pack", delivered.pk)) == []


def test_code_for_entering_is_none_for_fetching(visitor, delivered, asked):
    visitor.claim(asked.reference)
    run_jobs()

    response = visitor.send("pack", delivered.pk, code=newest_code())

    assert (response.status_code, tokens(visitor.see("pack", delivered.pk))) == (422, [])


def test_step_up_takes_no_more_tries_than_any_code(visitor, delivered):
    visitor.send("pack-code", delivered.pk)
    run_jobs()
    code = newest_code()
    for _ in range(services.CODE_TRIES):
        visitor.send("pack", delivered.pk, code="not it")

    late = visitor.send("pack", delivered.pk, code=code)

    assert (late.status_code, "wrong too often" in late.content.decode()) == (422, True)


def test_step_up_sends_no_more_codes_than_an_hour_allows(visitor, delivered):
    statuses = [visitor.send("pack-code", delivered.pk).status_code for _ in range(6)]

    assert statuses == [303] * 4 + [429] * 2
    assert OneTimeCode.objects.count() == services.CODES_PER_HOUR


def test_session_is_new_after_the_fresh_code(visitor, delivered):
    before = visitor.cookies[sessions.COOKIE].value
    visitor.step_up(delivered)
    thief = Visitor(visitor.brand)
    thief.cookies[sessions.COOKIE] = before

    assert thief.see("mine").status_code == 303
    assert visitor.see("mine").status_code == 200


@pytest.mark.parametrize("misdirected", [False, True])
def test_nothing_comes_after_it_was_revoked(visitor, delivered, brand, misdirected):
    page = visitor.step_up(delivered)
    answer.revoke(delivered, "Wrong person", misdirected, by_staff(staff(Role.DPO, brand)), timezone.now())

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (response.status_code, downloads(delivered)) == (303, 0)


def test_revoked_answer_is_gone_for_a_new_session_too(visitor, delivered, brand, asked):
    answer.revoke(delivered, "Wrong person", False, by_staff(staff(Role.DPO, brand)), timezone.now())
    visitor.sign_in(asked)

    assert visitor.see("pack", delivered.pk).status_code == 404
    assert visitor.at("pack", delivered.pk) not in visitor.see("mine").content.decode()


def test_nothing_comes_after_its_time(visitor, delivered):
    page = visitor.step_up(delivered)
    Delivery.objects.update(available_until=timezone.now())

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (response.status_code, downloads(delivered)) == (404, 0)


def test_nothing_comes_when_the_level_is_no_longer_enough(visitor, delivered):
    page = visitor.step_up(delivered)
    give_policy(delivered.pack.case.controller, {"default": 3})

    response = visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0])

    assert (response.status_code, downloads(delivered)) == (422, 0)


def test_answer_that_nobody_was_told_of_is_not_there(visitor, delivered):
    Delivery.objects.update(sent_at=None)

    assert visitor.see("pack", delivered.pk).status_code == 404


def test_answer_by_post_is_not_there(visitor, delivered):
    Delivery.objects.update(route="post")

    assert visitor.see("pack", delivered.pk).status_code == 404


def test_answer_to_somebody_else_is_not_found(visitor, delivered, brand):
    other = log(brand, Right.ACCESS)
    run_jobs()
    neighbour = Visitor(brand)
    neighbour.sign_in(other)
    theirs = answer_it(other.cases.get())

    assert [visitor.see("pack", theirs.pk).status_code, neighbour.see("pack", delivered.pk).status_code] == [
        404,
        404,
    ]
    assert visitor.send("pack-code", theirs.pk).status_code == 404


def test_token_and_file_of_somebody_elses_answer_open_nothing(visitor, delivered, brand):
    other = log(brand, Right.ACCESS)
    run_jobs()
    Visitor(brand).sign_in(other)
    theirs = answer_it(other.cases.get())
    foreign = answer.download_link(theirs, timezone.now())
    mine = tokens(visitor.step_up(delivered))[0]

    with_token = visitor.send("pack-fetch", delivered.pk, token=foreign)
    with_file = visitor.send("pack-fetch", delivered.pk, token=mine, file=theirs.pack.files.all()[0].pk)

    assert (with_token.status_code, with_file.status_code) == (422, 404)
    assert (downloads(delivered), downloads(theirs)) == (0, 0)


def test_answer_is_not_found_through_another_brand(visitor, delivered, stranger):
    token = tokens(visitor.step_up(delivered))[0]
    there = Visitor(stranger)
    there.cookies[sessions.COOKIE] = visitor.cookies[sessions.COOKIE].value

    answers = [
        there.see("pack", delivered.pk).status_code,
        there.send("pack-fetch", delivered.pk, token=token).status_code,
    ]

    assert (answers, downloads(delivered)) == ([303, 303], 0)


@pytest.mark.parametrize("token", ["", "x", "A" * 43])
def test_guessed_token_opens_nothing(visitor, delivered, token):
    visitor.step_up(delivered)

    assert visitor.send("pack-fetch", delivered.pk, token=token).status_code == 422


@pytest.mark.parametrize("file", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_file_that_is_not_in_the_pack_is_not_found(visitor, delivered, file):
    page = visitor.step_up(delivered)

    assert visitor.send("pack-fetch", delivered.pk, token=tokens(page)[0], file=file).status_code == 404


def test_download_needs_a_press_not_a_link(visitor, delivered):
    visitor.step_up(delivered)

    assert visitor.see("pack-fetch", delivered.pk).status_code == 405


def test_download_without_the_forms_token_is_refused(visitor, delivered):
    page = visitor.step_up(delivered)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[sessions.COOKIE] = visitor.cookies[sessions.COOKIE].value

    response = strict.post(visitor.at("pack-fetch", delivered.pk), {"token": tokens(page)[0]})

    assert (response.status_code, downloads(delivered)) == (403, 0)


def test_many_files_are_listed_and_only_the_first_have_buttons(visitor, delivered, monkeypatch):
    monkeypatch.setattr(views, "SINGLE_FILES", 2)

    page = visitor.step_up(delivered)

    assert len(tokens(page)) == 3
    names = PackFile.objects.filter(pack=delivered.pack).count()
    assert page.content.decode().count('class="pack-files__name"') == names
