"""Oversight and the trail: what is shown, to whom, and that tampering shows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.dpo.views.trail import Verified
from cases.models import Letter, LetterState, RecipientNotice, SearchState
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import people, search
from dsar.audit.verify import Break
from tests.cases.desk_cases import broken_source, in_approval, in_review, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case
from tests.factories.recipients import RecipientFactory

__all__ = ["office"]

pytestmark = pytest.mark.django_db

OVERSIGHT = "/dpo/oversight/"
TRAIL = "/dpo/trail/"


def test_oversight_tells_what_went_wrong(office):
    broken_source(office.brand)
    proposed, failed = in_review(office.brand, office.handler), in_review(office.brand, office.handler)
    waiting = proposed.runs.get().searches.get(state=SearchState.FAILED)
    search.propose_waiver(waiting, "Shut down.", by_staff(office.handler), timezone.now())
    letter = failed.subject_request.letters.get()
    Letter.objects.filter(pk=letter.pk).update(state=LetterState.FAILED)

    shown = signed_in(office.dpo).get(OVERSIGHT).context

    assert [one.run.case for one in shown["waivers"]] == [proposed]
    assert [one.run.case for one in shown["failed"]] == [failed]
    assert [one["letter"] for one in shown["letters"]] == [letter]
    assert {code: count for code, _words, count in shown["blocked"] if count} == {"us": 1, "source": 1}


def told(office, **fields):
    """A recipient of a case of this office who was told a month ago, and reminded twice."""
    case = one_case(office.brand, Right.ERASURE)
    recipient = RecipientFactory.create(controller=office.brand, expects_answer=True, remind_days=14)
    ago = timezone.now() - timedelta(days=30)
    known = {"state": "sent", "sent_at": ago, "reminders": 2, "reminded_at": ago, "made_at": ago}
    return RecipientNotice.objects.create(
        controller=office.brand,
        case=case,
        recipient=recipient,
        occasion=uuid4(),
        told="erased",
        route="email",
        **known | fields,
    )


def test_oversight_names_recipients_who_do_not_answer(office):
    silent, failed = told(office), told(office, state="failed", sent_at=None)
    told(office, reminded_at=timezone.now())
    told(office, reminders=1)
    told(office, state="answered", answer_code="done")
    told(make_office())

    page = signed_in(office.dpo).get(OVERSIGHT)

    assert page.context["recipients"] == [silent, failed]
    assert silent.recipient.name in page.content.decode()


def test_oversight_is_of_ones_own_brands(office):
    stranger = make_office()
    broken_source(stranger.brand)
    in_review(stranger.brand, stranger.handler)

    shown = signed_in(office.dpo).get(OVERSIGHT).context

    assert (shown["rows"], shown["failed"], [count for *_words, count in shown["blocked"]]) == (
        [],
        [],
        [0] * 6,
    )


@pytest.mark.parametrize("person", ["agent", "handler", "auditor", "administrator"])
def test_oversight_is_not_there_for_others(office, person):
    assert signed_in(getattr(office, person)).get(OVERSIGHT).status_code == 404


@pytest.mark.parametrize("person", ["agent", "handler", "reviewer", "administrator"])
def test_trail_is_not_there_for_others(office, person):
    case = one_case(office.brand)
    client = signed_in(getattr(office, person))

    assert client.get(TRAIL).status_code == 404
    assert client.get(reverse("dpo:case-trail", args=[case.pk])).status_code == 404


def test_auditor_reads_the_trail_and_nothing_of_the_case(office):
    case = in_approval(office.brand, office.handler)
    client = signed_in(office.auditor)

    answer = client.get(reverse("dpo:case-trail", args=[case.pk]))

    assert answer.status_code == 200
    assert "Ada Example" not in answer.content.decode()
    assert [told.seq for told, _hash in answer.context["events"]][:3] == [1, 2, 3]
    for route in ("case", "review", "sources"):
        assert client.get(reverse(f"console:{route}", args=[case.pk])).status_code == 404


def test_trail_of_another_brand_is_not_found(office):
    theirs = one_case(make_office().brand)
    client = signed_in(office.auditor)

    assert client.get(reverse("dpo:case-trail", args=[theirs.pk])).status_code == 404
    assert client.get(TRAIL, {"reference": theirs.reference}).context["found"] == []


def test_recent_events_are_newest_first_and_ones_own(office):
    one_case(make_office().brand)
    case = one_case(office.brand)
    people.add_note(case, "Something personal.", by_staff(office.handler), timezone.now())

    answer = signed_in(office.auditor).get(TRAIL)

    shown = answer.context["events"]
    assert (shown[0][0].title, shown[0][0].actor, shown[0][1]) == ("Note written", "Hannah Handler", case)
    assert {found for _told, found in shown} - {None} == {case}
    assert "Something personal." not in answer.content.decode()


def test_reference_leads_to_the_case(office):
    case = one_case(office.brand)

    answer = signed_in(office.auditor).get(TRAIL, {"reference": case.reference.lower()})

    assert answer.url == reverse("dpo:case-trail", args=[case.pk])


def test_whole_chain_verifies(office):
    case = in_review(office.brand, office.handler)
    client = signed_in(office.auditor)

    one = client.get(reverse("dpo:case-trail", args=[case.pk]), {"verify": "1"}).context["verified"]
    all_ = client.get(TRAIL, {"verify": "1"}).context["verified"]

    assert one.breaks == all_.breaks == []
    assert all_.events >= one.events > 0


def test_break_is_named(office, monkeypatch):
    case = one_case(office.brand)
    fault = Break(case.pk, 2, "edited")
    monkeypatch.setattr("cases.dpo.views.trail._verify", lambda case: Verified(1, 3, [fault]))

    answer = signed_in(office.auditor).get(reverse("dpo:case-trail", args=[case.pk]), {"verify": "1"})

    assert "this event is not what was recorded" in answer.content.decode()
