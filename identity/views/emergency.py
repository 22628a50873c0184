"""Emergency access: open it, end it, and see who used it, when and why."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dsar.lib.errors import Refused
from identity import emergency as glass
from identity.forms import EmergencyForm
from identity.models import Controller, Emergency, User
from identity.roles import Permission
from identity.step_up import asks_second_factor
from identity.views.person import person_of

SEE_OTHER = 303


@require_http_methods(["GET", "POST"])
@asks_second_factor
def emergency(request: HttpRequest) -> HttpResponse:
    """The uses; and the form for who may break the glass."""
    person = person_of(request)
    _check(person)
    brands = Controller.objects.filter(pk__in=person.access.controllers(Permission.BREAK_GLASS))
    form = EmergencyForm(brands, request.POST or None)
    if form.is_valid() and _opened(request, person, form):
        return _back()
    context = {
        "form": form if brands else None,
        "uses": glass.uses(person, timezone.now()),
        "overseen": set(person.access.controllers(Permission.OVERSEE)),
        "longest": settings.EMERGENCY_MINUTES,
    }
    return render(request, "identity/emergency.html", context, status=422 if form.errors else 200)


@require_POST
def end(request: HttpRequest, emergency_id: UUID) -> HttpResponse:
    try:
        glass.end(_found(request, emergency_id), person_of(request), timezone.now())
        messages.success(request, _("The emergency access is ended."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back()


@require_POST
def seen(request: HttpRequest, emergency_id: UUID) -> HttpResponse:
    try:
        glass.mark_seen(_found(request, emergency_id), person_of(request), timezone.now())
        messages.success(request, _("Noted that you have looked at it."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back()


def _opened(request: HttpRequest, person: User, form: EmergencyForm) -> bool:
    given = form.cleaned_data
    try:
        glass.open_emergency(person, given["brand"].pk, given["reason"], given["minutes"], timezone.now())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.warning(
        request,
        _("You can read the cases of this brand now. Each page is put on record, and others are told."),
    )
    return True


def _check(person: User) -> None:
    """For others this is not there."""
    if not (person.access.anywhere(Permission.BREAK_GLASS) or person.access.anywhere(Permission.OVERSEE)):
        raise Http404


def _found(request: HttpRequest, emergency_id: UUID) -> Emergency:
    person = person_of(request)
    _check(person)
    shown = [use.emergency.pk for use in glass.uses(person, timezone.now())]
    return get_object_or_404(Emergency, pk__in=shown, id=emergency_id)


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("identity:emergency"), status=SEE_OTHER)
