"""Compares the name and birth date on a document with the record, and says in which way they agree.

It puts words beside each other and names a reason. It never decides: people marry, are misheard on the phone,
and are called by their second name; a reviewer sees both and the reason.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dsar.lib.normalise import TITLES
from identity.documents import letters
from identity.documents.mrz import PartialDate

_APOSTROPHES = re.compile(r"['’ʼ`´‘]")
_BREAKS = re.compile(r"[\s\-‐-―−.,;/]+")
# Words that some registers leave out, join to the name or put behind it.
_PARTICLES = frozenset(
    """
A AF AL AN AV BIN BINT D DA DAS DE DEL DELLA DEN DER DES DI DO DOS DU E EL I IBN LA LAS LE LOS O T TEN TER UL
VAN VOM VON Y Z ZU ZUM ZUR
""".split()  # noqa: SIM905  A list of words reads more easily.
)
_HONORIFICS = frozenset(title.upper() for title in TITLES)


class Verdict(StrEnum):
    SAME = "same"
    COMPATIBLE = "compatible"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why two names or dates are not simply the same."""

    ORDER = "order"
    SPELLING = "spelling"
    SPACING = "spacing"
    INITIAL = "initial"
    CUT = "cut"
    PARTICLE = "particle"
    MORE_GIVEN = "more_given"
    MORE_SURNAMES = "more_surnames"
    ONLY_IN_RECORD = "only_in_record"
    OTHER_SURNAME = "other_surname"
    OTHER_GIVEN = "other_given"
    NOTHING_TO_COMPARE = "nothing_to_compare"
    PARTLY_KNOWN = "partly_known"
    DAY_AND_MONTH = "day_and_month"
    ONE_DIGIT = "one_digit"
    OTHER_DATE = "other_date"


@dataclass(frozen=True, slots=True)
class Remark:
    """A reason, with the words that it is about."""

    reason: Reason
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    verdict: Verdict
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_surname: bool
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    record: int
    document: int
    reason: Reason | None


def compare_names(record: str, surname: str, given: str, *, is_cut: bool = False) -> Comparison:
    """Compare a whole name on record with surname and given names of a document.

    ``is_cut`` says that the document had no room for all of it.
    """
    ours, theirs = _record_words(record), _document_words(surname, given, is_cut)
    if not ours or not theirs:
        return Comparison(Verdict.UNKNOWN, (Remark(Reason.NOTHING_TO_COMPARE),))
    matches = _matches(ours, theirs)
    if remarks := _differences(ours, theirs, matches):
        return _joined(ours, theirs) or Comparison(Verdict.DIFFERENT, remarks)
    remarks = _remarks(ours, theirs, matches)
    return Comparison(Verdict.COMPATIBLE if remarks else Verdict.SAME, remarks)


def compare_births(record: str, born: PartialDate | None) -> Comparison:
    """Compare the date of birth on record (ISO 8601, or empty) with that of a document."""
    try:
        ours = date.fromisoformat(record)
    except ValueError:
        ours = None
    if ours is None or born is None:
        return Comparison(Verdict.UNKNOWN, (Remark(Reason.NOTHING_TO_COMPARE),))
    if born.fits(ours):
        partly = born.month is None or born.day is None
        return (
            Comparison(Verdict.COMPATIBLE, (Remark(Reason.PARTLY_KNOWN),))
            if partly
            else Comparison(Verdict.SAME)
        )
    return Comparison(Verdict.DIFFERENT, (Remark(_date_reason(ours, born)),))


def _date_reason(ours: date, born: PartialDate) -> Reason:
    if (born.year, born.month, born.day) == (ours.year, ours.day, ours.month):
        return Reason.DAY_AND_MONTH
    different = sum(one != other for one, other in zip(ours.isoformat(), str(born), strict=False))
    return Reason.ONE_DIGIT if len(str(born)) == 10 and different == 1 else Reason.OTHER_DATE


# -- words -------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return [word for word in _BREAKS.split(_APOSTROPHES.sub("", text)) if letters.plain(word)]


def _record_words(record: str) -> list[str]:
    """The words of a name on record in the order given name, surname; titles go unless nothing else remains."""
    before, comma, after = record.partition(",")
    words = _words(f"{after} {before}") if comma else _words(record)
    return [word for word in words if letters.plain(word) not in _HONORIFICS] or words


def _document_words(surname: str, given: str, is_cut: bool) -> list[_Word]:
    """In the same order; what was cut is the end of the zone, so the last of the given names."""
    givens = [_Word(letters.plain(word), is_surname=False) for word in _words(given)]
    surnames = [_Word(letters.plain(word), is_surname=True) for word in _words(surname)]
    last = givens or surnames
    if is_cut and last:
        last[-1] = _Word(last[-1].text, last[-1].is_surname, is_cut=True)
    return givens + surnames


def _matches(ours: list[str], theirs: list[_Word]) -> list[_Match]:
    """Pairs of words, the surest kind of agreement first; each word is in one pair at most."""
    found: list[_Match] = []
    for reason in (None, Reason.SPELLING, Reason.CUT, Reason.INITIAL):
        for place, word in enumerate(ours):
            if any(match.record == place for match in found):
                continue
            free = [spot for spot in range(len(theirs)) if all(match.document != spot for match in found)]
            spot = next((spot for spot in free if _agree(word, theirs[spot], reason)), None)
            if spot is not None:
                found.append(_Match(place, spot, reason))
    return sorted(found, key=lambda match: match.record)


def _agree(ours: str, theirs: _Word, reason: Reason | None) -> bool:
    if reason is None:
        return letters.fits(letters.standard(ours), theirs.text)
    if reason == Reason.SPELLING:
        return letters.fits(letters.habitual(ours), theirs.text) or _fold(letters.plain(ours)) == _fold(
            theirs.text
        )
    if reason == Reason.CUT:
        return theirs.is_cut and letters.fits(letters.standard(ours), theirs.text, is_cut=True)
    initials = {letters.plain(ours), theirs.text}
    return any(len(one) == 1 for one in initials) and letters.plain(ours)[0] == theirs.text[0]


def _fold(text: str) -> str:
    """One form for the ways to write umlauts and double vowels without knowing which was meant."""
    for pair, single in (("AE", "A"), ("OE", "O"), ("UE", "U"), ("AA", "A"), ("UXX", "U"), ("NXX", "N")):
        text = text.replace(pair, single)
    return text


# -- what to say of it -------------------------------------------------------------------------------


def _differences(ours: list[str], theirs: list[_Word], matches: list[_Match]) -> tuple[Remark, ...]:
    """Why these are different names: no surname, or no given name, in common."""
    matched = {match.document for match in matches}
    remarks = []
    for is_surname, reason in ((False, Reason.OTHER_GIVEN), (True, Reason.OTHER_SURNAME)):
        spots = [spot for spot, word in enumerate(theirs) if word.is_surname == is_surname]
        names = [spot for spot in spots if theirs[spot].text not in _PARTICLES] or spots
        if names and not matched & set(names):
            remarks.append(Remark(reason, tuple(theirs[spot].text for spot in spots)))
    return tuple(remarks)


def _joined(ours: list[str], theirs: list[_Word]) -> Comparison | None:
    """The same letters with other gaps (Vanderberg, van der Berg) are compatible."""
    whole = "".join(word.text for word in theirs)
    if letters.fits(tuple(way for word in ours for way in letters.standard(word)), whole):
        return Comparison(Verdict.COMPATIBLE, (Remark(Reason.SPACING),))
    return None


def _remarks(ours: list[str], theirs: list[_Word], matches: list[_Match]) -> tuple[Remark, ...]:
    remarks = [
        Remark(reason, tuple(ours[match.record] for match in matches if match.reason == reason))
        for reason in (Reason.SPELLING, Reason.INITIAL, Reason.CUT)
        if any(match.reason == reason for match in matches)
    ]
    spots = [match.document for match in matches]
    if spots != sorted(spots):
        remarks.append(Remark(Reason.ORDER))
    return (*remarks, *_unmatched(ours, theirs, matches))


def _unmatched(ours: list[str], theirs: list[_Word], matches: list[_Match]) -> list[Remark]:
    left = [word for spot, word in enumerate(theirs) if spot not in {match.document for match in matches}]
    only_ours = [word for place, word in enumerate(ours) if place not in {match.record for match in matches}]
    names = [word for word in left if word.text not in _PARTICLES]
    groups = [
        (Reason.MORE_GIVEN, [word.text for word in names if not word.is_surname]),
        (Reason.MORE_SURNAMES, [word.text for word in names if word.is_surname]),
        (Reason.ONLY_IN_RECORD, [word for word in only_ours if letters.plain(word) not in _PARTICLES]),
        (
            Reason.PARTICLE,
            [word.text for word in left if word.text in _PARTICLES]
            + [word for word in only_ours if letters.plain(word) in _PARTICLES],
        ),
    ]
    return [Remark(reason, tuple(words)) for reason, words in groups if words]
