"""To the brand's own customer sign-in and back, from within one's request."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from cases.models import SubjectRequest
from cases.portal import sessions
from cases.portal.door import open_door, page, see_other
from cases.portal.sessions import Visitor
from cases.workflow import login as trips
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller, CustomerLogin
from identity.openid.provider import OpenIdRefused


@require_GET
@open_door
def login(request: HttpRequest, controller: Controller) -> HttpResponse:
    """A link and no form: the page's policy lets forms lead to no other site."""
    now = timezone.now()
    found = _inside(request, controller, now)
    if found is None:
        return _ended(controller)
    here, connected = found
    try:
        with unit_of_work([controller.pk]):
            return HttpResponseRedirect(trips.depart(here.request, connected, here.by, now))
    except (Refused, OpenIdRefused):
        return _refused(request, controller, 502)


@require_GET
@open_door
def back(request: HttpRequest, controller: Controller) -> HttpResponse:
    """What the provider sent back. The ticket is spent for good before anybody is asked."""
    now = timezone.now()
    found = _inside(request, controller, now)
    if found is None:
        return _ended(controller)
    here, connected = found
    if not _came_back(request, controller, here, connected, now):
        return _refused(request, controller, 403)
    return see_other(reverse("portal:mine", args=[controller.slug]) + "?done=login")


def _came_back(
    request: HttpRequest, controller: Controller, here: Visitor, connected: CustomerLogin, now: datetime
) -> bool:
    with unit_of_work([controller.pk]):
        taken = trips.take_ticket(SubjectRequest.objects.get(pk=here.request.pk))
    if taken is None:
        return False
    verification, ticket = taken
    answer = {name: request.GET[name] for name in request.GET}
    try:
        claims = trips.who_signed_in(connected, ticket, answer)
    except OpenIdRefused as refusal:
        with unit_of_work([controller.pk]):
            trips.refused(verification, refusal.code, here.by, now)
        return False
    with unit_of_work([controller.pk]):
        return trips.signed_in(verification, connected, claims, here.by, now)


def _inside(
    request: HttpRequest, controller: Controller, now: datetime
) -> tuple[Visitor, CustomerLogin] | None:
    """The visitor of one's own request; not there where the brand has no customer sign-in."""
    with unit_of_work([controller.pk]):
        connected = trips.login_of(controller.pk)
        here = sessions.visitor(request, controller, now)
        if connected is None:
            raise Http404
        # Read now: the secret is sealed, and the provider is asked outside of any transaction.
        connected.client_secret = str(connected.client_secret)
        connected.controller = controller
        return (here, connected) if here is not None else None


def _ended(controller: Controller) -> HttpResponse:
    return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")


def _refused(request: HttpRequest, controller: Controller, status: int) -> HttpResponse:
    """The same words whether it was somebody else's account or a sign-in that was broken off."""
    return page(request, controller, "portal/login_refused.html", {"is_away": status == 502}, status)
