"""The brand's start page, its colours and its languages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from cases.portal import words
from cases.portal.door import door, home_path, languages, page, see_other
from identity.models import Controller


@require_safe
@door
def home(request: HttpRequest, controller: Controller) -> HttpResponse:
    """What one can ask, and the two ways on."""
    return page(request, controller, "portal/home.html", {"wishes": words.WISHES})


@require_GET
@door
def theme(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The one colour from which the portal's sheet derives the rest; validated where it is stored."""
    sheet = HttpResponse(
        f":root {{ --brand-seed: {controller.accent}; }}\n", content_type="text/css; charset=utf-8"
    )
    sheet["Cache-Control"] = "public, max-age=3600"
    return sheet


@require_POST
@door
def language(request: HttpRequest, controller: Controller) -> HttpResponse:
    """Remember the language for this brand's pages, and go back to where the visitor was."""
    back = request.POST.get("next", "")
    start = home_path(controller)
    is_ours = url_has_allowed_host_and_scheme(back, None) and back.startswith(start)
    response = see_other(back if is_ours else start)
    if (code := request.POST.get("language", "")) in languages(controller):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 24 * 3600,
            path=start,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    return response


@door
def missing(request: HttpRequest, controller: Controller, rest: str = "") -> HttpResponse:
    """Whatever else is asked for below the brand's address."""
    return page(request, controller, "portal/missing.html", status=404)
