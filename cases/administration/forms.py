"""What administrators state of a source; the part that speaks to it is built from what its connector declares."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from cases.connectors.base import Connector, Option, OptionKind
from cases.models import SourceSystem
from cases.workflow.sources import Wrong
from identity.models import Controller
from identity.policy import wording
from identity.policy.words import DataKind

OPTION, SECRET, FACT = "option_", "secret_", "fact_"
DATASET_BYTES = 1024 * 1024

FACTS: Final = {
    "purposes": _("Purposes"),
    "categories": _("Categories of data"),
    "recipients": _("Recipients"),
    "retention": _("How long it is kept"),
    "origin": _("Where it comes from"),
    "automated_decisions": _("Automated decisions"),
    "transfers": _("Further transfers"),
}

# The words of bundled connectors' options, marked for the translators: they are declared where there is no gettext.
_OPTION_WORDS = (
    gettext_noop("Host"),
    gettext_noop("Port"),
    gettext_noop("Database"),
    gettext_noop("User name"),
    gettext_noop("Password"),
    gettext_noop("Access token"),
    gettext_noop("Records a page"),
)


class Choose(forms.Form):
    """Of which brand, and of which kind."""

    brand = forms.ChoiceField(label=_("Brand"))
    connector = forms.ChoiceField(label=_("Kind of source"), widget=forms.RadioSelect)

    def __init__(
        self, brands: Iterable[Controller], kinds: Iterable[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered: dict[str, list[tuple[str, str]]] = {
            "brand": [(brand.slug, brand.name) for brand in brands],
            "connector": list(kinds),
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]


class Reason(forms.Form):
    """Why something stops; those who wait for it read it."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        help_text=_("Everybody whose cases wait reads it. Name no customer."),
    )


class Stop(Reason):
    """Where collection stops."""

    EVERYWHERE = "*"

    where = forms.ChoiceField(label=_("Where"))

    field_order = ["where", "reason"]

    def __init__(self, brands: Iterable[Controller], *args: Any, everywhere: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(brand.slug, brand.name) for brand in brands]
        if everywhere:
            offered.append((self.EVERYWHERE, gettext("Everywhere: the whole installation")))
        self.fields["where"].choices = offered  # type: ignore[attr-defined]


def option_field(option: Option) -> forms.Field:
    """The field of one option. What is declared in English may be in the catalogue of translations."""
    known: dict[str, Any] = {
        "label": gettext(option.label),
        "help_text": gettext(option.help) if option.help else "",
        "required": option.required and option.default is None,
        "initial": option.default,
    }
    if option.kind is OptionKind.NUMBER:
        return forms.IntegerField(min_value=option.minimum, max_value=option.maximum, **known)
    if option.kind is OptionKind.CHOICE:
        return forms.ChoiceField(choices=[(one, gettext(one)) for one in option.choices], **known)
    return forms.CharField(max_length=100_000, **known)


def secret_field(option: Option, *, required: bool) -> forms.Field:
    """A secret is written and never shown, not even to whoever just typed it."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=gettext(option.label),
        help_text=gettext(option.help) if option.help else "",
        required=required,
        widget=widget,
        max_length=10_000,
        strip=False,
    )


class Credentials(forms.Form):
    """The secrets that a connector declares; what is left empty stays as it is."""

    def __init__(self, connector: type[Connector], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in connector.options():
            if option.secret:
                self.fields[SECRET + option.name] = secret_field(option, required=False)

    @property
    def given(self) -> dict[str, str]:
        return {name.removeprefix(SECRET): value for name, value in self.cleaned_data.items() if value}


class SourceForm(forms.Form):
    """All that is stated of one source. A new one takes its first credentials along."""

    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.CharField(
        label=_("Short name"),
        help_text=_("Small letters, digits and hyphens. It names the source in files, and stays for good."),
        max_length=50,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z", _("Only small letters, digits and hyphens."))],
    )
    dataset_file = forms.FileField(
        label=_("Description of the data, as a file"),
        help_text=_("YAML in the fideslang format. It takes the place of what stands below."),
        required=False,
    )
    dataset = forms.CharField(
        label=_("Description of the data"),
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "admin-code"}),
        required=False,
        max_length=DATASET_BYTES,
        strip=False,
    )
    data_kinds = forms.MultipleChoiceField(
        label=_("Kinds of data"),
        help_text=_("By them it is decided how sure one has to be of who asks."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    country = forms.CharField(
        label=_("Country where the data lives"),
        help_text=_("As the answer is to say it, and only where it is outside of the law's own area."),
        required=False,
        max_length=60,
    )
    safeguard = forms.CharField(
        label=_("What the transfer rests on"),
        help_text=_("An adequacy decision, standard contractual clauses, binding corporate rules."),
        required=False,
        max_length=300,
    )
    owner_email = forms.EmailField(
        label=_("Owner"),
        help_text=_("Who is asked for help, and told to preserve recordings."),
        required=False,
    )
    purged_after_days = forms.IntegerField(
        label=_("Recordings are deleted there after days"), required=False, min_value=1, max_value=36_500
    )
    backup_days = forms.IntegerField(
        label=_("Backups are overwritten after days"),
        help_text=_("The customer is told until when they hold what was erased. Empty: not known."),
        required=False,
        min_value=0,
        max_value=3660,
    )
    credentials_expire_on = forms.DateField(
        label=_("Credentials end on"),
        help_text=_("Where the source does not say so itself. You are told two weeks before."),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    erase_after = forms.MultipleChoiceField(
        label=_("Filled from these sources"),
        help_text=_("What is erased here would come back from there, so they are erased first."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    may_list_whole = forms.BooleanField(
        label=_("Read whole lists without asking"),
        help_text=_(
            "Some sources can only be searched by reading all of it. Else a handler agrees each time."
        ),
        required=False,
    )
    is_active = forms.BooleanField(label=_("In use: searched for every case"), required=False)

    def __init__(
        self,
        connector: type[Connector],
        source: SourceSystem,
        others: Sequence[SourceSystem],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("initial", initial(source))
        super().__init__(*args, **kwargs)
        self.connector, self.source = connector, source
        self.is_new = source._state.adding
        self._offer(others)
        self._add_options()
        for name, label in FACTS.items():
            self.fields[FACT + name] = forms.CharField(
                label=label, widget=forms.Textarea(attrs={"rows": 2}), required=False, max_length=5000
            )

    def _offer(self, others: Sequence[SourceSystem]) -> None:
        kinds = [(kind.value, capfirst(gettext(wording.DATA[kind]))) for kind in DataKind]
        self.fields["data_kinds"].choices = kinds  # type: ignore[attr-defined]
        offered = [(other.slug, other.name) for other in others]
        self.fields["erase_after"].choices = offered  # type: ignore[attr-defined]
        if not offered:
            del self.fields["erase_after"]
        if not self.is_new:
            del self.fields["slug"]
        if not self.connector.needs_dataset:
            del self.fields["dataset"], self.fields["dataset_file"]

    def _add_options(self) -> None:
        for option in self.connector.options():
            if not option.secret:
                self.fields[OPTION + option.name] = option_field(option)
            elif self.is_new:
                self.fields[SECRET + option.name] = secret_field(option, required=option.required)

    def _named(self, prefix: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(prefix)]

    @property
    def parts(self) -> list[tuple[Any, Any, list[forms.BoundField]]]:
        """The fields under their headings, each with a sentence."""

        def those(*names: str) -> list[forms.BoundField]:
            return [self[name] for name in names if name in self.fields]

        found = [
            (_("The source"), "", those("name", "slug", "owner_email", "is_active")),
            (_("Connection"), "", [*self._named(OPTION), *self._named(SECRET)]),
            (_("What it holds"), "", those("dataset_file", "dataset", "data_kinds", "purged_after_days")),
            (
                _("What the answer says of it"),
                _("Printed in the answer to an access request (Article 15(1)); one statement a line."),
                [*self._named(FACT), *those("country", "safeguard")],
            ),
            (
                _("How it is dealt with"),
                "",
                those("erase_after", "backup_days", "may_list_whole", "credentials_expire_on"),
            ),
        ]
        return [part for part in found if part[2]]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        taken = SourceSystem.objects.filter(controller_id=self.source.controller_id, slug=slug)
        if taken.exists():
            raise forms.ValidationError(_("Another source of this brand has this name."))
        return slug

    def clean_dataset_file(self) -> str:
        """The file's text; nothing of it is kept as a file."""
        sent = self.cleaned_data["dataset_file"]
        if not sent:
            return ""
        if sent.size > DATASET_BYTES:
            raise forms.ValidationError(_("The file is larger than a description can be (1 MB)."))
        try:
            return str(sent.read().decode("utf-8"))
        except UnicodeDecodeError:
            raise forms.ValidationError(_("The file is not text (UTF-8).")) from None

    @property
    def wanted(self) -> dict[str, Any]:
        """What was stated, as the fields of the source."""
        given = self.cleaned_data
        wanted: dict[str, Any] = {
            name: given[name]
            for name in (
                "name", "owner_email", "purged_after_days", "backup_days", "credentials_expire_on", "country",
                "safeguard", "may_list_whole", "is_active", "data_kinds", "erase_after",
            )
            if name in given
        }  # fmt: skip
        wanted["options"] = {
            name.removeprefix(OPTION): value
            for name, value in given.items()
            if name.startswith(OPTION) and value not in (None, "")
        }
        wanted["facts"] = facts_of(given)
        if self.connector.needs_dataset:
            wanted["dataset"] = given.get("dataset_file") or given.get("dataset", "").replace("\r\n", "\n")
        if self.is_new:
            secrets = {
                name.removeprefix(SECRET): value
                for name, value in given.items()
                if name.startswith(SECRET) and value
            }
            wanted |= {"slug": given["slug"], "connector": self.connector.key, "secrets": secrets}
        return wanted

    def tell(self, problems: Iterable[Wrong]) -> None:
        """Put what the connector said beside the field that it is about."""
        for problem in problems:
            at = gettext("Line %(line)d: ") % {"line": problem.line} if problem.line else ""
            self.add_error(problem.name if problem.name in self.fields else None, at + problem.message)


def initial(source: SourceSystem) -> dict[str, Any]:
    """What a form shows of a source as it is; never a secret."""
    shown = {
        name: getattr(source, name)
        for name in (
            "name", "slug", "dataset", "data_kinds", "country", "safeguard", "owner_email", "purged_after_days",
            "backup_days", "credentials_expire_on", "erase_after", "may_list_whole", "is_active",
        )
    }  # fmt: skip
    options = {OPTION + name: value for name, value in source.options.items()}
    facts = {FACT + name: "\n".join(_lines(source.facts.get(name))) for name in FACTS}
    return shown | options | facts


def facts_of(given: dict[str, Any]) -> dict[str, list[str]]:
    """One statement a line; what nothing is said of is left out."""
    found = {name: _split(given.get(FACT + name, "")) for name in FACTS}
    return {name: lines for name, lines in found.items() if lines}


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _lines(value: Any) -> list[str]:
    if not value:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
