"""The switch that stops collection, of one brand or everywhere."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.administration import forms, reading
from cases.models import CollectionStop
from cases.surface import attempt, by, needs, see_other, staff
from cases.workflow import standing
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
def stop(request: HttpRequest) -> HttpResponse:
    """Stop collection, with the reason that everybody reads."""
    brands = reading.administered(staff(request))
    everywhere = standing.may_switch_all(by(request))
    form = forms.Stop(brands, request.POST or None, everywhere=everywhere)
    if request.method == "POST" and form.is_valid():
        chosen = {brand.slug: brand.pk for brand in brands}.get(form.cleaned_data["where"])
        reason, now = form.cleaned_data["reason"], timezone.now()
        done = _("Collection is stopped. What runs ends with the page that it is at.")
        if attempt(request, lambda: standing.stop_collection(chosen, reason, by(request), now), done, form):
            return see_other("administration:sources")
    return render(request, "administration/stop.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@needs(Permission.ADMINISTER)
def lift(request: HttpRequest, stop_id: UUID) -> HttpResponse:
    """Let collection go on."""
    mine = {brand.pk for brand in reading.administered(staff(request))}
    found = CollectionStop.objects.filter(pk=stop_id).first()
    if found is None or (found.controller_id is not None and found.controller_id not in mine):
        raise Http404
    done = _("Collection goes on. What waited begins again by itself.")
    attempt(request, lambda: standing.lift_stop(found, by(request), timezone.now()), done)
    return see_other("administration:sources")
