"""What goes when, and what holds it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import (
    Case,
    DataSubject,
    Delivery,
    Item,
    ItemDecision,
    Letter,
    LetterState,
    PackFile,
    SubjectRequest,
)
from cases.permissions import by_customer
from cases.retention import rules
from cases.words import Right, State
from cases.workflow import answer, complaint, hold, reopening, retention, review
from cases.workflow.review import Choice, Selection
from dsar.lib.errors import Refused
from dsar.vault import files
from dsar.vault.keyring import KeyDestroyed
from dsar.vault.models import StoredFile, VaultKey
from tests.cases.retention.kept import answered, carried_out, closed, complained, in_days, is_due
from tests.factories.cases import in_state, one_case, run_jobs

pytestmark = pytest.mark.django_db


def test_collected_data_goes_when_its_time_is_over(desk):
    case = answered(desk)
    items = case.items.count()

    early = carried_out(rules.COLLECTED, desk, in_days(89))
    kept = case.items.count()
    done = carried_out(rules.COLLECTED, desk, in_days(91))

    case.refresh_from_db()
    assert (early.of, kept) == (0, items)
    assert items > 0
    assert done.of == 1
    assert (case.items.count(), PackFile.objects.count()) == (0, 0)
    assert case.collected_key.destroyed_at is not None
    assert case.state == State.CLOSED


def test_what_accountability_needs_stays(desk):
    case = answered(desk)
    letters, decisions = case.letters.count(), case.decisions.count()

    carried_out(rules.COLLECTED, desk, in_days(91))

    case.refresh_from_db()
    assert (case.letters.count(), case.decisions.count()) == (letters, decisions)
    assert case.decisions.get().letter_body != ""
    assert case.subject.name == "Ada Example"
    assert case.packs.get().manifest is None
    assert [count["count"] for count in case.forgotten.get().counts] == [1, 1]
    assert case.runs.get().searches.get().found == 2


def test_files_leave_the_disk_with_the_commit(desk, django_capture_on_commit_callbacks):
    answered(desk)
    places = [files.path(one.pk) for one in StoredFile.objects.all()]
    assert all(place.exists() for place in places)

    with django_capture_on_commit_callbacks() as callbacks:
        done = carried_out(rules.COLLECTED, desk, in_days(91))
    before = [place.exists() for place in places]
    for callback in callbacks:
        callback()

    assert done.files == len(places)
    assert before == [True] * len(places)
    assert [place.exists() for place in places] == [False] * len(places)
    assert StoredFile.objects.count() == 0


def test_twice_is_once(desk):
    case = closed(desk)
    carried_out(rules.COLLECTED, desk, in_days(91))

    again = carried_out(rules.COLLECTED, desk, in_days(92))

    assert again.of == 0
    assert case.forgotten.count() == 1


def test_case_that_is_open_is_left_alone(desk):
    case = desk.in_review()

    done = carried_out(rules.COLLECTED, desk, in_days(9999))

    assert done.of == 0
    assert case.items.count() == 2


def test_legal_hold_keeps_it(desk):
    case = answered(desk)
    hold.set_hold(case, "Court order.", desk.dpo, timezone.now())

    collected = carried_out(rules.COLLECTED, desk, in_days(91))
    file = carried_out(rules.CASE_FILE, desk, in_days(1200))
    answer = carried_out(rules.ANSWER, desk, in_days(91))

    assert (collected.of, file.of, answer.of) == (0, 0, 0)
    assert is_due(rules.COLLECTED, desk, in_days(91)).held == 1
    assert case.items.count() == 2


def test_legal_hold_on_another_row_of_the_same_person_keeps_it(desk):
    case = closed(desk)
    twin = desk.case()
    DataSubject.objects.filter(pk=case.subject_id).update(legal_hold=False)
    DataSubject.objects.filter(pk=twin.subject_id).update(legal_hold=True)

    done = carried_out(rules.COLLECTED, desk, in_days(91))

    assert (done.of, case.items.count()) == (0, 2)


def test_hold_that_was_lifted_keeps_it_no_longer(desk):
    case = closed(desk)
    hold.set_hold(case, "Court order.", desk.dpo, timezone.now())
    hold.lift_hold(case, "The court is done.", desk.dpo, timezone.now())

    assert carried_out(rules.COLLECTED, desk, in_days(91)).of == 1


def test_open_complaint_keeps_it(desk):
    case = closed(desk)
    later = complained(desk, case)

    done = carried_out(rules.COLLECTED, desk, in_days(400))

    assert later.is_open
    assert (done.of, case.items.count()) == (0, 2)


def test_time_runs_from_the_end_of_the_complaint(desk):
    case = closed(desk)
    later = complained(desk, case)
    in_state(later, State.CLOSED)
    Case.objects.filter(pk=later.pk).update(closed_at=in_days(60))

    early = carried_out(rules.COLLECTED, desk, in_days(120))
    done = carried_out(rules.COLLECTED, desk, in_days(151))

    assert (early.of, done.of) == (0, 2)
    assert case.items.count() == 0


def test_mail_that_still_has_to_go_keeps_it(desk):
    case = answered(desk)
    Letter.objects.filter(case=case).update(state=LetterState.QUEUED)

    assert carried_out(rules.COLLECTED, desk, in_days(91)).of == 0


def test_case_that_was_opened_again_is_left_alone(desk):
    case = closed(desk)
    reopening.reopen(case, reopening.REVIEW, "A record was missed.", desk.handler, timezone.now())

    done = carried_out(rules.COLLECTED, desk, in_days(91))

    case.refresh_from_db()
    assert (done.of, case.items.count()) == (0, 2)
    assert case.collected_key.destroyed_at is None


def test_review_of_what_is_gone_is_refused(desk):
    case = closed(desk)
    carried_out(rules.COLLECTED, desk, in_days(91))
    case.refresh_from_db()

    with pytest.raises(Refused) as refused:
        reopening.reopen(case, reopening.REVIEW, "A record was missed.", desk.handler, timezone.now())

    case.refresh_from_db()
    assert refused.value.code == "collected_forgotten"
    assert case.state == State.CLOSED


def test_search_anew_collects_under_a_new_key(desk):
    case = closed(desk)
    carried_out(rules.COLLECTED, desk, in_days(91))
    case.refresh_from_db()
    old = case.collected_key_id

    opened = reopening.reopen(case, reopening.SEARCH, "A record was missed.", desk.handler, timezone.now())
    run_jobs()

    opened.refresh_from_db()
    assert opened.state == State.REVIEW
    assert opened.collected_key_id != old
    assert [item.content["data"]["id"] for item in opened.items.order_by("collection")] == [10, 1]


def test_answer_s_files_go_before_what_they_were_made_from(desk):
    case = answered(desk)

    early = carried_out(rules.ANSWER, desk, in_days(40))
    done = carried_out(rules.ANSWER, desk, in_days(46))

    assert (early.of, done.of) == (0, 1)
    assert done.files > 1
    assert case.packs.get().files.count() == 0
    assert case.items.count() == 2
    assert StoredFile.objects.count() == 0


def test_case_s_file_goes_with_all_that_hangs_on_it(desk):
    case = answered(desk)
    request = case.subject_request
    keys = [case.collected_key_id, case.file_key_id, request.key_id]

    early = carried_out(rules.CASE_FILE, desk, in_days(1090))
    done = carried_out(rules.CASE_FILE, desk, in_days(1097))

    assert (early.of, done.of) == (0, 1)
    assert (SubjectRequest.objects.count(), Case.objects.count(), Item.objects.count()) == (0, 0, 0)
    assert VaultKey.objects.filter(pk__in=keys).count() == 0
    assert DataSubject.objects.count() == 1


def test_person_goes_with_the_last_file(desk):
    closed(desk)
    carried_out(rules.CASE_FILE, desk, in_days(1097))

    done = carried_out(rules.PERSON, desk, in_days(1097))

    assert done.rows > 1
    assert DataSubject.objects.count() == 0


def test_person_of_another_request_stays(desk):
    case = closed(desk)
    other = desk.case(Right.RECTIFICATION)
    Case.objects.filter(pk=other.pk).update(subject=case.subject_id)
    SubjectRequest.objects.filter(pk=other.subject_request_id).update(subject=case.subject_id)
    other.subject_request.verifications.update(subject=case.subject_id)
    carried_out(rules.CASE_FILE, desk, in_days(1097))
    carried_out(rules.PERSON, desk, in_days(1097))

    other.refresh_from_db()
    assert [kept.pk for kept in Case.objects.all()] == [other.pk]
    assert other.subject.name == "Ada Example"


def test_file_of_a_case_outlives_neither_hold_nor_complaint(desk):
    case = closed(desk)
    later = complained(desk, case)
    in_state(later, State.CLOSED)
    Case.objects.filter(pk=later.pk).update(closed_at=in_days(500))

    before = carried_out(rules.CASE_FILE, desk, in_days(1100))
    after = carried_out(rules.CASE_FILE, desk, in_days(1600))

    assert (before.of, after.of) == (0, 2)
    assert Case.objects.count() == 0


def test_drill_goes_soon(desk):
    drill = one_case(desk.controller, is_drill=True)
    kept = desk.case()

    done = carried_out(rules.DRILL, desk, timezone.now() + timedelta(days=8))

    assert done.of == 1
    assert [case.pk for case in Case.objects.all()] == [kept.pk]
    assert drill.pk != kept.pk


def test_what_was_destroyed_does_not_open(desk):
    case = closed(desk)
    item = case.items.first()
    carried_out(rules.COLLECTED, desk, in_days(91))

    with pytest.raises(KeyDestroyed):
        _ = item.content


def test_customer_is_told_that_the_answer_is_gone(desk):
    case = answered(desk)
    delivery = answer.live_delivery(case)
    carried_out(rules.ANSWER, desk, in_days(46))

    with pytest.raises(Refused) as refused:
        answer.fetch(delivery, by_customer(case.subject_request_id), in_days(46))

    assert refused.value.code == "expired"


def test_whoever_decided_about_what_is_gone_judges_no_complaint_about_it(desk):
    case = desk.in_review()
    everything = Selection(only_undecided=True)
    review.decide(case, everything, Choice(ItemDecision.DISCLOSE), desk.second_handler, timezone.now())
    in_state(case, State.CLOSED)

    carried_out(rules.COLLECTED, desk, in_days(91))

    assert case.items.count() == 0
    assert complaint.dealt_with(case, desk.second_handler.person_id)
    assert not complaint.dealt_with(case, desk.reviewer.person_id)


def test_answer_that_was_made_available_late_ends_with_what_it_was_made_from(desk):
    case = answered(desk)
    Delivery.objects.update(available_until=in_days(200))
    carried_out(rules.COLLECTED, desk, in_days(91))

    delivery = answer.live_delivery(case)
    with pytest.raises(Refused) as refused:
        answer.fetch(delivery, by_customer(case.subject_request_id), in_days(92))

    assert refused.value.code == "expired"
    assert delivery.available_until < in_days(92)


def test_case_that_is_opened_again_in_between_is_not_touched(desk):
    case = closed(desk)
    entered = []

    @contextmanager
    def step() -> Iterator[None]:
        entered.append(1)
        if len(entered) == 2:  # It was found to be due; before it is held, somebody opens it again.
            reopening.reopen(case, reopening.REVIEW, "One was missed.", desk.handler, timezone.now())
        yield

    done = carried_out(rules.COLLECTED, desk, in_days(91), step)

    case.refresh_from_db()
    assert (done.of, case.items.count(), case.state) == (0, 2, State.REVIEW)
    assert case.collected_key.destroyed_at is None
    assert case.items.first().content is not None


def test_order_is_given_once_a_day(desk):
    night = timezone.now().replace(hour=3, minute=0)
    first = retention.order(desk.controller.pk, night)
    run_jobs()

    again = retention.order(desk.controller.pk, night + timedelta(hours=1))

    assert first is not None
    assert again is None
