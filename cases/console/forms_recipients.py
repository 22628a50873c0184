"""What the desk asks for about recipients: what they answered, or why they cannot be told."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.console.desk_forms import DeskForm, paragraph
from cases.models import AnswerCode, NoticeState
from cases.workflow.recipients import EXCUSES


class RecipientAnswer(DeskForm):
    code = forms.ChoiceField(
        label=_("What it answered"), choices=AnswerCode.choices, widget=forms.RadioSelect
    )
    words = paragraph(
        _("In its words"), 3, _("Optional. What a regulator should be able to read later."), required=False
    )


class RecipientExcuse(DeskForm):
    why = forms.ChoiceField(
        label=_("Telling it is"),
        choices=[(one.value, NoticeState(one).label) for one in EXCUSES],
        widget=forms.RadioSelect,
    )
    reason = paragraph(_("Why"), 3, _("The customer can ask for it; a regulator will."))
