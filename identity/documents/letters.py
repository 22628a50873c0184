"""How a letter that a zone cannot hold is written there (ICAO Doc 9303-3, section 6, tables A to C; Greek: ISO 843).

A letter may have several ways: what states use beside the first is named with it, and what people and sources
write without any standard stands apart, because it shows less.
"""

import unicodedata
from collections.abc import Mapping

# Table A: Latin letters. What is not here loses its accent.
_LATIN = {
    "Ä": "AE A", "Å": "AA A", "Æ": "AE", "Ö": "OE O", "Ø": "OE", "Œ": "OE", "Ü": "UE UXX U", "Ñ": "N NXX", "ẞ": "SS",
    "Þ": "TH", "Ð": "D", "Đ": "D", "Ĳ": "IJ", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Ħ": "H", "ĸ": "Q", "Ə": "E",
}  # fmt: skip

# Table B: Cyrillic; after the first way those of Belarus, Bulgaria, North Macedonia, Serbia and Ukraine.
_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G H", "Ґ": "G", "Д": "D", "Е": "E", "Ё": "E IO", "Ж": "ZH Z", "З": "Z",
    "И": "I Y", "І": "I", "Ї": "I YI", "Й": "I", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R",
    "С": "S", "Т": "T", "У": "U", "Ф": "F", "Х": "KH H", "Ц": "TS C", "Ч": "CH C", "Ш": "SH S", "Щ": "SHCH SHT",
    "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA", "Є": "IE YE", "Ў": "U", "Ѓ": "G", "Ђ": "D", "Ѕ": "DZ",
    "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ќ": "K", "Ћ": "C", "Џ": "DZ DJ",
}  # fmt: skip

# ISO 843, as Greek passports have it; Doc 9303 has no table for Greek.
_GREEK = {
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I", "Κ": "K", "Λ": "L",
    "Μ": "M", "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y", "Φ": "F", "Χ": "CH",
    "Ψ": "PS", "Ω": "O", "ΟΥ": "OU", "ΑΥ": "AV AF", "ΕΥ": "EV EF", "ΗΥ": "IV IF", "ΓΓ": "NG", "ΓΞ": "NX", "ΓΧ": "NCH",
    "ΜΠ": "B MP",
}  # fmt: skip

# Table C: Arabic, letter by letter, vowels unwritten.
_ARABIC = {
    "ء": "XE", "آ": "XAA", "أ": "XAE", "ؤ": "U", "إ": "I", "ئ": "XI", "ا": "A", "ب": "B", "ة": "XTA XAH", "ت": "T",
    "ث": "XTH", "ج": "J", "ح": "XH", "خ": "XKH", "د": "D", "ذ": "XDH", "ر": "R", "ز": "Z", "س": "S", "ش": "XSH",
    "ص": "XSS", "ض": "XDZ", "ط": "XTT", "ظ": "XZZ", "ع": "E", "غ": "G", "ف": "F", "ق": "Q", "ك": "K", "ل": "L",
    "م": "M", "ن": "N", "ه": "H", "و": "W", "ى": "XAY", "ي": "Y",
}  # fmt: skip

# What is written by habit, beside the standard.
_BY_HABIT = {
    "Ø": "O", "Æ": "A E", "Œ": "O", "Þ": "T", "Ð": "DH TH", "Ĳ": "Y", "Ё": "YO JO", "Ж": "J", "Й": "Y J", "Х": "CH",
    "Ц": "TZ", "Ч": "TCH TSCH", "Ш": "SCH", "Щ": "SCH", "Ъ": "", "Ы": "I", "Э": "AE", "Ю": "YU JU", "Я": "YA JA",
    "Є": "JE", "Е": "YE JE", "Ї": "JI", "Г": "GH", "И": "J", "Β": "B", "Η": "E", "Υ": "I U", "Φ": "PH", "Χ": "H",
    "ΓΓ": "GG", "Κ": "C",
    "ء": "", "آ": "A", "أ": "A O E I U", "ؤ": "", "إ": "E I A", "ئ": "", "ا": "A E", "ة": "A AH AT H", "ث": "TH S",
    "ج": "DJ G", "ح": "H", "خ": "KH", "ذ": "DH Z", "ش": "SH CH", "ص": "S", "ض": "D", "ط": "T", "ظ": "Z DH", "ع": "A",
    "غ": "GH", "ق": "K G", "و": "O U OU V", "ى": "A Y", "ي": "I E EE AY",
}  # fmt: skip

_STANDARD = {
    letter: tuple(ways.split()) or ("",) for letter, ways in (_LATIN | _CYRILLIC | _GREEK | _ARABIC).items()
}
_HABIT: Mapping[str, tuple[str, ...]] = {
    letter: tuple(ways.split()) or ("",) for letter, ways in _BY_HABIT.items()
}
_VOWELS = ("A", "E", "I", "O", "U", "Y")

Ways = tuple[tuple[str, ...], ...]


def standard(word: str) -> Ways:
    """The ways to write each letter of a word; what the standard puts first comes first."""
    return tuple(_standard_of(letter) for letter in _letters(word))


def habitual(word: str) -> Ways:
    """The same with what people write by habit. Arabic words are written with any vowels between their letters."""
    ways = tuple(_standard_of(letter) + _HABIT.get(letter, ()) for letter in _letters(word))
    if not any("ARABIC" in unicodedata.name(sign, "") for sign in word):
        return ways
    vowels = ("", *_VOWELS)
    return tuple(way for letter in ways for way in ((*letter, *(twice * 2 for twice in letter)), vowels))


def plain(word: str) -> str:
    """A word as the standard writes it first."""
    return "".join(ways[0] for ways in standard(word))


def fits(ways: Ways, text: str, *, is_cut: bool = False) -> bool:
    """Whether the text is one way to write the word; ``is_cut`` takes a beginning of at least two letters too."""
    places = {0}
    for options in ways:
        places = {place + len(way) for place in places for way in options if text.startswith(way, place)}
        if is_cut and len(text) > 1 and len(text) in places:
            return True
    return len(text) in places


def _letters(word: str) -> list[str]:
    """Letters in capitals, two taken as one where a table knows them so; accents and signs that no table knows go."""
    composed = unicodedata.normalize("NFC", word.upper())
    known = [sign if sign in _STANDARD else _bare(sign) for sign in composed]
    letters: list[str] = []
    for sign in "".join(known):
        pair = letters[-1] + sign if letters else ""
        if pair in _STANDARD:
            letters[-1] = pair
        else:
            letters.append(sign)
    return letters


def _bare(sign: str) -> str:
    taken_apart = unicodedata.normalize("NFKD", sign)
    return "".join(part for part in taken_apart if part in _STANDARD or (part.isascii() and part.isalpha()))


def _standard_of(letter: str) -> tuple[str, ...]:
    return _STANDARD.get(letter, (letter,))
