"""What an agent types: the request as it is said, a search, a correction."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import particulars
from cases.models import DataSubject
from cases.words import AnswerBy, Channel, Right
from cases.workflow.intake import Intake, Person, Representation, Upload
from dsar.lib import cards
from identity.evidence.intake import Picture
from identity.models import Controller

# What an agent may log; a complaint about the handling starts from the request that it is about.
RIGHTS = [right for right in Right if right != Right.COMPLAINT]
CHANNELS = [channel for channel in Channel if channel != Channel.PORTAL]
CLAIM_ROWS = 3
LONGEST_WORDS = 20_000

EXAMPLES: dict[str, Any] = {
    Right.ACCESS: gettext_lazy("“What do you hold about me?” “Send me the recording of my call.”"),
    Right.ERASURE: gettext_lazy("“Delete my account and all my data.”"),
    Right.RECTIFICATION: gettext_lazy("“My birth date is wrong with you.”"),
    Right.RESTRICTION: gettext_lazy("“Don't use that report until it is checked.”"),
    Right.OBJECTION: gettext_lazy("“Take me off your list.” “Stop profiling me.”"),
    Right.PORTABILITY: gettext_lazy("“Send my usage data to my new supplier.”"),
    Right.AUTOMATED: gettext_lazy("“A computer refused me. I want a person to look again.”"),
}

REPRESENTATIVES = [
    ("solicitor", gettext_lazy("Solicitor")),
    ("parent", gettext_lazy("Parent or guardian")),
    ("attorney", gettext_lazy("Attorney or deputy")),
    ("agent", gettext_lazy("Authorised agent")),
    ("elected", gettext_lazy("Elected representative")),
    ("executor", gettext_lazy("Executor or heir")),
    ("other", gettext_lazy("Somebody else")),
]


class RightCards(forms.CheckboxSelectMultiple):
    """Checkboxes that each say how it sounds."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        return option | {"hint": EXAMPLES[str(option["value"])]}


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files; cleaned to a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        given = data if isinstance(data, list | tuple) else [data]
        return [file for file in given if file]


def text(label: Any, *, help_text: Any = "", length: int = 200, **attrs: Any) -> forms.CharField:
    """One optional line, which the browser does not fill in with the agent's own data."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", **attrs})
    return forms.CharField(label=label, required=False, help_text=help_text, max_length=length, widget=widget)


def lines(label: Any, rows: int, *, help_text: Any = "", **attrs: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off", **attrs})
    return forms.CharField(
        label=label, required=False, help_text=help_text, max_length=LONGEST_WORDS, widget=widget
    )


class PersonFields(forms.Form):
    """What somebody may be known by."""

    name = text(gettext_lazy("Name"))
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    phone = text(gettext_lazy("Phone"), length=40, inputmode="tel")
    external_id = text(gettext_lazy("Customer number"), length=80)
    birth_date = forms.DateField(
        label=gettext_lazy("Date of birth"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    PERSON = ("name", "email", "phone", "external_id", "birth_date")

    def person(self, postal_address: str = "") -> Person:
        """What was typed about the person, as the workflow takes it."""
        data = self.cleaned_data
        born = data.get("birth_date")
        known = {name: data.get(name) or "" for name in self.PERSON if name != "birth_date"}
        return Person(birth_date=born.isoformat() if born else "", postal_address=postal_address, **known)


class IntakeForm(PersonFields):
    """A request as it is said, on one page. ``is_business`` asks for no more than what a note needs."""

    now: datetime | None = None
    is_business = False

    def as_business(self) -> None:
        self.is_business = True
        self.fields["rights"].required = False

    submission = forms.UUIDField(widget=forms.HiddenInput)
    brand = forms.ChoiceField(label=gettext_lazy("Brand"))
    subject = forms.UUIDField(required=False, widget=forms.HiddenInput)
    rights = forms.MultipleChoiceField(
        label=gettext_lazy("What do they want?"),
        choices=[(right.value, right.label) for right in RIGHTS],
        widget=RightCards,
        error_messages={
            "required": gettext_lazy(
                "Choose at least one. Where none fits, it may be plain business: see the card."
            )
        },
    )
    about_marketing = forms.BooleanField(
        label=gettext_lazy("It is about advertising: stop it at once"), required=False
    )
    ends_marketing = forms.BooleanField(
        label=gettext_lazy("They also want no advertising ever again"),
        required=False,
        help_text=gettext_lazy(
            "Their addresses stay on the suppression list, as hashes, once all else is erased."
        ),
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("How did they ask?"),
        choices=[(channel.value, channel.label) for channel in CHANNELS],
        widget=forms.RadioSelect,
        initial=Channel.CALL.value,
    )
    words = lines(
        gettext_lazy("In their own words"),
        4,
        help_text=gettext_lazy("As they said it. Payment card numbers are masked before anything is kept."),
    )
    said_on = forms.DateField(
        label=gettext_lazy("Said on"),
        required=False,
        help_text=gettext_lazy("Empty: it is being said now."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    said_at = forms.TimeField(
        label=gettext_lazy("At"),
        required=False,
        help_text=gettext_lazy("In the brand's own time."),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    contact_reference = text(gettext_lazy("Call or chat reference"), length=80)
    language = forms.ChoiceField(label=gettext_lazy("Language of the answer"), choices=settings.LANGUAGES)
    answer_by = forms.ChoiceField(
        label=gettext_lazy("How shall we answer?"),
        choices=AnswerBy.choices,
        widget=forms.RadioSelect,
        initial=AnswerBy.PORTAL.value,
    )
    postal_address = lines(
        gettext_lazy("Postal address"),
        3,
        help_text=gettext_lazy("Where recorded post is to go. Needed when there is no e-mail address."),
    )
    for_another = forms.BooleanField(label=gettext_lazy("The caller asks for somebody else"), required=False)
    representative_kind = forms.ChoiceField(
        label=gettext_lazy("Who is the caller?"),
        choices=[("", gettext_lazy("Choose")), *REPRESENTATIVES],
        required=False,
    )
    representative_name = text(gettext_lazy("The caller's name"))
    representative_email = forms.EmailField(
        label=gettext_lazy("The caller's e-mail address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    authority = lines(
        gettext_lazy("What shows that they may ask?"),
        2,
        help_text=gettext_lazy(
            "A letter of authority, a power of attorney, the relation; it is checked later."
        ),
    )
    authority_copy = ManyFilesField(
        label=gettext_lazy("Copy of the authority, if it came along"),
        required=False,
        help_text=gettext_lazy("Photo or PDF. You will not see it again: a colleague judges it."),
    )
    attachments = ManyFilesField(
        label=gettext_lazy("Files that came along"),
        required=False,
        help_text=gettext_lazy("Letters, authorities, pictures. Several may be chosen at once."),
    )

    def __init__(self, brands: Sequence[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brands = {str(brand.pk): brand for brand in brands}
        self.fields["brand"].choices = [  # type: ignore[attr-defined]
            *([("", _("Choose the brand"))] if len(brands) > 1 else []),
            *((key, brand.name) for key, brand in self.brands.items()),
        ]
        for row in range(CLAIM_ROWS):
            for name, label in CLAIM_PARTS:
                self.fields[f"claim_{name}_{row}"] = text(label, length=500)
            self.fields[f"claim_files_{row}"] = ManyFilesField(label=_("What shows it"), required=False)
        particulars.add_to(self)
        self.subject_known: DataSubject | None = None

    @property
    def claim_rows(self) -> list[list[forms.BoundField]]:
        """The rows of corrections, for the page: each with what shows it."""
        parts = [*(name for name, _label in CLAIM_PARTS), "files"]
        return [[self[f"claim_{name}_{row}"] for name in parts] for row in range(CLAIM_ROWS)]

    @property
    def particular_groups(self) -> list[particulars.Group]:
        return particulars.groups(self)

    @property
    def controller(self) -> Controller | None:
        """The brand chosen; None while none is, or none that this person may log for."""
        chosen = self["brand"].value() if len(self.brands) > 1 else next(iter(self.brands), "")
        return self.brands.get(str(chosen))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._clean_moment(data)
        if self.is_business:
            return data
        self._clean_rights(data)
        self._clean_representative(data)
        self._clean_person(data)
        self._clean_route(data)
        return data

    def _clean_rights(self, data: dict[str, Any]) -> None:
        if Right.RECTIFICATION in data.get("rights", ()) and not self.claims() and not data.get("words"):
            self.add_error("claim_field_0", _("Say what is wrong, here or in the customer's words."))

    def _clean_moment(self, data: dict[str, Any]) -> None:
        if data.get("said_at") and not data.get("said_on"):
            self.add_error("said_on", _("Give the day as well."))
        at = self.received_at(None)
        if at is not None and self.now is not None and at > self.now:
            self.add_error("said_on", _("This lies in the future: a request counts from when it was made."))

    def _clean_representative(self, data: dict[str, Any]) -> None:
        if data.get("for_another") and not data.get("representative_name"):
            self.add_error("representative_name", _("Say who asks for the person."))
        if data.get("for_another") and not data.get("representative_kind"):
            self.add_error("representative_kind", _("Say in which role they ask."))

    def _clean_person(self, data: dict[str, Any]) -> None:
        self.subject_known = self._subject(data.get("subject"))
        if data.get("subject") and self.subject_known is None:
            self.add_error("subject", _("The person chosen is not known to this brand. Choose again."))
        elif self.subject_known is not None:
            self._refuse_other_addresses(self.subject_known, data)
        elif not any(data.get(name) for name in self.PERSON) and not self.errors.keys() & set(self.PERSON):
            self.add_error("name", _("Say who the person is: a name, an address or a number."))

    def _refuse_other_addresses(self, known: DataSubject, data: dict[str, Any]) -> None:
        self._refuse_other_address("email", known.email, data.get("email", ""))
        if not data.get("for_another"):
            self._refuse_other_address("postal_address", known.postal_address, data.get("postal_address", ""))

    def _refuse_other_address(self, field: str, known: str, typed: str) -> None:
        """Nothing of a known person goes to an address that somebody names on the telephone."""
        if known and typed and _same(known) != _same(typed):
            sentence = _(
                "The person chosen is known with another one. Leave this empty to answer there, or log them as"
                " a new person: then nothing goes out before they have shown who they are."
            )
            self.add_error(field, sentence)

    def _clean_route(self, data: dict[str, Any]) -> None:
        known = self.subject_known
        if data.get("for_another"):
            email, postal = data.get("representative_email", ""), data.get("postal_address", "")
        else:
            email = data.get("email") or (known.email if known else "")
            postal = data.get("postal_address") or (known.postal_address if known else "")
        if not email and "email" not in self.errors and "representative_email" not in self.errors:
            data["answer_by"] = AnswerBy.POST.value
        if data.get("answer_by") == AnswerBy.POST and not postal and "postal_address" not in self.errors:
            sentence = _(
                "Recorded post needs an address. With an e-mail address the portal can answer instead."
            )
            self.add_error("postal_address", sentence)

    def _subject(self, subject_id: UUID | None) -> DataSubject | None:
        if subject_id is None or self.controller is None:
            return None
        found: DataSubject | None = DataSubject.objects.filter(
            pk=subject_id, controller=self.controller
        ).first()
        return found

    def received_at(self, now: datetime | None) -> datetime | None:
        """When it was said, in the brand's own time; now unless another day was given."""
        day, controller = self.cleaned_data.get("said_on"), self.controller
        if day is None or controller is None:
            return now
        # A day without an hour counts from its beginning, but no day of the future comes from it.
        return datetime.combine(day, self.cleaned_data.get("said_at") or time.min, controller.zone)

    def claims(self) -> list[dict[str, str]]:
        """The rows that say what is wrong and what is right, card numbers masked."""
        return [self._claim(row) for row in self._filled()]

    def evidence(self) -> "list[tuple[int | None, UploadedFile[bytes]]]":
        """The files of these rows, each with the number of its claim; of a row without words, that of none."""
        numbers = {row: number for number, row in enumerate(self._filled())}
        given = ((row, self.cleaned_data.get(f"claim_files_{row}") or ()) for row in range(CLAIM_ROWS))
        return [(numbers.get(row), file) for row, files in given for file in files]

    def _filled(self) -> list[int]:
        return [row for row in range(CLAIM_ROWS) if any(self._claim(row).values())]

    def _claim(self, row: int) -> dict[str, str]:
        return {name: self._claimed(name, row) for name, _label in CLAIM_PARTS}

    def _rights_with_particulars(self) -> list[str]:
        """Marketing stops without a reason, so none is kept."""
        marketing = {Right.OBJECTION.value} if self.cleaned_data["about_marketing"] else set()
        return [right for right in self.cleaned_data["rights"] if right not in marketing]

    def _claimed(self, name: str, row: int) -> str:
        return cards.mask_cards(self.cleaned_data.get(f"claim_{name}_{row}") or "")[0]

    def intake(self, now: datetime, files: Sequence[Upload], pictures: Sequence[Picture] = ()) -> Intake:
        """The request as the workflow takes it; the form is valid. ``pictures`` show that the caller may ask."""
        data, controller = self.cleaned_data, self.controller
        assert controller is not None
        return Intake(
            controller=controller,
            person=self.person("" if data["for_another"] else data["postal_address"]),
            subject_id=data["subject"],
            rights=[Right(right) for right in data["rights"]],
            channel=Channel(data["channel"]),
            received_at=self.received_at(now) or now,
            words=data["words"],
            about_marketing=data["about_marketing"],
            ends_marketing=data["ends_marketing"],
            claims=self.claims() if Right.RECTIFICATION in data["rights"] else (),
            particulars=particulars.said(self, self._rights_with_particulars()),
            representation=self._representation(pictures),
            contact_reference=data["contact_reference"],
            language=data["language"],
            answer_by=AnswerBy(data["answer_by"]),
            submission=data["submission"],
            files=files,
        )

    def _representation(self, pictures: Sequence[Picture]) -> Representation | None:
        data = self.cleaned_data
        if not data["for_another"]:
            return None
        return Representation(
            kind=data["representative_kind"],
            name=data["representative_name"],
            email=data["representative_email"],
            postal_address=data["postal_address"],
            authority=cards.mask_cards(data["authority"])[0],
            pictures=pictures,
        )


CLAIM_PARTS = (
    ("field", gettext_lazy("Which detail")),
    ("wrong", gettext_lazy("What is wrong")),
    ("right", gettext_lazy("What is right")),
)


def _same(address: str) -> str:
    """An address without the differences that mean nothing."""
    return " ".join(address.split()).casefold()


class FindForm(PersonFields):
    """Whose requests are looked for; in one brand, or in each of them."""

    brand = forms.ChoiceField(label=gettext_lazy("Brand"), required=False)

    field_order = ("brand", *PersonFields.PERSON)

    def __init__(self, brands: Sequence[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brands = {str(brand.pk): brand for brand in brands}
        self.fields["brand"].choices = [  # type: ignore[attr-defined]
            ("", _("All that I work for")),
            *((key, brand.name) for key, brand in self.brands.items()),
        ]
        if len(brands) < 2:
            self.fields["brand"].widget = forms.HiddenInput()

    @property
    def chosen(self) -> list[Controller]:
        named = self.brands.get(self.cleaned_data.get("brand") or "")
        return [named] if named else list(self.brands.values())

    def typed(self) -> dict[str, str]:
        return {name: value for name, value in vars(self.person()).items() if name in self.PERSON}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in self.PERSON):
            self.add_error("name", _("Give a name in full, an address or a number."))
        return data
