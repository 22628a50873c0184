"""What a description lets a person be asked is read without guessing, and nothing public is."""

from typing import Any

import pytest
import yaml

from cases.connectors.dataset import DatasetError, parse_dataset
from cases.connectors.description import Askable

MONTH: dict[str, Any] = {"kind": "month", "question": {"en": "When did you join us?", "de": "Seit wann?"}}


def described(field: dict[str, Any], child: dict[str, Any] | None = None) -> str:
    """Customers with one more field, and bills that hang on them."""
    customer = [
        {"name": "id", "data_categories": ["user.unique_id"], "fides_meta": {"primary_key": True}},
        {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}},
        {"name": "joined_on", "data_categories": ["user.account"], **field},
    ]
    bill = [
        {"name": "id", "data_categories": ["user.unique_id"], "fides_meta": {"primary_key": True}},
        {
            "name": "customer_id",
            "data_categories": ["user.unique_id"],
            "fides_meta": {"references": [{"dataset": "shop", "field": "customer.id", "direction": "from"}]},
        },
        {"name": "issued_on", "data_categories": ["user.financial"]},
        {"name": "pounds", "data_categories": ["user.financial"], **(child or {})},
    ]
    collections = [{"name": "customer", "fields": customer}, {"name": "bill", "fields": bill}]
    return yaml.safe_dump(
        {
            "dataset": [
                {"fides_key": "shop", "name": "Shop", "description": "A shop", "collections": collections}
            ]
        }
    )


def asks(**changes: Any) -> dict[str, Any]:
    return {"desk_meta": {"askable": MONTH | changes}}


def test_what_may_be_asked_is_read() -> None:
    amount = {"kind": "amount", "question": {"en": "How much was your last bill?"}, "newest_by": "issued_on"}
    dataset = parse_dataset(described(asks(), {"desk_meta": {"askable": amount}}))

    assert dataset.by_name["customer"].by_name["joined_on"].askable == Askable("month", MONTH["question"])
    found = dataset.by_name["bill"].by_name["pounds"].askable
    assert found is not None
    assert (found.kind, found.newest_by) == ("amount", "issued_on")
    assert dataset.by_name["customer"].by_name["email"].askable is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown kind": (asks(kind="riddle"), "there is no kind “riddle”"),
    "no question": ({"desk_meta": {"askable": {"kind": "month"}}}, "question"),
    "unknown key": (asks(hint="spring"), "hint"),
    "unknown word of ours": ({"desk_meta": {"ask": True}}, "ask"),
    "few choices": (asks(kind="choice", choices=["a", "b", "c"]), "at least 4 different"),
    "the same choices": (asks(kind="choice", choices=["a", "b", "c", "c"]), "at least 4 different"),
    "choices of a month": (asks(choices=["a", "b", "c", "d"]), "only a choice has choices"),
    "a name": ({**asks(), "data_categories": ["user.name.first"]}, "it is public"),
    "an address of mail": ({**asks(), "data_categories": ["user.contact.email"]}, "it is public"),
    "an identity": ({**asks(), "fides_meta": {"identity": "external_id"}}, "is not asked for"),
    "newest by nothing": (asks(newest_by="issued_on"), "there is no field “issued_on”"),
}


@pytest.mark.parametrize(("field", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_is_refused_with_its_place(field: dict[str, Any], said: str) -> None:
    with pytest.raises(DatasetError) as refused:
        parse_dataset(described(field))

    found = [problem for problem in refused.value.problems if problem.place == "customer.joined_on"]
    assert len(found) == 1
    assert said in found[0].message
    assert found[0].line is not None


def test_of_several_rows_the_newest_has_to_be_told() -> None:
    with pytest.raises(DatasetError, match="newest_by"):
        parse_dataset(described({}, asks()))
