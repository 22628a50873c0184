import json

import pytest
from django.utils import timezone

from cases.law import loader as law
from cases.models import Item, ItemDecision, ResponsePack
from cases.review import items
from cases.words import Outcome, Right, State
from cases.workflow import decide, review
from cases.workflow.intake import Upload
from cases.workflow.review import Choice, Selection
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from dsar.vault import files
from tests.factories.cases import in_state, run_jobs

pytestmark = pytest.mark.django_db


def released(desk, case):
    """Every file of the pack, as one text; PDFs by their text."""
    desk.allow()
    decide.approve(desk.submitted(case), desk.dpo, timezone.now())
    run_jobs()
    return {
        entry.file.name: b"".join(files.read(entry.file)) for entry in ResponsePack.objects.get().files.all()
    }


def text_of(files_: dict[str, bytes]) -> str:
    import pypdfium2

    parts = []
    for name, content in files_.items():
        if name.endswith(".pdf"):
            pdf = pypdfium2.PdfDocument(content)
            parts += [page.get_textpage().get_text_range() for page in pdf]
        else:
            parts.append(content.decode("utf-8", "replace"))
    return "\n".join(parts)


def item(case, collection) -> Item:
    return Item.objects.select_related("case").get(case=case, collection=collection)


def test_third_party_field_starts_redacted(desk):
    case = desk.in_review()

    note = item(case, "notes")

    assert note.decision == ItemDecision.REDACT
    assert note.redactions == {"fields": [{"field": "agent", "code": "TP"}], "passages": []}


def test_withheld_content_is_in_no_file(desk):
    case = desk.in_review()
    people, notes = item(case, "people"), item(case, "notes")
    review.decide(
        case, Selection(ids=[people.pk]), Choice(ItemDecision.DISCLOSE), desk.handler, timezone.now()
    )
    start = notes.content["data"]["text"].index("Pays by card")
    review.redact(
        notes,
        {
            "fields": [{"field": "agent", "code": "TP"}],
            "passages": [{"field": "text", "start": start, "end": start + 12, "code": "NEG"}],
        },
        desk.handler,
        timezone.now(),
    )

    text = text_of(released(desk, case))

    assert "Called about the bill" in text
    assert "Pays by card" not in text
    assert "Carla" not in text
    assert "Bob" not in text


def test_silent_withholding_shows_nowhere_outside_the_desk(desk):
    case = desk.in_review()
    people, notes = item(case, "people"), item(case, "notes")
    review.decide(
        case, Selection(ids=[people.pk]), Choice(ItemDecision.DISCLOSE), desk.handler, timezone.now()
    )
    review.decide(
        case,
        Selection(ids=[notes.pk]),
        Choice(ItemDecision.WITHHOLD, "CRIME", silent=True),
        desk.handler,
        timezone.now(),
    )

    contents = released(desk, case)

    text = text_of(contents)
    assert "CRIME" not in text
    assert "crime" not in text.lower()
    assert "notes" not in json.loads(contents["manifest.json"])["files"]
    case.refresh_from_db()
    assert case.outcome == Outcome.FULFILLED
    assert items.withheld_counts(case) == []


def test_silence_is_refused_where_the_exemption_does_not_allow_it(desk):
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        review.decide(
            case,
            Selection(only_undecided=True),
            Choice(ItemDecision.WITHHOLD, "TP", silent=True),
            desk.handler,
            timezone.now(),
        )

    assert refusal.value.code == "not_silent"
    assert items.undecided(case) == 1


def test_national_security_must_be_silent(desk):
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        review.decide(
            case,
            Selection(only_undecided=True),
            Choice(ItemDecision.WITHHOLD, "NATSEC"),
            desk.handler,
            timezone.now(),
        )

    assert refusal.value.code == "silent"


@pytest.mark.parametrize("code", ["", "NONSENSE"])
def test_withholding_needs_an_exemption_of_the_list(desk, code):
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        review.decide(
            case,
            Selection(only_undecided=True),
            Choice(ItemDecision.WITHHOLD, code),
            desk.handler,
            timezone.now(),
        )

    assert refusal.value.code == "exemption_missing"


@pytest.mark.parametrize("who", ["agent", "dpo", "reviewer"])
def test_only_a_handler_decides_items(desk, who):
    case = desk.in_review()

    with pytest.raises(NotAllowed):
        review.decide_by_rules(case, getattr(desk, who), timezone.now())

    assert items.undecided(case) == 1


def test_items_are_decided_in_review_only(desk):
    case = in_state(desk.in_review(), State.APPROVAL)

    with pytest.raises(Refused) as refusal:
        review.decide_by_rules(case, desk.handler, timezone.now())

    assert refusal.value.code == "not_in_review"


def test_item_added_by_hand_goes_out_as_attachment(desk):
    case = desk.in_review()
    upload = Upload("scan.pdf", "application/pdf", [b"%PDF-1.4 a scan"])
    review.add_item(case, "Letter of 2019", "", upload, desk.handler, timezone.now())
    review.decide_by_rules(case, desk.handler, timezone.now())

    contents = released(desk, case)

    assert contents["attachments/scan.pdf"] == b"%PDF-1.4 a scan"


def test_group_is_decided_at_once(desk):
    case = desk.in_review()
    source = item(case, "people").source_id

    changed = review.decide(
        case,
        Selection(source_id=source, collection="people"),
        Choice(ItemDecision.DISCLOSE),
        desk.handler,
        timezone.now(),
    )

    assert changed == 1
    assert item(case, "people").decision == ItemDecision.DISCLOSE
    assert AuditEvent.objects.filter(case_id=case.pk, action="review.items_decided").count() == 1


def test_silent_exemption_is_not_marked_in_a_record(desk):
    """A mark is printed in the answer with its code."""
    case = desk.in_review()
    item = Item.objects.filter(case=case).first()
    code = next(one.code for one in law.exemptions_for(case.regime) if one.silence == "must")

    with pytest.raises(Refused) as refusal:
        review.redact(item, {"fields": [{"field": "name", "code": code}]}, desk.handler, timezone.now())

    assert refusal.value.code == "silent"
    item.refresh_from_db()
    assert item.redactions is None


@pytest.mark.parametrize(
    ("right", "choice"),
    [
        (Right.ACCESS, Choice(ItemDecision.ACT)),
        (Right.ACCESS, Choice(ItemDecision.KEEP, "LEGAL_CLAIMS")),
        (Right.ACCESS, Choice(ItemDecision.REDACT)),
        (Right.ERASURE, Choice(ItemDecision.DISCLOSE)),
    ],
)
def test_record_is_not_dropped_from_an_answer_without_a_reason(desk, right, choice):
    case = desk.in_review(right)
    undecided = items.undecided(case)

    with pytest.raises(Refused) as refusal:
        review.decide(case, Selection(only_undecided=True), choice, desk.handler, timezone.now())

    assert refusal.value.code == "wrong_decision"
    assert items.undecided(case) == undecided
