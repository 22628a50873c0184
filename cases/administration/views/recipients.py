"""Those to whom a brand gives data of its customers: the list, and one of them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from cases.administration import reading
from cases.administration.forms_recipients import ChooseBrand, RecipientForm
from cases.models import Recipient, SourceSystem
from cases.surface import by, needs, see_other, staff
from cases.workflow import recipient_settings
from cases.workflow.sources import SettingsWrong
from identity.models import Controller
from identity.roles import Permission
from identity.step_up import asks_second_factor_first


@require_safe
@needs(Permission.ADMINISTER)
def recipients(request: HttpRequest) -> HttpResponse:
    """Every recipient of the brands that this person administers."""
    brands = reading.administered(staff(request))
    mine = Recipient.objects.visible_to(staff(request), Permission.ADMINISTER).select_related("controller")
    sources = dict(SourceSystem.objects.filter(controller__in=brands).values_list("slug", "name"))
    rows = [
        {"recipient": one, "fed_by": [sources.get(slug, slug) for slug in one.fed_by]}
        for one in mine.order_by("controller__name", "name")
    ]
    return render(request, "administration/recipients.html", {"rows": rows, "brands": brands})


@require_safe
@needs(Permission.ADMINISTER)
def choose(request: HttpRequest) -> HttpResponse:
    """Of which brand a new recipient is; passed over where there is one brand only."""
    brands = reading.administered(staff(request))
    form = ChooseBrand(brands, request.GET or None)
    if len(brands) == 1:
        return see_other("administration:add-recipient", brands[0].slug)
    if form.is_bound and form.is_valid():
        return see_other("administration:add-recipient", form.cleaned_data["brand"])
    context = {"form": form}
    return render(
        request, "administration/choose_recipient.html", context, status=422 if form.errors else 200
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
@asks_second_factor_first
def add(request: HttpRequest, brand: str) -> HttpResponse:
    """A new recipient of a brand."""
    controller = next((one for one in reading.administered(staff(request)) if one.slug == brand), None)
    if controller is None:
        raise Http404
    return _page(request, recipient_settings.new(controller, timezone.now()), controller)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
@asks_second_factor_first
def edit(request: HttpRequest, recipient_id: UUID) -> HttpResponse:
    """Change what is stated of one; another brand's is not found."""
    mine = Recipient.objects.visible_to(staff(request), Permission.ADMINISTER).select_related("controller")
    found = mine.filter(pk=recipient_id).first()
    if found is None:
        raise Http404
    return _page(request, found, found.controller)


def _page(request: HttpRequest, recipient: Recipient, controller: Controller) -> HttpResponse:
    sources = list(SourceSystem.objects.filter(controller=controller))
    form = RecipientForm(recipient, sources, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _saved(request, form, recipient):
        messages.success(request, _("The recipient is saved."))
        return see_other("administration:recipients")
    context: dict[str, Any] = {"form": form, "recipient": recipient, "controller": controller}
    return render(request, "administration/recipient.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, form: RecipientForm, recipient: Recipient) -> bool:
    try:
        recipient_settings.save(recipient, form.wanted, by(request), timezone.now())
    except SettingsWrong as wrong:
        form.tell(wrong.problems)
        return False
    return True
