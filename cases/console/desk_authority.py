"""The authority of a representative on the desk: what is shown of it, and the forms by which it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from cases import authority
from cases.console.desk_forms import EVIDENCE, DeskForm, moment, paragraph
from cases.console.forms_agent import ManyFilesField
from cases.law import loader as law
from cases.models import Authority, AuthorityState, Case
from cases.representing import taken
from cases.words import AnswerTo, Right
from cases.workflow import authority_words as words
from cases.workflow.authority import Judged, Shown
from identity.models import Level


def _line(label: Any, help_text: Any = "", *, most: int = 200, required: bool = False) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, help_text=help_text, max_length=most, required=required, widget=widget
    )


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, help_text=help_text, required=False, widget=widget)


class _Mandates(forms.RadioSelect):
    """Radios that each say what to look for."""

    hints: Mapping[str, str] = {}

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        return option | {"hint": self.hints.get(str(option["value"]), "")}


class RecordForm(DeskForm):
    """What came by post, by e-mail or at the counter."""

    shown = paragraph(_("What came"), 2, _("In words, such as: signed letter of 3 May."), required=False)
    copies = ManyFilesField(
        label=_("Copy of it"),
        required=False,
        help_text=_("Photo or PDF of at most 24 pages. It is destroyed when somebody has judged it."),
    )
    at = moment(_("When it came in"), _("The clock goes by when we had it, not by when we looked at it."))

    def prepare(self) -> None:
        self.now_in("at")

    def taken(self) -> Shown:
        """What was typed and sent; check ``errors`` afterwards. Pictures are decoded here."""
        given = self.cleaned_data
        return Shown(given["at"], taken(self, "copies", given["copies"]), given["shown"])


class _RecipientForm(DeskForm):
    """Where the answer goes, as far as a kind of proof lets it."""

    answer_to = forms.ChoiceField(label=_("The answer goes to"), widget=forms.RadioSelect)
    answer_reason = paragraph(
        _("Why there"),
        2,
        _("Needed where it is not the least risky choice. The approver reads it."),
        required=False,
    )
    address_compared = forms.BooleanField(
        label=_("I compared the person’s own address with the record"),
        help_text=_("Needed where the answer goes to the person and no source knows the address."),
        required=False,
    )

    def may_go_to(self) -> list[str]:
        """Every place that one of the proofs allows; the workflow judges by the one chosen."""
        known = [to for one in authority.mandates(self.case) for to in one.answer_to]
        return list(dict.fromkeys(known))

    def prepare(self) -> None:
        labels = dict(AnswerTo.choices)
        choices = [(to, capfirst(str(labels[to]))) for to in self.may_go_to()]
        self.fields["answer_to"].choices = choices  # type: ignore[attr-defined]


class AcceptForm(_RecipientForm):
    """What was seen, what it covers, until when, and to whom the answer goes."""

    mandate = forms.ChoiceField(label=_("What was shown"), widget=_Mandates)
    rights = forms.MultipleChoiceField(label=_("It covers"), widget=forms.CheckboxSelectMultiple)
    matters = paragraph(_("For which matters, in its own words"), 2)
    reference = _line(_("Registration, access code or number"))
    valid_from = _day(_("Its date, or valid from"))
    valid_until = _day(_("Valid until"), _("Empty: until it is taken back."))
    register = _line(_("Looked up in"), _("The register of the power, or of the firm."))
    register_checked_on = _day(_("Looked up on"))
    remark = paragraph(_("How it was checked"), 2)
    evidence = forms.ChoiceField(
        label=_("How the representative is known"),
        choices=[("", _("Record it later")), *EVIDENCE],
        required=False,
    )
    level = forms.TypedChoiceField(
        label=_("Level of assurance that it reaches"),
        coerce=int,
        empty_value="",
        choices=[
            ("", _("Record it later")),
            *((one.value, capfirst(one.label)) for one in Level if one > Level.NONE),
        ],
        required=False,
    )
    field_order = (
        "mandate",
        "rights",
        "matters",
        "reference",
        "valid_from",
        "valid_until",
        "register",
        "register_checked_on",
        "remark",
        "evidence",
        "level",
        "answer_to",
        "answer_reason",
        "address_compared",
    )

    def prepare(self) -> None:
        super().prepare()
        accepted = authority.mandates(self.case)
        mandate, rights = self.fields["mandate"], self.fields["rights"]
        assert isinstance(mandate, forms.ChoiceField)
        assert isinstance(rights, forms.MultipleChoiceField)
        mandate.choices = [(one.code, _t(one.name)) for one in accepted]
        assert isinstance(mandate.widget, _Mandates)
        mandate.widget.hints = {one.code: _hint(one) for one in accepted}
        asked = list(self.case.subject_request.cases.values_list("right", flat=True))
        rights.choices = [(right, Right(right).label) for right in asked]
        rights.initial = asked
        if len(accepted) == 1:
            mandate.initial = accepted[0].code
        if accepted:
            self.fields["answer_to"].initial = accepted[0].answer_to[0]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("evidence")) != bool(cleaned.get("level")):
            self.add_error("level", _("Give both: what was seen, and which level it reaches."))
        return cleaned

    def judged(self) -> Judged:
        given = self.cleaned_data
        fields = {name: given[name] for name in self.field_order if name not in {"rights", "level"}}
        return Judged(**fields, rights=tuple(given["rights"]), level=Level(given["level"] or Level.NONE))


def _hint(one: law.Mandate) -> str:
    """The provision, the register, and what to look for."""
    register = _t("Look it up: %(register)s.") % {"register": one.register} if one.register else ""
    return " ".join(
        part for part in (f"{one.provision}.", register, _t(one.note) if one.note else "") if part
    )


class RefuseForm(DeskForm):
    reason = forms.ChoiceField(
        label=_("Reason"),
        help_text=_("The representative is told, and asked for what is missing where that can help."),
        choices=[("", _("Choose one")), *((one.code, one.label) for one in words.REFUSALS)],
    )


class RevokeForm(DeskForm):
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", _("Choose one")), *((one.code, one.label) for one in words.REVOCATIONS)],
    )
    remark = paragraph(_("How you know"), 2, _("It is kept with the case. Nobody outside sees it."))


class RecipientForm(_RecipientForm):
    """Where the answer goes, when it is to go elsewhere than was chosen."""

    def may_go_to(self) -> list[str]:
        held = self.target
        if held is None or not held.mandate:
            return []
        return list(law.mandate(held.mandate, held.kind, self.case.regime).answer_to)

    def prepare(self) -> None:
        super().prepare()
        if self.target is not None:
            self.fields["answer_to"].initial = self.target.answer_to


# -- what is shown -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """One version as the page shows it."""

    authority: Authority
    tone: str
    mandate: str
    rights: tuple[str, ...]
    reason: Any
    address: str


_TONES = {
    AuthorityState.ASKED: "warning",
    AuthorityState.RECEIVED: "accent",
    AuthorityState.ACCEPTED: "success",
    AuthorityState.REFUSED: "danger",
    AuthorityState.REVOKED: "danger",
}


def rounds(case: Case) -> list[Round]:
    return [_round(one, case) for one in authority.rounds(case.subject_request)]


def _round(one: Authority, case: Case) -> Round:
    return Round(
        one,
        _TONES[AuthorityState(one.state)],
        _mandate_name(one, case),
        tuple(str(Right(right).label) for right in one.rights),
        words.label(one.reason) if one.reason else "",
        str(AnswerTo(one.answer_to).label) if one.answer_to else "",
    )


def _mandate_name(one: Authority, case: Case) -> str:
    if not one.mandate:
        return ""
    try:
        return _t(law.mandate(one.mandate, one.kind, case.regime).name)
    except law.UnknownLaw:
        return one.mandate


def childhood(case: Case, today: date) -> str:
    """How old the child is, and from which age this law presumes that they understand; empty where it is no child."""
    representative = case.subject_request.representative
    if representative is None or representative.kind != "parent":
        return ""
    presumed = law.childhood(case.regime)
    says = (
        _t("From the age of %(age)d a child is presumed to understand (%(provision)s).")
        % {"age": presumed.age, "provision": presumed.provision}
        if presumed
        else _t("Whether the child understands is judged by the child, not by a fixed age.")
    )
    age = _age(case.subject.born_on, today)
    return f"{_t('The child is %(age)d years old.') % {'age': age}} {says}" if age is not None else says


def _age(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
