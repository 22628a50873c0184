"""The page where one opens the calendar of one's due dates, and the address that calendars read."""

import hashlib

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.console.due_calendar import due_calendar
from cases.console.going import see_other
from cases.surface import attempt, needs, staff
from dsar.lib.tenancy import unit_of_work
from identity import feeds
from identity.roles import Permission

RETRY_SECONDS = 3600


@never_cache
@require_http_methods(["GET", "POST"])
@needs(Permission.VIEW_CASE)
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """How to subscribe. The address is shown once, when it is made: only its hash is kept."""
    person, address = staff(request), ""
    if request.method == "POST":
        token = feeds.open_feed(person, timezone.now())
        address = settings.BASE_URL + reverse("console:due-calendar", args=[token])
    context = {
        "address": address,
        "webcal": "webcal" + address.removeprefix("https").removeprefix("http") if address else "",
        "feed": feeds.feed_of(person),
    }
    return render(request, "console/desk/calendar_feed.html", context)


@require_POST
@needs(Permission.VIEW_CASE)
def close_calendar_feed(request: HttpRequest) -> HttpResponse:
    """The address opens nothing any more, for whoever has it."""
    done = _("The calendar is closed. Remove the subscription from your calendar program as well.")
    attempt(request, lambda: feeds.close_feed(staff(request), timezone.now()), done)
    return see_other("console:calendar-feed")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar, for whoever has its address; unchanged, a 304."""
    now = timezone.now()
    reader = feeds.reader(token, now)
    if reader is None:
        raise Http404
    if reader is feeds.TOO_MANY_READS:
        return HttpResponse(status=429, headers={"Retry-After": str(RETRY_SECONDS)})
    with unit_of_work(reader.access.controllers(Permission.VIEW_CASE)):
        content = due_calendar(reader, now)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)
    return get_conditional_response(request, etag=etag, response=answer) or answer
