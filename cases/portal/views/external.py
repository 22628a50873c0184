"""A check by an external provider: the way there, the way back, and the provider's own messages."""

from datetime import datetime
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.models import SubjectRequest
from cases.portal import limits, sessions
from cases.portal.attempts import attempt
from cases.portal.door import open_door, page, see_other
from cases.portal.external import ConsentForm, card_of, learnt_from, purpose_of
from cases.portal.forms import PlainForm
from cases.portal.sessions import Visitor
from cases.workflow import external as checks
from dsar.lib.tenancy import unit_of_work
from identity import external as provider
from identity.limits import EXTERNAL, HOUR, NOT_BELIEVED
from identity.models import CheckStage, Controller, ExternalCheck, IdentityProvider
from identity.providers.external.wire import MOST_BYTES, Unreadable, Untrue
from identity.whereabouts import client_address


@require_http_methods(["GET", "POST"])
@open_door
def external(request: HttpRequest, controller: Controller) -> HttpResponse:
    """What the provider does and gets, and the button that leads there. It is asked outside of any transaction."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return _ended(controller)
        if request.method != "POST":
            return _shown(request, controller, here.request, _form(here.request), now)
        form = _form(here.request, request.POST)
    address = _address(request, controller, here, form, now)
    if address:
        return see_other(address)
    with unit_of_work([controller.pk]):
        return _shown(request, controller, here.request, form, now, 422)


def _form(logged: SubjectRequest, posted: QueryDict | None = None) -> PlainForm:
    """Whoever goes on with a check has agreed to it before."""
    goes_on = any(one.stage == CheckStage.OPEN for one in checks.checks_of(logged))
    return PlainForm(posted) if goes_on else ConsentForm(posted)


def _begun(here: Visitor, form: PlainForm, now: datetime) -> ExternalCheck:
    return checks.begin(here.request, here.by, now, consented=bool(form.cleaned_data.get("agree")))


def _address(
    request: HttpRequest, controller: Controller, here: Visitor, form: PlainForm, now: datetime
) -> str:
    """Where to send the customer; empty where the form says why not."""
    if not limits.spend(controller, EXTERNAL, str(here.request.pk), now):
        form.add_error(None, _("You have tried very often. Please wait an hour, or write to us."))
        return ""
    with unit_of_work([controller.pk]):
        check = attempt(lambda: _begun(here, form, now), form) if form.is_valid() else None
        if check is None or check.address:
            return check.address if check else ""
        asked, values = checks.asking(check), checks.values_of(check)
    try:
        session = provider.open_session(asked.connection, check.pk, values)
    except provider.Unreachable as trouble:
        with unit_of_work([controller.pk]):
            checks.unreachable(check.pk, trouble.code, now)
        form.add_error(
            None,
            _(
                "The service cannot be reached at the moment. Try again later, or show who you are in another way."
            ),
        )
        return ""
    with unit_of_work([controller.pk]):
        return str(checks.opened(check.pk, session, timezone.now()).address)


def _shown(
    request: HttpRequest,
    controller: Controller,
    logged: SubjectRequest,
    form: PlainForm,
    now: datetime,
    status: int = 200,
) -> HttpResponse:
    connected = provider.provider_of(controller.pk)
    if connected is None:
        raise Http404
    newest = next(iter(checks.checks_of(logged)), None)
    context = {
        "form": form,
        "logged": logged,
        "provider": connected,
        "purpose": purpose_of(connected),
        "learnt": learnt_from(connected),
        "check": newest,
        "is_open": newest is not None and newest.stage == CheckStage.OPEN,
        "card": card_of(logged, now),
        "is_back": "back" in request.GET,
        "may_begin": checks.is_possible(logged),
    }
    response = page(request, controller, "portal/external.html", context, status)
    # The form leads to the provider, and to nobody else.
    return _may_lead_to(request, response, _origins(connected))


def _may_lead_to(request: HttpRequest, response: HttpResponse, origins: list[str]) -> HttpResponse:
    csp_update({"form-action": origins})(lambda _request: response)(request)
    return response


def _origins(connected: IdentityProvider) -> list[str]:
    scheme = urlsplit(connected.wire.base_url).scheme if connected.wire.allow_private else "https"
    return [f"{scheme}://{host}" for host in sorted(connected.wire.hosts)]


@require_GET
@open_door
def back(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The customer is back. What the address says is not looked at: the provider is asked, and tells us itself."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return _ended(controller)
        for check in checks.checks_of(here.request)[:1]:
            checks.look_now(check, now)
    return see_other(reverse("portal:external", args=[controller.slug]) + "?back")


def _ended(controller: Controller) -> HttpResponse:
    return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")


# -- the provider's messages -------------------------------------------------------------------------


@csrf_exempt
@require_POST
@open_door
def message(request: HttpRequest, controller: Controller) -> HttpResponse:
    """A message in the provider's name. Believed, kept and answered at once; a job works out what it means.

    200 also for one that was here before, so that it is not sent again. 401 for one that is not believed, 400 for
    one that is believed and says nothing, 413 for one too large, 429 from where too many were not believed.
    """
    now, source = timezone.now(), client_address(request)
    with unit_of_work([controller.pk]):
        connected = provider.provider_of(controller.pk)
        if connected is None:
            raise Http404
        if limits.count_since(controller, NOT_BELIEVED, source, now - HOUR, now) >= NOT_BELIEVED.most:
            return _said(429)
    if _length(request) > MOST_BYTES:
        return _said(413)
    try:
        with unit_of_work([controller.pk]):
            event = provider.take_message(connected, request.headers, request.body, now)
            if event is not None:
                checks.order_take(event, now)
    except Untrue:
        limits.spend(controller, NOT_BELIEVED, source, now)
        return _said(401)
    except Unreadable:
        return _said(400)
    return _said(200)


def _length(request: HttpRequest) -> int:
    said = str(request.headers.get("content-length") or "0")
    return int(said) if said.isdecimal() and len(said) < 12 else MOST_BYTES + 1


def _said(status: int) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain")
