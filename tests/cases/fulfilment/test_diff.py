"""Claims find their fields: where the person pointed, where the wrong value stands, or by the name of a detail."""

from datetime import date

import pytest

from cases.connectors.base import FieldForm
from cases.fulfilment.diff import Claim, How, Record, is_meant, may_be_shown, places, settled

TODAY = date(2026, 11, 22)
FORMS = {
    "id": FieldForm(("user.unique_id",)),
    "name": FieldForm(("user.name",)),
    "email": FieldForm(("user.contact.email",)),
    "street": FieldForm(("user.contact.address.street",)),
    "postcode": FieldForm(("user.contact.address.postal_code",)),
    "note": FieldForm(("user.content.private",)),
    "agent": FieldForm(("user.name",), third_party=True),
    "secret": FieldForm(("user.name",), askable=True),
}
ADA = {
    "id": 7,
    "name": "Ada Exampel",
    "email": "ada@example.com",
    "street": "1 Main Street",
    "postcode": "SW1A 1AA",
    "note": "Spoke to Ada Exampel of 1 Main Street today.",
    "agent": "Ada Exampel",
}


def claim(detail="", wrong="", right="", number=0, **pointed):
    return Claim(number, detail, wrong, right, **pointed)


def found(*claims, data=ADA, item="one"):
    return [
        (place.name, place.how, place.claimed)
        for place in settled(places(claims, Record(item, data, FORMS), "GB", TODAY))
    ]


def test_the_wrong_value_is_found_and_the_texts_that_mention_it():
    assert found(claim("my name", "ada  exampel", "Ada Example")) == [
        ("name", How.VALUE, "Ada Example"),
        ("note", How.WITHIN, "Spoke to Ada Exampel of 1 Main Street today."),
    ]


def test_a_mention_is_put_right_where_it_stands():
    (_name, (_note, how, claimed)) = found(claim("street", "1 Main Street", "2 Main Street"))

    assert (how, claimed) == (How.WITHIN, "Spoke to Ada Exampel of 2 Main Street today.")


def test_a_name_within_an_address_is_no_mention_of_it():
    data = ADA | {"name": "Exampel", "email": "ada.exampel.7@example.com", "note": "x"}

    assert found(claim("last name", "Exampel", "Example"), data=data) == [("name", How.VALUE, "Example")]


def test_a_field_about_somebody_else_is_never_found():
    assert "agent" not in {name for name, _how, _claimed in found(claim("name", "Ada Exampel", "X"))}


def test_keys_of_the_source_are_never_found():
    assert found(claim("id", "7", "8")) == []


def test_a_named_detail_is_found_though_it_holds_something_else():
    assert found(claim("Postleitzahl", "", "sw1a2aa")) == [("postcode", How.NAMED, "SW1A 2AA")]


def test_the_whole_address_is_each_of_its_parts():
    names = [name for name, _how, _claimed in found(claim("My address", "", "somewhere else"))]

    assert names == ["street", "postcode"]


def test_where_the_person_pointed_nothing_else_of_the_record_is_meant():
    pointed = claim("Name", "Ada Exampel", "Ada Example", item="one", name="name")

    assert found(pointed)[0] == ("name", How.POINTED, "Ada Example")


def test_the_value_pointed_at_is_found_in_other_records_too():
    pointed = claim("Name", "Ada Exampel", "Ada Example", item="one", name="name")

    assert found(pointed, item="two")[0] == ("name", How.VALUE, "Ada Example")


def test_a_mere_name_leads_nowhere_once_the_value_was_found():
    one, other = claim("email", "ada@example.com", "ada@example.org"), claim("email", "", "x", number=1)
    of_two = [
        *places([one, other], Record("one", ADA, FORMS), "GB", TODAY),
        *places([one, other], Record("two", {"email": "else@example.com"}, FORMS), "GB", TODAY),
    ]

    kept = [(place.item, place.claim, place.how) for place in settled(of_two)]

    assert kept == [("one", 0, How.VALUE), ("two", 1, How.NAMED)]


def test_a_short_value_is_not_found_by_chance():
    assert found(claim("something", "7", "8"), data={"age": 7, "floor": 7}) == []


def test_a_value_that_cannot_stand_there_is_kept_as_typed():
    assert found(claim("email", "ada@example.com", "not an address")) == [
        ("email", How.VALUE, "not an address")
    ]


@pytest.mark.parametrize(
    ("detail", "name", "meant"),
    [
        ("Last name", "last_name", True),
        ("my e-mail address", "email", True),
        ("address", "email", False),
        ("the street", "street", True),
        ("", "email", False),
        ("whatever", "email", False),
    ],
)
def test_words_for_details(detail, name, meant):
    assert is_meant(detail, name, FORMS.get(name, FieldForm())) is meant


@pytest.mark.parametrize(
    ("name", "held", "shown"),
    [
        ("name", "Ada", True),
        ("email", "ada@example.com", True),
        ("note", "A colleague thinks that she lies.", False),
        ("agent", "Grace Colleague", False),
        ("secret", "What only she knows", False),
        ("id", 7, False),
        ("name", "", False),
        ("name", None, False),
        ("name", ["Ada"], False),
        ("name", "x" * 201, False),
        ("unknown", "anything", False),
    ],
)
def test_what_a_person_may_be_shown_before_anybody_has_looked_at_it(name, held, shown):
    assert may_be_shown(name, FORMS.get(name, FieldForm()), held) is shown
