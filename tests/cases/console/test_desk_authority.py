"""Judging an authority on the desk: who may, what is kept of what was typed, and whose it is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from cases import worklist
from cases.models import Authority, Case
from cases.permissions import by_customer, by_staff
from cases.words import Right, State
from cases.workflow import authority, decide, review
from cases.workflow.intake import Person, Representation
from dsar.audit.models import AuditEvent
from identity.evidence.intake import Picture
from tests.cases.desk_cases import Office, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import authorised, log, run_jobs
from tests.identity.documents.pictures import jpeg, page

__all__ = ["office"]

ADA = Person(name="Ada Example", email="ada@example.com", birth_date="2014-02-03")
SOLICITOR = Representation("solicitor", "Blythe and Marsh", "office@blythe.example", authority="A mandate")


def asked(office: Office, representation: Representation = SOLICITOR, *rights: Right) -> Case:
    request = log(office.brand, *rights, by=by_staff(office.agent), person=ADA, representation=representation)
    run_jobs()
    return request.cases.order_by("right").first()


def sent(case: Case) -> Authority:
    """The representative sent a page in the portal."""
    customer = by_customer(case.subject_request_id)
    return authority.hand_in(case.subject_request, [Picture(jpeg(page()))], customer, timezone.now())


def at(case: Case, act: str = "") -> str:
    return (
        reverse("console:authority-act", args=[case.pk, act])
        if act
        else reverse("console:authority", args=[case.pk])
    )


def accepting(held: Authority, **fields: Any) -> dict[str, Any]:
    usual = {
        "authority": str(held.pk),
        "mandate": "signed_authority",
        "rights": ["access"],
        "matters": "Her whole file",
        "valid_from": timezone.localdate().isoformat(),
        "remark": "Signature as on file",
        "evidence": "public_register",
        "level": "2",
        "answer_to": "representative",
        "answer_reason": "It says so.",
    }
    return usual | fields


def test_handler_accepts_and_the_case_goes_on(office: Office) -> None:
    case = asked(office)
    held = sent(case)
    handler = signed_in(office.handler)

    shown = handler.get(at(case))
    done = handler.post(at(case, "accept"), accepting(held))

    held.refresh_from_db()
    case.refresh_from_db()
    assert "Page 1" in shown.content.decode()
    assert done["Location"] == at(case)
    assert (held.state, held.matters, held.decided_by) == ("accepted", "Her whole file", office.handler)
    assert (case.authority, case.state) == ("valid", State.SEARCHING)


def test_refused_acceptance_keeps_what_was_typed(office: Office) -> None:
    case = asked(office)
    held = sent(case)
    old = (timezone.localdate() - timedelta(days=400)).isoformat()

    page_ = signed_in(office.handler).post(at(case, "accept"), accepting(held, valid_from=old))

    held.refresh_from_db()
    assert (page_.status_code, held.state) == (422, "received")
    assert "older than 6 months" in page_.content.decode()
    assert "Her whole file" in page_.content.decode()


def test_what_came_by_post_is_noted_with_its_copy(office: Office) -> None:
    case = asked(office)
    copy = SimpleUploadedFile("letter.jpg", jpeg(page()), content_type="image/jpeg")
    came_at = timezone.localtime(timezone=office.brand.zone).strftime("%Y-%m-%dT%H:%M")

    done = signed_in(office.handler).post(
        at(case, "record"), {"shown": "Signed letter", "copies": copy, "at": came_at}
    )

    held = case.subject_request.authorities.get()
    assert done.status_code == 303
    assert (held.state, held.shown, held.pictures.count()) == ("received", "Signed letter", 1)


def test_copy_that_is_no_page_is_refused_beside_its_field(office: Office) -> None:
    case = asked(office)
    program = SimpleUploadedFile("letter.pdf", b"MZ" + b"\0" * 400, content_type="application/pdf")
    came_at = timezone.localtime(timezone=office.brand.zone).strftime("%Y-%m-%dT%H:%M")

    page_ = signed_in(office.handler).post(
        at(case, "record"), {"shown": "Signed letter", "copies": program, "at": came_at}
    )

    assert page_.status_code == 422
    assert "copies" in page_.context["forms"]["record"].errors
    assert case.subject_request.authorities.get().state == "asked"


@pytest.mark.parametrize(
    ("act", "data", "state"),
    [
        ("refuse", {"reason": "not_signed"}, "refused"),
        ("refuse", {"reason": ""}, "received"),
    ],
)
def test_refusal_takes_a_coded_reason(office: Office, act: str, data: dict[str, str], state: str) -> None:
    case = asked(office)
    held = sent(case)

    signed_in(office.handler).post(at(case, act), {"authority": str(held.pk), **data})

    held.refresh_from_db()
    assert held.state == state


def test_revoking_and_sending_elsewhere(office: Office) -> None:
    case = asked(office)
    held = authorised(case, by_staff(office.handler))
    handler = signed_in(office.handler)

    elsewhere = handler.post(
        at(case, "recipient"), {"authority": str(held.pk), "answer_to": "both", "answer_reason": "She asked."}
    )
    held.refresh_from_db()
    chosen = held.answer_to
    gone = handler.post(
        at(case, "revoke"), {"authority": str(held.pk), "reason": "ended", "remark": "They wrote."}
    )

    held.refresh_from_db()
    assert (elsewhere.status_code, chosen) == (303, "both")
    assert (gone.status_code, held.state, held.reason) == (303, "revoked", "ended")


@pytest.mark.parametrize("role", ["agent", "reviewer", "auditor", "administrator"])
def test_whoever_does_not_judge_identity_finds_no_page_and_no_picture(office: Office, role: str) -> None:
    case = asked(office)
    held = sent(case)
    client = signed_in(getattr(office, role))
    picture = reverse("console:authority-picture", args=[case.pk, held.pk, held.pictures.get().pk])

    seen = [client.get(at(case)).status_code, client.get(picture).status_code]
    pressed = client.post(at(case, "accept"), accepting(held)).status_code

    held.refresh_from_db()
    assert (seen, pressed, held.state) == ([404, 404], 404, "received")


def test_picture_is_never_a_page_and_each_look_is_on_record(office: Office) -> None:
    case = asked(office)
    held = sent(case)
    client = signed_in(office.handler)
    picture = reverse("console:authority-picture", args=[case.pk, held.pk, held.pictures.get().pk])

    shown = client.get(picture, headers={"sec-fetch-dest": "image"})
    opened = client.get(picture, headers={"sec-fetch-dest": "document"})

    looks = AuditEvent.objects.filter(case_id=case.pk, action="authority.viewed").count()
    assert (shown.status_code, opened.status_code, looks) == (200, 404, 1)
    assert shown["Content-Disposition"].startswith("attachment")


def test_authority_of_another_request_is_not_judged_here(office: Office) -> None:
    case, other = asked(office), asked(office)
    sent(case)
    foreign = sent(other)
    client = signed_in(office.handler)
    picture = reverse("console:authority-picture", args=[case.pk, foreign.pk, foreign.pictures.get().pk])

    pressed = client.post(at(case, "accept"), accepting(foreign))

    foreign.refresh_from_db()
    assert (pressed.status_code, client.get(picture).status_code, foreign.state) == (404, 404, "received")


def test_authority_of_another_brand_is_not_found(office: Office) -> None:
    other = make_office()
    case = asked(other)
    held = sent(case)

    assert signed_in(office.handler).get(at(case)).status_code == 404
    assert signed_in(office.handler).post(at(case, "accept"), accepting(held)).status_code == 404


def test_case_of_somebody_who_asks_for_themselves_has_no_such_page(office: Office) -> None:
    case = log(office.brand, by=by_staff(office.agent)).cases.get()

    assert signed_in(office.handler).get(at(case)).status_code == 404


def test_agent_reads_that_it_is_checked_and_not_what_was_shown(office: Office) -> None:
    case = asked(office)
    authority.refuse(case, sent(case).pk, "not_genuine", by_staff(office.handler), timezone.now())

    shown = signed_in(office.agent).get(reverse("console:request", args=[case.subject_request_id]))

    text = shown.content.decode()
    assert "Whether they may ask is being checked" in text
    assert "It is being checked whether the caller may ask for this person." in text
    assert "genuine" not in text


def test_case_page_leads_to_the_authority(office: Office) -> None:
    case = asked(office)
    waited = worklist.blocked_on(case)
    before = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).content.decode()
    sent(case)
    after = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).content.decode()

    assert (waited, worklist.blocked_on(case)) == (worklist.Blocked.CUSTOMER, worklist.Blocked.US)
    assert "The representative has to show that they may ask" in before
    assert "Look at the authority that came" in after
    assert at(case) in after


def test_case_of_an_heir_leads_to_the_letter_that_says_no(office: Office) -> None:
    case = asked(office, Representation("executor", "Hal Heir", "hal@example.org"))

    text = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).content.decode()

    assert "The law gives this representative no right" in text
    assert reverse("console:close", args=[case.pk]) + "?outcome=not_a_request" in text


def test_child_s_age_stands_beside_the_decision(office: Office) -> None:
    case = asked(office, Representation("parent", "Petra Parent", "petra@example.org"))
    sent(case)

    text = signed_in(office.handler).get(at(case)).content.decode()

    assert "The child is 12 years old." in text or "The child is 13 years old." in text
    assert "judged by the child, not by a fixed age" in text


def test_decision_page_says_who_asks_and_who_gets_it(office: Office) -> None:
    case = asked(office)
    authorised(case, by_staff(office.handler), answer_to="both", answer_reason="She asked for a copy.")
    run_jobs()
    case.refresh_from_db()
    review.decide_by_rules(case, by_staff(office.handler), timezone.now())
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())
    decide.submit(Case.objects.get(pk=case.pk), title, body, by_staff(office.handler), timezone.now())

    text = signed_in(office.dpo).get(reverse("dpo:decision", args=[case.pk])).content.decode()

    assert "Who asks, and who gets it" in text
    assert "both of them" in text
    assert "She asked for a copy." in text
