"""A document's way: sent, looked at, judged by a person, destroyed. And whose it is not."""

import itertools
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone, translation

from cases.deadlines.events import EventKind
from cases.models import Case, Letter
from cases.permissions import By, by_customer, by_staff
from cases.words import State
from cases.workflow import document as documents
from cases.workflow import document_words as words
from cases.workflow import identity, people, upkeep
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.vault import files, keyring
from dsar.vault.models import StoredFile
from identity import services
from identity.evidence.intake import Picture
from identity.evidence.keeping import Checked
from identity.models import DocumentKind, DocumentPicture, DocumentStage, IdentityDocument, Level
from identity.roles import Role
from tests.factories.cases import log, run_jobs
from tests.factories.identity import ControllerFactory, give_policy, staff
from tests.identity.documents.pictures import jpeg, noisy, on_a_table, page
from tests.identity.documents.specimens import SPECIMENS

pytestmark = pytest.mark.django_db

PICTURE = Checked(Picture(jpeg(page())))


@pytest.fixture
def case(desk: Any) -> Case:
    """A case that waits for who asks."""
    give_policy(desk.controller, {"default": 2})
    return desk.case()


def customer(case: Case) -> By:
    return by_customer(case.subject_request_id)


def sent(case: Case, pictures: int = 1, kind: DocumentKind = DocumentKind.PASSPORT) -> IdentityDocument:
    return documents.hand_in(case.subject_request, kind, [PICTURE] * pictures, customer(case), timezone.now())


def on_disk(settings: Any) -> list[Path]:
    return sorted(path for path in Path(settings.DATA_DIR).glob("??/*"))


def paths_of(document: IdentityDocument) -> list[Path]:
    return [files.path(picture.file_id) for picture in document.pictures.all()]


def facts(case: Case) -> list[str]:
    return list(case.clock_events.order_by("at", "id").values_list("kind", flat=True))


def trail(case: Case) -> list[str]:
    return list(
        AuditEvent.objects.filter(case_id=case.pk, action__startswith="identity.document")
        .order_by("seq")
        .values_list("action", flat=True)
    )


# -- the way it goes ---------------------------------------------------------------------------------


def test_a_document_is_kept_encrypted_and_tells_the_clock(case: Case) -> None:
    document = sent(case, 2)

    (first, second) = paths_of(document)
    assert (document.stage, document.verification.state) == (DocumentStage.WAITING, "open")
    assert [path.exists() for path in (first, second)] == [True, True]
    assert PICTURE.picture.jpeg[100:200] not in first.read_bytes()
    assert facts(case)[-1] == EventKind.IDENTITY_RECEIVED.value
    assert trail(case) == ["identity.document_received"]


def test_an_accepted_document_lets_the_case_go_on(case: Case, desk: Any) -> None:
    document = sent(case)

    documents.accept(case, document.pk, 2, desk.handler, timezone.now())

    case.refresh_from_db()
    document = IdentityDocument.objects.get(pk=document.pk)
    assert (case.state, case.identity_level) == (State.SEARCHING, 2)
    assert facts(case)[-1] == EventKind.IDENTITY_CONFIRMED.value
    assert (document.stage, document.decided_by_id) == (DocumentStage.ACCEPTED, desk.handler.person_id)
    assert (document.verification.state, document.verification.level) == ("achieved", 2)
    assert trail(case) == [
        "identity.document_received",
        "identity.document_decided",
        "identity.document_destroyed",
    ]


def test_a_refused_document_shows_nothing_and_the_customer_is_told(case: Case, desk: Any) -> None:
    document = sent(case)

    documents.refuse(case, document.pk, "expired", desk.handler, timezone.now())

    case.refresh_from_db()
    document = IdentityDocument.objects.get(pk=document.pk)
    told = Letter.objects.filter(case=case, kind="message").get()
    assert (case.state, case.identity_level) == (State.AWAITING_IDENTITY, 0)
    assert (document.stage, document.reason, document.verification.state) == ("refused", "expired", "failed")
    assert "It has expired. Please use one that is valid." in told.body


def test_the_customer_is_told_in_their_own_language(case: Case, desk: Any) -> None:
    document = sent(case)

    with translation.override("de"):  # the reviewer's
        documents.refuse(case, document.pk, "expired", desk.handler, timezone.now())

    told = Letter.objects.get(case=case, kind="message")
    assert str(words.AFTER_REFUSAL) in told.body


def test_more_that_is_asked_for_joins_what_was_sent(case: Case, desk: Any) -> None:
    document = sent(case)

    documents.ask_more(case, document.pk, "back_missing", desk.handler, timezone.now())
    again = sent(case)

    assert (again.pk, again.pictures.count(), again.stage) == (document.pk, 2, DocumentStage.WAITING)


def test_another_document_may_follow_a_refused_one(case: Case, desk: Any) -> None:
    documents.refuse(case, sent(case).pk, "expired", desk.handler, timezone.now())

    documents.accept(case, sent(case).pk, 2, desk.handler, timezone.now())

    case.refresh_from_db()
    assert case.identity_level == 2


def test_a_reading_of_the_zone_is_sealed_and_the_typed_one_stays(case: Case, desk: Any) -> None:
    document = sent(case)
    now = timezone.now()

    documents.note_reading(case, document.pk, SPECIMENS["TD3"], desk.handler, now)
    documents.machine_read(document.pk, "read by a program", now)

    stored = IdentityDocument.objects.filter(pk=document.pk).values_list("reading", flat=True).get()
    assert IdentityDocument.objects.get(pk=document.pk).reading == {"text": SPECIMENS["TD3"], "by": "staff"}
    assert b"ERIKSSON" not in bytes(stored)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_the_zone_is_read_by_a_program_where_there_is_one(case: Case, settings: Any) -> None:
    settings.TESSERACT = shutil.which("tesseract")
    photo = Checked(Picture(jpeg(noisy(on_a_table(page())))))

    documents.hand_in(case.subject_request, DocumentKind.PASSPORT, [photo], customer(case), timezone.now())
    run_jobs()

    reading = IdentityDocument.objects.get().reading
    assert reading == {"text": SPECIMENS["TD3"], "by": "machine"}
    assert trail(case) == ["identity.document_received", "identity.document_read"]


def test_without_such_a_program_nothing_is_queued(case: Case) -> None:
    sent(case)

    assert Job.objects.filter(kind=documents.READ_ZONE).count() == 0


# -- destroyed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["accept", "refuse"])
def test_nothing_of_the_pictures_is_left_after_the_decision(
    case: Case, desk: Any, settings: Any, verdict: str, django_capture_on_commit_callbacks: Any
) -> None:
    before = on_disk(settings)
    document = sent(case, 2)
    documents.note_reading(case, document.pk, SPECIMENS["TD3"], desk.handler, timezone.now())
    kept = paths_of(document)

    with django_capture_on_commit_callbacks(execute=True):
        judge(verdict, case, document.pk, desk.handler)

    document = IdentityDocument.objects.get(pk=document.pk)
    assert [path.exists() for path in kept] == [False, False]
    assert on_disk(settings) == before
    assert (document.pictures.count(), document.reading, document.destroyed_at is not None) == (0, None, True)
    with pytest.raises(keyring.KeyDestroyed):
        keyring.key(document.key_id)


def judge(verdict: str, case: Case, document_id: UUID, by: By) -> None:
    if verdict == "accept":
        documents.accept(case, document_id, 2, by, timezone.now())
    else:
        documents.refuse(case, document_id, "expired", by, timezone.now())


def test_a_rollback_of_the_decision_keeps_row_and_bytes(case: Case, desk: Any) -> None:
    document = sent(case)

    with pytest.raises(RuntimeError), transaction.atomic():
        documents.accept(case, document.pk, 2, desk.handler, timezone.now())
        raise RuntimeError

    assert [path.exists() for path in paths_of(document)] == [True]
    assert (
        documents.view_picture(
            case, document.pk, document.pictures.get().pk, 0, desk.handler, timezone.now()
        )[:2]
        == b"\xff\xd8"
    )


def test_the_policys_days_are_waited_for_and_then_upkeep_destroys(
    case: Case, desk: Any, django_capture_on_commit_callbacks: Any
) -> None:
    give_policy(desk.controller, {"default": 2}, keep_pictures_days=7)
    document = sent(case)
    (kept,) = paths_of(document)
    decided = timezone.now()
    documents.accept(case, document.pk, 2, desk.handler, decided)

    days = []
    for later in (6, 7):
        with django_capture_on_commit_callbacks(execute=True):
            documents.destroy_overdue(desk.controller.pk, decided + timedelta(days=later, seconds=1))
        days.append(kept.exists())

    assert days == [True, False]


def test_what_nobody_judges_is_destroyed_after_thirty_days_and_proves_nothing(case: Case, desk: Any) -> None:
    document = sent(case)

    gone = [
        documents.destroy_overdue(desk.controller.pk, timezone.now() + timedelta(days=days))
        for days in (29, 31, 32)
    ]

    document = IdentityDocument.objects.get(pk=document.pk)
    case.refresh_from_db()
    assert gone == [0, 1, 0]
    assert (document.stage, document.verification.state, case.identity_level) == ("lapsed", "failed", 0)


def test_the_upkeep_of_a_controller_destroys(case: Case, desk: Any) -> None:
    document = sent(case)

    upkeep.run(desk.controller.pk, timezone.now() + timedelta(days=31))

    assert IdentityDocument.objects.get(pk=document.pk).destroyed_at is not None


@pytest.mark.parametrize("end", ["withdrawn", "known otherwise"])
def test_what_is_not_needed_any_more_is_destroyed(case: Case, desk: Any, end: str) -> None:
    document, now = sent(case), timezone.now()
    before = documents.destroy_overdue(desk.controller.pk, now)
    if end == "withdrawn":
        people.withdraw(case, customer(case), now)
    else:
        identity.record_evidence(case, Level.SUBSTANTIAL, "in_person", "Known in person.", desk.handler, now)

    after = documents.destroy_overdue(desk.controller.pk, now)

    document = IdentityDocument.objects.get(pk=document.pk)
    assert (before, after, document.stage, document.pictures.count()) == (0, 1, "lapsed", 0)


def test_no_policy_keeps_pictures_longer_than_thirty_days(desk: Any) -> None:
    with pytest.raises(ValueError, match="less than or equal to 30"):
        give_policy(desk.controller, {"default": 2}, keep_pictures_days=31)


# -- what may not be ---------------------------------------------------------------------------------


def test_nobody_but_the_requests_own_customer_sends(case: Case, desk: Any) -> None:
    other = log(desk.controller, by=desk.agent)

    for by in (desk.agent, desk.handler, by_customer(other.pk)):
        with pytest.raises(NotAllowed):
            documents.hand_in(case.subject_request, DocumentKind.PASSPORT, [PICTURE], by, timezone.now())

    assert IdentityDocument.objects.count() == 0


@pytest.mark.parametrize("role", [Role.AGENT, Role.DPO, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_looks_or_judges_who_may_not_record_identity(case: Case, desk: Any, role: Role) -> None:
    by, document = by_staff(staff(role, desk.controller)), sent(case)
    picture, now = document.pictures.get(), timezone.now()

    for act in (
        lambda: documents.view_picture(case, document.pk, picture.pk, 0, by, now),
        lambda: documents.accept(case, document.pk, 2, by, now),
        lambda: documents.refuse(case, document.pk, "expired", by, now),
        lambda: documents.ask_more(case, document.pk, "back_missing", by, now),
        lambda: documents.note_reading(case, document.pk, "P<", by, now),
    ):
        with pytest.raises(NotAllowed):
            act()

    assert IdentityDocument.objects.get(pk=document.pk).stage == DocumentStage.WAITING
    assert trail(case) == ["identity.document_received"]


def test_a_document_of_another_persons_request_is_not_there(case: Case, desk: Any) -> None:
    document = sent(case)
    other = log(desk.controller, by=desk.agent).cases.get()

    with pytest.raises(IdentityDocument.DoesNotExist):
        documents.accept(other, document.pk, 2, desk.handler, timezone.now())

    other.refresh_from_db()
    assert other.identity_level == 0


def test_a_document_of_another_brand_is_neither_seen_nor_judged(case: Case, desk: Any) -> None:
    document = sent(case)
    there = ControllerFactory.create()
    by = by_staff(staff(Role.HANDLER, there))

    with pytest.raises(NotAllowed):
        documents.view_picture(case, document.pk, document.pictures.get().pk, 0, by, timezone.now())

    assert trail(case) == ["identity.document_received"]


def test_a_picture_of_another_document_is_not_shown_under_this_one(case: Case, desk: Any) -> None:
    other = log(desk.controller, by=desk.agent).cases.get()
    mine, theirs = sent(case), sent(other)

    with pytest.raises(DocumentPicture.DoesNotExist):
        documents.view_picture(case, mine.pk, theirs.pictures.get().pk, 0, desk.handler, timezone.now())


@pytest.mark.parametrize("level", [0, 3, 4, -1])
def test_no_picture_shows_more_than_its_level(case: Case, desk: Any, level: int) -> None:
    document = sent(case)

    with pytest.raises(Refused):
        documents.accept(case, document.pk, level, desk.handler, timezone.now())

    assert [path.exists() for path in paths_of(document)] == [True]


def test_with_a_code_on_file_beside_it_a_document_shows_more(desk: Any) -> None:
    give_policy(desk.controller, {"default": Level.HIGH})
    case = desk.case()
    run_jobs()
    document, now = sent(case), timezone.now()
    code_accepted(case, now)

    documents.accept(case, document.pk, Level.HIGH, desk.handler, now)

    case.refresh_from_db()
    assert (case.identity_level, case.state) == (3, State.SEARCHING)


def code_accepted(case: Case, now: Any) -> None:
    """The customer typed the code that was sent to the address on file."""
    check = services.open_verification(case.subject_request, now)
    services.achieve(check, 1, customer(case).actor, now)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["accept", "refuse", "more"], 2)))
def test_a_document_is_judged_once(case: Case, desk: Any, first: str, second: str) -> None:
    document = sent(case)
    verdicts = {
        "accept": lambda: documents.accept(case, document.pk, 2, desk.handler, timezone.now()),
        "refuse": lambda: documents.refuse(case, document.pk, "expired", desk.handler, timezone.now()),
        "more": lambda: documents.ask_more(case, document.pk, "back_missing", desk.handler, timezone.now()),
    }
    verdicts[first]()
    stage = IdentityDocument.objects.get(pk=document.pk).stage

    with pytest.raises(Refused):
        verdicts[second]()

    assert IdentityDocument.objects.get(pk=document.pk).stage == stage


def test_a_document_of_a_check_that_was_ended_proves_nothing_and_goes(case: Case, desk: Any) -> None:
    """The requester's address was corrected: whoever was in the portal before may have been somebody else."""
    document, now = sent(case), timezone.now()
    identity.begin_anew(case.subject_request, desk.handler, now)

    with pytest.raises(Refused):
        documents.accept(case, document.pk, 2, desk.handler, now)
    again = sent(case)
    gone = documents.destroy_overdue(desk.controller.pk, now)

    case.refresh_from_db()
    assert (case.identity_level, gone, again.pk == document.pk) == (0, 1, False)
    assert IdentityDocument.objects.get(pk=document.pk).stage == DocumentStage.LAPSED
    assert IdentityDocument.objects.get(pk=again.pk).stage == DocumentStage.WAITING


@pytest.mark.parametrize("verb", ["refuse", "ask_more"])
def test_no_judgement_without_a_known_reason(case: Case, desk: Any, verb: str) -> None:
    document = sent(case)

    with pytest.raises(Refused):
        getattr(documents, verb)(case, document.pk, "because", desk.handler, timezone.now())

    assert IdentityDocument.objects.get(pk=document.pk).stage == DocumentStage.WAITING


def test_nobody_sends_without_end(case: Case, desk: Any) -> None:
    for _ in range(documents.MOST_DOCUMENTS):
        documents.refuse(case, sent(case).pk, "unreadable", desk.handler, timezone.now())

    with pytest.raises(Refused):
        sent(case)
    assert IdentityDocument.objects.count() == documents.MOST_DOCUMENTS


def test_too_many_pictures_are_refused_and_nothing_is_left(case: Case) -> None:
    with pytest.raises(Refused):
        sent(case, documents.MOST_PICTURES + 1)

    assert (IdentityDocument.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_no_document_is_taken_that_is_not_needed(desk: Any) -> None:
    case = desk.in_review()

    with pytest.raises(Refused):
        sent(case)

    assert IdentityDocument.objects.count() == 0


def test_each_look_is_on_the_record_and_nothing_of_the_content(case: Case, desk: Any) -> None:
    document = sent(case)
    picture = document.pictures.get()

    for _ in range(2):
        documents.view_picture(case, document.pk, picture.pk, 90, desk.handler, timezone.now())

    looks = AuditEvent.objects.filter(case_id=case.pk, action="identity.document_viewed")
    assert [look.actor_id for look in looks] == [desk.handler.person_id] * 2
    assert [look.data for look in looks] == [{"document": str(document.pk), "picture": str(picture.pk)}] * 2
