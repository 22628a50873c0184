"""The form of questions from the record, for the customer and for the agent who types what they say."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.workflow import record_questions
from identity.models import Verification
from identity.providers.base import Ask
from identity.providers.record import answers

_HELP: dict[str, Any] = {
    answers.MONTH: gettext_lazy("Month and year, such as 03/2024."),
    answers.AMOUNT: gettext_lazy("The whole amount is enough, such as 54."),
    answers.POSTCODE: "",
    answers.CHOICE: "",
}
_UNREADABLE: dict[str, Any] = {
    answers.MONTH: gettext_lazy("Write month and year, such as 03/2024, or leave it empty."),
    answers.AMOUNT: gettext_lazy("Write an amount, such as 54, or leave it empty."),
    answers.POSTCODE: gettext_lazy("Write a postcode, or leave it empty."),
    answers.CHOICE: gettext_lazy("Choose one, or leave it empty."),
}


class QuestionsForm(forms.Form):
    """One field for each question. Empty means not known; at least one is answered.

    Whether an answer can be read follows from its kind alone, and tells nothing of what is held.
    """

    use_required_attribute = False

    def __init__(self, asks: Iterable[tuple[Ask, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds: dict[str, str] = {}
        self.names: dict[str, str] = {}
        for number, (ask, kind) in enumerate(asks):
            place = f"answer_{number}"
            self.kinds[place], self.names[place] = kind, ask.name
            self.fields[place] = _field(ask, kind)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for place, kind in self.kinds.items():
            if given.get(place) and not answers.read(kind, given[place]):
                self.add_error(place, _UNREADABLE[kind])
        if not self.errors and not any(given.get(place) for place in self.kinds):
            raise forms.ValidationError(_("Answer at least one of the questions."))
        return given

    @property
    def answers(self) -> dict[str, str]:
        """What was answered, by the question's name."""
        return {self.names[place]: str(self.cleaned_data.get(place, "")) for place in self.kinds}


def _field(ask: Ask, kind: str) -> forms.Field:
    if ask.choices:
        nothing = ("", gettext_lazy("I do not know"))
        return forms.ChoiceField(
            label=ask.text,
            required=False,
            choices=[*((one, one) for one in ask.choices), nothing],
            widget=forms.RadioSelect,
        )
    mode = "numeric" if kind == answers.AMOUNT else "text"
    attributes = {"autocomplete": "off", "inputmode": mode}
    return forms.CharField(
        label=ask.text,
        required=False,
        max_length=60,
        help_text=_HELP[kind],
        widget=forms.TextInput(attrs=attributes),
    )


def form_of(verification: Verification, now: datetime, language: str, posted: Any = None) -> QuestionsForm:
    """The form of questions that were put, in the reader's language."""
    kinds = record_questions.kinds_of(verification)
    step = record_questions.step_of(verification, now, language)
    return QuestionsForm([(ask, kinds[ask.name]) for ask in step.asks], posted)
