"""Whether a value can be what a field is to hold, and how the field writes it. Pure.

A field's kind follows from its data category, from the type that its description gives, and from what it holds now:
what is written is of the same kind, and looks as the rest of the source does.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from stdnum import iban
from stdnum.exceptions import ValidationError as BadNumber

from cases.connectors.base import JSON, FieldForm
from dsar.lib import normalise


class Kind(StrEnum):
    """What a field holds, as far as there is a way to tell a good value from a bad one."""

    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    MOMENT = "moment"
    POSTCODE = "postcode"
    IBAN = "iban"
    COUNTRY = "country"
    WHOLE = "whole"
    DECIMAL = "decimal"
    TRUTH = "truth"
    TEXT = "text"
    NESTED = "nested"


class Fault(StrEnum):
    """What is wrong with a value."""

    EMPTY = "empty"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    FUTURE = "future"
    POSTCODE = "postcode"
    IBAN = "iban"
    NUMBER = "number"
    TRUTH = "truth"
    TOO_LONG = "too_long"
    NOT_PLAIN = "not_plain"


class Unfit(ValueError):
    """A value cannot be what a field is to hold. Says why by a code, and never quotes it.

    ``gap`` is what the sentence about it needs: the country of a postcode, the characters that there is room for.
    """

    def __init__(self, fault: Fault, gap: str = "") -> None:
        self.fault = fault
        self.gap = gap
        super().__init__(fault.value)


@dataclass(frozen=True, slots=True)
class Around:
    """What a value is read by: the country of its record (ISO 3166), and the day on which it is decided."""

    country: str
    today: date


BIRTH = "user.demographic.date_of_birth"
COUNTRY = "user.contact.address.country"
_BY_CATEGORY = (
    ("user.contact.email", Kind.EMAIL),
    ("user.contact.phone_number", Kind.PHONE),
    ("user.contact.fax_number", Kind.PHONE),
    ("user.contact.address.postal_code", Kind.POSTCODE),
    (COUNTRY, Kind.COUNTRY),
    (BIRTH, Kind.DATE),
)
_BY_TYPE = {
    "integer": Kind.WHOLE,
    "long": Kind.WHOLE,
    "float": Kind.DECIMAL,
    "double": Kind.DECIMAL,
    "decimal": Kind.DECIMAL,
    "boolean": Kind.TRUTH,
    "date": Kind.DATE,
    "datetime": Kind.MOMENT,
    "object": Kind.NESTED,
}
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMERIC_DAY = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}")
_ACCOUNT = ("user.financial", "user.payment")


def kind_of(name: str, form: FieldForm, held: JSON) -> Kind:
    """What a field holds, by what it holds now, its category, and its type."""
    if isinstance(held, list | dict | tuple):
        return Kind.NESTED
    if isinstance(held, bool):
        return Kind.TRUTH
    if isinstance(held, int):
        return Kind.WHOLE
    if isinstance(held, float):
        return Kind.DECIMAL
    return _kind_of_text(name, form, held if isinstance(held, str) else "")


def _kind_of_text(name: str, form: FieldForm, held: str) -> Kind:
    for prefix, kind in _BY_CATEGORY:
        if any(is_under(category, prefix) for category in form.categories):
            return kind
    if "iban" in name.casefold() or (_is_about_money(form) and _is_iban(held)):
        return Kind.IBAN
    if _ISO_DAY.fullmatch(held):
        return Kind.DATE
    return _BY_TYPE.get(form.data_type.removesuffix("[]"), Kind.TEXT)


def _is_about_money(form: FieldForm) -> bool:
    return any(is_under(one, top) for one in form.categories for top in _ACCOUNT)


def is_under(category: str, top: str) -> bool:
    """Whether a data category is another one, or lies beneath it."""
    return category == top or category.startswith(f"{top}.")


def validated(name: str, form: FieldForm, held: JSON, text: str, around: Around) -> JSON:
    """What the field is to hold, in its own way of writing. Raises Unfit."""
    value = _READERS[kind_of(name, form, held)](text.strip(), held, around) if text.strip() else _none()
    if form.length is not None and isinstance(value, str) and len(value) > form.length:
        raise Unfit(Fault.TOO_LONG, str(form.length))
    if isinstance(value, str) and "\x00" in value:
        raise Unfit(Fault.NOT_PLAIN)
    if (
        kind_of(name, form, held) is Kind.DATE
        and BIRTH in form.categories
        and _day(str(value)) > around.today
    ):
        raise Unfit(Fault.FUTURE)
    return value


def _none() -> JSON:
    raise Unfit(Fault.EMPTY)


def is_same(name: str, form: FieldForm, held: JSON, text: str, around: Around) -> bool:
    """Whether a field holds what somebody wrote, however the two are written."""
    if held is None or isinstance(held, list | dict | tuple):
        return False
    kind = kind_of(name, form, held)
    return bool(text.strip()) and _plain(kind, str(held), around) == _plain(kind, text, around)


def _plain(kind: Kind, text: str, around: Around) -> str:
    match kind:
        case Kind.EMAIL:
            return normalise.email(text)
        case Kind.PHONE:
            return normalise.phone(text, around.country)
        case Kind.DATE:
            return _day_or_text(text)
        case Kind.POSTCODE | Kind.IBAN:
            return _squeezed(text)
        case Kind.COUNTRY:
            return country_named(text) or folded(text)
        case _:
            return folded(text)


def folded(text: str) -> str:
    """A text without the differences that mean nothing."""
    return " ".join(text.split()).casefold()


def _day_or_text(text: str) -> str:
    try:
        return normalise.birth_date(text)
    except ValueError:
        return folded(text)


# --- Reading what was typed -------------------------------------------------------------------------------------


def _email(text: str, held: JSON, around: Around) -> JSON:
    try:
        validate_email(text)
    except ValidationError:
        raise Unfit(Fault.EMAIL) from None
    return text


def _phone(text: str, held: JSON, around: Around) -> JSON:
    """A possible number; written with spaces where the source does so."""
    try:
        number = phonenumbers.parse(text, around.country or None)
    except phonenumbers.NumberParseException:
        raise Unfit(Fault.PHONE) from None
    if not phonenumbers.is_possible_number(number):
        raise Unfit(Fault.PHONE)
    spaced = isinstance(held, str) and " " in held.strip()
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL if spaced else phonenumbers.PhoneNumberFormat.E164
    return str(phonenumbers.format_number(number, form))


def _date(text: str, held: JSON, around: Around) -> JSON:
    """A day; of numbers alone the day comes before the month. Written as what stood there was, else as ISO 8601."""
    day = _day(text)
    found = _NUMERIC_DAY.fullmatch(held.strip()) if isinstance(held, str) else None
    return day.strftime(f"%d{found[1]}%m{found[1]}%Y") if found else day.isoformat()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(normalise.birth_date(text))
    except ValueError:
        raise Unfit(Fault.DATE) from None


def _moment(text: str, held: JSON, around: Around) -> JSON:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return _day(text).isoformat()


def _postcode(text: str, held: JSON, around: Around) -> JSON:
    """As the record's country writes them; where that is not known here, anything that is short."""
    country, plain = countries().get(around.country), _squeezed(text)
    if country is None:
        return text if len(plain) <= 12 else _bad_postcode(around)
    if not re.fullmatch(country.postcode, plain):
        _bad_postcode(around)
    return f"{plain[: -country.space]} {plain[-country.space :]}" if country.space else text.upper()


def _bad_postcode(around: Around) -> str:
    raise Unfit(Fault.POSTCODE, around.country)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _iban(text: str, held: JSON, around: Around) -> JSON:
    try:
        compact = str(iban.validate(text))
    except BadNumber:
        raise Unfit(Fault.IBAN) from None
    return str(iban.format(compact)) if isinstance(held, str) and " " in held.strip() else compact


def _is_iban(text: str) -> bool:
    return bool(iban.is_valid(text))


def _whole(text: str, held: JSON, around: Around) -> JSON:
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise Unfit(Fault.NUMBER)
    return int(text) if isinstance(held, int) else text


def _decimal(text: str, held: JSON, around: Around) -> JSON:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise Unfit(Fault.NUMBER) from None
    if not number.is_finite():
        raise Unfit(Fault.NUMBER)
    return float(number) if isinstance(held, float) else str(number)


_TRUTHS = {"true": True, "yes": True, "ja": True, "oui": True, "1": True}
_UNTRUTHS = {"false": False, "no": False, "nein": False, "non": False, "0": False}


def _truth(text: str, held: JSON, around: Around) -> JSON:
    found = (_TRUTHS | _UNTRUTHS).get(text.casefold())
    if found is None:
        raise Unfit(Fault.TRUTH)
    return found


def _nested(text: str, held: JSON, around: Around) -> JSON:
    raise Unfit(Fault.NOT_PLAIN)


def _text(text: str, held: JSON, around: Around) -> JSON:
    return text


_READERS: dict[Kind, Callable[[str, JSON, Around], JSON]] = {
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.POSTCODE: _postcode,
    Kind.IBAN: _iban,
    Kind.COUNTRY: _text,
    Kind.WHOLE: _whole,
    Kind.DECIMAL: _decimal,
    Kind.TRUTH: _truth,
    Kind.TEXT: _text,
    Kind.NESTED: _nested,
}


# --- Countries --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Country:
    """How a country writes its postcodes, and by which words it is named."""

    postcode: str
    names: tuple[str, ...]
    space: int = 0


@cache
def countries() -> Mapping[str, Country]:
    """The countries whose postcodes are known, by their code of two letters."""
    read: dict[str, Any] = tomllib.loads(
        files("cases.fulfilment").joinpath("countries.toml").read_text(encoding="utf-8")
    )
    return {
        code: Country(row["postcode"], tuple(row["names"]), row.get("space", 0)) for code, row in read.items()
    }


def country_named(text: str) -> str:
    """The code of a country by its code or name; empty where it is not known here."""
    if text.strip().upper() in countries():
        return text.strip().upper()
    return next((code for code, one in countries().items() if folded(text) in one.names), "")


def country_of(data: Mapping[str, JSON], forms: Mapping[str, FieldForm], otherwise: str) -> str:
    """The country that a record's own address names, else another."""
    named = (
        country_named(value)
        for name, value in data.items()
        if isinstance(value, str)
        and name in forms
        and any(is_under(one, COUNTRY) for one in forms[name].categories)
    )
    return next((code for code in named if code), otherwise.upper())
