from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsar.lib.normalise import birth_date, email, external_id, name_tokens, phone

REGIONS = st.sampled_from(["GB", "DE", "FR", "ES", "IT", "IE", "NL", "US", None])
NUMBERS = st.text(alphabet="0123456789+-() ./x#", max_size=24)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  Ann.Smith@Example.ORG ", "ann.smith@example.org"),
        ("<ann@example.org>", "ann@example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("ann+shop@example.org", "ann+shop@example.org"),
        ("ann@example.org.", "ann@example.org"),
        ("ann＠example.org", "ann@example.org"),
        ("jörg@müller.example", "jörg@xn--mller-kva.example"),
        ("jörg@xn--mller-kva.example", "jörg@xn--mller-kva.example"),
        ("Jo\u0308rg@example.org", "jörg@example.org"),
        ("not an address", "not an address"),
        ("", ""),
    ],
)
def test_email_has_one_form(written: str, expected: str) -> None:
    assert email(written) == expected


@given(st.text(max_size=40) | st.emails())
@example("<<a@b>>")
@example("mailto:mailto:a@b")
@example("a@b..")
def test_email_is_idempotent(written: str) -> None:
    assert email(email(written)) == email(written)


@given(st.emails())
def test_email_ignores_letter_case(written: str) -> None:
    assert email(written.upper()) == email(written.lower())


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("+44 7700 900123", "DE", "+447700900123"),
        ("+44 (0)7700 900-123", "GB", "+447700900123"),
        ("0044 7700 900123", "GB", "+447700900123"),
        ("tel:+447700900123", None, "+447700900123"),
        ("(020) 7946 0958 ext. 12", "gb", "+442079460958"),
        ("030 / 23125-000", "DE", "+493023125000"),
        ("02 1234567", "IT", "+39021234567"),
        ("01 23 45 67 89", "FR", "+33123456789"),
        ("\u0660\u0667\u0667\u0660\u0660 \u0669\u0660\u0660\u0661\u0662\u0663", "GB", "+447700900123"),
        ("07700 900123", None, "07700900123"),
        ("12", "GB", "12"),
        ("+999 123", "GB", "+999123"),
        ("unknown", "GB", ""),
        ("00000000000", "GB", "00000000000"),
    ],
)
def test_phone_has_one_form(written: str, region: str | None, expected: str) -> None:
    assert phone(written, region) == expected


@given(NUMBERS | st.text(max_size=20), REGIONS)
def test_phone_is_idempotent(written: str, region: str | None) -> None:
    assert phone(phone(written, region), region) == phone(written, region)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" KD-0012.345 ", "kd0012345"),
        ("kd 0012345", "kd0012345"),
        ("#4711/A", "4711a"),
        ("0042", "0042"),
        ("ＡＢ１２", "ab12"),
        ("\u2013", ""),
    ],
)
def test_external_id_has_one_form(written: str, expected: str) -> None:
    assert external_id(written) == expected


@given(st.text(max_size=30))
def test_external_id_is_idempotent(written: str) -> None:
    assert external_id(external_id(written)) == external_id(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Łukasz O’Neil-Groß", {"lukasz", "oneil", "gross"}),
        ("O´Neil Groß-Lukasz", {"lukasz", "oneil", "gross"}),
        ("GROSS, Lukasz O'Neil", {"lukasz", "oneil", "gross"}),
        ("Søren Kierkegård", {"soren", "kierkegard"}),
        ("Muñoz Núñez", {"munoz", "nunez"}),
        ("Mun\u0303oz", {"munoz"}),
        ("Þór Æðelstan", {"thor", "aedelstan"}),
        ("Đặng Iİı", {"dang", "iii"}),
        ("van der Berg", {"van", "der", "berg"}),
        ("Dr. Anna Müller", {"anna", "muller"}),
        ("Herr", {"herr"}),
        ("Анна Ёлкина", {"анна", "елкина"}),
        ("山田 太郎", {"山田", "太郎"}),
        ("J.R.R. Tolkien", {"j", "r", "tolkien"}),
        ("  ", set()),
    ],
)
def test_name_tokens_are_comparable(written: str, expected: set[str]) -> None:
    assert name_tokens(written) == expected


@given(st.text(max_size=40))
def test_name_tokens_are_idempotent(written: str) -> None:
    tokens = name_tokens(written)

    assert name_tokens(" ".join(sorted(tokens))) == tokens


@given(st.permutations(["Anna", "Maria", "Müller", "Lopez"]))
def test_name_tokens_have_no_order(words: list[str]) -> None:
    assert name_tokens(" ".join(words)) == {"anna", "maria", "muller", "lopez"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1980-12-31", "1980-12-31"),
        ("19801231", "1980-12-31"),
        ("31/12/1980", "1980-12-31"),
        (" 3.4.1980 ", "1980-04-03"),
        ("03-04-1980", "1980-04-03"),
        ("29. 2. 2000", "2000-02-29"),
    ],
)
def test_birth_date_has_one_form(written: str, expected: str) -> None:
    assert birth_date(written) == expected


@given(st.dates())
def test_birth_date_reads_each_way_of_writing(day: date) -> None:
    written = [day.isoformat(), f"{day:%d/%m/}{day.year:04}", f"{day.day}.{day.month}.{day.year:04}"]

    assert {birth_date(text) for text in written} == {day.isoformat()}


@pytest.mark.parametrize("written", ["", "31/12/80", "29/02/1900", "12/31/1980", "0000-01-01", "yesterday"])
def test_birth_date_refuses_what_is_no_date(written: str) -> None:
    with pytest.raises(ValueError, match=r"^A date of birth is written as 31/12/1980 or 1980-12-31\.$"):
        birth_date(written)
