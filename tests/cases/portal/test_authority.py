"""Asking for somebody else in the portal: showing that one may, and who fetches the answer."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Authority, Case, Delivery, SubjectRequest
from cases.permissions import by_staff
from cases.words import Party, Right, State
from cases.workflow import answer, authority, decide, identity, review
from cases.workflow.intake import Person, Representation
from cases.workflow.review import Choice, Selection
from identity.models import AccessToken, Controller, OneTimeCode
from identity.roles import Role
from tests.cases.desk_cases import allow_all
from tests.cases.portal.conftest import ADA, Visitor, make_brand, newest_code, text_of, tokens
from tests.factories.cases import authorised, log, run_jobs
from tests.factories.identity import staff
from tests.identity.documents.pictures import jpeg, page

FIRM = "office@blythe.example"
SOLICITOR = Representation("solicitor", "Blythe and Marsh", FIRM)
PERSON = Person(name="Ada Example", email=ADA, external_id="1")


def photo(name: str = "authority.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg(page()), content_type="image/jpeg")


def asked_for(brand: Controller, *rights: Right, **fields: Any) -> SubjectRequest:
    request = log(brand, *rights, person=PERSON, representation=SOLICITOR, **fields)
    run_jobs()
    return request


def answered(request: SubjectRequest, **fields: Any) -> dict[str, Delivery]:
    """The authority is accepted and the answer given; what lies ready, by whose it is."""
    brand, now = request.controller, timezone.now
    handler, dpo = by_staff(staff(Role.HANDLER, brand)), by_staff(staff(Role.DPO, brand))
    allow_all(brand)
    authorised(request.cases.get(), handler, **fields)
    run_jobs()
    case = request.cases.get()
    review.decide(case, Selection(only_undecided=True), Choice("disclose"), handler, now())
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", now())
    decide.approve(decide.submit(case, title, body, handler, now()), dpo, now())
    run_jobs()
    return {one.party: one for one in Delivery.objects.filter(pack__case=case)}


def asking(**fields: Any) -> dict[str, Any]:
    usual = {
        "submission": "0192f0c4-0000-7000-8000-000000000001",
        "wishes": "access",
        "for_whom": "other",
        "name": "Blythe and Marsh",
        "email": FIRM,
        "relation": "solicitor",
        "their_name": "Ada Example",
        "their_email": ADA,
        "answer_by": "portal",
        "language": "en-gb",
    }
    return usual | fields


def sent(visitor: Visitor, data: dict[str, Any]) -> Any:
    """The page after a request that was taken."""
    return visitor.get(visitor.post(visitor.at("ask"), data)["Location"])


class TestAsking:
    def test_authority_can_come_with_the_request(self, brand, visitor):
        page = sent(visitor, asking(authority_copy=photo()))

        held = Authority.objects.get()
        assert (held.state, held.pictures.count()) == ("received", 1)
        assert "We look at what you sent" in text_of(page)

    def test_authority_can_come_later(self, brand, visitor):
        page = sent(visitor, asking())

        assert Authority.objects.get().state == "asked"
        assert "We need to see that you may ask for this person" in text_of(page)

    def test_file_that_is_no_page_is_refused_beside_its_field_and_nothing_is_logged(self, brand, visitor):
        program = SimpleUploadedFile("authority.pdf", b"MZ" + b"\0" * 400, content_type="application/pdf")

        page = visitor.post(visitor.at("ask"), asking(authority_copy=program))

        assert page.status_code == 422
        assert list(page.context["form"].errors) == ["authority_copy"]
        assert (SubjectRequest.objects.count(), Authority.objects.count()) == (0, 0)

    def test_whoever_asks_for_themselves_sends_no_authority(self, brand, visitor):
        mine = asking(for_whom="me", email=ADA, name="Ada Example", authority_copy=photo())

        visitor.post(visitor.at("ask"), mine)

        assert (SubjectRequest.objects.count(), Authority.objects.count()) == (1, 0)

    def test_heir_is_told_that_other_rules_hold(self, brand, visitor):
        page = sent(visitor, asking(relation="executor"))

        assert "The law has rules of its own for this." in text_of(page)
        assert Authority.objects.count() == 0


class TestSending:
    def test_page_says_what_the_law_accepts_and_takes_it(self, brand, visitor):
        request = asked_for(brand)
        visitor.sign_in(request, FIRM)

        shown = text_of(visitor.see("authority"))
        sent = visitor.post(visitor.at("authority"), {"copies": [photo(), photo("second.jpg")]})

        assert "An authority that the person has signed" in shown
        assert sent["Location"] == visitor.at("mine") + "?done=authority"
        assert Authority.objects.get().pictures.count() == 2
        assert "We have what you sent" in text_of(visitor.see("mine"))

    def test_nothing_sent_is_said_beside_the_field(self, brand, visitor):
        visitor.sign_in(asked_for(brand), FIRM)

        page = visitor.post(visitor.at("authority"), {})

        assert (page.status_code, list(page.context["form"].errors)) == (422, ["copies"])
        assert Authority.objects.get().state == "asked"

    def test_accepted_authority_is_not_asked_for_any_more(self, brand, visitor):
        request = asked_for(brand)
        authorised(request.cases.get(), by_staff(staff(Role.HANDLER, brand)))
        visitor.sign_in(request, FIRM)

        page = visitor.post(visitor.at("authority"), {"copies": photo()})

        assert page.status_code == 422
        assert request.authorities.count() == 1
        assert "Show that you may ask" not in text_of(visitor.see("mine"))

    def test_whoever_asks_for_themselves_finds_no_such_page(self, brand, visitor, asked):
        visitor.sign_in(asked)

        assert visitor.see("authority").status_code == 404

    def test_nobody_without_a_session_finds_it(self, brand, visitor):
        assert visitor.see("authority")["Location"] == visitor.at("enter") + "?ended"

    def test_tries_are_limited(self, brand, visitor):
        visitor.sign_in(asked_for(brand), FIRM)
        for _try in range(12):
            visitor.post(visitor.at("authority"), {})

        page = visitor.post(visitor.at("authority"), {"copies": photo()})

        assert "You have tried very often" in text_of(page)
        assert Authority.objects.get().state == "asked"


class TestWhoFetches:
    def test_solicitor_fetches_and_the_person_is_not_let_in(self, brand, visitor):
        request = asked_for(brand)
        deliveries = answered(request)
        person = Visitor(brand)
        person.claim(request.reference, ADA)
        run_jobs()

        visitor.sign_in(request, FIRM)
        shown = visitor.step_up(deliveries[Party.REQUESTER], FIRM)
        got = visitor.send("pack-fetch", deliveries[Party.REQUESTER].pk, token=tokens(shown)[0])

        assert list(deliveries) == [Party.REQUESTER]
        assert (got.status_code, got["Content-Type"]) == (200, "application/zip")
        assert [mail.title for mail in mails() if mail.to == ADA] == []

    def test_person_fetches_and_the_solicitor_sees_nothing_of_it(self, brand, visitor):
        request = asked_for(brand)
        deliveries = answered(request, answer_to="subject", answer_reason="")
        delivery = deliveries[Party.SUBJECT]
        solicitor = Visitor(brand)
        solicitor.sign_in(request, FIRM)

        visitor.sign_in(request, ADA)
        shown = visitor.step_up(delivery, ADA)
        got = visitor.send("pack-fetch", delivery.pk, token=tokens(shown)[0])

        theirs = text_of(solicitor.see("mine"))
        assert (got.status_code, got["Content-Type"]) == (200, "application/zip")
        assert "Fetch our answer" not in theirs
        assert "We have answered the person themselves" in theirs
        assert solicitor.see("pack", delivery.pk).status_code == 404
        assert solicitor.send("pack-code", delivery.pk).status_code == 404
        token = answer.download_link(delivery, timezone.now())
        assert solicitor.send("pack-fetch", delivery.pk, token=token).status_code == 404

    def test_each_of_two_has_a_door_of_their_own(self, brand, visitor):
        request = asked_for(brand)
        deliveries = answered(request, answer_to="both")
        person = Visitor(brand)
        visitor.sign_in(request, FIRM)
        person.sign_in(request, ADA)

        crossed = [
            visitor.see("pack", deliveries[Party.SUBJECT].pk).status_code,
            person.see("pack", deliveries[Party.REQUESTER].pk).status_code,
        ]
        own = [
            visitor.see("pack", deliveries[Party.REQUESTER].pk).status_code,
            person.see("pack", deliveries[Party.SUBJECT].pk).status_code,
        ]
        assert (crossed, own) == ([404, 404], [200, 200])

    def test_code_that_the_solicitor_got_never_opens_the_person_s_door(self, brand, visitor):
        request = asked_for(brand)
        answered(request, answer_to="both")
        solicitor = Visitor(brand)
        visitor.claim(request.reference, ADA)
        solicitor.claim(request.reference, FIRM)
        run_jobs()

        stolen = visitor.send("code", code=newest_code(FIRM))

        assert stolen.status_code == 422
        assert AccessToken.objects.filter(purpose="session", party="subject").count() == 0
        assert set(OneTimeCode.objects.values_list("purpose", flat=True)) == {"verify", "verify_subject"}

    def test_person_is_not_let_in_before_an_answer_went_to_them(self, brand, visitor):
        request = asked_for(brand)

        visitor.claim(request.reference, ADA)
        run_jobs()

        assert [mail for mail in mails() if mail.to == ADA] == []
        assert OneTimeCode.objects.count() == 0

    def test_person_does_not_read_what_the_solicitor_wrote(self, brand, visitor):
        request = asked_for(brand)
        solicitor = Visitor(brand)
        solicitor.sign_in(request, FIRM)
        solicitor.send("message", text="Our client is preparing a claim.")
        answered(request, answer_to="both")

        visitor.sign_in(request, ADA)
        shown = text_of(visitor.see("mine"))

        assert "preparing a claim" in text_of(solicitor.see("mine"))
        assert "preparing a claim" not in shown
        assert "Fetch our answer" in shown

    def test_person_does_not_take_back_what_the_solicitor_asked(self, brand, visitor):
        request = asked_for(brand)
        answered(request, answer_to="both")
        visitor.sign_in(request, ADA)
        case = request.cases.get()

        assert visitor.send("withdraw", case.pk, version=case.version).status_code == 404
        assert visitor.see("complain", case.pk).status_code == 404

    def test_link_of_the_person_s_letter_leads_to_the_person_s_page(self, brand, visitor):
        request = asked_for(brand)
        answered(request, answer_to="subject", answer_reason="")
        letter = next(mail for mail in mails() if mail.to == ADA)
        link = re.search(r"/p/\S+/r/\S+/", letter.body)

        visitor.post(link[0])
        run_jobs()
        visitor.send("code", code=newest_code(ADA))

        assert AccessToken.objects.get(purpose="session").party == Party.SUBJECT

    def test_token_of_a_representative_opens_no_other_request_of_the_person(self, brand, visitor):
        other = log(brand, Right.ACCESS, person=PERSON)
        request = asked_for(brand)
        visitor.sign_in(request, FIRM)
        case = other.cases.get()

        shown = text_of(visitor.see("mine"))

        assert other.reference not in shown
        assert visitor.send("withdraw", case.pk, version=case.version).status_code == 404

    def test_authority_that_was_revoked_closes_the_session_and_the_door(self, brand, visitor):
        request = asked_for(brand)
        delivery = answered(request)[Party.REQUESTER]
        visitor.sign_in(request, FIRM)
        shown = visitor.step_up(delivery, FIRM)
        handler = by_staff(staff(Role.HANDLER, brand))
        held = request.authorities.get()
        authority.revoke(request.cases.get(), held.pk, "person_revoked", "She rang.", handler, timezone.now())

        got = visitor.send("pack-fetch", delivery.pk, token=tokens(shown)[0])
        visitor.sign_in(request, FIRM)
        again = visitor.step_up(delivery, FIRM)
        forced = visitor.send("pack-fetch", delivery.pk, token=tokens(again)[0])

        delivery.refresh_from_db()
        assert got["Location"] == visitor.at("enter") + "?ended"
        assert (forced.status_code, delivery.downloads) == (422, 0)

    def test_another_brand_s_portal_knows_nothing_of_it(self, brand, visitor):
        other = make_brand("nordlicht")
        request = asked_for(brand)
        answered(request, answer_to="both")
        stranger = Visitor(other)

        for email in (ADA, FIRM):
            stranger.claim(request.reference, email)
        run_jobs()

        assert OneTimeCode.objects.count() == 0


def test_waiting_for_authority_reads_so(brand, visitor):
    request = asked_for(brand)
    visitor.sign_in(request, FIRM)

    shown = text_of(visitor.see("mine"))

    case = Case.objects.get()
    assert case.state == State.AWAITING_IDENTITY
    assert "We need to see that you may ask" in shown
    assert "We know that you may ask" in shown
    assert "We need to be sure that it is you" not in shown


def test_code_to_a_representative_s_own_address_proves_nothing_of_the_person(brand, visitor):
    request = asked_for(brand)

    visitor.sign_in(request, FIRM)

    case = request.cases.get()
    assert (case.identity_level, case.authority) == (0, "missing")
    assert identity.requester_email(request) == FIRM
    assert visitor.see("mine").status_code == 200
    assert reverse("portal:authority", args=[brand.slug]) in text_of(visitor.see("mine"))
