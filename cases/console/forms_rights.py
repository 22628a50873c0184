"""The forms of the other rights: what is restricted, how an objection is weighed, who looks at a decision again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cases import rights
from cases.console.desk_forms import DeskForm, paragraph
from cases.law import loader as law
from cases.models import Case, LookResult, SourceSystem
from cases.review import items
from cases.workflow import second_look
from cases.workflow.objection import Weighed
from cases.workflow.restriction import MEANWHILE, Chosen, Ending
from cases.workflow.second_look import Prepared

STOPS = "stops"


def named(grounds: Sequence[law.Ground]) -> list[tuple[str, str]]:
    """A picklist as radio buttons: each entry with its provision."""
    return [(one.code, f"{gettext(one.name)} ({one.provision})") for one in grounds]


class Places(DeskForm):
    """The systems in which the use rests; where records were found they are ticked."""

    sources = forms.MultipleChoiceField(
        label=_("In which systems"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one system.")},
    )
    words = paragraph(
        _("What exactly is not to be used"),
        3,
        _("Colleagues who mark it in the systems read this. The customer does not."),
        required=False,
    )

    def prepare(self) -> None:
        found = _found(self.case)
        own = SourceSystem.objects.filter(controller_id=self.case.controller_id, is_active=True)
        field = self.fields["sources"]
        field.choices = [(str(one.pk), _with_count(one.name, found.get(one.pk, 0))) for one in own]  # type: ignore[attr-defined]
        field.initial = [str(one.pk) for one in own if one.pk in found]
        field.required = bool(own)

    def places(self) -> list[UUID]:
        return [UUID(one) for one in self.cleaned_data["sources"]]


class RestrictionForm(Places):
    """On which ground, and where (Art 18(1))."""

    ground = forms.ChoiceField(label=_("Why the use is restricted"), widget=forms.RadioSelect)
    field_order = ("ground", "sources", "words")

    def prepare(self) -> None:
        super().prepare()
        listed = law.grounds_for("restriction_trigger", self.case.regime)
        self.fields["ground"].choices = named(listed)  # type: ignore[attr-defined]
        self.fields["ground"].initial = rights.said(self.case).get("ground")
        chosen = rights.restriction_of(self.case)
        if chosen is not None:
            self.initial = {
                "ground": chosen.ground,
                "words": chosen.words,
                "sources": [str(place.source_id) for place in chosen.places.all()],
            }

    def chosen(self) -> Chosen:
        return Chosen(self.cleaned_data["ground"], self.places(), self.cleaned_data["words"])


class MeanwhileForm(Places):
    """The same while something is checked; the ground follows from what is checked."""

    def chosen(self) -> Chosen:
        return Chosen(MEANWHILE.get(self.case.right, ""), self.places(), self.cleaned_data["words"])


class WeighingForm(DeskForm):
    """Both sides and what came of it (Art 21(1))."""

    use = paragraph(_("Which use of data they object to"), 2)
    basis = forms.ChoiceField(label=_("On what that use rests"), widget=forms.RadioSelect)
    reasons = paragraph(
        _("Their reasons, from their own situation"), 3, _("As they gave them."), required=False
    )
    grounds = paragraph(
        _("Our grounds for the use"),
        3,
        _("It is ours to show them: only compelling ones count."),
        required=False,
    )
    result = forms.ChoiceField(label=_("What weighs more"), widget=forms.RadioSelect)
    weighing = paragraph(_("Why"), 4, _("Where the objection is refused, the customer reads these words."))

    def prepare(self) -> None:
        regime, said = self.case.regime, rights.said(self.case)
        bases = [one for one in law.grounds_for("objection_ground", regime) if one.code != "MARKETING"]
        self.fields["basis"].choices = named(bases)  # type: ignore[attr-defined]
        exceptions = law.grounds_for("objection_exception", regime)
        self.fields["result"].choices = [  # type: ignore[attr-defined]
            (STOPS, _("Theirs: the use stops")),
            *((code, _("Ours: %(why)s") % {"why": why}) for code, why in named(exceptions)),
        ]
        self.initial = {"use": said.get("use", ""), "reasons": said.get("reasons", "")}
        self._begin_from_last()

    def _begin_from_last(self) -> None:
        last = rights.balancing_of(self.case)
        if last is not None:
            texts = {name: getattr(last, name) for name in ("use", "basis", "reasons", "grounds", "weighing")}
            self.initial = {**texts, "result": last.exception or STOPS}

    def weighed(self) -> Weighed:
        data = self.cleaned_data
        exception = "" if data["result"] == STOPS else data["result"]
        texts = {name: data[name] for name in ("use", "basis", "reasons", "grounds", "weighing")}
        return Weighed(**texts, exception=exception)


class LookForm(DeskForm):
    """Which decision, how it was made, who had a part in it, and who looks again (EU Art 22; UK Arts 22A-22D)."""

    about = paragraph(_("Which decision, and what it did to the person"), 3)
    decided_on = forms.DateField(
        label=_("When it was made"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    basis = forms.ChoiceField(label=_("On what it rests"), widget=forms.RadioSelect)
    is_special = forms.BooleanField(
        label=_("It used special categories of data, such as health"), required=False
    )
    special_basis = paragraph(
        _("What allows that"), 2, _("Only where special categories were used; see the card."), required=False
    )
    logic = paragraph(
        _("How the decision was made"),
        5,
        _("The customer reads this: what went into it, what weighed most, and what follows from it."),
    )
    representations = paragraph(_("What the customer says to it"), 4, _("As they said it."), required=False)
    involved = forms.MultipleChoiceField(
        label=_("Colleagues who had a part in it"), required=False, widget=forms.CheckboxSelectMultiple
    )
    involved_others = forms.CharField(label=_("Others who had a part in it"), required=False, max_length=500)
    reviewer = forms.ChoiceField(label=_("Who looks at it again"))

    def prepare(self) -> None:
        people = [(str(one.pk), one.full_name) for one in second_look.reviewers(self.case)]
        self.fields["involved"].choices = people  # type: ignore[attr-defined]
        self.fields["reviewer"].choices = [("", _("Choose a colleague")), *people]  # type: ignore[attr-defined]
        self.fields["basis"].choices = named(second_look.bases(self.case))  # type: ignore[attr-defined]
        if not second_look.rests_on_exception(self.case):
            self.fields["basis"].label = _("What the customer asks for")
        said = rights.said(self.case)
        self.initial = {
            "about": said.get("decision", ""),
            "representations": said.get("representations", ""),
            "logic": second_look.stated_logic(self.case),
        }
        self._begin_from_last()

    def _begin_from_last(self) -> None:
        last = rights.look_of(self.case)
        if last is None:
            return
        names = ("about", "decided_on", "basis", "is_special", "special_basis", "logic", "representations")
        self.initial = {name: getattr(last, name) for name in (*names, "involved_others")}
        self.initial["involved"] = [str(one) for one in last.involved]
        self.initial["reviewer"] = str(last.reviewer_id)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("reviewer") and data["reviewer"] in data.get("involved", ()):
            self.add_error("reviewer", _("Who had a part in the decision does not look at it again."))
        if data.get("is_special") and not data.get("special_basis", "").strip():
            self.add_error("special_basis", _("Say what allows the use of special categories of data."))
        return data

    def prepared(self) -> Prepared:
        data = dict(self.cleaned_data)
        reviewer, involved = data.pop("reviewer"), data.pop("involved")
        return Prepared(**data, reviewer_id=UUID(reviewer), involved=[UUID(one) for one in involved])


class FindingForm(DeskForm):
    """What the person named found, and that they had no part in the decision."""

    finding = forms.ChoiceField(
        label=_("What you found"), choices=LookResult.choices, widget=forms.RadioSelect
    )
    reasons = paragraph(_("Why"), 5, _("The customer reads these words."))
    had_no_part = forms.BooleanField(
        label=_("I had no part in the decision, and I can change it"),
        error_messages={"required": _("Somebody who had a part in it cannot look at it again.")},
    )


class LiftForm(DeskForm):
    """Why a restriction ends and when, and the letter that says so before."""

    reason = paragraph(
        _("Why the restriction can end"), 3, _("The approver and the customer read these words.")
    )
    lifts_on = forms.DateField(
        label=_("It ends on"),
        help_text=_("Leave the customer some days: they are told before, and may not agree."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    title = forms.CharField(label=_("Subject of the letter"), max_length=200)
    body = paragraph(_("Letter"), 18, _("A blank line parts paragraphs."))

    def ending(self) -> Ending:
        data = self.cleaned_data
        return Ending(data["reason"], data["lifts_on"], data["title"], data["body"])


class FreedForm(DeskForm):
    evidence = paragraph(_("How the mark was taken away, and checked"))


def _found(case: Case) -> dict[UUID, int]:
    """How many records each system holds of the person."""
    found: dict[UUID, int] = {}
    for group in items.groups(case):
        if group.source_id:
            found[group.source_id] = found.get(group.source_id, 0) + group.total
    return found


def _with_count(name: str, found: int) -> str:
    if not found:
        return gettext("%(source)s: nothing was found") % {"source": name}
    words = ngettext("%(source)s: %(count)d record", "%(source)s: %(count)d records", found)
    return words % {"source": name, "count": found}
