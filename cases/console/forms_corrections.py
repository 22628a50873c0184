"""What a handler fills in about disputed values: the decision about one, and another claim with its evidence."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from cases.console.desk_forms import DeskForm, paragraph
from cases.console.forms_agent import CLAIM_PARTS, ManyFilesField
from cases.models import Correction, CorrectionOutcome
from cases.workflow.intake import Upload
from cases.workflow.rectify import LONGEST_CLAIM, Judged, NewClaim

HINTS = {
    CorrectionOutcome.CORRECTED: _("The value below is written into the source."),
    CorrectionOutcome.COMPLETED: _("The value stays, and a statement is added to the record."),
    CorrectionOutcome.RECORD_OF_MISTAKE: _(
        "It truly records what happened; what is right is added beside it."
    ),
    CorrectionOutcome.OPINION: _(
        "It is somebody's judgement, marked as such; the dispute is noted beside it."
    ),
    CorrectionOutcome.REFUSED: _(
        "It is accurate. The dispute is noted on the record; the customer gets reasons."
    ),
    CorrectionOutcome.NOT_MEANT: _("The customer does not speak of this place. Nothing is changed or told."),
}


class _Outcomes(forms.RadioSelect):
    """Radios that each say what follows."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        return option | {"hint": HINTS[CorrectionOutcome(option["value"])]}


class Verdict(DeskForm):
    """The decision about one disputed value."""

    target: Correction

    outcome = forms.ChoiceField(
        label=_("What becomes of it?"),
        choices=[(one.value, capfirst(one.label)) for one in HINTS],
        widget=_Outcomes,
        error_messages={"required": _("Choose what becomes of this value.")},
    )
    wanted = forms.CharField(
        label=_("The right value"),
        help_text=_("As the customer says it. Change it where something else is right, and say why."),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
    )
    is_emptied = forms.BooleanField(label=_("Leave the field empty instead"), required=False)
    reason = paragraph(
        _("Reasons"),
        3,
        _("The approver and the customer read them. Needed where it is not done as the customer asked."),
        required=False,
    )
    evidence = paragraph(
        _("What it rests on"),
        2,
        _("What you looked at: the customer's files, a contract, a register. For colleagues."),
        required=False,
    )
    statement = paragraph(
        _("Added to the record"),
        3,
        _(
            "A statement of the customer, or a note of the dispute. Refused without words here, a note is written."
        ),
        required=False,
    )
    also_alike = forms.BooleanField(required=False)

    def prepare(self) -> None:
        one = self.target
        claimed = one.claimed if one.wanted is None else one.wanted
        self.initial = {
            "outcome": one.outcome,
            "wanted": "" if claimed is None else str(claimed),
            "is_emptied": one.outcome == CorrectionOutcome.CORRECTED and one.wanted is None,
            "reason": one.reason,
            "evidence": one.evidence,
            "statement": one.statement,
        }

    def judged(self) -> Judged:
        """What was typed, as the workflow takes it."""
        data = dict(self.cleaned_data)
        data.pop("also_alike")
        return Judged(**data | {"outcome": CorrectionOutcome(data["outcome"])})


class MoreToCorrect(DeskForm):
    """One more detail that is wrong, as the customer says it now."""

    detail = forms.CharField(label=CLAIM_PARTS[0][1], max_length=LONGEST_CLAIM)
    wrong = forms.CharField(label=CLAIM_PARTS[1][1], max_length=LONGEST_CLAIM, required=False)
    right = forms.CharField(label=CLAIM_PARTS[2][1], max_length=LONGEST_CLAIM, required=False)
    shows = ManyFilesField(label=_("What shows it"), required=False)

    def claim(self, files: list[Upload]) -> NewClaim:
        """What was typed, as the workflow takes it."""
        data = self.cleaned_data
        return NewClaim(data["detail"], data["wrong"], data["right"], files)
