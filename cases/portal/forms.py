"""What customers fill in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from cases import particulars
from cases.models import Representative
from cases.portal import words
from cases.portal.door import languages
from cases.portal.words import Wish
from cases.representing import taken
from cases.words import AnswerBy, Right
from cases.workflow.intake import Intake, Person, Representation, Upload
from dsar.lib import references, uploads
from dsar.lib.errors import Refused
from identity.evidence import intake
from identity.evidence.intake import Picture
from identity.evidence.scanning import refuse_infected
from identity.models import Controller

FILES = 10
FILE_BYTES = 25 * 1024 * 1024
CLAIMS = 3
PAGES_ACCEPTED = frozenset(kind.media_type for kind in intake.KINDS)
LONG = 10_000


class _Cards(forms.CheckboxSelectMultiple):
    """Checkboxes that each say what is meant."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        return option | {"hint": words.hint(str(option["value"]))}


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


@dataclass(frozen=True)
class _Chunks:
    """A file's bytes, from the beginning each time, so that a second attempt at logging has them too."""

    file: "UploadedFile[Any]"

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.file.chunks())


class FilesField(forms.FileField):
    """Some files, each judged by its content. Cleans to a list of ``Upload``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=_ManyFiles(), required=False, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        given: list[UploadedFile[Any]] = [one for one in data or [] if one]
        if len(given) > FILES:
            raise forms.ValidationError(_("Please send at most %(count)d files.") % {"count": FILES})
        return [self._judged(file) for file in given]

    def _judged(self, file: "UploadedFile[Any]") -> Upload:
        verdict = uploads.inspect(file.file, file.name or "", FILE_BYTES)  # type: ignore[arg-type]
        if not verdict.accepted or verdict.kind is None:
            why = words.UPLOAD_FAULTS[verdict.code]
            raise forms.ValidationError(_("“%(name)s” was not taken.") % {"name": verdict.name} + f" {why}")
        try:
            refuse_infected(_Chunks(file))
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return Upload(verdict.name, verdict.kind.media_type, _Chunks(file))


class PagesField(forms.FileField):
    """Files of pages that a person will look at; given on as they came, for whoever decodes them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(widget=_ManyFiles(attrs={"accept": ",".join(sorted(PAGES_ACCEPTED))}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        given: list[UploadedFile[Any]] = [one for one in data or [] if one]
        if self.required and not given:
            raise forms.ValidationError(self.error_messages["required"])
        if len(given) > FILES:
            raise forms.ValidationError(_("Please send at most %(count)d files.") % {"count": FILES})
        return given


def _text(label: Any, *, required: bool = False, most: int = 200, **attributes: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=most, widget=forms.TextInput(attrs=attributes)
    )


def _area(label: Any, help_text: Any = "", rows: int = 4, most: int = LONG) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=most, widget=area)


def _own_name(code: str) -> str:
    """A language as its speakers call it."""
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]


class PlainForm(forms.Form):
    """Errors are the server's to explain, in the page's language."""

    use_required_attribute = False


class AskForm(PlainForm):
    """A request in the customer's own words. Sections that do not apply are not asked for."""

    submission = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    wishes = forms.MultipleChoiceField(
        label=gettext_lazy("What would you like us to do?"),
        help_text=gettext_lazy("Choose everything that you want."),
        choices=words.choices,
        widget=_Cards,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    ends_marketing = forms.BooleanField(
        label=gettext_lazy("And never send me advertising again"),
        required=False,
        help_text=gettext_lazy(
            "For that we keep your addresses in an unreadable form, so that you are not added again by mistake."
        ),
    )
    words = _area(
        gettext_lazy("In your own words"),
        gettext_lazy(
            "What is it about, and from when? The more we know, the quicker we find it. "
            "Leave out card numbers and passwords."
        ),
        rows=5,
    )
    for_whom = forms.ChoiceField(
        label=gettext_lazy("Whose data is it?"),
        choices=[
            ("me", gettext_lazy("Mine")),
            ("other", gettext_lazy("Somebody else's: I ask for them")),
        ],
        initial="me",
        widget=forms.RadioSelect,
    )
    name = _text(gettext_lazy("Your name"), required=True, autocomplete="name")
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        help_text=gettext_lazy(
            "Best the one that we know you by. We send a code to it, to be sure that it is you."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = _text(gettext_lazy("Your phone number"), most=40, autocomplete="tel", inputmode="tel")
    number = _text(gettext_lazy("Your customer number"), most=60, autocomplete="off")
    relation = forms.ChoiceField(
        label=gettext_lazy("What are you to this person?"),
        choices=[
            ("", gettext_lazy("Choose")),
            ("parent", gettext_lazy("Parent or guardian")),
            ("attorney", gettext_lazy("Attorney or deputy")),
            ("solicitor", gettext_lazy("Solicitor")),
            ("agent", gettext_lazy("Authorised agent")),
            ("elected", gettext_lazy("Elected representative")),
            ("executor", gettext_lazy("Executor or heir")),
            ("other", gettext_lazy("Something else")),
        ],
    )
    their_name = _text(gettext_lazy("Their name"), required=True, autocomplete="off")
    their_email = forms.EmailField(label=gettext_lazy("Their e-mail address"), required=False)
    their_phone = _text(gettext_lazy("Their phone number"), most=40, autocomplete="off")
    their_number = _text(gettext_lazy("Their customer number"), most=60, autocomplete="off")
    authority = _area(
        gettext_lazy("What shows that you may ask for them?"),
        gettext_lazy(
            "For example a signed letter or a court order. You can add a copy here, or send it later."
        ),
        rows=3,
        most=2000,
    )
    authority_copy = PagesField(
        label=gettext_lazy("A copy of it"),
        help_text=gettext_lazy("Photos or a PDF of at most 24 pages. You can also send it later."),
    )
    answer_by = forms.ChoiceField(
        label=gettext_lazy("How would you like our answer?"),
        choices=[
            (AnswerBy.PORTAL.value, gettext_lazy("Online: we send an e-mail, you fetch it here")),
            (AnswerBy.POST.value, gettext_lazy("On paper, by recorded post")),
        ],
        initial=AnswerBy.PORTAL.value,
        widget=forms.RadioSelect,
    )
    address = forms.CharField(
        label=gettext_lazy("Your postal address"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "street-address"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("In which language shall we write to you?"))
    attachments = FilesField(
        label=gettext_lazy("Add files"),
        help_text=gettext_lazy(
            "At most 10 files of 25 MB each. Do not send a copy of your passport or identity card."
        ),
    )
    website = _text(gettext_lazy("Leave this field empty"), autocomplete="off", tabindex="-1")

    _OTHERS = ("relation", "their_name")

    def __init__(self, controller: Controller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.controller = controller
        spoken = languages(controller)
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code, _own_name(code)) for code in spoken]
        for number in range(1, CLAIMS + 1):
            self._add_claim(number)
        particulars.add_to(self, is_own=True)

    def _add_claim(self, number: int) -> None:
        self.fields[f"claim_{number}_field"] = _text(_("What is wrong, for example “address”"))
        self.fields[f"claim_{number}_wrong"] = _text(_("What we have now"))
        self.fields[f"claim_{number}_right"] = _text(_("What it should be"))
        self.fields[f"claim_{number}_files"] = FilesField(label=_("What shows it, if you have something"))

    def claim_rows(self) -> list[Any]:
        """The rows of corrections, for the page."""
        return [
            [self[f"claim_{number}_{part}"] for part in ("field", "wrong", "right", "files")]
            for number in range(1, CLAIMS + 1)
        ]

    def particular_groups(self) -> list[particulars.Group]:
        """What each right asks for beside the words, for the page."""
        return particulars.groups(self)

    def full_clean(self) -> None:
        """Ask only for what applies; while it is shown, nothing that may be asked for is called optional."""
        needed = self._needed() if self.is_bound else None
        if needed is not None:
            for name in (*self._OTHERS, "address", "email"):
                self.fields[name].required = name in needed
        super().full_clean()
        for name in (*self._OTHERS, "address"):
            self.fields[name].required = True

    def _needed(self) -> set[str]:
        by_post = self.data.get("answer_by") == AnswerBy.POST
        other = set(self._OTHERS) if self.data.get("for_whom") == "other" else set()
        return other | ({"address"} if by_post else {"email"})

    def clean_website(self) -> str:
        if self.cleaned_data.get("website"):
            raise forms.ValidationError(_("Please leave this field empty: it is a trap for programs."))
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "correct" in cleaned.get("wishes", []) and not (self.claims() or cleaned.get("words", "").strip()):
            self.add_error("words", _("Say what is wrong, here or in the fields for corrections."))
        return cleaned

    def claims(self) -> list[dict[str, str]]:
        """What is wrong and what is right, where a row says anything."""
        return [self._claim(number) for number in self._filled()]

    def evidence(self) -> list[Upload]:
        """The files of these rows, each with the number of its claim; of a row without words, that of none."""
        claims = {number: claim for claim, number in enumerate(self._filled())}
        given = (
            (number, self.cleaned_data.get(f"claim_{number}_files") or ()) for number in range(1, CLAIMS + 1)
        )
        return [replace(one, claim=claims.get(number)) for number, files in given for one in files]

    def _filled(self) -> list[int]:
        return [number for number in range(1, CLAIMS + 1) if any(self._claim(number).values())]

    def _claim(self, number: int) -> dict[str, str]:
        said = {
            part: self.cleaned_data.get(f"claim_{number}_{part}", "") for part in ("field", "wrong", "right")
        }
        return {part: str(text).strip() for part, text in said.items()}

    def pages(self) -> list[Picture]:
        """What shows that they may ask for somebody else, decoded here; errors stand beside the field."""
        given = self.cleaned_data
        return taken(self, "authority_copy", given["authority_copy"]) if given["for_whom"] == "other" else []

    def intake(self, now: Any, channel: Any, pictures: Sequence[Picture] = ()) -> Intake:
        """The request, as the desk logs it. ``pictures`` are those of ``pages``."""
        given = self.cleaned_data
        chosen = words.wishes(given["wishes"])
        rights = list(dict.fromkeys(wish.right for wish in chosen))
        return Intake(
            controller=self.controller,
            person=self._person(given),
            rights=rights,
            channel=channel,
            received_at=now,
            words=self._said(given, chosen),
            about_marketing=all(wish.about_marketing for wish in chosen if wish.right == Right.OBJECTION),
            ends_marketing=given["ends_marketing"],
            claims=tuple(self.claims()) if Right.RECTIFICATION in rights else (),
            particulars=particulars.said(self, (w.right for w in chosen if not w.about_marketing)),
            representation=self._representation(given, pictures) if given["for_whom"] == "other" else None,
            language=given["language"],
            answer_by=AnswerBy(given["answer_by"]),
            submission=given["submission"],
            files=[*given["attachments"], *self.evidence()],
        )

    @staticmethod
    def _said(given: Mapping[str, Any], chosen: Sequence[Wish]) -> str:
        """Their words. Who objects to more than marketing has one case, and marketing must not be lost in it."""
        said = str(given["words"]).strip()
        objections = [wish for wish in chosen if wish.right == Right.OBJECTION]
        return f"{said}\n\n({objections[0].label})".strip() if len(objections) > 1 else said

    @staticmethod
    def _person(given: Mapping[str, Any]) -> Person:
        if given["for_whom"] == "other":
            return Person(
                name=given["their_name"],
                email=given["their_email"],
                phone=given["their_phone"],
                external_id=given["their_number"],
            )
        return Person(
            name=given["name"],
            email=given["email"],
            phone=given["phone"],
            external_id=given["number"],
            postal_address=given["address"],
        )

    @staticmethod
    def _representation(given: Mapping[str, Any], pictures: Sequence[Picture]) -> Representation:
        known = [given["authority"].strip(), given["phone"].strip(), given["number"].strip()]
        return Representation(
            kind=given["relation"],
            name=given["name"],
            email=given["email"],
            postal_address=given["address"],
            authority="\n".join(part for part in known if part),
            pictures=pictures,
        )


assert {kind for kind, _label in Representative.KINDS} >= {
    "parent",
    "attorney",
    "solicitor",
    "agent",
    "elected",
    "other",
}


class EnterForm(PlainForm):
    """How a customer finds their request again."""

    reference = _text(
        gettext_lazy("Reference"), required=True, most=40, autocomplete="off", spellcheck="false"
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("The address to which we wrote about this request."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_reference(self) -> str:
        try:
            return references.parse(self.cleaned_data["reference"])
        except references.BadReference as bad:
            raise forms.ValidationError(str(words.REFERENCE_FAULTS[bad.code])) from None


class CodeForm(PlainForm):
    """A one-time code."""

    code = forms.CharField(
        label=gettext_lazy("Code"), help_text=gettext_lazy("Six digits, from our message."), max_length=12
    )

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class MessageForm(PlainForm):
    """A message to the people who work on the request."""

    text = forms.CharField(
        label=gettext_lazy("Your message"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": gettext_lazy("Write a message first.")},
    )
    attachments = FilesField(
        label=gettext_lazy("Add files"), help_text=gettext_lazy("At most 10 files of 25 MB each.")
    )


class ComplaintForm(PlainForm):
    """What went wrong with the handling of a request."""

    submission = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    text = forms.CharField(
        label=gettext_lazy("What went wrong?"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Tell us what went wrong.")},
    )
