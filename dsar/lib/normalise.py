"""One form for each identifier, so that two ways of writing it are found to be the same.

The results feed the blind index and are compared, never shown: what a person wrote is kept as written.
Each function is idempotent, and gives the empty string where nothing remains.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

import phonenumbers

_DASHES = "\\-\u2010-\u2015\u2212"
_MAIL_WRAPPING = re.compile(r"^(?:mailto:|[<\"'\s])+|[>\"'\s]+$")
_EXTENSION = re.compile(r"\s*(?:;ext=|[;#]|extension|ext\.?|durchwahl|poste|x)\s*\d+\s*$", re.IGNORECASE)
_ID_SEPARATORS = re.compile(rf"[\s{_DASHES}./_#]+")
_NAME_BREAKS = re.compile(rf"[^\w]+|_+|[{_DASHES}]")
_APOSTROPHES = re.compile(r"['’ʼ`´]")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_ISO_DATE = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")

# Letters that no decomposition takes apart, with what people type who lack them on the keyboard.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)

TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame"}
    | {"herr", "frau", "mme", "mlle", "sr", "sra", "sig", "dhr", "mevr"}
)


def email(text: str) -> str:
    """Normalise a mail address: letter case, width, surrounding brackets, and the domain in IDNA form.

    Dots and ``+tags`` stay: whether they matter is known to the mail provider alone, and two people must
    never become one.
    """
    return _settled(_mail_step, text)


def phone(text: str, region: str | None) -> str:
    """Normalise a telephone number to E.164, read as dialled in ``region`` (ISO 3166, such as ``GB``).

    An extension is dropped. What is no possible number stays as its digits, with a leading plus if it had
    one, so that it still matches the same digits elsewhere.
    """
    digits = _dialled(text)
    try:
        number = phonenumbers.parse(digits, region.upper() if region else None)
    except phonenumbers.NumberParseException:
        return digits
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return digits
    full = _in_full(number)
    # A number of zeros alone loses one each time that it is read: such is nobody's.
    return full if _in_full(phonenumbers.parse(full)) == full else digits


def _in_full(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def external_id(text: str) -> str:
    """Normalise a customer, order or contract number: letter case, width, and separators removed.

    Leading zeros stay, since they tell numbers apart in some systems.
    """
    return _settled(lambda step: _ID_SEPARATORS.sub("", _fold(step)), text)


def name_tokens(text: str) -> frozenset[str]:
    """Take a name apart into comparable words, in no order: ``Łukasz O’Neil-Groß`` is lukasz, oneil, gross.

    Diacritics go (Müller is muller, and not mueller: which of the two a person writes is not guessed);
    hyphens split, apostrophes join; titles go unless nothing else remains.
    """
    plain = _settled(_name_step, text)
    tokens = frozenset(_NAME_BREAKS.sub(" ", plain).split())
    return tokens - TITLES or tokens


def birth_date(text: str) -> str:
    """Normalise a date of birth to ISO 8601; of numbers alone, the day comes before the month.

    Raises ValueError, with a sentence, for what is no date and for a year of two digits.
    """
    stripped = unicodedata.normalize("NFKC", text).strip()
    try:
        return date(*_year_month_day(stripped)).isoformat()
    except ValueError:
        # The cause is cut off, because some of these messages quote what was typed.
        raise ValueError("A date of birth is written as 31/12/1980 or 1980-12-31.") from None


def _year_month_day(text: str) -> tuple[int, int, int]:
    if found := _ISO_DATE.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _DAY_FIRST.fullmatch(text):
        return int(found[3]), int(found[2]), int(found[1])
    raise ValueError("neither form")


def _settled(step: Callable[[str], str], text: str) -> str:
    """Repeat a step until nothing changes: taking one sign away can lay another bare."""
    while (result := step(text)) != text:
        text = result
    return text


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold()).strip()


def _mail_step(text: str) -> str:
    address = _MAIL_WRAPPING.sub("", _fold(text))
    local, at, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain.rstrip('.'))}" if at else address


def _name_step(text: str) -> str:
    # Apostrophes go first, since one of them decomposes into a space and a diacritic.
    joined = _APOSTROPHES.sub("", text)
    return _DIACRITICS.sub("", unicodedata.normalize("NFKD", _fold(joined))).translate(_PLAIN)


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return domain


def _dialled(text: str) -> str:
    plain = _EXTENSION.sub("", unicodedata.normalize("NFKC", text))
    digits = "".join(str(unicodedata.digit(symbol)) for symbol in plain if symbol.isdecimal())
    return f"+{digits}" if digits and plain.strip().removeprefix("tel:").startswith(("+", "(+")) else digits
