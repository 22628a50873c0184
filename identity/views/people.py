"""The people who work here, for their administrator. Nothing of any case is shown."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dsar.lib.errors import Refused
from identity import living, staff
from identity.models import User
from identity.roles import Permission
from identity.views.person import person_of

PER_PAGE = 100


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    found = staff.administered_by(_administrator(request)).prefetch_related("memberships__team")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "identity/people.html", {"page": page})


@require_safe
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    whose = _whose(request, person_id)
    now = timezone.now()
    context = {
        "whose": whose,
        "memberships": whose.memberships.select_related("team"),
        "sessions": living.living(whose, now, request.session.session_key),
        "is_self": whose == request.user,
        "crumbs": [{"label": _("People"), "url": reverse("identity:people")}, {"label": whose.full_name}],
    }
    return render(request, "identity/person.html", context)


@require_POST
def sign_out_person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    whose = _whose(request, person_id)
    staff.sign_out_everywhere(whose, person_of(request), timezone.now())
    messages.success(request, _("{name} is signed out everywhere.").format(name=whose.full_name))
    return redirect("identity:person", whose.pk)


@require_POST
def set_active(request: HttpRequest, person_id: UUID) -> HttpResponse:
    whose, is_active = _whose(request, person_id), request.POST.get("active") == "1"
    try:
        staff.set_active(whose, is_active, person_of(request), timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _said(whose, is_active))
    return redirect("identity:person", whose.pk)


def _said(whose: User, is_active: bool) -> str:
    if is_active:
        return _("{name} may sign in again.").format(name=whose.full_name)
    return _("{name} is signed out everywhere and cannot sign in any more.").format(name=whose.full_name)


def _administrator(request: HttpRequest) -> User:
    """For others these pages are not there."""
    user = person_of(request)
    if not user.access.anywhere(Permission.ADMINISTER):
        raise Http404
    return user


def _whose(request: HttpRequest, person_id: UUID) -> User:
    return get_object_or_404(staff.administered_by(_administrator(request)), pk=person_id)
