"""What one source reveals is used in the next, and leads to nobody else."""

from typing import Any

import pytest
from django.utils import timezone

from cases.models import Candidate, Case, FoundIdentifier, Item, SourceSearch
from cases.words import State
from cases.workflow import doubts as verbs
from cases.workflow import search
from dsar.lib.errors import Refused
from tests.cases.collection.planted import planted
from tests.cases.collection.test_doubts import by_code, desk, found, searched
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import SourceFactory, run_jobs

__all__ = ["desk", "planted"]

pytestmark = pytest.mark.django_db

ADA = {"id": 1, "email": "ada@example.com", "external_id": "4711", "phone_number": "+44 20 7946 0000"}
REVEALS = ["external_id", "phone_number", "email"]


def source(desk: Desk, name: str, *people: Any, **options: Any) -> Any:
    return SourceFactory.create(
        controller=desk.controller,
        name=name,
        connector="planted",
        dataset="",
        options={"people": list(people), "reveals": REVEALS} | options,
    )


def collected() -> dict[str, list[str]]:
    items = Item.objects.select_related("case", "source").order_by("source__name", "number")
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.source.name, []).append(item.content["data"].get("name", item.content["ref"]))
    return found


def revealed() -> list[tuple[str, str, int]]:
    kept = FoundIdentifier.objects.filter(struck_at=None).select_related("case")
    return sorted((one.kind, one.content["value"], one.round) for one in kept)


def test_customer_number_from_one_source_is_used_in_the_other(desk: Desk) -> None:
    shop = source(desk, "Shop", ADA)
    billing = source(desk, "Billing", {"id": 9, "external_id": "4711", "name": "Ada"}, kinds=["external_id"])

    case = searched(desk)

    assert (case.state, collected()) == (State.REVIEW, {"Billing": ["Ada"], "Shop": ["people/1"]})
    assert revealed() == [("external_id", "4711", 1), ("phone_number", "+44 20 7946 0000", 1)]
    number = FoundIdentifier.objects.select_related("case").get(kind="external_id")
    assert (number.source, set(number.used_in)) == (shop, {shop.pk, billing.pk})
    assert {
        one.source.name: (one.state, one.round) for one in SourceSearch.objects.select_related("source")
    } == {
        "Shop": ("done", 2),
        "Billing": ("done", 2),
    }


def test_same_source_is_asked_again_and_collects_only_what_is_new(
    desk: Desk, planted: Any, monkeypatch: Any
) -> None:
    asked = []
    collect = planted.collect
    monkeypatch.setattr(
        planted,
        "collect",
        lambda self, matches, cursor: (
            asked.append([m.ref for m in matches]) or collect(self, matches, cursor)
        ),
    )
    source(desk, "Shop", ADA, {"id": 2, "email": "", "external_id": "4711", "name": "Older account"})

    searched(desk)

    assert asked == [["people/1"], ["people/2"]]
    assert (collected(), SourceSearch.objects.get().found) == ({"Shop": ["people/1", "Older account"]}, 2)


def test_what_is_known_already_is_not_revealed(desk: Desk) -> None:
    source(desk, "Shop", {"id": 1, "email": "ADA@example.com"})

    searched(desk)

    assert (revealed(), SourceSearch.objects.get().round) == ([], 1)


def test_only_three_rounds_are_made(desk: Desk) -> None:
    """A chain of numbers, each of which leads to the next."""
    chain = [{"id": 1, "email": "ada@example.com", "k1": "a"}]
    source(desk, "A", *chain, kinds=["email"], reveals=["external_id"])
    chain = [ADA | {"external_id": "n1", "phone_number": ""}]
    source(desk, "B", *chain, kinds=["email"])
    for step in range(1, 5):
        row = {"id": step, "external_id": f"n{step}", "next_id": f"n{step + 1}", "name": f"link {step}"}
        other = {"id": 100 + step, "external_id": f"n{step + 1}", "name": f"end {step}"}
        source(desk, f"S{step}", row, other, kinds=["external_id"], reveals=["external_id", "next_id"])

    searched(desk)

    assert max(SourceSearch.objects.values_list("round", flat=True)) <= 3


def test_probable_match_reveals_nothing(desk: Desk) -> None:
    source(desk, "Shop", ADA, confidence="probable")
    source(desk, "Billing", {"id": 9, "external_id": "4711"}, kinds=["external_id"])

    searched(desk)

    assert (revealed(), collected()) == ([], {})


def test_match_by_something_unverified_reveals_nothing(desk: Desk) -> None:
    """A caller gives somebody else's telephone number: that person's customer number is not asked for."""
    from cases.workflow.intake import Person

    source(desk, "Shop", ADA)
    source(desk, "Billing", {"id": 9, "external_id": "4711"}, kinds=["external_id"])

    by_code(desk, person=Person(name="Eve", email="eve@example.com", phone="+44 20 7946 0000"))

    assert (revealed(), found()) == ([], [])


def test_shared_number_brings_nobody_in(desk: Desk) -> None:
    """The family's telephone stands with Ada in the shop, and with Bob, who has an address of his own, elsewhere."""
    source(desk, "Shop", ADA)
    bob = {"id": 5, "email": "bob@example.com", "phone_number": "+44 20 7946 0000", "name": "Bob"}
    source(desk, "Help desk", bob, kinds=["phone_number"])
    source(desk, "Calls", bob | {"email": ""}, kinds=["phone_number"])

    searched(desk)

    assert collected() == {"Shop": ["people/1"]}
    kept = Candidate.objects.select_related("case", "source").order_by("source__name")
    assert [(one.source.name, one.why) for one in kept] == [("Calls", "shared"), ("Help desk", "others")]


def test_customer_number_of_another_system_pulls_no_stranger_in(desk: Desk) -> None:
    """Both systems count their customers from one: 4711 is Ada in the shop, and Bob in billing."""
    source(desk, "Shop", ADA)
    bob = {"id": 9, "external_id": "4711", "email": "bob@example.com", "name": "Bob"}
    source(desk, "Billing", bob, {"id": 10, "external_id": "4711", "name": "Unnamed"}, kinds=["external_id"])
    source(desk, "Mail", {"id": 1, "email": "bob@example.com", "name": "Bob"}, kinds=["email"])

    searched(desk)

    assert collected() == {"Shop": ["people/1"]}
    assert [one.why for one in Candidate.objects.all()] == ["others", "others"]
    assert ("email", "bob@example.com", 2) not in revealed()


def test_mailbox_of_an_office_pulls_no_colleague_in(desk: Desk) -> None:
    """Ada's record in the shop names the office's mailbox; in the help desk two people write from it."""
    source(desk, "Shop", ADA | {"external_id": "info@office.example"})
    colleagues = [
        {"id": number, "external_id": "info@office.example", "name": f"C{number}"} for number in (5, 6)
    ]
    source(desk, "Help desk", *colleagues, kinds=["external_id"])

    searched(desk)

    assert collected() == {"Shop": ["people/1"]}
    assert [one.why for one in Candidate.objects.all()] == ["several"] * 2


def strike(desk: Desk, kind: str = "external_id", reason: str = "It is the old owner's.") -> Case:
    one = FoundIdentifier.objects.select_related("case").get(kind=kind)
    return verbs.strike(one, reason, desk.handler, timezone.now())


def test_identifier_that_is_struck_out_takes_back_what_it_led_to(desk: Desk) -> None:
    source(desk, "Shop", ADA)
    source(
        desk, "Billing", {"id": 9, "external_id": "4711", "email": "", "name": "Ada?"}, kinds=["external_id"]
    )
    case = searched(desk)
    Item.objects.filter(source__name="Shop").update(decision="disclose")

    during = strike(desk)
    left = collected()
    run_jobs()

    case.refresh_from_db()
    assert (during.state, left) == (State.SEARCHING, {"Shop": ["people/1"]})
    assert (case.state, collected()) == (State.SEARCHING, {"Shop": ["people/1"]})
    billing = SourceSearch.objects.get(source__name="Billing")
    assert (billing.state, billing.error_code) == ("failed", "not_searchable")
    assert Item.objects.get().decision == "disclose"
    assert revealed() == [("phone_number", "+44 20 7946 0000", 1)]


def test_what_was_struck_out_stays_so_in_the_next_search(desk: Desk) -> None:
    source(desk, "Shop", ADA)
    source(
        desk,
        "Billing",
        {"id": 9, "external_id": "4711", "name": "Ada?"},
        {"id": 1, "email": "ada@example.com", "name": "Ada"},
    )
    case = searched(desk)
    strike(desk)
    run_jobs()

    search.again(Case.objects.get(pk=case.pk), desk.handler, timezone.now(), reason="New call.")
    run_jobs()

    case.refresh_from_db()
    assert (case.state, collected()) == (State.REVIEW, {"Billing": ["Ada"], "Shop": ["people/1"]})


def test_striking_out_needs_a_reason(desk: Desk) -> None:
    source(desk, "Shop", ADA)
    searched(desk)

    with pytest.raises(Refused) as refusal:
        strike(desk, reason=" ")

    assert (refusal.value.code, len(revealed())) == ("reason_missing", 2)
