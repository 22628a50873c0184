import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from cases.packs.content import Passages, Redacted
from cases.packs.names import Names, safe_name
from cases.packs.values import as_json, humanise, shown
from cases.packs.wording import languages, wording


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("first_name", "First name"),
        ("customerId", "Customer ID"),
        ("SupportRepId", "Support rep ID"),
        ("ip-address", "IP address"),
        ("VATNumber", "VAT number"),
        ("_", "_"),
    ],
)
def test_humanise_of_a_field_reads_as_words(name, spoken):
    assert humanise(name) == spoken


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "Yes"),
        (0, "0"),
        (12.5, "12.5"),
        ("2026-03-01", "1 Mar 2026"),
        ("2026-03-09T10:22:33.123Z", "9 Mar 2026, 10:22:33 UTC"),
        ("2026-03-09 10:22+02:00", "9 Mar 2026, 10:22 +02:00"),
        ("2026-03-09T23:59:59Z", "9 Mar 2026, 23:59:59 UTC"),
        ("2026-03-09T24:00Z", "2026-03-09T24:00Z"),
        ("2026-03-09T10:60", "2026-03-09T10:60"),
        ("2026-03-09T10:00:61", "2026-03-09T10:00:61"),
        ("2026-13-01", "2026-13-01"),
        ("٢٠٢٦-٠٣-٠١", "٢٠٢٦-٠٣-٠١"),
        ("2026-03-01 or so", "2026-03-01 or so"),
        ({"firstName": "Ada", "tags": ["x", None]}, "First name: Ada; Tags: x, "),
        (Passages(("a ", Redacted("TP"), " b")), "a [withheld: TP] b"),
    ],
)
def test_shown_of_a_value_is_for_people(value, text):
    assert shown(value, wording("en")) == text


@pytest.mark.parametrize(
    ("language", "first", "other"),
    [
        ("en", "1 March 2026", "22 December 2026"),
        ("de", "1. März 2026", "22. Dezember 2026"),
        ("fr", "1er mars 2026", "22 décembre 2026"),
    ],
)
def test_day_is_written_as_the_language_does(language, first, other):
    words = wording(language)

    assert (words.day(date(2026, 3, 1)), words.day(date(2026, 12, 22))) == (first, other)


def test_moment_is_told_in_the_zone_of_the_pack():
    zone = timezone(timedelta(hours=1), "CET")

    assert wording("en").moment(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), zone) == "1 Feb 2026, 00:30 CET"


def test_wording_of_an_unknown_language_is_english():
    assert wording("xx-YY") is wording("en")


def test_languages_have_all_words_with_the_same_blanks():
    english = wording("en")
    for language in languages():
        other = wording(language)
        for name in english.__slots__:
            assert blanks(getattr(other, name)) == blanks(getattr(english, name)), (language, name)


def blanks(value):
    texts = value if isinstance(value, tuple) else (value,)
    return sorted(part.split("}")[0] for text in texts for part in text.replace("{{", "").split("{")[1:])


def test_json_of_lone_surrogates_and_numbers_that_json_lacks_is_valid():
    data = as_json({"text": "\ud800", "number": float("nan"), "list": [float("inf"), 1.5]})

    assert json.loads(data) == {"text": "\ud800", "number": "nan", "list": ["inf", 1.5]}


def test_json_of_something_else_is_refused():
    with pytest.raises(TypeError, match="no JSON value: object"):
        as_json({"a": object()})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\scan 1.png", "scan-1.png"),
        (".hidden", "hidden"),
        ("", "file"),
        ("///", "file"),
        ("con.txt", "_con.txt"),
        ("Prüfung\x00\n.pdf", "Prüfung-.pdf"),
        ("a" * 200 + ".pdf", "a" * 96 + ".pdf"),
    ],
)
def test_safe_name_has_no_path_and_no_danger(text, name):
    assert safe_name(text) == name


def test_names_are_given_once_whatever_their_case():
    names = Names()

    assert [names.take("a", "x.png"), names.take("a", "X.png"), names.take("b", "x.png")] == [
        "a/x.png",
        "a/X-2.png",
        "b/x.png",
    ]


def test_names_with_an_ending_of_their_own_keep_their_dots():
    assert Names().take("data/crm", "public.orders", ".csv") == "data/crm/public.orders.csv"
