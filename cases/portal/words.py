"""The portal's plain words: what one can ask for, and what was done."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.words import Right

Words = str | Promise


_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def as_typed(value: str) -> str:
    """A value as a person types it: a day as their language writes it in numbers, anything else as it is.

    Whoever corrects it writes the new one alike, so it is a form that the workflow takes.
    """
    try:
        day = date.fromisoformat(value) if _ISO_DAY.fullmatch(value) else None
    except ValueError:
        return value
    return day.strftime(get_format("DATE_INPUT_FORMATS")[0]) if day else value


@dataclass(frozen=True)
class Wish:
    """Something that a person may want, as they would say it, and the right that it is."""

    code: str
    right: Right
    label: Words
    hint: Words
    about_marketing: bool = False


WISHES = (
    Wish(
        "access",
        Right.ACCESS,
        _("See my data"),
        _("Get a copy of what you hold about me, such as calls, chats and letters"),
    ),
    Wish(
        "correct",
        Right.RECTIFICATION,
        _("Correct my data"),
        _("Put right something that is wrong or missing"),
    ),
    Wish(
        "erase",
        Right.ERASURE,
        _("Delete my data"),
        _("Erase what you hold about me, as far as the law allows"),
    ),
    Wish(
        "marketing",
        Right.OBJECTION,
        _("Stop marketing"),
        _("No more advertising by mail, phone or message"),
        True,
    ),
    Wish(
        "move",
        Right.PORTABILITY,
        _("Take my data with me"),
        _("Get the data that I gave you as a file that another company can read"),
    ),
    Wish(
        "restrict",
        Right.RESTRICTION,
        _("Pause the use of my data"),
        _("Keep it but do not use it, for example while you check a mistake"),
    ),
    Wish(
        "object",
        Right.OBJECTION,
        _("Object to a use of my data"),
        _("Stop using it for a purpose that I do not agree with"),
    ),
    Wish(
        "human",
        Right.AUTOMATED,
        _("Have a person decide"),
        _("A computer alone decided something important about me"),
    ),
)

# How the right of a case reads on its own page.
RIGHTS: dict[str, Words] = {
    Right.ACCESS: _("See your data"),
    Right.RECTIFICATION: _("Correct your data"),
    Right.ERASURE: _("Delete your data"),
    Right.OBJECTION: _("Object to a use of your data"),
    Right.PORTABILITY: _("Take your data with you"),
    Right.RESTRICTION: _("Pause the use of your data"),
    Right.AUTOMATED: _("Have a person decide"),
    Right.COMPLAINT: _("Your complaint"),
}

# What a page says on top after something was done; the code travels in the address.
DONE: dict[str, Words] = {
    "welcome": _("Your code was right. This is your request."),
    "message": _("We have your message."),
    "authority": _("We have what you sent. Somebody of our team will look at it, and then we go on."),
    "document": _("We have your picture. Somebody of our team will look at it, and then we go on."),
    "answers": _(
        "Thank you. We compare your answers with our records now; look at this page again in a moment."
    ),
    "login": _("You have signed in with your account. We compare it with our records now."),
    "correction": _("We have what you said. Somebody of our team will look at it."),
    "withdrawn": _("You have taken this request back."),
    "cancelled": _("The erasure is cancelled. Nothing was erased."),
    "recipients": _("We name those who received your data below, and in our letter if it is still to come."),
    "complaint": _("We have your complaint. Somebody who has not worked on your request will look at it."),
}

UPLOAD_FAULTS: dict[str, Words] = {
    "empty": _("This file is empty."),
    "too_large": _("This file is too large."),
    "type": _("We cannot take this kind of file. Please send a PDF, a picture, text or a sound recording."),
    "mismatch": _("What is in this file does not fit the end of its name."),
    "executable": _("This file is or holds a program. We cannot take it."),
    "archive": _("This file is an archive. Please send the files in it one by one."),
    "polyglot": _("This file is two kinds of file at once. We cannot take it."),
    "macro": _("This document holds macros. Please send it without them, or as a PDF."),
    "markup": _("This file is a web page. Please send it as a PDF or as plain text."),
    "damaged": _("This file is damaged and cannot be opened."),
}

REFERENCE_FAULTS: dict[str, Words] = {
    "empty": _("Enter the reference, such as K7QF-2M9D."),
    "length": _("A reference has eight signs, such as K7QF-2M9D. Please check it."),
    "unknown": _("There is a sign in it that no reference has. Please check it."),
    "mistyped": _("One sign seems to be wrong, or two are swapped. Please check it."),
    "suffix": _("Enter the reference without what stands behind the stroke."),
}


def wishes(codes: list[str]) -> list[Wish]:
    return [wish for wish in WISHES if wish.code in codes]


def choices() -> list[tuple[str, Any]]:
    return [(wish.code, wish.label) for wish in WISHES]


def hint(code: str) -> Words:
    return next(wish.hint for wish in WISHES if wish.code == code)
