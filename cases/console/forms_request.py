"""What an agent types about a request that is logged already."""

from collections.abc import Sequence
from datetime import datetime, time, tzinfo
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.console.forms_agent import CHANNELS, lines
from cases.models import Case
from cases.words import Channel


class NoteForm(forms.Form):
    """A note about one of the request's cases."""

    case_id = forms.UUIDField(label=gettext_lazy("About"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Note"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=5000,
        help_text=gettext_lazy("For colleagues; the customer does not see it."),
        error_messages={"required": gettext_lazy("Write something first.")},
    )

    def __init__(self, cases: Sequence[Case], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cases = {str(case.pk): case for case in cases}
        choices = [
            (key, f"{case.get_right_display()} · {case.reference}") for key, case in self.cases.items()
        ]
        self.fields["case_id"].widget = (
            forms.Select(choices=choices) if len(cases) > 1 else forms.HiddenInput()
        )

    @property
    def case(self) -> Case:
        """The one chosen; the first where none was, or none of this request."""
        return self.cases.get(str(self.cleaned_data.get("case_id")), next(iter(self.cases.values())))


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"), error_messages={"required": gettext_lazy("Choose a file first.")}
    )


class WithdrawForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = lines(
        gettext_lazy("Why, in the customer's words"), 3, help_text=gettext_lazy("They need not say.")
    )


class Moment(forms.Form):
    """A day and an hour in the brand's own time; never in the future."""

    said_on = forms.DateField(
        label=gettext_lazy("On"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    said_at_hour = forms.TimeField(
        label=gettext_lazy("At"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )

    def __init__(self, zone: tzinfo, now: datetime, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.now = zone, now

    @property
    def said_at(self) -> datetime | None:
        day = self.cleaned_data.get("said_on")
        return (
            datetime.combine(day, self.cleaned_data.get("said_at_hour") or time.min, self.zone)
            if day
            else None
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.said_at is not None and self.said_at > self.now:
            self.add_error("said_on", _("This lies in the future."))
        return data


class ComplaintForm(Moment):
    """What the customer is not content with, and when they said so."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    words = forms.CharField(
        label=gettext_lazy("What are they not content with?"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=20_000,
        error_messages={"required": gettext_lazy("Write down what they complain about.")},
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How did they say it?"),
        choices=[(channel.value, channel.label) for channel in CHANNELS],
        widget=forms.RadioSelect,
        initial=Channel.CALL.value,
    )
    field_order = ("words", "how", "said_on", "said_at_hour", "submission")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["said_on"].required = False
        self.fields["said_on"].help_text = _("Leave empty when it is being said now.")

    @property
    def channel(self) -> Channel:
        return Channel(self.cleaned_data["how"])
