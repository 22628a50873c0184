"""More time: proposed, approved by somebody else, sent in time, and undone when the notice comes back."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format

from cases import queries
from cases.correspondence.outbox import mails
from cases.deadlines.events import ExtensionReason
from cases.models import Case, ClockEvent, Extension, ExtensionState, Letter, LetterState
from cases.permissions import by_staff
from cases.words import AnswerBy, Right, State
from cases.workflow import carry_out, extension, letters, people, upkeep
from cases.workflow.extension import Wanted
from cases.workflow.intake import Person
from cases.workflow.perform import AlreadyDone
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.roles import Role
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

COMPLEX = Wanted(ExtensionReason.COMPLEXITY, "Four archives have to be read by hand.")
BY_POST = {"person": Person(name="Grace Post", postal_address="2 High St\nYork"), "answer_by": AnswerBy.POST}


def proposed(desk: Desk, case: Case, wanted: Wanted = COMPLEX, **fields: Any) -> Extension:
    now = fields.pop("now", timezone.now())
    title, body = extension.draft(case, wanted, extension.plan(case, wanted, now), now)
    return extension.propose(case, wanted, title, body, desk.handler, now, **fields)


def notified(desk: Desk, case: Case) -> Extension:
    """Approved where the processor may decide, and mailed."""
    desk.allow(extend="allow")
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())
    run_jobs()
    return again(made)


def again(made: Extension) -> Extension:
    return Extension.objects.select_related("case", "letter").get(pk=made.pk)


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def facts(case: Case) -> list[str]:
    return [event.kind for event in queries.standing_of(case.clock_events.all())]


# -- the way of an extension ---------------------------------------------------------------------------


def test_notice_that_was_sent_moves_the_date(desk):
    case = desk.in_review()
    before = case.due_on

    made = notified(desk, case)

    case = fresh(case)
    assert (made.state, made.due_before, made.due_after) == (ExtensionState.NOTIFIED, before, case.due_on)
    assert (case.due_on > before, case.state) == (True, State.REVIEW)
    assert queries.deadline_of(case, timezone.now()).is_extended
    assert [mail.title for mail in mails() if "more time" in mail.title] == [
        f"We need more time for your request {case.reference}"
    ]


def test_nothing_moves_before_the_notice_is_out(desk):
    desk.allow(extend="allow")
    case = desk.in_review()
    before = case.due_on

    made = proposed(desk, case)
    after_proposal = fresh(case).due_on
    extension.approve(made, desk.dpo, timezone.now())

    assert (after_proposal, fresh(case).due_on) == (before, before)
    assert "extension_notified" not in facts(case)


def test_controller_is_asked_where_its_instruction_says_nothing(desk):
    case = desk.in_review()
    made = proposed(desk, case)

    first = extension.approve(made, desk.dpo, timezone.now())
    written_before = Letter.objects.filter(kind="extension").count()
    second = extension.approve(again(made), desk.reviewer, timezone.now())

    assert (first.state, written_before) == (ExtensionState.WITH_CONTROLLER, 0)
    assert (second.state, second.approved_by_id, second.controller_decided_by_id) == (
        ExtensionState.APPROVED,
        desk.dpo.person_id,
        desk.reviewer.person_id,
    )


def test_reviewer_does_not_approve_before_the_desk(desk):
    made = proposed(desk, desk.in_review())

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        extension.approve(made, desk.reviewer, timezone.now())

    assert again(made).state == ExtensionState.PROPOSED


def test_forbidden_by_instruction_is_not_even_proposed(desk):
    desk.allow(extend="forbid")
    case = desk.in_review()

    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        proposed(desk, case)

    assert (refusal.value.code, Extension.objects.count()) == ("forbidden", 0)


def test_preparer_cannot_approve_even_with_the_permission(desk):
    made = proposed(desk, desk.in_review())
    Extension.objects.filter(pk=made.pk).update(proposed_by=desk.dpo.person_id)

    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        extension.approve(made, desk.dpo, timezone.now())

    assert (refusal.value.code, again(made).state) == ("own_proposal", ExtensionState.PROPOSED)
    assert AuditEvent.objects.filter(case_id=made.case_id, data__code="own_proposal").count() == 1


def test_database_refuses_an_approval_by_the_preparer(desk):
    made = proposed(desk, desk.in_review())

    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.filter(pk=made.pk).update(approved_by=made.proposed_by_id)


@pytest.mark.parametrize("person", ["agent", "handler", "second_handler"])
def test_those_without_the_permission_do_not_approve(desk, person):
    made = proposed(desk, desk.in_review())

    with pytest.raises(Refused), unit_of_work([desk.controller.pk]):
        extension.approve(made, getattr(desk, person), timezone.now())

    assert again(made).state == ExtensionState.PROPOSED


def test_agent_does_not_propose(desk):
    case = desk.in_review()

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        extension.propose(case, COMPLEX, "Title", "Body", desk.agent, timezone.now())

    assert Extension.objects.count() == 0


def test_strangers_neither_propose_nor_approve(desk):
    stranger = make_desk(ControllerFactory.create())
    case = desk.in_review()
    made = proposed(desk, case)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        extension.approve(made, stranger.dpo, timezone.now())
    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        extension.withdraw(made, "Mine.", stranger.handler, timezone.now())

    assert again(made).state == ExtensionState.PROPOSED


def test_sent_back_with_a_reason_can_be_proposed_anew(desk):
    case = desk.in_review()
    made = proposed(desk, case)

    extension.send_back(made, "Say which archives.", desk.dpo, timezone.now())
    second = proposed(desk, case)

    assert (again(made).state, again(made).return_reason) == (ExtensionState.RETURNED, "Say which archives.")
    assert second.state == ExtensionState.PROPOSED


def test_sending_back_needs_a_reason(desk):
    made = proposed(desk, desk.in_review())

    with pytest.raises(Refused) as refusal:
        extension.send_back(made, " ", desk.dpo, timezone.now())

    assert (refusal.value.code, again(made).state) == ("reason_missing", ExtensionState.PROPOSED)


def test_handler_takes_the_proposal_back(desk):
    made = proposed(desk, desk.in_review())

    extension.withdraw(made, "We are quicker than we thought.", desk.second_handler, timezone.now())

    assert again(made).state == ExtensionState.WITHDRAWN


def test_what_is_sent_is_not_taken_back(desk):
    made = notified(desk, desk.in_review())

    with pytest.raises(Conflict):
        extension.withdraw(made, "Never mind.", desk.handler, timezone.now())

    assert again(made).state == ExtensionState.NOTIFIED


def test_reasons_and_letter_are_asked_for(desk):
    case, now = desk.in_review(), timezone.now()

    for wanted, title, body, code in (
        (replace(COMPLEX, explanation=" "), "Title", "Body", "reasons_missing"),
        (COMPLEX, "Title", " ", "letter_empty"),
        (replace(COMPLEX, reason=ExtensionReason.OTHER), "Title", "Body", "reason_invalid"),
    ):
        with pytest.raises(Refused) as refusal:
            extension.propose(case, wanted, title, body, desk.handler, now)
        assert refusal.value.code == code

    assert Extension.objects.count() == 0


# -- once ------------------------------------------------------------------------------------------------


def test_period_is_extended_once(desk):
    case = desk.in_review()
    notified(desk, case)
    due_on = fresh(case).due_on

    with pytest.raises(Refused):
        extension.propose(case, COMPLEX, "Title", "Body", desk.handler, timezone.now())

    assert (Extension.objects.count(), fresh(case).due_on) == (1, due_on)


def test_two_proposals_at_once_are_one(desk):
    case = desk.in_review()
    proposed(desk, case)

    with pytest.raises(Conflict) as conflict:
        proposed(desk, case)

    assert (conflict.value.code, Extension.objects.count()) == ("extension_under_way", 1)


def test_database_keeps_one_living_extension_a_case(desk):
    made = proposed(desk, desk.in_review())
    made.pk = None
    made._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        made.save(force_insert=True)


def test_second_press_proposes_and_approves_once(desk):
    desk.allow(extend="allow")
    case = desk.in_review()
    seen = case.version
    made = proposed(desk, case, version=seen)
    with pytest.raises(AlreadyDone):
        extension.propose(case, COMPLEX, "Title", "Body", desk.handler, timezone.now(), version=seen)
    seen = fresh(case).version
    extension.approve(made, desk.dpo, timezone.now(), version=seen)

    with pytest.raises(AlreadyDone):
        extension.approve(made, desk.dpo, timezone.now(), version=seen)

    assert Extension.objects.count() == 1
    assert Letter.objects.filter(kind="extension").count() == 1


def test_stale_page_changes_nothing(desk):
    case = desk.in_review()
    made = proposed(desk, case)

    with pytest.raises(Conflict) as conflict:
        extension.approve(made, desk.dpo, timezone.now(), version=case.version)

    assert (conflict.value.code, again(made).state) == ("changed_meanwhile", ExtensionState.PROPOSED)


# -- too late --------------------------------------------------------------------------------------------


def last_day(case: Case) -> datetime:
    """The last second in which a notice can go out, by the brand's clock."""
    notice_by = queries.deadline_of(case, timezone.now()).extension_notice_by
    assert notice_by is not None
    return datetime.combine(notice_by, datetime.max.time(), case.controller.zone)


def test_too_late_at_the_proposal_says_so(desk):
    case = desk.in_review()
    end = last_day(case)

    in_time = extension.plan(case, COMPLEX, end)
    with pytest.raises(Refused) as refusal:
        extension.propose(case, COMPLEX, "Title", "Body", desk.handler, end + timedelta(seconds=1))

    assert in_time.after > in_time.before
    assert (refusal.value.code, Extension.objects.count()) == ("too_late", 0)
    assert str(end.year) in str(refusal.value)


def test_too_late_at_the_approval_says_so(desk):
    desk.allow(extend="allow")
    case = desk.in_review()
    made = proposed(desk, case)

    with pytest.raises(Refused) as refusal:
        extension.approve(made, desk.dpo, last_day(case) + timedelta(seconds=1))

    assert (refusal.value.code, again(made).state) == ("too_late", ExtensionState.PROPOSED)
    assert Letter.objects.filter(kind="extension").count() == 0


def test_mail_that_would_leave_too_late_does_not_leave(desk):
    desk.allow(extend="allow")
    case = desk.in_review()
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())
    assert made.letter is not None

    leaving = carry_out.leaving(made.letter.pk, last_day(case) + timedelta(seconds=1))
    run_jobs()

    letter = Letter.objects.get(pk=made.letter.pk)
    assert (leaving, letter.state, letter.error_code) == (None, LetterState.FAILED, "too_late")
    assert (again(made).state, fresh(case).due_on) == (ExtensionState.LAPSED, made.due_before)
    assert [mail for mail in mails() if "more time" in mail.title] == []


def test_letter_is_not_posted_too_late(desk):
    desk.allow(extend="allow")
    case = desk.in_review(**BY_POST)
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())

    with pytest.raises(Refused) as refusal:
        carry_out.posted(made.letter, "RM1", desk.handler, last_day(case) + timedelta(seconds=1))

    assert (refusal.value.code, fresh(case).due_on) == ("too_late", made.due_before)
    assert Letter.objects.get(pk=made.letter.pk).state == LetterState.TO_PRINT


def test_posted_notice_counts_from_the_post(desk):
    desk.allow(extend="allow")
    case = desk.in_review(**BY_POST)
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())

    carry_out.posted(made.letter, "RM1", desk.handler, timezone.now())

    assert (again(made).state, fresh(case).due_on) == (ExtensionState.NOTIFIED, made.due_after)


def test_notice_that_slipped_over_midnight_has_no_effect_and_says_so(desk):
    """The mail server took it a second after the last one."""
    desk.allow(extend="allow")
    case = desk.in_review()
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())

    carry_out.mailed(made.letter, last_day(case) + timedelta(seconds=1))

    assert (again(made).state, fresh(case).due_on) == (ExtensionState.LAPSED, made.due_before)
    assert AuditEvent.objects.filter(case_id=case.pk, action="case.extension_lapsed").count() == 1


def test_what_waited_too_long_lapses_by_itself(desk):
    desk.allow(extend="allow")
    case, other = (
        desk.in_review(),
        desk.in_review(person=Person(name="Bob Stranger", email="bob@example.com")),
    )
    approved = extension.approve(proposed(desk, case), desk.dpo, timezone.now())
    waiting = proposed(desk, other)
    end = max(last_day(case), last_day(other))

    upkeep.run(desk.controller.pk, end - timedelta(hours=1))
    in_time = (again(approved).state, again(waiting).state)
    with unit_of_work([desk.controller.pk]):
        lapsed = extension.lapse_overdue(desk.controller.pk, end + timedelta(seconds=1))

    assert in_time == (ExtensionState.APPROVED, ExtensionState.PROPOSED)
    assert (lapsed, again(approved).state, again(waiting).state) == (
        2,
        ExtensionState.LAPSED,
        ExtensionState.LAPSED,
    )


# -- coming back, and ending -----------------------------------------------------------------------------


def test_bounce_takes_the_date_back_and_sending_again_gives_it_back(desk):
    case = desk.in_review()
    made = notified(desk, case)

    carry_out.letter_bounced(made.letter, desk.handler, timezone.now())
    after_bounce = (again(made).state, fresh(case).due_on, facts(case).count("extension_notified"))
    letters.send_again(Letter.objects.get(pk=made.letter.pk), desk.handler, timezone.now())
    run_jobs()

    assert after_bounce == (ExtensionState.APPROVED, made.due_before, 0)
    assert (again(made).state, fresh(case).due_on) == (ExtensionState.NOTIFIED, made.due_after)
    assert ClockEvent.objects.filter(case=case, kind="extension_notified").count() == 3


def test_case_that_ends_takes_its_proposal_with_it(desk):
    desk.allow(extend="allow")
    case = desk.in_review()
    made = extension.approve(proposed(desk, case), desk.dpo, timezone.now())

    people.withdraw(fresh(case), desk.handler, timezone.now())
    run_jobs()

    assert again(made).state == ExtensionState.WITHDRAWN
    assert [mail for mail in mails() if "more time" in mail.title] == []
    assert "extension_notified" not in facts(case)


def test_closed_case_is_not_extended(desk):
    case = desk.in_review()
    people.withdraw(case, desk.handler, timezone.now())

    with pytest.raises(Refused) as refusal:
        extension.propose(fresh(case), COMPLEX, "Title", "Body", desk.handler, timezone.now())

    assert refusal.value.code == "closed"


def test_letter_that_names_another_date_by_now_is_not_approved(desk):
    """The receipt was put right meanwhile, so the law gives another date than the letter."""
    case = desk.in_review()
    made = proposed(desk, case)
    Extension.objects.filter(pk=made.pk).update(due_after=made.due_after + timedelta(days=3))

    with pytest.raises(Refused) as refusal:
        extension.approve(made, desk.dpo, timezone.now())

    assert (refusal.value.code, again(made).state) == ("date_moved", ExtensionState.PROPOSED)


# -- other laws ------------------------------------------------------------------------------------------


def desk_under(regime: str, zone: str) -> Desk:
    return make_desk(ControllerFactory.create(regime=regime, time_zone=zone))


def test_european_notice_has_to_be_out_within_a_month_of_receipt(serve):
    """GDPR Art 12(3): three months from receipt; that identity came late does not help (E7)."""
    desk = desk_under("EU-DE", "Europe/Berlin")
    received_at = datetime(2026, 9, 1, 10, tzinfo=desk.controller.zone)
    case = desk.case(received_at=received_at, now=received_at)

    found = extension.plan(case, COMPLEX, datetime(2026, 10, 1, 23, 59, tzinfo=desk.controller.zone))
    with pytest.raises(Refused) as refusal:
        extension.plan(case, COMPLEX, datetime(2026, 10, 2, 0, 0, tzinfo=desk.controller.zone))

    assert (found.notice_by, found.after) == (date(2026, 10, 1), date(2026, 12, 1))
    assert refusal.value.code == "too_late"


def under(case: Case, regime: str) -> Case:
    """The same case as if it had arrived under another law."""
    version = queries.regime_in_force(regime, case.received_at.date()).version.version
    Case.objects.filter(pk=case.pk).update(regime=regime, regime_version=version)
    return fresh(case)


def test_swiss_controller_names_the_date(desk):
    case = under(desk.in_review(), "CH")
    named = case.due_on + timedelta(days=20)

    with pytest.raises(Refused) as refusal:
        extension.plan(case, COMPLEX, timezone.now())
    with pytest.raises(Refused) as earlier:
        extension.plan(case, replace(COMPLEX, named_on=case.due_on), timezone.now())
    made = proposed(desk, case, replace(COMPLEX, named_on=named))

    assert (refusal.value.code, earlier.value.code) == ("date_missing", "no_more_time")
    assert (made.due_after, made.named_on) == (named, named)


def test_law_without_extension_says_so(desk):
    case = under(desk.in_review(), "BR")

    with pytest.raises(Refused) as refusal:
        extension.plan(case, COMPLEX, timezone.now())

    assert refusal.value.code == "no_extension"


def test_complaint_is_not_extended(desk):
    with pytest.raises(Refused) as refusal:
        extension.plan(desk.case(Right.COMPLAINT), COMPLEX, timezone.now())

    assert refusal.value.code == "no_extension"


def test_letter_speaks_the_customers_language(serve):
    desk = desk_under("EU-DE", "Europe/Berlin")
    Controller.objects.filter(pk=desk.controller.pk).update(languages=["de", "en-gb"])
    case = desk.case(language="en-gb")

    found = extension.plan(case, COMPLEX, timezone.now())
    title, body = extension.draft(case, COMPLEX, found, timezone.now())

    assert title == f"We need more time for your request {case.reference}"
    assert COMPLEX.explanation in body
    assert date_format(found.after, "DATE_FORMAT") in body


def test_member_of_another_brand_does_not_see_it(desk):
    made = proposed(desk, desk.in_review())
    stranger = staff(Role.DPO, ControllerFactory.create())

    assert list(Extension.objects.visible_to(stranger)) == []
    assert by_staff(stranger).allows("approve", made.controller_id) is False
