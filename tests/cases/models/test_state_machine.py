"""The whole machine: every transition, from every state, by everybody; and the ways around it."""

import threading

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from cases import machine
from cases.models import Case
from cases.permissions import BY_SYSTEM, by_customer, by_staff
from cases.words import Outcome, Right, State
from cases.workflow.perform import AlreadyDone, available, perform
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.roles import Role
from tests.factories.cases import in_state, log, one_case
from tests.factories.identity import ControllerFactory, staff

NAMES = sorted({arrow.name for arrow in machine.arrows()})
SPECIAL = {"begin_review": Right.COMPLAINT, "stop_marketing": Right.OBJECTION}
DOCUMENTED = {(arrow.name, arrow.source): arrow for arrow in machine.arrows()}


@pytest.fixture
def brand(serve):
    return ControllerFactory.create()


@pytest.fixture
def people(brand):
    """Whoever may try: each role, somebody of another brand, the system, the customer."""
    others = ControllerFactory.create()
    by = {role.value: by_staff(staff(role, brand)) for role in Role}
    return by | {"stranger": by_staff(staff(Role.HANDLER, others)), "system": BY_SYSTEM}


def ready(case: Case) -> None:
    """Make every condition hold, so that state and role alone decide."""
    case.proposed_outcome, case.controller_decides = Outcome.FULFILLED, False
    case.about_marketing = case.right == Right.OBJECTION
    case.resume_state = case.resume_state or State.REVIEW


@pytest.mark.django_db
@pytest.mark.parametrize("state", State.values)
def test_every_transition_from_this_state_by_everybody(state, brand, people):
    now = timezone.now()
    wrong = []
    for right in (Right.ACCESS, Right.COMPLAINT, Right.OBJECTION):
        names = [name for name in NAMES if SPECIAL.get(name, Right.ACCESS) == right]
        case = in_state(one_case(brand, right), state)
        for who, by in (people | {"customer": by_customer(case.subject_request_id)}).items():
            for name in names:
                arrow = DOCUMENTED.get((name, state))
                expected = bool(arrow) and who in arrow.roles
                happened = tries(case, name, by, now)
                if happened != (arrow.targets if expected and arrow else ()) and not (
                    expected and happened and set(happened) <= set(arrow.targets)
                ):
                    wrong.append((right, name, who, happened))

    assert wrong == []


def tries(case: Case, name: str, by, now) -> tuple[str, ...]:
    """Try one transition, undo it, and return the state that it led to; nothing where it was refused."""
    try:
        with transaction.atomic():
            moved = perform(case, name, by, now, prepare=ready)
            assert Case.objects.get(pk=case.pk).state == moved.state
            raise Undo(moved.state)  # noqa: TRY301  (undoes the transaction)
    except Undo as undo:
        return (str(undo),)
    except Refused:
        assert Case.objects.get(pk=case.pk).state == case.state
        return ()


class Undo(Exception):
    pass


@pytest.mark.django_db
def test_documentation_is_generated_from_the_declarations():
    call_command("state_diagram", "--check")


@pytest.mark.django_db
def test_unmet_condition_is_refused_with_a_sentence(brand, people):
    case = one_case(brand)

    with pytest.raises(Refused, match="identity is not yet verified") as refusal:
        perform(case, "begin_search", people["handler"], timezone.now())

    assert refusal.value.code == "identity_suffices"
    case.refresh_from_db()
    assert case.state == State.AWAITING_IDENTITY
    assert AuditEvent.objects.filter(case_id=case.pk, action="case.act_refused").count() == 1


@pytest.mark.django_db
def test_state_cannot_be_assigned(brand):
    case = one_case(brand)

    with pytest.raises(AttributeError):
        case.state = State.CLOSED


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.SEARCHING, State.CLOSED, State.FULFILLING])
def test_state_cannot_be_updated_past_the_workflow(brand, state):
    case = one_case(brand)

    with pytest.raises(DatabaseError, match="only the workflow"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state=state)

    case.refresh_from_db()
    assert case.state == State.AWAITING_IDENTITY


@pytest.mark.django_db
def test_case_cannot_begin_in_another_state(brand):
    case = one_case(brand)
    copy = Case.objects.get(pk=case.pk)
    copy.pk, copy._state.adding = None, True
    copy.__dict__["state"] = State.FULFILLING

    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
        copy.save(force_insert=True)

    assert Case.objects.count() == 1


@pytest.mark.django_db
def test_stale_object_does_not_set_the_state_back(brand, people):
    stale = one_case(brand)
    moved = in_state(Case.objects.get(pk=stale.pk), State.REVIEW)

    stale.save()

    moved.refresh_from_db()
    assert moved.state == State.REVIEW


@pytest.mark.django_db
def test_pressing_twice_does_it_once(brand, people):
    case = in_state(one_case(brand), State.REVIEW)
    seen = case.version
    now = timezone.now()
    perform(case, "search_again", people["handler"], now, version=seen)

    with pytest.raises(AlreadyDone):
        perform(case, "search_again", people["handler"], now, version=seen)

    changes = AuditEvent.objects.filter(case_id=case.pk, data__transition="search_again")
    assert changes.count() == 1


@pytest.mark.django_db
def test_old_form_is_refused_when_somebody_else_was_quicker(brand, people):
    case = in_state(one_case(brand), State.REVIEW)
    seen = case.version
    now = timezone.now()
    perform(case, "search_again", people["handler"], now, version=seen)
    other = by_staff(staff(Role.HANDLER, brand))
    in_state(Case.objects.get(pk=case.pk), State.REVIEW)

    with pytest.raises(Conflict, match="Somebody else"):
        perform(case, "search_again", other, now, version=seen)

    case.refresh_from_db()
    assert case.state == State.REVIEW


@pytest.mark.django_db
def test_available_lists_what_the_role_may_do(brand, people):
    case = in_state(one_case(brand), State.APPROVAL)

    assert available(case, people["agent"]) == ["withdraw"]
    assert available(case, people["auditor"]) == []
    assert available(case, people["dpo"]) == ["approve", "hand_to_controller", "return_to_handler"]


@pytest.mark.django_db
def test_stranger_is_refused_and_the_refusal_recorded(brand, people):
    case = in_state(one_case(brand), State.REVIEW)

    with pytest.raises(NotAllowed):
        perform(case, "search_again", people["stranger"], timezone.now())

    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert AuditEvent.objects.get(case_id=case.pk, action="case.act_refused").data == {
        "act": "search_again",
        "code": "not_allowed",
    }


def test_two_people_at_once_one_wins_and_the_other_reads_why(committed_db):
    controller_id, case_id, people = _committed_case()
    barrier, outcomes = threading.Barrier(2), []

    def press(by) -> None:
        barrier.wait()
        try:
            with unit_of_work([controller_id]):
                perform(Case.objects.get(pk=case_id), "withdraw", by, timezone.now(), version=1)
            outcomes.append("won")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["not_from_here", "won"]
    with unit_of_work([controller_id]):
        assert AuditEvent.objects.filter(case_id=case_id, data__transition="withdraw").count() == 1


def _committed_case():
    controller = ControllerFactory.build()
    with unit_of_work([controller.pk]):
        Controller.objects.bulk_create([controller])
        people = [by_staff(staff(Role.HANDLER, controller)) for _ in range(2)]
        case = log(controller).cases.get()
        Case.objects.filter(pk=case.pk).update(version=1)
        for by in people:
            assert by.is_person
    return controller.pk, case.pk, people
