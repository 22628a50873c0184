"""Coming back: a link or a reference, then a code, then one's request.

Nothing on the way tells whether a reference and an address belong to a request: the same pages, the same
limits, and as far as possible the same time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.models import SubjectRequest
from cases.permissions import by_customer
from cases.portal import claims, limits, sessions
from cases.portal.claims import Claim
from cases.portal.door import door, open_door, page, see_other, unhurried
from cases.portal.errors import too_many_of
from cases.portal.forms import CodeForm, EnterForm
from cases.workflow import identity, letters, mail_code, text_code
from dsar.lib.tenancy import unit_of_work
from identity import services, texting
from identity.limits import SEND, TEXT, TRY, Over
from identity.models import AccessToken, Controller, TokenPurpose


@require_http_methods(["GET", "POST"])
@open_door
def enter(request: HttpRequest, controller: Controller) -> HttpResponse:
    """Reference and e-mail address, for whoever has no link at hand."""
    if request.method == "GET":
        context = {"form": EnterForm(), "has_ended": "ended" in request.GET}
        return page(request, controller, "portal/enter.html", context)
    form = EnterForm(request.POST)
    if not form.is_valid():
        return page(request, controller, "portal/enter.html", {"form": form}, 422)
    now = timezone.now()
    with unit_of_work([controller.pk]):
        claim = claims.make(controller, form.cleaned_data["reference"], form.cleaned_data["email"], now)
    return send_and_ask(request, controller, claim, now)


@require_http_methods(["GET", "POST"])
@open_door
def follow(request: HttpRequest, controller: Controller, token: str) -> HttpResponse:
    """The link of a letter. Programs that look into mails open it too, so that only the button does something."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        found = services.find_token(token, TokenPurpose.FOLLOW, now)
        if found is None:
            return page(request, controller, "portal/follow_stale.html", status=404)
        if _is_inside(request, controller, found, now):
            return see_other(reverse("portal:mine", args=[controller.slug]))
        email = letters.address_of(found.subject_request, found.party)[0]
        if request.method == "GET" or not email:
            return page(request, controller, "portal/follow.html", {"has_address": bool(email)})
        claim = claims.make(controller, found.subject_request.reference, email, now)
    return send_and_ask(request, controller, claim, now)


def _is_inside(request: HttpRequest, controller: Controller, link: AccessToken, now: datetime) -> bool:
    here = sessions.visitor(request, controller, now)
    return here is not None and here.request.pk == link.subject_request_id and here.party == link.party


# -- sending -----------------------------------------------------------------------------------------


def send_and_ask(request: HttpRequest, controller: Controller, claim: Claim, now: datetime) -> HttpResponse:
    """Order a code, which is sent where the claim is true, and go on to where it is typed in any case."""
    with unhurried():
        over = _send(controller, claim, now)
        if over is not None:
            return too_many_of(request, controller, over)
        response = see_other(reverse("portal:code", args=[controller.slug]))
        claims.remember(response, controller, claim)
        return response


def _send(controller: Controller, claim: Claim, now: datetime) -> Over | None:
    """What is reached where too many codes were asked for with this claim."""
    over = limits.take(controller, [(SEND, claim.key)], now)
    if over is not None:
        return over
    with unit_of_work([controller.pk]):
        mail_code.order(controller, claim, now)
    return None


@require_POST
@open_door
def text(request: HttpRequest, controller: Controller) -> HttpResponse:
    """A code by text message for the claim that is remembered."""
    claim = claims.remembered(request, controller)
    if claim is None:
        return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
    return text_and_ask(request, controller, claim, timezone.now())


def text_and_ask(request: HttpRequest, controller: Controller, claim: Claim, now: datetime) -> HttpResponse:
    """Order that a code is texted, and go on to where it is typed; the claim is looked at by the job, later."""
    over = limits.take(controller, [(TEXT, claim.key)], now)
    if over is not None:
        return too_many_of(request, controller, over)
    with unit_of_work([controller.pk]):
        if not texting.can_text(controller.pk):
            raise Http404
        text_code.order_claimed(controller, claim, now)
    response = see_other(reverse("portal:code", args=[controller.slug]) + "?text")
    claims.remember(response, controller, claim)
    return response


# -- the code ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@open_door
def code(request: HttpRequest, controller: Controller) -> HttpResponse:
    """One field for the code. A try is counted for good before it is looked at."""
    claim = claims.remembered(request, controller)
    if claim is None:
        return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
    if request.method == "GET":
        return _code_page(request, controller, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _code_page(request, controller, form, 422)
    with unhurried():
        now = timezone.now()
        session = _session(controller, claim, form.cleaned_data["code"], now)
        if session is None:
            form.add_error("code", why_not(controller, claim, now))
            return _code_page(request, controller, form, 422)
    response = see_other(reverse("portal:mine", args=[controller.slug]) + "?done=welcome")
    sessions.give(response, controller, session)
    claims.forget(response, controller)
    return response


def _code_page(
    request: HttpRequest, controller: Controller, form: CodeForm, status: int = 200
) -> HttpResponse:
    with unit_of_work([controller.pk]):
        can_text = texting.can_text(controller.pk)
    context = {
        "form": form,
        "was_resent": "again" in request.GET,
        "was_texted": can_text and "text" in request.GET,
        "can_text": can_text,
    }
    return page(request, controller, "portal/code.html", context, status)


def _session(controller: Controller, claim: Claim, typed: str, now: datetime) -> str | None:
    """A session for the right code; None for every other end."""
    if not limits.spend(controller, TRY, claim.key, now):
        return None
    with unit_of_work([controller.pk]):
        found = claims.claimed_by(controller, claim, now)
    if found is None:
        return None
    logged, party = found
    if not code_is_right(logged, identity.purpose_of(identity.VERIFY, party), typed, now):
        return None
    with unit_of_work([controller.pk]):
        return sessions.begin(logged, now, party=party)


def code_is_right(found: SubjectRequest, purpose: str, typed: str, now: datetime) -> bool:
    """Spend a try in one transaction, compare in the next. Call it outside of any unit of work."""
    served = [found.controller_id]
    with unit_of_work(served):
        code_ids = services.count_tries(found, purpose, now)
    if not code_ids:
        return False
    with unit_of_work(served):
        return identity.accept_any(found, code_ids, typed, purpose, by_customer(found.pk), now)


@dataclass(frozen=True)
class Tries:
    """What the visitor did, whether or not there is anything behind their claim."""

    sent_at: datetime | None
    since: int


def why_not(controller: Controller, claim: Claim, now: datetime) -> str:
    """In plain words, from what the visitor did alone."""
    with unit_of_work([controller.pk]):
        asked = [limits.latest(controller, limit, claim.key, now) for limit in (SEND, TEXT)]
        sent_at = max((at for at in asked if at is not None), default=None)
        tries = limits.count_since(controller, TRY, claim.key, sent_at, now) if sent_at else 0
    return explain(controller, Tries(sent_at, tries), now)


def explain(controller: Controller, tries: Tries, now: datetime) -> str:
    lifetime = timedelta(minutes=controller.code_minutes)
    if tries.sent_at is None or tries.sent_at + lifetime <= now:
        return _("This code is too old. Ask for a new one below.")
    left = services.CODE_TRIES - tries.since
    if left <= 0:
        return _("That was wrong too often, so this code no longer works. Ask for a new one below.")
    return _("This is not the code that we sent. Please check it. Tries left: %(left)d") % {"left": left}


@require_POST
@open_door
def resend(request: HttpRequest, controller: Controller) -> HttpResponse:
    """Another code for the same claim; the one before stops working."""
    claim = claims.remembered(request, controller)
    if claim is None:
        return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
    response = send_and_ask(request, controller, claim, timezone.now())
    if response.status_code == 303:
        response["Location"] += "?again"
    return response


@require_POST
@door
def leave(request: HttpRequest, controller: Controller) -> HttpResponse:
    """End the session in this browser."""
    now = timezone.now()
    here = sessions.visitor(request, controller, now)
    if here is not None:
        sessions.end(here, now)
    response = see_other(reverse("portal:home", args=[controller.slug]))
    sessions.take_away(response, controller)
    return response
