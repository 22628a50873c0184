"""Pointing at what is wrong: the details that were found, and what is right instead."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from cases.models import Case
from cases.portal import story
from cases.portal.attempts import attempt
from cases.portal.door import door, page, see_other
from cases.portal.forms import FilesField, PlainForm
from cases.portal.sessions import Visitor
from cases.portal.views.mine import inside
from cases.portal.words import as_typed
from cases.review.showing import label
from cases.workflow import rectify
from cases.workflow.rectify import Pointed, Shown
from identity.models import Controller


def _once(shown: list[Shown]) -> Iterator[tuple[str, str]]:
    """Each detail once: what several records hold alike is found in all of them."""
    seen = set()
    for one in shown:
        said = f"{label(one.name)}: {as_typed(one.value)}"
        if said.casefold() not in seen:
            seen.add(said.casefold())
            yield f"{one.item.pk}:{one.name}", said


class PointForm(PlainForm):
    """Which of the details that are shown is wrong, and what is right."""

    place = forms.ChoiceField(
        label=_("Which detail is wrong?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the detail that is wrong."),
            "invalid_choice": _("Choose one of the details that are listed."),
        },
    )
    right = forms.CharField(
        label=_("What it should be"),
        max_length=rectify.LONGEST_CLAIM,
        error_messages={"required": _("Write down what is right.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    shows = FilesField(
        label=_("What shows it, if you have something"),
        help_text=_("For example a letter or a bill. Do not send a copy of your passport or identity card."),
    )

    def __init__(self, shown: list[Shown], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = list(_once(shown))

    def pointed(self) -> Pointed:
        """What was chosen, as the workflow takes it."""
        item, _colon, name = self.cleaned_data["place"].partition(":")
        return Pointed(item, name, self.cleaned_data["right"], self.cleaned_data["shows"])


@require_http_methods(["GET", "POST"])
@door
@inside
def corrections(request: HttpRequest, controller: Controller, here: Visitor, case_id: UUID) -> HttpResponse:
    """Show what was found about the visitor alone; that it was seen is on record."""
    case, now = _case(here, case_id), timezone.now()
    if not rectify.may_point(case, now, here.party):
        raise Http404
    shown = rectify.shown_to(case)
    if request.method == "GET":
        rectify.put_seen_on_record(case, len(shown), here.by, now)
        return _page(request, controller, case, PointForm(shown))
    form = PointForm(shown, request.POST, request.FILES)
    if form.is_valid() and _pointed(case, form, here, now):
        return see_other(reverse("portal:mine", args=[controller.slug]) + "?done=correction")
    return _page(request, controller, case, form, 422)


def _pointed(case: Case, form: PointForm, here: Visitor, now: datetime) -> bool:
    attempt(lambda: rectify.point(case, form.pointed(), here.by, now, here.party) + 1, form)
    return not form.errors


def _case(here: Visitor, case_id: UUID) -> Case:
    """A case of the visitor's own request. Raises Http404."""
    own = (one for one in story.cases_of(here.request) if one.subject_request_id == here.request.pk)
    found = next((one for one in own if one.pk == case_id), None)
    if found is None:
        raise Http404
    return found


def _said(claim: dict[str, Any]) -> dict[str, str]:
    return {name: as_typed(str(claim.get(name, ""))) for name in ("field", "wrong", "right")}


def _page(
    request: HttpRequest, controller: Controller, case: Case, form: PointForm, status: int = 200
) -> HttpResponse:
    context = {"case": case, "form": form, "claims": [_said(one) for one in case.subject_request.claims]}
    return page(request, controller, "portal/corrections.html", context, status)
