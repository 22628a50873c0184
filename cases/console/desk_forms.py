"""What the desk asks for, act by act. Django validates; the workflow decides."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases import queries
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind, ExtensionReason
from cases.law import loader as law
from cases.models import Case, InquiryState
from cases.words import CLOSINGS, COMPLAINT_OUTCOMES, EXTENSION_REASONS, LateReason, Outcome, Right
from cases.workflow import decide, lateness, people, reopening
from cases.workflow.extension import Wanted
from identity.models import Level, User

LONG = 20_000
EVIDENCE = [
    ("known_answers", _("Answers that only this person could give")),
    ("signed_in_account", _("Signed in to their account with us")),
    ("call_back", _("Called back on the number on file")),
    ("document_seen", _("Identity document seen, not kept")),
    ("in_person", _("Known in person")),
    ("public_register", _("Entry in a public register or list, and contact as it says there")),
    ("other", _("Something else")),
]


def paragraph(label: Any, rows: int = 4, help_text: Any = "", *, required: bool = True) -> forms.CharField:
    """A text of some sentences."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, widget=widget, help_text=help_text, required=required, max_length=LONG
    )


def moment(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DateTimeField:
    """A moment in the brand's time zone, which the view has put in force."""
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, help_text=help_text, required=required)


class DeskForm(forms.Form):
    """A form about one case, or about something of it; without fields it is a button that can be refused."""

    def __init__(self, *args: Any, case: Case, target: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case, self.target = case, target
        self.prepare()

    def prepare(self) -> None:
        """Fill choices and initial values that depend on the case."""

    def now_in(self, name: str) -> None:
        self.fields[name].initial = timezone.localtime().replace(second=0, microsecond=0)


class Reason(DeskForm):
    reason = paragraph(_("Reason"), help_text=_("It is kept with the case. The customer does not see it."))


class SignalRemark(DeskForm):
    reason = paragraph(
        _("What you found"), help_text=_("It is kept with the request. The customer does not see it.")
    )


class Hurry(DeskForm):
    reason = paragraph(
        _("Why it cannot wait"),
        help_text=_("It is kept with the case. The customer loses the time to cancel."),
    )


class ChangedRecord(DeskForm):
    """What becomes of a record that was changed in its source after the approval."""

    choice = forms.ChoiceField(
        label=_("What becomes of it"),
        choices=[
            ("again", _("As it was approved, with what the record holds now")),
            ("keep", _("Keep it, under an exception")),
            ("by_hand", _("Have it done by hand")),
        ],
        widget=forms.RadioSelect,
    )
    basis = forms.ChoiceField(label=_("Exception, where kept"), required=False)
    reason = paragraph(
        _("Reason"), help_text=_("A second person reads it before it is carried out."), required=False
    )

    def prepare(self) -> None:
        if self.case.right != Right.ERASURE:
            self._without_exceptions()
            return
        known = law.grounds_for("erasure_exception", self.case.regime)
        names = [(one.code, f"{gettext(one.name)} ({one.provision})") for one in known]
        self.fields["basis"].choices = [("", "–"), *names]  # type: ignore[attr-defined]

    def _without_exceptions(self) -> None:
        """Article 17(3) excepts from erasure alone."""
        del self.fields["basis"]
        choice: Any = self.fields["choice"]
        choice.choices = [one for one in choice.choices if one[0] != "keep"]


class WaiverReason(DeskForm):
    reason = paragraph(
        _("Why the answer goes out without this source"),
        help_text=_("These words are printed in the answer."),
    )


class OwnerSaid(DeskForm):
    said = forms.ChoiceField(
        label=_("What came of it"),
        choices=[
            (InquiryState.HANDED_IN, _("They found data, and it is written below")),
            (InquiryState.NOTHING, _("They searched, and there is nothing")),
            (InquiryState.DECLINED, _("They cannot search")),
            (InquiryState.CLOSED, _("They do not answer: we do not wait any longer")),
        ],
        widget=forms.RadioSelect,
    )
    note = paragraph(
        _("In their words, or why"),
        required=False,
        help_text=_("Needed unless there is nothing. What they found becomes an item of the case."),
    )


class Assign(DeskForm):
    owner = forms.ModelChoiceField(
        User.objects.none(), label=_("Owner"), required=False, empty_label=_("Nobody")
    )

    def prepare(self) -> None:
        chosen = people.colleagues(self.case.controller_id)
        self.fields["owner"].queryset = User.objects.filter(pk__in=[user.pk for user in chosen])  # type: ignore[attr-defined]
        self.fields["owner"].initial = self.case.owner_id


class Note(DeskForm):
    text = paragraph(_("Note"), 3, _("For colleagues. The customer never sees it."))


class Message(DeskForm):
    text = paragraph(_("Message to the customer"), 5, _("Greeting, reference and signature are added."))


class Clarification(DeskForm):
    question = paragraph(_("Question to the customer"), 5)
    large_quantity = forms.BooleanField(
        label=_("We hold a large quantity of information about this person"),
        help_text=_("UK law lets the clock pause for this question only then."),
        required=False,
        initial=True,
    )


class Answered(DeskForm):
    text = paragraph(_("What the customer answered"), required=False)
    at = moment(_("When the answer came"))

    def prepare(self) -> None:
        self.now_in("at")


class Fee(DeskForm):
    amount = forms.CharField(label=_("Amount, with currency"), max_length=40)
    reason = paragraph(
        _("Why the request is excessive or unfounded"), help_text=_("The customer reads this.")
    )


class Paid(DeskForm):
    at = moment(_("When the fee was paid"))

    def prepare(self) -> None:
        self.now_in("at")


class Evidence(DeskForm):
    code = forms.ChoiceField(label=_("What was seen"), choices=EVIDENCE)
    level = forms.TypedChoiceField(
        label=_("Level of assurance that it reaches"),
        coerce=int,
        choices=[(level.value, capfirst(level.label)) for level in Level if level > Level.NONE],
    )
    remark = paragraph(_("How it was checked"), 3, _("Describe it; copy no numbers of documents."))
    came_at = moment(
        _("When it came in"),
        _("The clock starts when we had it, not when we had checked it."),
        required=False,
    )

    def prepare(self) -> None:
        self.fields["level"].initial = max(self.case.required_level, Level.LOW)
        self.now_in("came_at")


class Reopen(DeskForm):
    where = forms.ChoiceField(
        label=_("Go back to"),
        choices=[
            (reopening.REVIEW, _("Review what was found")),
            (reopening.SEARCH, _("Search the sources again")),
        ],
        widget=forms.RadioSelect,
        initial=reopening.REVIEW,
    )
    answered_at = moment(
        _("When the customer answered our question"),
        _("Empty: nobody answered, and we go on without. The clock runs again from now on."),
    )
    reason = paragraph(_("Reason"))

    def prepare(self) -> None:
        """A complaint has no sources, and only an open question can have been answered meanwhile."""
        self.fields["answered_at"].required = False
        if not reopening.waits(self.case, EventKind.CLARIFICATION_REQUESTED):
            del self.fields["answered_at"]
        if self.case.right == Right.COMPLAINT:
            del self.fields["where"]

    def clean(self) -> dict[str, Any]:
        return {"where": reopening.REVIEW, **(super().clean() or self.cleaned_data)}


class HoldReason(DeskForm):
    reason = paragraph(
        _("Reason"), 3, _("Such as a claim, a court order or an investigation. It is kept sealed.")
    )


class Withdrawal(DeskForm):
    reason = paragraph(_("What the customer said"), 3, required=False)


class Posted(DeskForm):
    tracking = forms.CharField(label=_("Tracking number"), max_length=60, required=False)


class TaskDone(DeskForm):
    result = forms.ChoiceField(
        label=_("Result"),
        choices=[("done", _("Done")), ("impossible", _("Could not be done"))],
        widget=forms.RadioSelect,
    )
    evidence = paragraph(_("How it was done and checked, or why it could not be"))


class Revoke(DeskForm):
    is_misdirected = forms.BooleanField(
        label=_("It went to the wrong person"),
        help_text=_("It is logged as a possible breach, and the controller is told at once."),
        required=False,
    )
    reason = paragraph(_("Reason"))


class LateReasonForm(DeskForm):
    """What a late case is asked before it goes on; the two fields are gone where nothing is late."""

    late_code = forms.ChoiceField(
        label=_("Why is it late?"), choices=[("", _("Choose one")), *LateReason.choices], required=False
    )
    late_remark = paragraph(
        _("In words"),
        2,
        _("Needed where the list does not say it. The customer does not see it."),
        required=False,
    )
    late_on: date | None = None

    def prepare(self) -> None:
        self.late_on = lateness.outstanding(self.case, timezone.now(), self.outcome_thought_of())
        if self.late_on is None:
            del self.fields["late_code"], self.fields["late_remark"]
        else:
            self.fields["late_code"].required = True

    def outcome_thought_of(self) -> str:
        return str(self.case.proposed_outcome)

    @property
    def why_late(self) -> lateness.Why:
        given = self.cleaned_data
        return lateness.Why(given.get("late_code", ""), given.get("late_remark", ""))


class LateReasonAlone(LateReasonForm):
    """The reason by itself, from the case's page."""

    def prepare(self) -> None:
        self.late_on = lateness.outstanding(self.case, timezone.now(), self.outcome_thought_of())
        self.fields["late_code"].required = True


class LetterText(LateReasonForm):
    """The words of a letter; the draft fills them."""

    title = forms.CharField(label=_("Subject of the letter"), max_length=200)
    body = paragraph(_("Letter"), 18, _("A blank line parts paragraphs."))


def refusal_choices(case: Case) -> list[tuple[str, Any]]:
    """Grounds of refusal and exemptions of the case's law, with their provisions."""
    grounds = [_named(one) for one in law.grounds_for("refusal", case.regime)]
    exemptions = [_named(one) for one in law.exemptions_for(case.regime)]
    return [
        ("", _("Choose one")),
        (str(_("To refuse the request")), grounds),
        (str(_("Exemptions")), exemptions),
    ]


def _named(one: law.Ground | law.Exemption) -> tuple[str, str]:
    return one.code, f"{gettext(one.name)} ({one.provision})"


class MoreTime(DeskForm):
    """Why more time is needed, and the letter that says so."""

    reason = forms.ChoiceField(label=_("Reason in law"), widget=forms.RadioSelect)
    explanation = paragraph(
        _("Why, in plain words"),
        4,
        _("The approver and the customer read these words: say what makes it so."),
    )
    named_on = forms.DateField(
        label=_("New date"),
        help_text=_("This law lets the controller name it; the letter has to say it."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    title = forms.CharField(label=_("Subject of the letter"), max_length=200)
    body = paragraph(_("Letter"), 18, _("A blank line parts paragraphs."))

    def prepare(self) -> None:
        rule = queries.extension_rule(self.case)
        reasons = rule.reasons if rule else ()
        choices = [(one.value, EXTENSION_REASONS[one.value]) for one in reasons]
        self.fields["reason"].choices = choices  # type: ignore[attr-defined]
        if rule is None or not rule.named_by_controller:
            del self.fields["named_on"]

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(ExtensionReason(given["reason"]), given["explanation"], given.get("named_on"))


class Closing(LetterText):
    """How the case is to end without an answer, and the letter that says so."""

    outcome = forms.ChoiceField(
        label=_("How it ends"), choices=[(outcome.value, outcome.label) for outcome in map(Outcome, CLOSINGS)]
    )
    reason_code = forms.ChoiceField(
        label=_("Legal ground"),
        required=False,
        help_text=_("A refusal cites one; the letter says it in plain words."),
    )
    reasons = paragraph(_("Reasons"), 4, _("The approver and the customer read these words."))
    field_order = ("outcome", "reason_code", "reasons", "late_code", "late_remark", "title", "body")

    def outcome_thought_of(self) -> str:
        """The one chosen; while none is, the one whose letter is due first."""
        chosen = self.data.get("outcome") if self.is_bound else self.initial.get("outcome")
        return str(chosen or Outcome.REFUSED)

    def prepare(self) -> None:
        super().prepare()
        self.fields["reason_code"].choices = refusal_choices(self.case)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("outcome") == Outcome.REFUSED and not cleaned.get("reason_code"):
            self.add_error("reason_code", _("A refusal cites the ground in law that it rests on."))
        return cleaned


class Submission(LetterText):
    """The answer's letter; reasons where all of it is refused, and for a complaint what becomes of it."""

    complaint_outcome = forms.ChoiceField(
        label=_("What becomes of the complaint"),
        choices=[(outcome.value, outcome.label) for outcome in COMPLAINT_OUTCOMES],
        widget=forms.RadioSelect,
    )
    reason_code = forms.ChoiceField(label=_("Legal ground"), required=False)
    reasons = paragraph(_("Reasons"), 4, _("The approver and the customer read these words."), required=False)
    field_order = ("complaint_outcome", "reason_code", "reasons", "late_code", "late_remark", "title", "body")

    def outcome_thought_of(self) -> str:
        return decide.outcome_of(self.case)

    def prepare(self) -> None:
        super().prepare()
        if self.case.right == Right.COMPLAINT:
            self.fields["reasons"].required = True
            del self.fields["reason_code"]
            return
        del self.fields["complaint_outcome"]
        self.fields["reason_code"].choices = refusal_choices(self.case)  # type: ignore[attr-defined]


class ByHand(DeskForm):
    title = forms.CharField(label=_("What it is"), max_length=200)
    text = paragraph(_("Text"), 6, required=False)
    file = forms.FileField(label=_("File"), required=False)


class Absence(forms.Form):
    until = forms.DateField(
        label=_("Away until"),
        help_text=_("The last day on which you are away. Empty: you are here."),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    cover = forms.ModelChoiceField(
        User.objects.none(), label=_("Covered by"), required=False, empty_label=_("Choose a colleague")
    )

    def __init__(self, *args: Any, person: User, colleagues: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"until": person.away_until, "cover": person.cover_id}
        self.fields["cover"].queryset = User.objects.filter(pk__in=[one.pk for one in colleagues])  # type: ignore[attr-defined]

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise forms.ValidationError(_("This day has passed."))
        return until

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("until") and not cleaned.get("cover"):
            self.add_error("cover", _("Say who covers you: your open cases go to them."))
        return cleaned


KINDS_WORDS = {
    Kind.ACKNOWLEDGEMENT: _("Acknowledgement"),
    Kind.ONE_TIME_CODE: _("One-time code"),
    Kind.AUTHORITY: _("Question about authority"),
    Kind.CLARIFICATION: _("Question"),
    Kind.FEE: _("Fee"),
    Kind.ANSWER: _("Answer"),
    Kind.REFUSAL: _("Refusal"),
    Kind.NOT_A_REQUEST: _("Not a request"),
    Kind.DUPLICATE: _("Duplicate"),
    Kind.TRANSFERRED: _("Transferred"),
    Kind.IDENTITY_REMINDER: _("Reminder to show who one is"),
    Kind.IDENTITY_NOT_VERIFIED: _("Identity not verified"),
    Kind.NO_REPLY: _("No reply"),
    Kind.WITHDRAWN: _("Withdrawal confirmed"),
    Kind.ERASURE_PLANNED: _("Time to cancel an erasure"),
    Kind.DONE: _("Done"),
    Kind.PASSED_ON: _("Data passed on"),
    Kind.RESTRICTED: _("Use restricted"),
    Kind.RESTRICTION_ENDS: _("The restriction ends"),
    Kind.MESSAGE: _("Message"),
    Kind.PRESERVE: _("Preserve notice"),
    Kind.MISDIRECTED: _("Possible breach"),
    Kind.EXTENSION: _("More time"),
    Kind.COMPLAINT_OUTCOME: _("Outcome of the complaint"),
}
