"""What administrators state of those who receive data, and of importers that ask the suppression list."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from cases.models import FindsBy, Recipient, RecipientKind, RecipientRoute, SourceSystem
from cases.workflow.sources import Wrong
from identity.models import Controller

PLAIN = (
    "name", "kind", "route", "email", "postal_address", "language", "url", "is_private", "fed_by", "finds_by",
    "expects_answer", "remind_days", "is_active",
)  # fmt: skip


class ChooseBrand(forms.Form):
    """Of which brand it is."""

    brand = forms.ChoiceField(label=_("Brand"))

    def __init__(self, brands: Iterable[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].choices = [(one.slug, one.name) for one in brands]  # type: ignore[attr-defined]


class RecipientForm(forms.Form):
    """One recipient. Its secrets are written and never shown."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As the customer is told it."))
    slug = forms.CharField(
        label=_("Short name"),
        max_length=50,
        help_text=_("In small letters, digits and hyphens. It stays."),
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Small letters, digits and hyphens."))],
    )
    kind = forms.ChoiceField(label=_("What it is to the brand"), choices=RecipientKind.choices)
    fed_by = forms.MultipleChoiceField(
        label=_("It gets data from"),
        help_text=_("None chosen: from all of them."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    finds_by = forms.MultipleChoiceField(
        label=_("It finds a person by"),
        help_text=_("Nothing else of the person is given to it."),
        choices=FindsBy.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    route = forms.ChoiceField(
        label=_("It is told by"), choices=RecipientRoute.choices, widget=forms.RadioSelect
    )
    email = forms.EmailField(label=_("E-mail address"), required=False)
    postal_address = forms.CharField(
        label=_("Postal address"), widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1000
    )
    language = forms.ChoiceField(
        label=_("Language of letters"),
        choices=[("", _("The brand's own")), *settings.LANGUAGES],
        required=False,
    )
    url = forms.URLField(
        label=_("Address of the HTTP call"), required=False, assume_scheme="https", max_length=500
    )
    token = forms.CharField(
        label=_("Access token"),
        help_text=_("Sent as a bearer token. Leave it empty to keep the present one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        required=False,
        max_length=1000,
    )
    signing_key = forms.CharField(
        label=_("Key that notices are signed with"),
        help_text=_("The recipient checks them with the same key. Leave it empty to keep the present one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        required=False,
        max_length=1000,
    )
    is_private = forms.BooleanField(
        label=_("The address is in our own network"),
        help_text=_("Private addresses, and http, are allowed then."),
        required=False,
    )
    expects_answer = forms.BooleanField(label=_("It is to answer"), required=False)
    remind_days = forms.IntegerField(
        label=_("Remind it after days"),
        help_text=_("Twice; then it is for a human."),
        min_value=1,
        max_value=365,
    )
    is_active = forms.BooleanField(label=_("In use: told of what concerns it"), required=False)

    def __init__(
        self, recipient: Recipient, sources: Sequence[SourceSystem], *args: Any, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", _initial(recipient))
        super().__init__(*args, **kwargs)
        self.recipient = recipient
        self.is_new = recipient._state.adding
        offered = [(one.slug, one.name) for one in sources]
        self.fields["fed_by"].choices = offered  # type: ignore[attr-defined]
        if not offered:
            del self.fields["fed_by"]
        if not self.is_new:
            del self.fields["slug"]

    @property
    def parts(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields under their headings."""

        def those(*names: str) -> list[forms.BoundField]:
            return [self[name] for name in names if name in self.fields]

        return [
            (_("Who it is"), those("name", "slug", "kind", "is_active")),
            (_("What it gets"), those("fed_by", "finds_by")),
            (_("How it is told"), those("route", "email", "postal_address", "language")),
            (_("By an HTTP call"), those("url", "token", "signing_key", "is_private")),
            (_("Its answer"), those("expects_answer", "remind_days")),
        ]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if Recipient.objects.filter(controller_id=self.recipient.controller_id, slug=slug).exists():
            raise forms.ValidationError(_("Another recipient of this brand has this name."))
        return slug

    @property
    def wanted(self) -> dict[str, Any]:
        """What was stated, as the fields of the recipient."""
        given = self.cleaned_data
        wanted: dict[str, Any] = {name: given[name] for name in PLAIN if name in given}
        secrets = {name: given[name] for name in ("token", "signing_key") if given[name]}
        wanted["secrets"] = {**({} if self.is_new else self.recipient.secrets), **secrets}
        return wanted | ({"slug": given["slug"]} if self.is_new else {})

    def tell(self, problems: Iterable[Wrong]) -> None:
        """Put each problem beside its field."""
        for problem in problems:
            self.add_error(problem.name if problem.name in self.fields else None, problem.message)


def _initial(recipient: Recipient) -> dict[str, Any]:
    """What a form shows of a recipient as it is; never a secret."""
    shown = {name: getattr(recipient, name) for name in (*PLAIN, "slug")}
    return shown | ({} if recipient.finds_by else {"finds_by": [FindsBy.EMAIL.value]})


class TokenForm(forms.Form):
    """A token for one importer."""

    brand = forms.ChoiceField(label=_("Brand"))
    name = forms.CharField(
        label=_("Which importer uses it"), max_length=120, help_text=_("To know later which one to revoke.")
    )

    def __init__(self, brands: Iterable[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].choices = [(one.slug, one.name) for one in brands]  # type: ignore[attr-defined]
