"""Names and birth dates of documents beside the record."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.documents import letters
from identity.documents.mrz import PartialDate
from identity.documents.names import Comparison, Reason, Remark, Verdict, compare_births, compare_names


def reasons(found: Comparison) -> list[Reason]:
    return [remark.reason for remark in found.remarks]


@pytest.mark.parametrize(
    ("record", "surname", "given_names"),
    [
        ("Anna Maria Eriksson", "ERIKSSON", "ANNA MARIA"),
        ("Ms Anna Eriksson", "ERIKSSON", "ANNA"),
        ("Eriksson, Anna Maria", "ERIKSSON", "ANNA MARIA"),
        ("Jürgen Groß", "GROSS", "JUERGEN"),
        ("Jürgen Müller", "MUELLER", "JURGEN"),
        ("Jürgen Müller", "MUXXLLER", "JUERGEN"),
        ("Søren Ångström", "AANGSTROEM", "SOEREN"),
        ("Begoña Núñez", "NUNXXEZ", "BEGONA"),
        ("Siobhán O’Connor", "OCONNOR", "SIOBHAN"),
        ("Anne-Marie Lefèvre-Dubois", "LEFEVRE DUBOIS", "ANNE MARIE"),
        ("María García Márquez", "GARCIA MARQUEZ", "MARIA"),
        ("Łukasz Żółć", "ZOLC", "LUKASZ"),
        ("Þór Ægisson", "AEGISSON", "THOR"),
        ("Iða Đorđević", "DORDEVIC", "IDA"),
        ("Наталья Щербакова", "SHCHERBAKOVA", "NATALIA"),
        ("Володимир Гриценко", "HRYTSENKO", "VOLODYMYR"),
        ("Γιώργος Παπαδόπουλος", "PAPADOPOULOS", "GIORGOS"),
        ("Ευάγγελος Μπέης", "BEIS", "EVANGELOS"),
        ("محمد", "MXHMD", ""),
        ("Sukarno", "SUKARNO", ""),
        ("Anna Eriksson", "Eriksson", "Anna"),
    ],
)
def test_a_name_written_by_the_standards_is_the_same(record: str, surname: str, given_names: str) -> None:
    assert compare_names(record, surname, given_names) == Comparison(Verdict.SAME)


@pytest.mark.parametrize(
    ("record", "surname", "given_names", "remarks"),
    [
        ("Eriksson Anna", "ERIKSSON", "ANNA", [Remark(Reason.ORDER)]),
        ("Juergen Mueller", "MULLER", "JURGEN", [Remark(Reason.SPELLING, ("Juergen", "Mueller"))]),
        ("Søren Holm", "HOLM", "SOREN", [Remark(Reason.SPELLING, ("Søren",))]),
        ("Юлия Иванова", "IVANOVA", "YULIYA", [Remark(Reason.SPELLING, ("Юлия",))]),
        ("محمد حسين", "HUSSEIN", "MOHAMMED", [Remark(Reason.SPELLING, ("محمد", "حسين"))]),
        ("A. Eriksson", "ERIKSSON", "ANNA", [Remark(Reason.INITIAL, ("A",))]),
        ("Anna Eriksson", "ERIKSSON", "ANNA MARIA", [Remark(Reason.MORE_GIVEN, ("MARIA",))]),
        ("Maria Eriksson", "ERIKSSON", "ANNA MARIA", [Remark(Reason.MORE_GIVEN, ("ANNA",))]),
        ("María García", "GARCIA MARQUEZ", "MARIA", [Remark(Reason.MORE_SURNAMES, ("MARQUEZ",))]),
        ("João Silva", "PEREIRA DA SILVA", "JOAO",
         [Remark(Reason.MORE_SURNAMES, ("PEREIRA",)), Remark(Reason.PARTICLE, ("DA",))]),
        ("Anna Eriksson-Smith", "ERIKSSON", "ANNA", [Remark(Reason.ONLY_IN_RECORD, ("Smith",))]),
        ("Jan van der Berg", "BERG", "JAN", [Remark(Reason.PARTICLE, ("van", "der"))]),
        ("Jan Vanderberg", "VAN DER BERG", "JAN", [Remark(Reason.SPACING)]),
        ("María de la Cruz", "DELACRUZ", "MARIA", [Remark(Reason.SPACING)]),
    ],
)  # fmt: skip
def test_a_name_that_can_be_the_same_is_compatible_for_a_reason(
    record: str, surname: str, given_names: str, remarks: list[Remark]
) -> None:
    assert compare_names(record, surname, given_names) == Comparison(Verdict.COMPATIBLE, tuple(remarks))


def test_a_name_that_had_no_room_is_compatible() -> None:
    found = compare_names("Anna Maximiliana Papandropoulous", "PAPANDROPOULOUS", "ANNA MAXIM", is_cut=True)

    assert found == Comparison(Verdict.COMPATIBLE, (Remark(Reason.CUT, ("Maximiliana",)),))


def test_a_beginning_of_a_name_is_no_name_where_there_was_room() -> None:
    found = compare_names("Anna Maximiliana Holm", "HOLM", "MAXIM")

    assert found == Comparison(Verdict.DIFFERENT, (Remark(Reason.OTHER_GIVEN, ("MAXIM",)),))


@pytest.mark.parametrize(
    ("record", "surname", "given_names", "why"),
    [
        ("Anna Eriksson", "SMITH", "ANNA", [Reason.OTHER_SURNAME]),
        ("Anna Eriksson", "ERIKSSON", "BERTA", [Reason.OTHER_GIVEN]),
        ("Anna Eriksson", "SMITH", "BERTA", [Reason.OTHER_GIVEN, Reason.OTHER_SURNAME]),
        ("Anna de Vries", "DE JONG", "ANNA", [Reason.OTHER_SURNAME]),
        ("Юлия Иванова", "PETROVA", "YULIYA", [Reason.OTHER_SURNAME]),
        ("محمد حسين", "HASSAN", "MAHMOUD", [Reason.OTHER_GIVEN, Reason.OTHER_SURNAME]),
        ("Anna Eriksson", "ANNA", "ERIKA", [Reason.OTHER_GIVEN]),
    ],
)
def test_another_persons_name_is_different(
    record: str, surname: str, given_names: str, why: list[Reason]
) -> None:
    found = compare_names(record, surname, given_names)

    assert (found.verdict, reasons(found)) == (Verdict.DIFFERENT, why)


@pytest.mark.parametrize(
    ("record", "surname", "given_names"), [("", "ERIKSSON", "ANNA"), ("Anna", "", ""), ("李", "LI", "")]
)
def test_nothing_is_said_where_nothing_can_be_compared(record: str, surname: str, given_names: str) -> None:
    found = compare_names(record, surname, given_names)

    assert found == Comparison(Verdict.UNKNOWN, (Remark(Reason.NOTHING_TO_COMPARE),))


@pytest.mark.parametrize(
    ("record", "born", "verdict", "why"),
    [
        ("1974-08-12", PartialDate(1974, 8, 12), Verdict.SAME, []),
        ("1974-08-12", PartialDate(1974, 8, None), Verdict.COMPATIBLE, [Reason.PARTLY_KNOWN]),
        ("1974-08-12", PartialDate(1974, None, None), Verdict.COMPATIBLE, [Reason.PARTLY_KNOWN]),
        ("1974-08-12", PartialDate(1974, 12, 8), Verdict.DIFFERENT, [Reason.DAY_AND_MONTH]),
        ("1974-08-12", PartialDate(1974, 8, 13), Verdict.DIFFERENT, [Reason.ONE_DIGIT]),
        ("1974-08-12", PartialDate(1975, 9, 12), Verdict.DIFFERENT, [Reason.OTHER_DATE]),
        ("1974-08-12", PartialDate(1975, None, None), Verdict.DIFFERENT, [Reason.OTHER_DATE]),
        ("", PartialDate(1974, 8, 12), Verdict.UNKNOWN, [Reason.NOTHING_TO_COMPARE]),
        ("1974-08-12", None, Verdict.UNKNOWN, [Reason.NOTHING_TO_COMPARE]),
    ],
)
def test_birth_dates_are_compared_as_far_as_they_are_known(
    record: str, born: PartialDate | None, verdict: Verdict, why: list[Reason]
) -> None:
    found = compare_births(record, born)

    assert (found.verdict, reasons(found)) == (verdict, why)


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_no_name_breaks_the_comparison(record: str, surname: str, given_names: str, is_cut: bool) -> None:
    found = compare_names(record, surname, given_names, is_cut=is_cut)

    assert (found.verdict == Verdict.SAME) == (not found.remarks)


@given(st.lists(st.text("ABCDEFGÄÖÜßÑØÅÉŁÞ", min_size=2, max_size=10), min_size=2, max_size=2))
def test_every_latin_name_is_the_same_as_its_own_transliteration(words: list[str]) -> None:
    given_name, surname = words

    found = compare_names(f"{given_name} {surname}", letters.plain(surname), letters.plain(given_name))

    assert found.verdict == Verdict.SAME


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_every_date_is_the_same_as_itself(day: date) -> None:
    assert compare_births(day.isoformat(), PartialDate(day.year, day.month, day.day)) == Comparison(
        Verdict.SAME
    )
