"""The review: what is shown and put on record, and every way to decide about items."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from cases.models import Case, Item, ItemDecision
from cases.review import items
from cases.words import Right, State
from dsar.audit.models import AuditEvent
from tests.cases.desk_cases import in_review, make_office, office
from tests.cases.staff_client import signed_in

__all__ = ["office"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(office):
    return in_review(office.brand, office.handler)


def review(case: Case, **query: str) -> str:
    address = reverse("console:review", args=[case.pk])
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else address


def decide(client: Any, case: Case, **data: Any) -> Any:
    version = Case.objects.get(pk=case.pk).version
    return client.post(reverse("console:decide-items", args=[case.pk]), {"version": version, **data})


def item_page(case: Case, item: Item) -> str:
    return reverse("console:item", args=[case.pk, item.pk])


def redact(client: Any, case: Case, item: Item, **data: Any) -> Any:
    version = Case.objects.get(pk=case.pk).version
    return client.post(reverse("console:redact", args=[case.pk, item.pk]), {"version": version, **data})


def note_of(case: Case) -> Item:
    return Item.objects.select_related("case").filter(case=case, collection="notes").order_by("number")[0]


def person_of(case: Case) -> Item:
    return Item.objects.select_related("case").get(case=case, collection="people")


def viewed() -> list[dict[str, Any]]:
    return list(
        AuditEvent.objects.filter(action="case.content_viewed").order_by("seq").values_list("data", flat=True)
    )


def test_viewing_content_is_on_record_once_a_page(office, case):
    person = person_of(case)
    client = signed_in(office.handler)

    client.get(review(case))
    client.get(item_page(case, person))

    assert viewed() == [{"source": str(person.source_id), "page": 1, "count": 1}, {"item": str(person.pk)}]


def test_agent_sees_no_content(office, case):
    client = signed_in(office.agent)

    assert client.get(review(case)).status_code == 404
    assert client.get(item_page(case, note_of(case))).status_code == 404
    assert viewed() == []


def test_item_of_another_case_is_not_found(office, case):
    other = in_review((stranger := make_office()).brand, stranger.handler)

    assert signed_in(office.handler).get(item_page(case, note_of(other))).status_code == 404
    assert signed_in(office.handler).get(item_page(other, note_of(other))).status_code == 404


def test_dpo_looks_and_does_not_decide(office, case):
    client = signed_in(office.dpo)

    shown = client.get(review(case))
    answer = decide(client, case, decision="disclose", scope="items", item=str(person_of(case).pk))

    assert (shown.status_code, shown.context["decides"]) == (200, False)
    assert (answer.status_code, person_of(case).decision) == (422, ItemDecision.UNDECIDED)


def test_ticked_items_are_decided(office, case):
    answer = decide(
        signed_in(office.handler), case, decision="disclose", scope="items", item=str(person_of(case).pk)
    )

    assert answer.status_code == 303
    assert (person_of(case).decision, items.undecided(case)) == (ItemDecision.DISCLOSE, 0)


def test_everything_left_is_decided(office, case):
    decide(signed_in(office.handler), case, decision="disclose", scope="everything")

    assert person_of(case).decision == ItemDecision.DISCLOSE
    assert note_of(case).decision == ItemDecision.REDACT


def test_group_is_withheld_and_never_opened_as_a_whole(office, case):
    client, source = signed_in(office.handler), str(note_of(case).source_id)
    group = {"source": source, "collection": "notes", "scope": "group"}

    decide(client, case, decision="disclose", **group)
    opened = set(case.items.filter(collection="notes").values_list("decision", flat=True))
    decide(client, case, decision="withhold", exemption="CRIME", silent="on", **group)

    assert opened == {ItemDecision.REDACT}
    assert set(case.items.filter(collection="notes").values_list("decision", "is_silent")) == {
        ("withhold", True)
    }


def test_nothing_ticked_is_said(office, case):
    answer = decide(signed_in(office.handler), case, decision="disclose", scope="items")

    assert answer.status_code == 422
    assert "Choose the items first" in answer.content.decode()


def test_refused_withholding_keeps_what_was_ticked(office, case):
    person = person_of(case)

    answer = decide(signed_in(office.handler), case, decision="withhold", scope="items", item=str(person.pk))

    assert answer.status_code == 422
    assert answer.context["typed"] == {"decision": "withhold", "exemption": None, "items": [str(person.pk)]}
    assert person_of(case).decision == ItemDecision.UNDECIDED


def test_silence_where_the_law_forbids_it_is_refused(office, case):
    person = person_of(case)

    answer = decide(
        signed_in(office.handler),
        case,
        decision="withhold",
        exemption="TP",
        silent="on",
        scope="items",
        item=str(person.pk),
    )

    assert (answer.status_code, person_of(case).decision) == (422, ItemDecision.UNDECIDED)


def test_single_item_leads_to_the_next_that_is_undecided(office, case):
    person = person_of(case)

    answer = signed_in(office.handler).post(
        item_page(case, person), {"decision": "disclose", "version": Case.objects.get(pk=case.pk).version}
    )

    assert (answer.status_code, answer.url) == (303, reverse("console:review", args=[case.pk]))
    assert person_of(case).decision == ItemDecision.DISCLOSE


def test_redacted_item_stays_so_when_one_presses_on(office, case):
    note = note_of(case)
    page = signed_in(office.handler).get(item_page(case, note))

    signed_in(office.handler).post(item_page(case, note), {"decision": page.context["typed"]["decision"]})

    assert (note_of(case).decision, note_of(case).redactions) == (ItemDecision.REDACT, note.redactions)


def test_passage_typed_is_found_by_the_server(office, case):
    answer = redact(
        signed_in(office.handler), case, note_of(case), what="passage", field="text", passage="Bob", code="TP"
    )

    assert answer.status_code == 303
    assert note_of(case).redactions == {
        "fields": [{"field": "agent", "code": "TP"}],
        "passages": [{"field": "text", "start": 23, "end": 26, "code": "TP"}],
    }


def test_passage_that_is_not_there_keeps_what_was_typed(office, case):
    answer = redact(
        signed_in(office.handler), case, note_of(case), what="passage", field="text", passage="Zoe", code="TP"
    )

    assert answer.status_code == 422
    assert answer.context["typed"]["passage"] == "Zoe"
    assert note_of(case).redactions["passages"] == []


def test_passage_is_shown_again(office, case):
    client = signed_in(office.handler)
    redact(client, case, note_of(case), what="passage", field="text", passage="Bob", code="TP")

    redact(client, case, note_of(case), what="show", place="0")

    assert note_of(case).redactions == {"fields": [{"field": "agent", "code": "TP"}], "passages": []}


def test_fields_are_ticked_and_the_last_one_cleared_discloses(office, case):
    client = signed_in(office.handler)

    redact(client, case, note_of(case), what="fields", field=["agent", "id"], code="LPP")
    marked = note_of(case).redactions["fields"]
    redact(client, case, note_of(case), what="fields")

    assert marked == [{"field": "agent", "code": "TP"}, {"field": "id", "code": "LPP"}]
    assert (note_of(case).decision, note_of(case).redactions) == (ItemDecision.DISCLOSE, None)


def test_redaction_without_exemption_is_refused(office, case):
    sent = {"what": "passage", "field": "text", "passage": "Bob", "code": ""}

    answer = redact(signed_in(office.handler), case, note_of(case), **sent)

    assert (answer.status_code, note_of(case).redactions["passages"]) == (422, [])


def test_text_is_added_by_hand(office, case):
    answer = signed_in(office.handler).post(
        reverse("console:add-item", args=[case.pk]), {"title": "Desk drawer", "text": "A note on paper."}
    )

    added = Item.objects.select_related("case").get(case=case, collection="added_by_hand")
    assert answer.status_code == 303
    assert added.content["data"] == {"title": "Desk drawer", "text": "A note on paper."}


def test_file_is_added_and_opened_on_record(office, case):
    client, scan = signed_in(office.handler), SimpleUploadedFile("scan.txt", b"A letter of 2019.\n")
    client.post(reverse("console:add-item", args=[case.pk]), {"title": "Letter", "file": scan})
    added = case.items.get(collection="added_by_hand")

    answer = client.get(reverse("console:item-file", args=[case.pk, added.pk]))

    assert b"".join(answer.streaming_content) == b"A letter of 2019.\n"
    assert AuditEvent.objects.get(action="case.file_opened").data == {"file": str(added.file_id)}


def test_program_is_refused_beside_its_field(office, case):
    program = SimpleUploadedFile("letter.pdf", b"MZ\x90\x00" + b"\x00" * 64)

    answer = signed_in(office.handler).post(
        reverse("console:add-item", args=[case.pk]), {"title": "Letter", "file": program}
    )

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["file"])
    assert answer.context["form"]["title"].value() == "Letter"
    assert case.items.filter(collection="added_by_hand").count() == 0


def test_erasure_acts_on_items_or_keeps_them_under_an_exception(office):
    case = in_review(office.brand, office.handler, Right.ERASURE)
    client, person = signed_in(office.handler), person_of(case)

    decide(client, case, decision="keep", exemption="LEGAL_CLAIMS", scope="items", item=str(person.pk))
    kept = person_of(case)
    decide(client, case, decision="act", scope="items", item=str(person.pk))

    assert (kept.decision, kept.exemption) == (ItemDecision.KEEP, "LEGAL_CLAIMS")
    assert person_of(case).decision == ItemDecision.ACT


def test_answer_goes_to_approval_with_its_letter(office, case):
    client, address = signed_in(office.handler), reverse("console:submit", args=[case.pk])
    decide(client, case, decision="disclose", scope="everything")
    letter = client.get(address).context["form"].initial

    answer = client.post(address, {**letter, "version": Case.objects.get(pk=case.pk).version})

    found = Case.objects.get(pk=case.pk)
    assert answer.status_code == 303
    assert (found.state, found.decisions.get().letter_body) == (State.APPROVAL, letter["body"])


def test_erasure_has_nothing_to_redact_and_everything_to_decide(office):
    case = in_review(office.brand, office.handler, Right.ERASURE)

    assert set(case.items.values_list("decision", flat=True)) == {ItemDecision.UNDECIDED}
