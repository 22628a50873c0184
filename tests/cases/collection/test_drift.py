"""Fields that nobody described: held back, said once what they are, and then right down to the answer."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from cases.collection import outstanding
from cases.models import Case, FieldChoice, FieldInCase, Item, PackFile, UnknownField
from cases.permissions import By
from cases.words import State
from cases.workflow import decide, fields, review, search
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from dsar.vault import files
from tests.cases.collection.planted import planted
from tests.cases.collection.test_doubts import desk, searched
from tests.cases.packs.samples import pdf_text
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import SourceFactory, run_jobs
from tests.leaks import leaked

__all__ = ["desk", "planted"]

pytestmark = pytest.mark.django_db

KNOWN = ["id", "email", "name", "person_id", "text"]
ADA = {
    "id": 1,
    "email": "ada@example.com",
    "name": "Ada",
    "mood": "cheerful",
    "pin": "0815",
    "score": 7,
    "boss": "Bob",
}
WORDS = ("cheerful", "0815", "Bob")


def source(desk: Desk, **options: Any) -> Any:
    options = {"people": [ADA], "known": KNOWN} | options
    return SourceFactory.create(
        controller=desk.controller, slug="shop", connector="planted", options=options, dataset=""
    )


def item() -> Item:
    return Item.objects.select_related("case").get(collection="people")


def say(desk: Desk, name: str, choice: str, by: By | None = None, reason: str = "Asked the owner.") -> None:
    field = UnknownField.objects.get(name=name)
    fields.classify(field, choice, reason, by or desk.dpo, timezone.now())
    run_jobs()


def say_all(desk: Desk) -> None:
    for name, choice in (
        ("mood", "disclose"),
        ("score", "internal"),
        ("boss", "third_party"),
        ("pin", "secret"),
    ):
        say(desk, name, choice)


def test_unknown_fields_are_kept_sealed_and_shown_nowhere(desk: Desk) -> None:
    made = source(desk)

    case = searched(desk)

    assert item().content["data"] == {"id": 1, "email": "ada@example.com", "name": "Ada"}
    assert item().content["unclassified"] == {"mood": "cheerful", "pin": "0815", "score": 7, "boss": "Bob"}
    assert list(UnknownField.objects.values_list("collection", "name", "choice")) == [
        ("people", "boss", ""),
        ("people", "mood", ""),
        ("people", "pin", ""),
        ("people", "score", ""),
    ]
    assert outstanding.of(case).fields == 4
    assert outstanding.faults([made.pk]) == {made.pk: outstanding.Faults(unknown_fields=4)}


def test_nothing_goes_to_approval_before_each_is_classified(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    review.decide_by_rules(case, desk.handler, timezone.now())
    codes = []

    for name in ("mood", "pin", "score", "boss"):
        with pytest.raises(Refused) as refusal:
            desk.submitted(Case.objects.get(pk=case.pk))
        codes.append(refusal.value.code)
        say(desk, name, "internal")

    assert codes == ["fields_unclassified"] * 4
    assert desk.submitted(Case.objects.get(pk=case.pk)).state == State.APPROVAL


def test_what_was_said_is_applied_to_what_was_collected(desk: Desk) -> None:
    source(desk)
    searched(desk)

    say_all(desk)

    one = item()
    assert one.content["data"] == {
        "id": 1,
        "email": "ada@example.com",
        "name": "Ada",
        "mood": "cheerful",
        "boss": "Bob",
    }
    assert one.content["unclassified"] == {"mood": "cheerful", "score": 7, "boss": "Bob"}
    assert (one.decision, [mark["field"] for mark in one.redactions["fields"]]) == ("redact", ["boss"])


def test_what_is_collected_later_looks_the_same_and_keeps_its_decision(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    say_all(desk)
    before = (item().content["data"], bytes(item().content_hash), item().redactions)
    Item.objects.update(decision="withhold", exemption="LPP")

    search.again(Case.objects.get(pk=case.pk), desk.handler, timezone.now(), reason="New call.")
    run_jobs()

    assert (item().content["data"], bytes(item().content_hash), item().redactions) == before
    assert item().decision == "withhold"
    assert outstanding.of(case).to_decide == 0


def test_another_case_of_the_source_has_it_at_once(desk: Desk) -> None:
    source(desk)
    searched(desk)
    say_all(desk)

    other = searched(desk)

    one = other.items.select_related("case").get()
    assert set(one.content["data"]) == {"id", "email", "name", "mood", "boss"}
    assert (one.decision, "pin" in one.content["unclassified"]) == ("redact", False)
    assert not outstanding.of(other)


def answered(desk: Desk, case: Case) -> dict[str, str]:
    """The files of the answer that was built, as text."""
    desk.allow()
    review.decide_by_rules(case, desk.handler, timezone.now())
    case = desk.submitted(Case.objects.get(pk=case.pk))
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()
    found = PackFile.objects.filter(pack__case=case).select_related("file")
    return {one.file.name: as_text(one.file.name, b"".join(files.read(one.file))) for one in found}


def as_text(name: str, content: bytes) -> str:
    return pdf_text(content) if name.endswith(".pdf") else content.decode()


def test_answer_holds_what_was_disclosed_and_nothing_else(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    say_all(desk)

    pack = answered(desk, case)

    (record,) = json.loads(pack["data.json"])["sources"][0]["collections"][0]["records"]
    assert record["data"] == {
        "id": 1,
        "email": "ada@example.com",
        "name": "Ada",
        "mood": "cheerful",
        "boss": {"$withheld": "TP"},
    }
    (row,) = csv.DictReader(io.StringIO(pack["data/shop/people.csv"].lstrip("\ufeff")))
    assert (row["mood"], "score" in row, "pin" in row, row["boss"] == "Bob") == (
        "cheerful",
        False,
        False,
        False,
    )
    assert leaked(WORDS, "\n".join(pack.values())) == ["cheerful"]


def test_what_is_internal_stays_out_of_the_answer(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    for name in ("mood", "pin", "score", "boss"):
        say(desk, name, "internal")

    pack = answered(desk, case)

    assert leaked([*WORDS, "mood"], "\n".join(pack.values())) == []


def test_versions_are_kept_and_told(desk: Desk) -> None:
    source(desk)
    searched(desk)

    say(desk, "mood", "internal", reason="Looks internal.")
    say(desk, "mood", "disclose", reason="It is about the person.")

    kept = FieldChoice.objects.select_related("field__source")
    assert [(one.version, one.choice, one.reason) for one in kept] == [
        (2, "disclose", "It is about the person."),
        (1, "internal", "Looks internal."),
    ]
    told = AuditEvent.objects.filter(action="configuration.field_classified").order_by("seq")
    assert [(one.data["version"], one.data["choice"]) for one in told] == [(1, "internal"), (2, "disclose")]
    assert item().content["data"]["mood"] == "cheerful"


def test_what_was_approved_stays_as_it_was_approved(desk: Desk) -> None:
    """Said anew while a proposal waits: the proposal is void, since something else would go out."""
    source(desk)
    case = searched(desk)
    say_all(desk)
    review.decide_by_rules(case, desk.handler, timezone.now())
    case = desk.submitted(Case.objects.get(pk=case.pk))

    say(desk, "mood", "internal")

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, timezone.now())
    assert refusal.value.code == "digest_differs"


def test_case_that_could_not_be_changed_catches_up(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    say_all(desk)
    FieldInCase.objects.filter(field__name="mood").update(applied=0)

    fields.order_lagging(desk.controller.pk, timezone.now())
    ahead = outstanding.of(case).fields_coming
    run_jobs()

    assert (ahead, outstanding.of(case).fields_coming) == (1, 0)


@pytest.mark.parametrize("who", ["handler", "agent", "reviewer"])
def test_only_who_may_classify_does(desk: Desk, who: str) -> None:
    source(desk)
    searched(desk)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        say(desk, "pin", "disclose", by=getattr(desk, who))

    assert (UnknownField.objects.get(name="pin").choice, FieldChoice.objects.count()) == ("", 0)
    assert "pin" not in item().content["data"]


@pytest.mark.parametrize(
    ("choice", "reason", "code"), [("disclose", " ", "reason_missing"), ("", "x", "choice_missing")]
)
def test_choice_needs_a_reason_and_a_class(desk: Desk, choice: str, reason: str, code: str) -> None:
    source(desk)
    searched(desk)

    with pytest.raises(Refused) as refusal:
        say(desk, "pin", choice, reason=reason)

    assert (refusal.value.code, FieldChoice.objects.count()) == (code, 0)


def test_field_that_no_record_of_the_case_has_holds_no_answer_up(
    desk: Desk, planted: Any, monkeypatch: Any
) -> None:
    """A table where the person has no row: the source is shown in amber, and the case goes on."""
    collect = planted.collect

    def of_elsewhere(self: Any, matches: Any, cursor: Any) -> Any:
        return replace(collect(self, matches, cursor), unknown_fields={"elsewhere": ("new_column",)})

    monkeypatch.setattr(planted, "collect", of_elsewhere)
    source(desk, people=[{"id": 1, "email": "ada@example.com"}])

    case = searched(desk)

    assert list(UnknownField.objects.values_list("collection", "name")) == [("elsewhere", "new_column")]
    assert not outstanding.of(case)
