"""Signals to whoever judges who asks: from real rows, put aside with a remark, and never deciding anything."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import signals
from cases.models import Case, RequestOrigin, SignalDismissal
from cases.permissions import by_customer, by_staff
from cases.retention.rules import ORIGIN
from cases.words import Right
from cases.workflow import identity, retention
from cases.workflow import signals as verbs
from cases.workflow.intake import Person, Representation
from cases.workflow.perform import available
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from identity.models import Method
from tests.cases.desk_cases import Office, in_review, office, source
from tests.cases.staff_client import signed_in
from tests.factories.cases import log, one_case
from tests.factories.identity import ControllerFactory

__all__ = ["office"]

pytestmark = pytest.mark.django_db

ADA = Person(name="Ada Example", email="ada@example.com", external_id="C-1")


def noticed(case: Case) -> list[str]:
    fresh = Case.objects.select_related("subject_request__controller").get(pk=case.pk)
    return [one.signal.code.value for one in signals.of(fresh, timezone.now())]


def unknown_address(case: Case) -> Case:
    case.subject_request.verifications.filter(method=Method.EMAIL_CODE).update(address_on_file=False)
    return case


def page(case: Case, user: Any) -> str:
    return signed_in(user).get(reverse("console:case", args=[case.pk])).content.decode()


class TestFacts:
    def test_a_quiet_request_gives_no_signal(self, office: Office) -> None:
        assert noticed(one_case(office.brand, person=ADA)) == []

    def test_another_requester_for_the_same_person(self, office: Office) -> None:
        one_case(office.brand, person=ADA)
        solicitor = Representation("solicitor", "Sue Solicitor", "sue@law.example")
        second = one_case(office.brand, person=ADA, representation=solicitor)

        assert noticed(second) == ["several_requesters"]

    def test_another_brands_request_for_the_same_person_says_nothing(self, office: Office) -> None:
        mine = one_case(office.brand, person=ADA)
        solicitor = Representation("solicitor", "Sue Solicitor", "sue@law.example")
        one_case(ControllerFactory.create(), person=ADA, representation=solicitor)

        assert noticed(mine) == []

    def test_an_address_that_no_source_knows(self, office: Office) -> None:
        assert noticed(unknown_address(one_case(office.brand))) == ["address_unknown"]

    def test_wrong_codes(self, office: Office) -> None:
        case = one_case(office.brand)
        request = case.subject_request
        for _time in range(3):
            AuditEvent.objects.filter(case_id=case.pk).count()
            identity._on_record(
                request, Action.CODE_FAILED, by_customer(request.pk).actor, timezone.now(), {}
            )

        assert noticed(case) == ["failed_checks"]

    def test_many_persons_from_one_network(self, office: Office) -> None:
        now = timezone.now()
        cases = [
            one_case(office.brand, person=Person(name=f"P {n}", email=f"p{n}@example.com")) for n in range(5)
        ]
        for case in cases:
            verbs.note_origin(case.subject_request, "192.0.2.1", "en", "", now)

        assert noticed(cases[0]) == ["many_from_network"]

    def test_from_other_countries_and_in_other_languages(self, office: Office) -> None:
        now = timezone.now()
        first, second = (one_case(office.brand, person=ADA) for _time in range(2))
        verbs.note_origin(first.subject_request, "192.0.2.1", "en", "GB", now)
        verbs.note_origin(second.subject_request, "198.51.100.1", "ru", "RO", now)

        assert noticed(second) == ["country_differs", "language_differs"]

    def test_contact_data_changed_as_a_source_tells(self, office: Office) -> None:
        changed = (timezone.now() - timedelta(days=2)).date().isoformat()
        records = {
            "people": [{"id": 1, "email": "ada@example.com", "name": "Ada", "customer_since": changed}],
            "notes": [],
        }
        source(office.brand, records, dataset=_DATASET)

        case = in_review(office.brand, office.handler)
        assert noticed(case) == ["contact_changed"]

    def test_no_source_that_tells_is_no_signal(self, office: Office) -> None:
        assert noticed(in_review(office.brand, office.handler)) == []


_DATASET = """
dataset:
  - fides_key: members
    name: Members
    description: Who is a member
    data_subjects: [customer]
    collections:
      - name: people
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: customer_since, data_categories: [user.account], desk_meta: {contact_changed: true}}
"""


class TestWhoSees:
    def test_handlers_and_the_officer_see_them_with_what_to_look_at(self, office: Office) -> None:
        case = unknown_address(one_case(office.brand))
        title = "The answer is to go to an address that no source knows"

        seen = {one: title in page(case, one) for one in (office.handler, office.dpo)}

        assert set(seen.values()) == {True}
        assert "have it shown by something that was on file before" in page(case, office.handler)

    def test_agents_auditors_and_administrators_do_not(self, office: Office) -> None:
        case = unknown_address(one_case(office.brand))

        for user in (office.agent, office.auditor, office.administrator):
            assert "address that no source knows" not in page(case, user)

    def test_the_customer_never_does(self, office: Office) -> None:
        case = unknown_address(one_case(office.brand))
        told = Client().get(reverse("portal:enter", args=[office.brand.slug])).content.decode()

        assert "no source knows" not in told
        assert not verbs.may_see(by_customer(case.subject_request_id), office.brand.pk)


class TestPuttingAside:
    def test_with_a_remark_on_the_record(self, office: Office) -> None:
        case = unknown_address(one_case(office.brand))
        [shown] = signals.of(case, timezone.now())
        address = reverse("console:act-on", args=[case.pk, "dismiss-signal", shown.id])
        client = signed_in(office.handler)

        empty = client.post(address, {"version": case.version, "reason": ""})
        done = client.post(address, {"version": case.version, "reason": "She moved; her card says so."})

        kept = SignalDismissal.objects.get()
        event = AuditEvent.objects.get(case_id=case.pk, action=Action.SIGNAL_DISMISSED)
        assert (empty.status_code, done.status_code) == (422, 303)
        assert (kept.remark, kept.dismissed_by) == ("She moved; her card says so.", office.handler)
        assert event.data == {"signal": "address_unknown", "facts": shown.signal.digest}
        assert "She moved; her card says so." in page(case, office.dpo)

    def test_new_facts_arm_it_again(self, office: Office) -> None:
        one_case(office.brand, person=ADA)
        case = one_case(
            office.brand, person=ADA, representation=Representation("solicitor", "Sue", "sue@law.example")
        )
        [shown] = signals.of(case, timezone.now())
        verbs.dismiss(case, shown.id, "Known.", by_staff(office.handler), timezone.now())
        one_case(office.brand, person=ADA, representation=Representation("agent", "Al", "al@agents.example"))

        standing = [one.dismissal is None for one in signals.of(case, timezone.now())]

        assert standing == [True]

    def test_not_by_agents_and_not_twice(self, office: Office) -> None:
        case, now = unknown_address(one_case(office.brand)), timezone.now()
        [shown] = signals.of(case, now)

        with pytest.raises(NotAllowed):
            verbs.dismiss(case, shown.id, "Fine.", by_staff(office.agent), now)
        verbs.dismiss(case, shown.id, "Fine.", by_staff(office.handler), now)
        with pytest.raises(Refused) as refusal:
            verbs.dismiss(case, shown.id, "Fine.", by_staff(office.handler), now)

        assert (refusal.value.code, SignalDismissal.objects.count()) == ("no_signal", 1)


def test_signals_change_no_state_level_or_permission(office: Office) -> None:
    """The same case with every signal and without any: what can be done with it is the same."""
    case, now = one_case(office.brand, person=ADA), timezone.now()
    before = _standing(case, office)
    unknown_address(case)
    for number in range(5):
        other = log(
            office.brand,
            Right.ACCESS,
            person=ADA,
            representation=Representation("agent", "Al", f"al{number}@agents.example"),
        )
        verbs.note_origin(other, f"192.0.2.{number}", "ru", "RO", now)
    verbs.note_origin(case.subject_request, "192.0.2.99", "en", "GB", now)

    found = noticed(case)
    [verbs.dismiss(case, one.id, "Seen.", by_staff(office.handler), now) for one in signals.of(case, now)[:1]]

    assert len(found) >= 4
    assert _standing(case, office) == before


def _standing(case: Case, office: Office) -> tuple[Any, ...]:
    fresh = Case.objects.get(pk=case.pk)
    may = tuple(tuple(available(fresh, by_staff(one))) for one in (office.agent, office.handler, office.dpo))
    return fresh.state, fresh.identity_level, fresh.required_level, fresh.outcome, fresh.due_on, may


def test_from_where_a_request_came_is_kept_as_hash_and_forgotten(office: Office) -> None:
    case, now = one_case(office.brand), timezone.now()
    verbs.note_origin(case.subject_request, "192.0.2.1", "en", "GB", now - timedelta(days=91))

    kept = RequestOrigin.objects.get()
    retention.carry_out(ORIGIN, office.brand.pk, now, nullcontext)

    assert b"192" not in bytes(kept.network)
    assert RequestOrigin.objects.count() == 0
