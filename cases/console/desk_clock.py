"""What the clock of a case knows, fact by fact, and the forms that change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.console.desk_forms import DeskForm, moment, paragraph
from cases.deadlines.events import ASKED, EventKind, FeeBasis
from cases.models import Case, ClockEvent
from cases.permissions import By
from cases.workflow import facts
from cases.workflow.facts import Change
from identity.roles import Permission

KINDS: dict[str, Any] = {
    EventKind.RECEIVED: gettext_lazy("Request received"),
    EventKind.COMPLAINT_RECEIVED: gettext_lazy("Complaint received"),
    EventKind.COMPLAINT_ACKNOWLEDGED: gettext_lazy("Complaint acknowledged"),
    EventKind.APPEAL_RECEIVED: gettext_lazy("Appeal received"),
    EventKind.IDENTITY_REQUESTED: gettext_lazy("Identity asked for"),
    EventKind.IDENTITY_RECEIVED: gettext_lazy("Information on identity received"),
    EventKind.IDENTITY_CONFIRMED: gettext_lazy("Identity confirmed"),
    EventKind.AUTHORITY_REQUESTED: gettext_lazy("Authority of the representative asked for"),
    EventKind.AUTHORITY_RECEIVED: gettext_lazy("Authority of the representative received"),
    EventKind.CLARIFICATION_REQUESTED: gettext_lazy("Clarification asked for"),
    EventKind.CLARIFICATION_RECEIVED: gettext_lazy("Clarification received"),
    EventKind.FEE_REQUESTED: gettext_lazy("Fee asked for"),
    EventKind.FEE_PAID: gettext_lazy("Fee paid"),
    EventKind.EXTENSION_NOTIFIED: gettext_lazy("Extension notified"),
}
BASES = [
    (FeeBasis.EXCESSIVE.value, gettext_lazy("The request is excessive")),
    (FeeBasis.UNFOUNDED.value, gettext_lazy("The request is unfounded")),
    (FeeBasis.FURTHER_COPIES.value, gettext_lazy("Further copies")),
    (FeeBasis.OTHER.value, gettext_lazy("Another basis")),
]
# Whatever is recorded later than this was learned late.
AT_ONCE = timedelta(hours=1)


# -- what it knows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One fact, standing or replaced."""

    event: ClockEvent
    words: str
    details: list[str]
    by: str
    was_late: bool
    replaced_by: ClockEvent | None
    can_correct: bool
    can_remove: bool

    @property
    def stands(self) -> bool:
        return self.replaced_by is None

    @property
    def is_removed(self) -> bool:
        return self.replaced_by is not None and bool(self.replaced_by.data.get("withdraws"))


def lines(case: Case, by: By) -> list[Line]:
    """Every fact in order of time; what was replaced stays in its place, with what replaced it."""
    events = list(case.clock_events.select_related("recorded_by", "case"))
    replaced = {event.supersedes_id: event for event in events if event.supersedes_id}
    may = facts.may_keep(case, by)
    told = [event for event in events if not event.data.get("withdraws")]
    return [_line(event, replaced.get(event.pk), by, may=may) for event in told]


def _line(event: ClockEvent, replaced_by: ClockEvent | None, by: By, *, may: bool) -> Line:
    kind = EventKind(event.kind)
    changeable = may and replaced_by is None and kind not in facts.BY_LETTER
    is_receipt = kind in facts.RECEIPTS
    may_correct_receipt = by.allows(Permission.CORRECT, event.controller_id)
    return Line(
        event=event,
        words=str(KINDS[kind]),
        details=details(kind, event.data),
        by=_who(event),
        was_late=event.recorded_at - event.at > AT_ONCE,
        replaced_by=replaced_by,
        can_correct=changeable and (may_correct_receipt or not is_receipt),
        can_remove=changeable and not is_receipt,
    )


def _who(event: ClockEvent) -> str:
    return event.recorded_by.full_name if event.recorded_by else _("the desk itself")


def details(kind: EventKind, data: Mapping[str, Any]) -> list[str]:
    """What matters for the clock beside the time."""
    told = []
    if kind in ASKED and data.get("reasonable") is False:
        told.append(_("without good reason: it moves nothing"))
    if kind is EventKind.CLARIFICATION_REQUESTED and data.get("large_quantity") is False:
        told.append(_("not because of a large quantity of data"))
    if kind is EventKind.FEE_REQUESTED and data.get("fee_basis"):
        told.append(str(dict(BASES).get(str(data["fee_basis"]), data["fee_basis"])))
    if data.get("reopened"):
        told.append(_("nobody answered: the case was reopened and goes on without"))
    return told


# -- forms -------------------------------------------------------------------------------------------------


class FactForm(DeskForm):
    """What is common: when, of what kind, why."""

    at = moment(
        gettext_lazy("When it happened"), gettext_lazy("In the brand's own time. Never in the future.")
    )
    reasonable = forms.BooleanField(
        label=gettext_lazy("There was good reason to ask"),
        help_text=gettext_lazy("A question without one moves no date."),
        required=False,
        initial=True,
    )
    large_quantity = forms.BooleanField(
        label=gettext_lazy("Because we hold a large quantity of information about this person"),
        help_text=gettext_lazy("Under EU law a clarification pauses the clock only then (Recital 63)."),
        required=False,
        initial=True,
    )
    fee_basis = forms.ChoiceField(label=gettext_lazy("Basis of the fee"), choices=BASES, required=False)
    reason = paragraph(
        gettext_lazy("Reason"),
        3,
        gettext_lazy("How this became known, and why only now. It stays with the case."),
    )

    def kind(self) -> EventKind:
        raise NotImplementedError

    def change(self) -> Change:
        """The change that was typed."""
        data = {name: self.cleaned_data[name] for name in ("reasonable", "large_quantity", "fee_basis")}
        return Change(self.kind(), self.cleaned_data["at"], self.cleaned_data["reason"], data)


class AddFact(FactForm):
    """A fact learned late."""

    what = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[("", gettext_lazy("Choose one")), *((kind.value, KINDS[kind]) for kind in facts.ADDABLE)],
    )
    field_order = ("what", "at", "reasonable", "large_quantity", "fee_basis", "reason")

    def kind(self) -> EventKind:
        return EventKind(self.cleaned_data["what"])


class CorrectFact(FactForm):
    """Another time, or other properties, of a fact that stands."""

    def prepare(self) -> None:
        event = self.target
        local = timezone.localtime(event.at).replace(second=0, microsecond=0)
        self.initial = {"at": local, "reasonable": True, "large_quantity": True, **event.data}
        for name in ("reasonable", "large_quantity", "fee_basis"):
            if name not in facts.properties_of(self.kind()):
                del self.fields[name]

    def kind(self) -> EventKind:
        return EventKind(self.target.kind)

    def change(self) -> Change:
        shown = [name for name in ("reasonable", "large_quantity", "fee_basis") if name in self.fields]
        data = {**self.target.data, **{name: self.cleaned_data[name] for name in shown}}
        return Change(
            self.kind(), self._at(), self.cleaned_data["reason"], data, replaces=UUID(str(self.target.pk))
        )

    def _at(self) -> datetime:
        """The field shows no seconds: who leaves it as it is does not change the moment."""
        typed: datetime = self.cleaned_data["at"]
        kept: datetime = self.target.at
        return kept if typed == kept.replace(second=0, microsecond=0) else typed


class RemoveFact(DeskForm):
    """It did not happen."""

    reason = paragraph(gettext_lazy("Reason"), 3, gettext_lazy("Why it stood there. It stays with the case."))

    def change(self) -> Change:
        event = self.target
        return Change(
            EventKind(event.kind),
            event.at,
            self.cleaned_data["reason"],
            replaces=event.pk,
            removes=True,
        )


def fact_of(case: Case, event_id: UUID) -> ClockEvent | None:
    """A fact of the case; one that was replaced meanwhile too, so that whoever pressed twice is told so."""
    found: ClockEvent | None = case.clock_events.select_related("case").filter(pk=event_id).first()
    return None if found is None or found.data.get("withdraws") else found
