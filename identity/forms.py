"""What staff type to sign in and to keep their account."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from identity.models import Controller, User

LONGEST_PASSWORD = 256


def password_field(label: Any, autocomplete: str, missing: Any, help_text: Any = "") -> forms.CharField:
    """A password as it is typed: nothing is trimmed, and a browser's keeper knows what it is for."""
    return forms.CharField(
        label=label,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        strip=False,
        max_length=LONGEST_PASSWORD,
        help_text=help_text,
        error_messages={"required": missing},
    )


class SignInForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"required": _("Enter your e-mail address.")},
    )
    password = password_field(_("Password"), "current-password", _("Enter your password."))
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class FreshInput(forms.TextInput):
    """Comes back empty: a code that was refused is not right a moment later either."""

    def format_value(self, value: Any) -> None:
        return None


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        help_text=_("The six digits that your authenticator app shows now."),
        max_length=12,
        error_messages={"required": _("Enter the six digits.")},
        widget=FreshInput(
            attrs={
                "class": "code__input",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
                "size": 6,
            }
        ),
    )

    def clean_code(self) -> str:
        """Apps show the digits in two groups, and people type what they see."""
        return "".join(str(self.cleaned_data["code"]).split())


class SecondFactorForm(CodeForm):
    """A page of one field begins in it; the page of the enrolment begins with its instructions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class RecoveryCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Recovery code"),
        help_text=_("One of the ten codes that you kept, such as k7qf-2m9d-h3xp-w8rt. It works once."),
        max_length=40,
        error_messages={"required": _("Enter one of your recovery codes.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "autofocus": True}
        ),
    )


class PasskeyField(forms.CharField):
    """What the browser answers to a challenge, as JSON; the page's script fills it in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.HiddenInput(attrs={"data-passkey-answer": ""}), max_length=20_000, **kwargs
        )


class StepUpForm(forms.Form):
    """The second factor once more: a code of the app, a recovery code, or a passkey's answer."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("The six digits that your authenticator app shows now, or one of your recovery codes."),
        max_length=40,
        error_messages={"required": _("Confirm first: nothing was done yet.")},
        widget=FreshInput(
            attrs={"class": "code__input", "autocomplete": "one-time-code", "spellcheck": "false", "size": 12}
        ),
    )
    passkey = PasskeyField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get(self.add_prefix("passkey")):
            self.fields["code"].required = False

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class PasskeyNameForm(forms.Form):
    """What its owner calls a passkey."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("By which you will know it, such as “Work laptop” or “Blue security key”."),
        max_length=64,
        error_messages={"required": _("Give it a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NewPasskeyForm(PasskeyNameForm):
    passkey = PasskeyField(error_messages={"required": _("Your browser did not make a passkey. Try again.")})


class UsePasskeyForm(forms.Form):
    passkey = PasskeyField(error_messages={"required": _("Your browser gave no passkey. Try again.")})
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class CurrentPasswordForm(forms.Form):
    """Asked again before anything by which somebody else at this desk could take the account over."""

    current = password_field(
        _("Your password"),
        "current-password",
        _("Enter your password."),
        _("So that nobody else does this at your desk."),
    )


class NewPasswordForm(forms.Form):
    """A new password, twice, because it cannot be seen."""

    new = password_field(
        _("New password"),
        "new-password",
        _("Enter a new password."),
        _("At least twelve characters. A few words in a row are good."),
    )
    again = password_field(_("New password again"), "new-password", _("Type the new password a second time."))

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_new(self) -> str:
        """Long, not common, and not like the person's own name or address."""
        new = str(self.cleaned_data["new"])
        password_validation.validate_password(new, self.person)
        return new

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "new" in cleaned and "again" in cleaned and cleaned["new"] != cleaned["again"]:
            self.add_error("again", _("This differs from the new password above. Type both again."))
        return cleaned


class PasswordForm(NewPasswordForm):
    current = password_field(
        _("Your present password"), "current-password", _("Enter your present password.")
    )
    field_order = ["current", "new", "again"]


class EmergencyForm(forms.Form):
    """For which brand, why, and for how long."""

    brand = forms.ModelChoiceField(
        Controller.objects.none(),
        label=_("Brand"),
        empty_label=None,
        error_messages={"required": _("Choose the brand.")},
    )
    reason = forms.CharField(
        label=_("What happened, and why it cannot wait"),
        help_text=_("Those who oversee the brand read it. Name no customer."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        error_messages={"required": _("Say in a sentence what happened, and why it cannot wait.")},
    )
    minutes = forms.IntegerField(
        label=_("For how many minutes"),
        min_value=1,
        error_messages={"required": _("Say for how many minutes.")},
    )

    def __init__(self, brands: "QuerySet[Any]", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["minutes"].max_value = settings.EMERGENCY_MINUTES  # type: ignore[attr-defined]
        self.fields["minutes"].initial = min(30, settings.EMERGENCY_MINUTES)
