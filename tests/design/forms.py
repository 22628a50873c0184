"""Forms that show every kind of field."""

from typing import Any

from django import forms

RIGHTS = [
    ("access", "See their data"),
    ("erasure", "Have it deleted"),
    ("rectification", "Have it corrected"),
]
HINTS = {
    "access": "“What do you hold about me?”, “Send me my call recordings”",
    "erasure": "“Delete my account and everything with it”",
    "rectification": "“You have my old address”",
}
CHANNELS = [("call", "Call"), ("chat", "Chat"), ("email", "E-mail"), ("letter", "Letter")]


class HintedChoices(forms.CheckboxSelectMultiple):
    """Checkboxes that each say an example."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The option, with its example as hint."""
        option = super().create_option(*args, **kwargs)
        return option | {"hint": HINTS[str(option["value"])]}


class IntakeForm(forms.Form):
    """Something like the form of the agent."""

    secret = forms.CharField(widget=forms.HiddenInput, initial="x")
    brand = forms.ChoiceField(choices=[("meridian", "Meridian Energy"), ("nordlicht", "Nordlicht Mobil")])
    name = forms.CharField(
        label="Customer's name", help_text="As they say it; spelling can be put right later."
    )
    email = forms.EmailField(label="E-mail address", required=False)
    rights = forms.MultipleChoiceField(label="What do they want?", choices=RIGHTS, widget=HintedChoices)
    channel = forms.ChoiceField(label="How did they ask?", choices=CHANNELS, widget=forms.RadioSelect)
    words = forms.CharField(
        label="In their words", widget=forms.Textarea, help_text="Card numbers are masked."
    )
    said_on = forms.DateField(
        label="When was it said?", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    amount = forms.DecimalField(label="Fee", required=False)
    attachment = forms.FileField(label="Attachments", required=False)
    vulnerable = forms.BooleanField(label="The customer needs extra care", required=False)


class CodeForm(forms.Form):
    """A one-time code."""

    code = forms.CharField(label="Code", help_text="Six digits, from the message that we have just sent.")


class SignInForm(forms.Form):
    """E-mail and password."""

    email = forms.EmailField(label="E-mail address")
    password = forms.CharField(widget=forms.PasswordInput)
