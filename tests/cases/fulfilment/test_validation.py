"""What a field may hold follows from its category and type, and is written as the source writes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors.base import FieldForm
from cases.fulfilment.validation import Around, Fault, Unfit, countries, country_of, is_same, validated

HERE = Around("GB", date(2026, 11, 22))
EMAIL = FieldForm(("user.contact.email",))
PHONE = FieldForm(("user.contact.phone_number",))
BORN = FieldForm(("user.demographic.date_of_birth",))
POSTCODE = FieldForm(("user.contact.address.postal_code",))
MONEY = FieldForm(("user.financial",))
COUNTRY = FieldForm(("user.contact.address.country",))
NAME = FieldForm(("user.name",), length=5)


@pytest.mark.parametrize(
    ("name", "form", "held", "typed", "wanted"),
    [
        ("email", EMAIL, "old@example.com", " new@example.com ", "new@example.com"),
        ("phone", PHONE, "+44 20 7946 0000", "020 7946 0999", "+44 20 7946 0999"),
        ("phone", PHONE, "+442079460000", "020 7946 0999", "+442079460999"),
        ("born_on", BORN, "1980-12-31", "1.2.1981", "1981-02-01"),
        ("born_on", BORN, "31.12.1980", "1981-02-01", "01.02.1981"),
        ("postcode", POSTCODE, "SW1A 1AA", "sw1a2aa", "SW1A 2AA"),
        ("iban", MONEY, None, "gb82 west 1234 5698 7654 32", "GB82WEST12345698765432"),
        (
            "account",
            MONEY,
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "GB82 WEST 1234 5698 7654 32",
        ),
        ("age", FieldForm(), 41, "42", 42),
        ("rate", FieldForm(), 1.5, "2,5", 2.5),
        ("marketing", FieldForm(), True, "no", False),
        ("note", FieldForm(), "anything", "Something else", "Something else"),
    ],
)
def test_a_value_is_written_as_the_field_writes_it(name, form, held, typed, wanted):
    found = validated(name, form, held, typed, HERE)

    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("name", "form", "held", "typed", "fault", "gap"),
    [
        ("email", EMAIL, "a@b.example", "nobody at home", Fault.EMAIL, ""),
        ("phone", PHONE, "+442079460000", "12", Fault.PHONE, ""),
        ("phone", PHONE, "+442079460000", "call me", Fault.PHONE, ""),
        ("born_on", BORN, "1980-12-31", "31.02.1980", Fault.DATE, ""),
        ("born_on", BORN, "1980-12-31", "2026-11-23", Fault.FUTURE, ""),
        ("postcode", POSTCODE, "SW1A 1AA", "10115", Fault.POSTCODE, "GB"),
        ("iban", MONEY, None, "GB82WEST12345698765433", Fault.IBAN, ""),
        ("age", FieldForm(), 41, "forty", Fault.NUMBER, ""),
        ("rate", FieldForm(), 1.5, "NaN", Fault.NUMBER, ""),
        ("marketing", FieldForm(), True, "perhaps", Fault.TRUTH, ""),
        ("name", NAME, "Ada", "Adelaide", Fault.TOO_LONG, "5"),
        ("name", NAME, "Ada", "   ", Fault.EMPTY, ""),
        ("name", NAME, "Ada", "A\x00", Fault.NOT_PLAIN, ""),
        ("other_emails", EMAIL, ["a@b.example"], "c@d.example", Fault.NOT_PLAIN, ""),
    ],
)
def test_what_cannot_stand_there_is_refused_by_a_code(name, form, held, typed, fault, gap):
    with pytest.raises(Unfit) as refused:
        validated(name, form, held, typed, HERE)

    assert (refused.value.fault, refused.value.gap) == (fault, gap)


def test_a_refusal_quotes_nothing_of_what_was_typed():
    with pytest.raises(Unfit) as refused:
        validated("email", EMAIL, "old@example.com", "planted words", HERE)

    assert str(refused.value) == "email"


@pytest.mark.parametrize(
    ("country", "typed", "wanted"),
    [
        ("DE", "10115", "10115"),
        ("NL", "1012ab", "1012 AB"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("XX", "any-7", "any-7"),
    ],
)
def test_postcodes_are_those_of_the_country_of_the_record(country, typed, wanted):
    around = Around(country, HERE.today)

    assert validated("postcode", POSTCODE, "", typed, around) == wanted


def test_the_country_of_the_record_comes_before_that_of_the_controller():
    data = {"name": "Germany", "country": "Deutschland"}
    forms = {"name": NAME, "country": COUNTRY}

    found = [country_of(data, forms, "gb"), country_of({"name": "Germany"}, forms, "gb")]

    assert found == ["DE", "GB"]


@pytest.mark.parametrize(
    ("form", "held", "typed"),
    [
        (EMAIL, "Ada@Example.com", "ada@example.com"),
        (PHONE, "+44 20 7946 0000", "02079460000"),
        (BORN, "31.12.1980", "1980-12-31"),
        (POSTCODE, "SW1A 1AA", "sw1a1aa"),
        (COUNTRY, "Germany", "DE"),
        (NAME, "Müller ", "  müller"),
    ],
)
def test_two_ways_of_writing_are_the_same_value(form, held, typed):
    assert is_same("field", form, held, typed, HERE)


@pytest.mark.parametrize(("held", "typed"), [("Ada", ""), (None, "None"), (["Ada"], "Ada"), ("Ada", "Ad")])
def test_other_values_are_not_the_same(held, typed):
    assert not is_same("name", NAME, held, typed, HERE)


@given(
    st.text(max_size=40), st.sampled_from([EMAIL, PHONE, BORN, POSTCODE, MONEY, COUNTRY, NAME, FieldForm()])
)
def test_what_was_accepted_once_is_accepted_again_and_stays_as_it_is(typed, form):
    try:
        first = validated("field", form, "", typed, HERE)
    except Unfit:
        return

    assert validated("field", form, first, str(first), HERE) == first


def test_every_country_has_names_of_its_own():
    names = [name for one in countries().values() for name in one.names]

    assert sorted(names) == sorted(set(names))
