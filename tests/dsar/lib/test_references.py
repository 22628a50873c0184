from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.lib.references import (
    ALPHABET,
    LENGTH,
    SUFFIXES,
    BadReference,
    CaseReference,
    case_reference,
    group,
    new_reference,
    parse,
    parse_case,
    spell,
)

SAMPLES = [new_reference() for _ in range(20)]


def survives(symbols: str) -> bool:
    try:
        parse(symbols)
    except BadReference:
        return False
    return True


def test_parse_knows_the_reference_of_the_manual() -> None:
    assert parse("k7qf 2m9d") == "K7QF-2M9D"


def test_parse_refuses_the_lowest_symbol_throughout() -> None:
    assert survives("2222-2222") is False


def test_alphabet_has_a_prime_size_and_no_look_alikes() -> None:
    pairs = ("0O", "0Q", "1I", "1L", "IL", "UV", "5S", "2Z", "8B", "6G", "MN")

    together = [pair for pair in pairs if set(pair) <= set(ALPHABET)]

    assert (len(set(ALPHABET)), together, set(ALPHABET) & set("AEIOU")) == (23, [], set())


def test_new_reference_is_canonical() -> None:
    made = [new_reference() for _ in range(500)]

    assert [parse(reference) for reference in made] == made
    assert len(set(made)) == 500


def test_new_reference_uses_every_symbol_in_every_place() -> None:
    made = [new_reference().replace("-", "") for _ in range(3000)]

    seen = [{reference[place] for reference in made} for place in range(LENGTH)]

    assert seen == [set(ALPHABET)] * LENGTH


@pytest.mark.parametrize("reference", SAMPLES, ids=[f"sample-{n}" for n in range(len(SAMPLES))])
def test_parse_catches_every_single_substitution(reference: str) -> None:
    symbols = reference.replace("-", "")

    survivors = [
        (place, wrong)
        for place in range(LENGTH)
        for wrong in ALPHABET
        if wrong != symbols[place] and survives(symbols[:place] + wrong + symbols[place + 1 :])
    ]

    assert survivors == []


def test_parse_catches_every_transposition_of_every_pair() -> None:
    # The sum is linear, so one completion of each pair at each two places stands for all of them.
    survivors = []
    for left, right in combinations(range(LENGTH), 2):
        for one, other in combinations(ALPHABET, 2):
            symbols = completed({left: one, right: other})
            swapped = {left: symbols[right], right: symbols[left]}
            if survives("".join(swapped.get(place, symbol) for place, symbol in enumerate(symbols))):
                survivors.append((left, right, one, other))

    assert survivors == []


def completed(fixed: dict[int, str]) -> str:
    """A valid reference with these symbols at these places."""
    free = next(place for place in range(LENGTH) if place not in fixed)
    for symbol in ALPHABET:
        symbols = "".join((fixed | {free: symbol}).get(place, "7") for place in range(LENGTH))
        if survives(symbols):
            return symbols
    raise AssertionError("Each value of each place completes a reference.")


@pytest.mark.parametrize("reference", SAMPLES, ids=[f"sample-{n}" for n in range(len(SAMPLES))])
def test_parse_catches_every_twin_error(reference: str) -> None:
    symbols = reference.replace("-", "")

    survivors = [
        symbols[:place] + twin * 2 + symbols[place + 2 :]
        for place in range(LENGTH - 1)
        if symbols[place] == symbols[place + 1]
        for twin in ALPHABET
        if twin != symbols[place] and survives(symbols[:place] + twin * 2 + symbols[place + 2 :])
    ]

    assert survivors == []


@given(st.sampled_from(SAMPLES), st.sampled_from(["", "-", " ", "--", " - ", "\u2013", "\u00a0", "."]))
def test_parse_forgives_case_and_separators(reference: str, separator: str) -> None:
    typed = f"  {reference.replace('-', separator).lower()}\n"

    assert parse(typed) == reference


@given(st.sampled_from(SAMPLES))
def test_parse_forgives_look_alikes_that_we_never_give_out(reference: str) -> None:
    seen = reference.translate(str.maketrans("86M5V2", "BGNSUZ"))

    assert parse(seen) == reference


@given(st.text(max_size=20))
def test_parse_gives_a_canonical_form_or_a_sentence(text: str) -> None:
    try:
        reference = parse(text)
    except BadReference:
        return

    assert parse(reference) == reference


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        ("  -", "empty", "Please enter a reference, such as K7QF-2M9D."),
        ("K7QF-2M9", "length", "A reference has 8 symbols; this has 7."),
        ("K7QF-2M9DD", "length", "A reference has 8 symbols; this has 9."),
        ("K7QF-2M0D", "unknown", "A reference never contains “0”. Please check it."),
        ("K7QF-2MÉD", "unknown", "A reference never contains “É”. Please check it."),
    ],
)
def test_parse_says_what_is_wrong(typed: str, code: str, sentence: str) -> None:
    with pytest.raises(BadReference) as caught:
        parse(typed)

    assert (caught.value.code, str(caught.value)) == (code, sentence)


def test_parse_says_that_a_reference_is_mistyped() -> None:
    right = completed({0: "K"})
    wrong = right[:-1] + ALPHABET[ALPHABET.index(right[-1]) - 1]

    with pytest.raises(BadReference) as caught:
        parse(wrong)

    assert caught.value.code == "mistyped"


@pytest.mark.parametrize("suffix", SUFFIXES.values())
def test_parse_case_keeps_the_suffix_that_parse_drops(suffix: str) -> None:
    typed = f"{SAMPLES[0].lower()} / {suffix.lower()} "

    assert parse_case(typed) == CaseReference(SAMPLES[0], suffix)
    assert (parse(typed), str(parse_case(typed))) == (SAMPLES[0], f"{SAMPLES[0]}/{suffix}")


@pytest.mark.parametrize("suffix", ["", "X", "AA", "A/E", "1"])
def test_parse_case_refuses_an_unknown_suffix(suffix: str) -> None:
    with pytest.raises(BadReference) as caught:
        parse_case(f"{SAMPLES[0]}/{suffix}")

    assert caught.value.code == "suffix"


def test_suffixes_are_one_letter_a_right() -> None:
    assert len(set(SUFFIXES.values())) == len(SUFFIXES) == 8
    assert {len(suffix) for suffix in SUFFIXES.values()} == {1}


def test_case_reference_appends_the_suffix_of_the_right() -> None:
    assert case_reference("K7QF-2M9D", "erasure") == "K7QF-2M9D/E"


def test_group_writes_two_groups() -> None:
    assert group("K7QF2M9D") == "K7QF-2M9D"


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en", "Kilo, seven, Quebec, Foxtrot, two, Mike, nine, Delta, slash, Alfa"),
        ("en-GB", "Kilo, seven, Quebec, Foxtrot, two, Mike, nine, Delta, slash, Alfa"),
        ("de", "Kilo, sieben, Quebec, Foxtrot, zwo, Mike, neun, Delta, Schrägstrich, Alfa"),
        ("FR", "Kilo, sept, Quebec, Foxtrot, deux, Mike, neuf, Delta, barre, Alfa"),
        ("es", "Kilo, siete, Quebec, Foxtrot, dos, Mike, nueve, Delta, barra, Alfa"),
        ("it", "Kilo, sette, Quebec, Foxtrot, due, Mike, nove, Delta, barra, Alfa"),
        ("nl", "Kilo, zeven, Quebec, Foxtrot, twee, Mike, negen, Delta, schrap, Alfa"),
        ("xx", "Kilo, seven, Quebec, Foxtrot, two, Mike, nine, Delta, slash, Alfa"),
    ],
)
def test_spell_reads_aloud_in_each_language(language: str, spoken: str) -> None:
    assert spell("K7QF-2M9D/A", language) == spoken


@given(st.sampled_from(SAMPLES))
def test_spell_says_one_word_a_symbol(reference: str) -> None:
    assert len(spell(reference).split(", ")) == LENGTH
