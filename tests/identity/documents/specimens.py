"""The specimen zones that ICAO prints in Doc 9303, and an encoder that follows its text apart from the parser."""

from dataclasses import dataclass

SPECIMENS = {
    "TD3": "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "TD1": "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    "TD1 long": "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
    "TD2": "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
    "TD2 long": "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8",
    "MRV-A": "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    "MRV-B": "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<",
}

# A French card as issued until 2021: not of ICAO's making, and still in many pockets.
FRENCH = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n8806923102858CORINNE<<<<<<<6512068F6"


@dataclass(frozen=True)
class Holder:
    """What is printed on a document; ``born`` and ``expires`` as YYMMDD, fillers where unknown."""

    form: str
    issuer: str
    nationality: str
    surname: str
    given: str
    number: str
    born: str
    sex: str
    expires: str
    optional: str = ""


def digit(text: str) -> str:
    """Doc 9303-3, 4.9, written out: positions counted from one, weights 7, 3, 1 in turn."""
    values = {"<": 0} | {sign: place for place, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    return str(sum(values[sign] * {1: 7, 2: 3, 0: 1}[place % 3] for place, sign in enumerate(text, 1)) % 10)


def encode(holder: Holder) -> str:
    """The zone of a document, names cut where they are too long."""
    return {"TD1": _td1, "TD2": _td2, "TD3": _td3, "MRV-A": _mrv_a, "MRV-B": _mrv_b}[holder.form](holder)


def _fill(text: str, length: int) -> str:
    return text.replace(" ", "<").ljust(length, "<")[:length]


def _names(holder: Holder, length: int) -> str:
    return _fill(f"{holder.surname}<<{holder.given}" if holder.given else holder.surname, length)


def _dates(holder: Holder) -> str:
    return f"{holder.born}{digit(holder.born)}{holder.sex}{holder.expires}{digit(holder.expires)}"


def _number(holder: Holder, optional: int) -> tuple[str, str]:
    """Number with its digit in ten places, and the optional data; a long number goes on there."""
    if len(holder.number) <= 9:
        number = _fill(holder.number, 9)
        return number + digit(number), _fill(holder.optional, optional)
    rest = holder.number[9:] + digit(holder.number)
    return holder.number[:9] + "<", _fill(f"{rest}<{holder.optional}" if holder.optional else rest, optional)


def _td1(holder: Holder) -> str:
    number, optional = _number(holder, 15)
    first = f"I<{_fill(holder.issuer, 3)}{number}{optional}"
    dates = _dates(holder)
    composite = digit(first[5:] + dates[:7] + dates[8:] + "<" * 11)
    return f"{first}\n{dates}{_fill(holder.nationality, 3)}{'<' * 11}{composite}\n{_names(holder, 30)}"


def _td2(holder: Holder) -> str:
    number, optional = _number(holder, 7)
    dates = _dates(holder)
    composite = digit(number + dates[:7] + dates[8:] + optional)
    first = f"I<{_fill(holder.issuer, 3)}{_names(holder, 31)}"
    return f"{first}\n{number}{_fill(holder.nationality, 3)}{dates}{optional}{composite}"


def _td3(holder: Holder) -> str:
    number, optional = _number(holder, 14)
    optional += digit(optional)
    dates = _dates(holder)
    composite = digit(number + dates[:7] + dates[8:] + optional)
    first = f"P<{_fill(holder.issuer, 3)}{_names(holder, 39)}"
    return f"{first}\n{number}{_fill(holder.nationality, 3)}{dates}{optional}{composite}"


def _mrv_a(holder: Holder) -> str:
    return _visa(holder, 44)


def _mrv_b(holder: Holder) -> str:
    return _visa(holder, 36)


def _visa(holder: Holder, length: int) -> str:
    number, optional = _number(holder, length - 28)
    first = f"V<{_fill(holder.issuer, 3)}{_names(holder, length - 5)}"
    return f"{first}\n{number}{_fill(holder.nationality, 3)}{_dates(holder)}{optional}"
