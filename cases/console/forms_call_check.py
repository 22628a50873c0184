"""The security check on the telephone: a tick for each question, never the answer."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

RIGHT, WRONG = "right", "wrong"


class CallCheckForm(forms.Form):
    """One choice for each question of the script; nothing is chosen beforehand."""

    use_required_attribute = False

    contact_reference = forms.CharField(
        label=gettext_lazy("Call or chat reference"),
        max_length=80,
        help_text=gettext_lazy("Of the conversation in which the request was logged."),
        error_messages={"required": gettext_lazy("Enter the reference of this conversation.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, questions: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = [f"question_{number}" for number, _text in enumerate(questions)]
        for name, text in zip(self.names, questions, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=text,
                choices=[
                    (RIGHT, gettext_lazy("answered rightly")),
                    (WRONG, gettext_lazy("wrong, or not known")),
                ],
                widget=forms.RadioSelect,
                error_messages={"required": gettext_lazy("Say whether this was answered rightly.")},
            )
        self.order_fields([*self.names, "contact_reference"])

    @property
    def answers(self) -> list[bool]:
        """In the order of the script."""
        return [self.cleaned_data[name] == RIGHT for name in self.names]
