"""Where one is signed in, and ending that from afar."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from identity import living
from identity.views.person import person_of


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions elsewhere; this one has its own way out."""
    person = person_of(request)
    if living.end_one(person, request.POST.get("session", ""), person.actor, timezone.now()):
        messages.success(request, _("That browser is signed out."))
    else:
        messages.info(request, _("That browser was signed out already."))
    return redirect("identity:account")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    ended = living.end_others(person, request.session.session_key, person.actor, timezone.now())
    said = ngettext("{n} other browser is signed out.", "{n} other browsers are signed out.", ended)
    messages.success(request, said.format(n=ended) if ended else _("You were signed in nowhere else."))
    return redirect("identity:account")
