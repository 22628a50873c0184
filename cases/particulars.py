"""What a right asks to be said beside the words, for the customer and for the agent who types what they say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.words import Right
from dsar.lib import cards

LONG = 5000

# The triggers of Article 18(1) as a person would say them; the codes are those of the picklist.
GROUNDS: list[tuple[str, Any]] = [
    ("", gettext_lazy("Choose, if one fits")),
    ("ACCURACY", gettext_lazy("It may be wrong, and has to be checked")),
    ("UNLAWFUL_KEEP", gettext_lazy("It is not used lawfully, but shall not be deleted")),
    ("NEEDED_FOR_CLAIMS", gettext_lazy("It is needed for a claim or a dispute")),
    ("OBJECTION_PENDING", gettext_lazy("An objection to its use is being decided")),
]


@dataclass(frozen=True)
class Group:
    """The fields of one right, under its question."""

    right: str
    legend: str
    fields: tuple[forms.BoundField, ...]


def _line(label: Any, help_text: Any = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, required=False, help_text=help_text, max_length=200, widget=widget)


def _lines(label: Any, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 2, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, help_text=help_text, max_length=LONG, widget=widget)


def _fields(is_own: bool) -> Iterator[tuple[str, str, forms.Field]]:
    """Right, particular, field; none of them is needed, since any words are a request. ``is_own``: a customer types."""
    why = forms.ChoiceField(label=gettext_lazy("Why shall its use rest?"), choices=GROUNDS, required=False)
    yield Right.RESTRICTION, "ground", why
    yield Right.RESTRICTION, "what", _lines(gettext_lazy("Which data shall not be used?"))
    yield Right.OBJECTION, "use", _lines(gettext_lazy("Which use of the data is it about?"))
    yield Right.OBJECTION, "reasons", _lines(_REASONS[is_own])
    yield Right.PORTABILITY, "to", _line(gettext_lazy("Which company shall get it?"), _COPY[is_own])
    yield Right.PORTABILITY, "address", _line(gettext_lazy("Where can it be sent there?"))
    yield Right.AUTOMATED, "decision", _lines(gettext_lazy("Which decision was it, and when?"))
    yield Right.AUTOMATED, "representations", _lines(gettext_lazy("What speaks against it?"))


_REASONS: dict[bool, Any] = {
    False: gettext_lazy("Why? The reasons of the person's own situation"),
    True: gettext_lazy("Why? What is it about your situation?"),
}
_COPY: dict[bool, Any] = {
    False: gettext_lazy("Empty: a copy for the person alone. They get their copy in any case."),
    True: gettext_lazy("Leave it empty for a copy for yourself alone. You get your own copy in any case."),
}


def _legends() -> dict[str, str]:
    return {
        Right.RESTRICTION: _("Which use shall rest?"),
        Right.OBJECTION: _("What is objected to?"),
        Right.PORTABILITY: _("To whom shall it go?"),
        Right.AUTOMATED: _("Which decision shall a person look at?"),
    }


def add_to(form: forms.Form, *, is_own: bool = False) -> None:
    """Give the form the fields of every right that has some; ``is_own`` where the customer fills it in."""
    for right, name, field in _fields(is_own):
        form.fields[f"{right}_{name}"] = field


def groups(form: forms.Form) -> list[Group]:
    """The fields by right, for the page."""
    found: dict[str, list[forms.BoundField]] = {}
    for right, name in NAMES:
        found.setdefault(right, []).append(form[f"{right}_{name}"])
    return [Group(right, legend, tuple(found[right])) for right, legend in _legends().items()]


NAMES = tuple((right, name) for right, name, _field in _fields(is_own=False))


def said(form: forms.Form, rights: Iterable[str]) -> dict[str, dict[str, str]]:
    """What was typed for the rights that were chosen, card numbers masked; what is empty is left out."""
    chosen, given = set(rights), form.cleaned_data
    told: dict[str, dict[str, str]] = {}
    for right, name in NAMES:
        text = str(given.get(f"{right}_{name}") or "").strip()
        if text and right in chosen:
            told.setdefault(right, {})[name] = cards.mask_cards(text)[0]
    return told
