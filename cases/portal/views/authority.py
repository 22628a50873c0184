"""Sending what shows that one may ask for somebody else; a person judges it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.models import SubjectRequest
from cases.portal import limits, sessions
from cases.portal.attempts import attempt
from cases.portal.authority import AuthorityForm, asks_of, card_of
from cases.portal.document import kept_words
from cases.portal.door import open_door, page, see_other
from cases.portal.sessions import Visitor
from cases.words import Party
from cases.workflow import authority as authorities
from dsar.lib.tenancy import unit_of_work
from identity import assurance
from identity.limits import AUTHORITY
from identity.models import Controller
from identity.models.policy import rules_of


@require_http_methods(["GET", "POST"])
@open_door
def authority(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The page and its form. Pages are decoded outside of any transaction, which holds nobody up."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        if here.party != Party.REQUESTER or here.request.representative_id is None:
            raise Http404
        if request.method != "POST":
            return _shown(request, controller, here.request, AuthorityForm())
        logged = here.request
    form = AuthorityForm(request.POST, request.FILES)
    if not limits.spend(controller, AUTHORITY, str(logged.pk), now):
        form.add_error(None, _("You have tried very often. Please wait an hour, or write to us."))
    elif form.is_valid() and _sent(controller, here, form):
        return see_other(reverse("portal:mine", args=[controller.slug]) + "?done=authority")
    with unit_of_work([controller.pk]):
        return _shown(request, controller, logged, form, 422)


def _sent(controller: Controller, here: Visitor, form: AuthorityForm) -> bool:
    """Whether it was taken; otherwise the form says why."""
    pictures = form.take()
    if pictures is None:
        return False
    now = timezone.now()
    with unit_of_work([controller.pk]):
        return attempt(lambda: authorities.hand_in(here.request, pictures, here.by, now), form) is not None


def _shown(
    request: HttpRequest,
    controller: Controller,
    logged: SubjectRequest,
    form: AuthorityForm,
    status: int = 200,
) -> HttpResponse:
    days = rules_of(assurance.policy_in_force(controller.pk)).keep_pictures_days
    context = {
        "form": form,
        "card": card_of(logged),
        "asks": asks_of(logged),
        "kept": kept_words(days),
    }
    return page(request, controller, "portal/authority.html", context, status)
