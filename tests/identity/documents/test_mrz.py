"""The zone is read right, and a slip in it is seen."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from identity.documents.layout import LAYOUTS, Form, Part, check_digit
from identity.documents.mrz import Fault, PartialDate, Problem, Zone, find
from identity.documents.ocr import Correction
from tests.identity.documents.specimens import FRENCH, SPECIMENS, Holder, encode

TODAY = date(2026, 11, 21)
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
STATES = ["GBR", "D", "FRA", "ESP", "XXA", "RKS"]


def zone(text: str, *, correct: bool = True) -> Zone:
    found = find(text, TODAY, correct=correct)
    assert found is not None
    return found


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_specimen_is_read_without_a_problem(name: str) -> None:
    found = zone(SPECIMENS[name])

    assert (found.form, found.problems, found.corrections) == (name.split(" ", maxsplit=1)[0], (), ())
    assert "\n".join(found.lines) == SPECIMENS[name]
    assert found.is_specimen


def test_a_passports_fields_are_told() -> None:
    found = zone(SPECIMENS["TD3"])

    assert found == Zone(
        form=Form.TD3,
        lines=tuple(SPECIMENS["TD3"].split()),
        code="P",
        issuer="UTO",
        nationality="UTO",
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        number="L898902C3",
        born=PartialDate(1974, 8, 12),
        sex="F",
        expires_on=date(2012, 4, 15),
        optional="ZE184226B",
        names_cut=False,
        problems=(),
        corrections=(),
    )


@pytest.mark.parametrize("name", ["TD1 long", "TD2 long"])
def test_a_long_number_is_put_together_from_both_places(name: str) -> None:
    found = zone(SPECIMENS[name])

    assert (found.number, found.optional) == ("D23145890734", "")


def test_an_older_french_card_is_read() -> None:
    found = zone(FRENCH)

    assert (found.form, found.problems, found.corrections) == (Form.FRANCE, (), ())
    assert (found.surname, found.given_names, found.number, found.sex) == (
        "BERTHIER",
        "CORINNE",
        "880692310285",
        "F",
    )
    assert (found.born, found.expires_on, found.nationality) == (PartialDate(1965, 12, 6), None, "")


def test_every_changed_sign_of_a_french_card_that_its_digits_can_tell_is_caught() -> None:
    lines = FRENCH.split()

    silent = [
        (line, place, old, new)
        for line, text in enumerate(lines)
        for place, old in enumerate(text)
        for new in SIGNS
        if new != old
        if (
            found := find(
                "\n".join([*lines[:line], text[:place] + new + text[place + 1 :], *lines[line + 1 :]]), TODAY
            )
        )
        is not None
        and found.is_sound
    ]

    assert [hole for hole in silent if (value(hole[2]) - value(hole[3])) % 10] == []


# -- every single changed sign -----------------------------------------------------------------------


def value(sign: str) -> int:
    return 0 if sign == "<" else SIGNS.index(sign)


def covered(name: str, line: int, place: int) -> bool:
    """Whether a check digit covers the place, or stands there."""
    layout = next(one for one in LAYOUTS if one.form == name.split(" ", maxsplit=1)[0])
    spans = [layout.parts[part] for part in layout.checked]
    spans += [span.digit for span in spans] + list(layout.covered)
    spans += [layout.composite] if layout.composite else []
    return any(span.line == line and span.start <= place < span.end for span in spans)


def changes(name: str) -> list[tuple[int, int, str, str, str]]:
    """Every way to change one sign: line, place, old sign, new sign, and the text."""
    lines = SPECIMENS[name].split()
    return [
        (line, place, old, new, "\n".join([*lines[:line], text[:place] + new + text[place + 1 :], *lines[line + 1 :]]))
        for line, text in enumerate(lines)
        for place, old in enumerate(text)
        for new in SIGNS
        if new != old
    ]  # fmt: skip


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_changed_sign_that_check_digits_can_tell_is_caught(name: str) -> None:
    silent = [
        (line, place, old, new)
        for line, place, old, new, text in changes(name)
        if (found := find(text, TODAY, correct=False)) is not None and found.is_sound
    ]

    # Two signs whose values differ by a multiple of ten are the same to a check digit; the rest would be a hole.
    holes = [hole for hole in silent if covered(name, *hole[:2]) and (value(hole[2]) - value(hole[3])) % 10]
    assert holes == []


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_sign_of_the_wrong_kind_is_caught_where_no_check_digit_reaches(name: str) -> None:
    layout = next(one for one in LAYOUTS if one.form == name.split(" ", maxsplit=1)[0])
    letters = [layout.parts[part] for part in (Part.NAMES, Part.ISSUER, Part.NATIONALITY, Part.SEX)]
    numbers = [layout.parts[part] for part in (Part.BIRTH, Part.EXPIRY)]

    silent = [
        (line, place, new)
        for line, place, _, new, text in changes(name)
        for spans, wrong in ((letters, new.isdigit()), (numbers, new.isalpha()))
        if wrong and any(span.line == line and span.start <= place < span.end for span in spans)
        if (found := find(text, TODAY)) is not None and found.is_sound
    ]

    assert silent == []


@pytest.mark.parametrize("name", SPECIMENS)
def test_no_correction_hides_what_a_check_digit_sees(name: str) -> None:
    wrong = [
        (line, place, old, new)
        for line, place, old, new, text in changes(name)
        if covered(name, line, place) and (value(old) - value(new)) % 10
        if (found := find(text, TODAY)) is not None and found.is_sound
    ]

    assert wrong == []


# -- what recognition does to it ---------------------------------------------------------------------


def test_a_confusion_is_undone_where_the_check_digit_proves_it() -> None:
    read = SPECIMENS["TD3"].replace("L898902C36UTO74O8122", "").replace("7408122F", "74O8I22F")

    found = zone(read)

    assert found.born == PartialDate(1974, 8, 12)
    assert found.corrections == (Correction(Part.BIRTH, "O", "0"), Correction(Part.BIRTH, "I", "1"))
    assert found.problems == ()


def test_a_letter_in_a_number_is_undone_where_one_reading_fits() -> None:
    read = encode(holder(number="374938743")).replace("374938743", "37493B743")

    found = zone(read)

    assert (found.number, found.corrections) == ("374938743", (Correction(Part.NUMBER, "B", "8"),))


def test_a_number_stays_as_read_where_two_readings_fit() -> None:
    read = SPECIMENS["TD3"].replace("L898902C3", "LB98902C3")

    found = zone(read)

    assert (found.number, found.corrections) == ("LB98902C3", ())
    assert found.problem_of(Part.NUMBER) == Fault.CHECK_DIGIT


def test_a_confusion_stays_a_problem_where_nothing_proves_it() -> None:
    read = SPECIMENS["TD3"].replace("ERIKSSON", "ER1KS5ON")

    found = zone(read)

    assert (found.surname, found.corrections) == ("ER1KS5ON", ())
    assert found.problems == (Problem(Part.NAMES, Fault.CHARACTER),)


def test_what_somebody_typed_is_not_corrected_when_asked_so() -> None:
    read = SPECIMENS["TD3"].replace("L898902C3", "LB98902C3")

    found = zone(read, correct=False)

    assert found.number == "LB98902C3"
    assert found.problems == (
        Problem(Part.NUMBER, Fault.CHECK_DIGIT),
        Problem(Part.COMPOSITE, Fault.CHECK_DIGIT),
    )


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_zone_is_found_among_other_lines(name: str) -> None:
    page = f"UTOPIA\nPASSPORT / PASSEPORT  No 12\n\n{SPECIMENS[name].lower().replace('<<', '«')}\n\n-- 3 --"

    assert zone(page).lines == tuple(SPECIMENS[name].split())


def test_a_zone_is_found_in_one_line_and_with_blanks_in_it() -> None:
    joined, spaced = SPECIMENS["TD2"].replace("\n", ""), SPECIMENS["TD2"].replace("<<", "< <")

    assert zone(joined).lines == zone(spaced).lines == tuple(SPECIMENS["TD2"].split())


def test_fillers_that_recognition_dropped_are_put_back() -> None:
    first, second = SPECIMENS["TD3"].split()

    found = zone(f"{first[:-3]}\n{second.replace('<<<<<', '<<<')}")

    assert (found.lines, found.problems) == ((first, second), ())


@pytest.mark.parametrize(
    "text", ["", "Dear team,\nplease send me my data.", "P<UTO", "<" * 44 + "\n" + "<" * 44, "A" * 88]
)
def test_no_zone_is_found_where_there_is_none(text: str) -> None:
    assert find(text, TODAY) is None


# -- dates -------------------------------------------------------------------------------------------


def holder(**other: str) -> Holder:
    usual = {
        "form": "TD3", "issuer": "GBR", "nationality": "GBR", "surname": "EXAMPLE", "given": "ANNA",
        "number": "925076473", "born": "880731", "sex": "F", "expires": "330115",
    }  # fmt: skip
    return Holder(**(usual | other))


@pytest.mark.parametrize(
    ("born", "meant"),
    [
        ("880731", PartialDate(1988, 7, 31)),
        ("261121", PartialDate(2026, 11, 21)),
        ("261122", PartialDate(1926, 11, 22)),
        ("300101", PartialDate(1930, 1, 1)),
        ("000229", PartialDate(2000, 2, 29)),
        ("74<<<<", PartialDate(1974, None, None)),
        ("7408<<", PartialDate(1974, 8, None)),
        ("<<<<<<", None),
    ],
)
def test_a_birth_date_is_never_in_the_future(born: str, meant: PartialDate | None) -> None:
    found = zone(encode(holder(born=born)))

    assert (found.born, found.problems) == (meant, ())


@pytest.mark.parametrize("born", ["881331", "880732", "010229", "88<<01", "8807<1"])
def test_a_birth_date_that_no_calendar_has_is_a_problem(born: str) -> None:
    found = zone(encode(holder(born=born)))

    assert (found.born, found.problems) == (None, (Problem(Part.BIRTH, Fault.DATE),))


def test_a_document_is_good_on_its_last_day() -> None:
    found = zone(encode(holder(expires="261121")))

    assert [found.expired_on(day) for day in (TODAY, date(2026, 11, 22))] == [False, True]


def test_a_document_without_expiry_never_expires() -> None:
    found = zone(encode(holder(expires="<<<<<<")))

    assert (found.expires_on, found.expired_on(TODAY), found.problems) == (None, False, ())


def test_an_unknown_state_is_a_problem() -> None:
    found = zone(encode(holder(issuer="QQQ")))

    assert found.problems == (Problem(Part.ISSUER, Fault.STATE),)


# -- every form, there and back ----------------------------------------------------------------------

WORD = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
NAME = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
DAY = st.dates(date(1927, 1, 1), date(2026, 1, 1)).map(lambda day: day.strftime("%y%m%d"))
LATER = st.dates(date(2020, 1, 1), date(2060, 1, 1)).map(lambda day: day.strftime("%y%m%d"))


@st.composite
def holders(draw: st.DrawFn) -> Holder:
    form = draw(st.sampled_from([layout.form.value for layout in LAYOUTS]))
    longest = {"TD1": 22, "TD2": 14}.get(form, 9)
    return Holder(
        form=form,
        issuer=draw(st.sampled_from(STATES)),
        nationality=draw(st.sampled_from(STATES)),
        surname=draw(NAME),
        given=draw(st.one_of(st.just(""), NAME)),
        number=draw(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=longest)),
        born=draw(DAY),
        sex=draw(st.sampled_from(["F", "M", "<"])),
        expires=draw(LATER),
    )


@given(holders())
@example(holder(form="TD1", number="AB1234567890"))
@example(holder(surname="A" * 12 + " " + "A" * 12, given="AA AAAAAAAA A"))
@example(holder(form="TD1", surname="A" * 4 + " " + "A" * 10 + " " + "A" * 12, given="A"))
def test_documents_of_all_forms_come_back(given_: Holder) -> None:
    written = encode(given_)

    found = zone(written)

    room = {"TD1": 30, "TD2": 31, "MRV-B": 31}.get(given_.form, 39)
    names = f"{given_.surname}<<{given_.given}" if given_.given else given_.surname
    surname, _, rest = names.replace(" ", "<")[:room].partition("<<")
    assert found.problems == found.corrections == ()
    assert (found.form, found.issuer, found.nationality) == (given_.form, given_.issuer, given_.nationality)
    assert (found.surname, found.given_names) == (plain(surname), plain(rest))
    assert (found.number, found.sex) == (given_.number, given_.sex.replace("<", ""))
    assert str(found.born)[2:].replace("-", "") == given_.born
    assert str(found.expires_on)[2:].replace("-", "") == given_.expires
    # Cut right before a word, it cannot be told from a name that ended there.
    assert found.names_cut == (names.ljust(room)[room - 1] not in " <")


def plain(text: str) -> str:
    return text.replace("<", " ").strip()


@given(st.text("<0123456789ABCXYZ\n ", max_size=120))
def test_nothing_that_is_typed_breaks_the_reader(text: str) -> None:
    found = find(text, TODAY)

    assert found is None or found.form in Form


@pytest.mark.parametrize(("text", "digit"), [("520727", "3"), ("AB2134<<<", "5")])
def test_the_check_digit_is_the_one_of_the_standards_examples(text: str, digit: str) -> None:
    assert check_digit(text) == digit
