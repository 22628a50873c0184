"""Refusals that come before any view, in the look of the brand whose page it was."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.csrf import csrf_failure as plain_csrf_failure

from cases.portal.door import open_door, page
from dsar.audit.actions import Action
from identity import limits, signin
from identity.limits import Over
from identity.models import Controller

# What opens doors is typed anew; everything else that was typed is held on to.
SECRET = frozenset({"csrfmiddlewaretoken", "password", "new", "again", "code", "token", "passkey"})
# These are programs, and read no page.
PROGRAMS = frozenset({"portal:external-message", "console:due-calendar"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or came from elsewhere; in the portal the brand says so."""
    slug = _slug(request)
    return _refused(request, slug=slug) if slug else plain_csrf_failure(request, reason)


@open_door
def _refused(request: HttpRequest, controller: Controller) -> HttpResponse:
    return page(request, controller, "portal/refused.html", status=403)


def too_many(request: HttpRequest, over: Over) -> HttpResponse:
    """A limit was reached before the page was called: says when there is room again, and keeps what was typed."""
    match = resolve(request.path_info)
    if match.view_name in PROGRAMS:
        return _wait(HttpResponse(status=429, content_type="text/plain"), over)
    slug = _slug(request)
    if slug:
        return _too_many(request, slug=slug, over=over)
    if over.limit in (limits.PASSWORD, limits.PASSWORD_ANYWHERE):
        signin.put_on_record(Action.LOCKED_OUT, signin.account(request))
        return _wait(render(request, "identity/locked_out.html", _said(request, over), status=429), over)
    return _wait(render(request, "identity/too_many.html", _said(request, over), status=429), over)


@open_door
def _too_many(request: HttpRequest, controller: Controller, over: Over) -> HttpResponse:
    return too_many_of(request, controller, over)


def too_many_of(request: HttpRequest, controller: Controller, over: Over) -> HttpResponse:
    """The same in the look of a brand, for a page that counted further in."""
    return _wait(page(request, controller, "portal/too_many.html", _said(request, over), 429), over)


def _wait(response: HttpResponse, over: Over) -> HttpResponse:
    response["Retry-After"] = str(over.seconds(timezone.now()))
    return response


def _said(request: HttpRequest, over: Over) -> dict[str, object]:
    return {
        "free_at": over.free_at,
        "minutes": -(-over.seconds(timezone.now()) // 60),
        "is_code": over.limit in (limits.SEND, limits.TEXT),
        "is_post": request.method == "POST",
        "address": request.get_full_path(),
        "carried": _carried(request),
        "had_files": bool(request.FILES),
    }


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed, field by field."""
    return [(name, value) for name, values in request.POST.lists() if name not in SECRET for value in values]


def _slug(request: HttpRequest) -> str:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return ""
    return str(match.kwargs.get("slug", "")) if match.app_names == ["portal"] else ""
