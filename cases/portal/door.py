"""The door to one brand's portal: who is asked, in which language, and in how many transactions."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from dsar.lib.tenancy import unit_of_work
from identity.access import controller_for_slug
from identity.models import Controller

View = Callable[..., HttpResponse]

# An answer that might tell by its speed what is known takes at least so long.
UNHURRIED_SECONDS = 0.3


def door(view: View) -> View:
    """A view of one brand, run in one unit of work that serves this brand alone.

    It is called with the request and the controller. A brand that does not exist is not found.
    """

    def in_one_unit(request: HttpRequest, controller: Controller, **kwargs: Any) -> HttpResponse:
        with unit_of_work([controller.pk]):
            return view(request, controller, **kwargs)

    return open_door(wraps(view)(in_one_unit))


def open_door(view: View) -> View:
    """A view of one brand that opens its own units of work, because something in it must outlive a rollback."""

    @wraps(view)
    def opened(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponse:
        controller = _controller(slug)
        with translation.override(language_of(request, controller)), timezone.override(controller.zone):
            try:
                response = view(request, controller, **kwargs)
            except Http404:
                response = page(request, controller, "portal/missing.html", status=404)
            response.headers.setdefault("Content-Language", translation.get_language() or "")
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, no_store=True, private=True)
        return response

    return opened


def _controller(slug: str) -> Controller:
    """The active brand of this address. Raises Http404."""
    controller_id = controller_for_slug(slug)
    if controller_id is None:
        raise Http404
    with unit_of_work([controller_id]):
        return Controller.objects.get(pk=controller_id)


@contextmanager
def unhurried() -> Iterator[None]:
    """Make what happens inside take the same time, whatever it finds."""
    until = time.monotonic() + UNHURRIED_SECONDS
    try:
        yield
    finally:
        time.sleep(max(0.0, until - time.monotonic()))


# -- language ----------------------------------------------------------------------------------------


def languages(controller: Controller) -> list[str]:
    """The languages that this brand speaks, its own first."""
    spoken = [controller.language, *controller.languages]
    return [code for code in dict.fromkeys(spoken) if code in dict(settings.LANGUAGES)] or [
        settings.LANGUAGE_CODE
    ]


def language_of(request: HttpRequest, controller: Controller) -> str:
    """What the visitor chose or their browser asks for, as far as the brand speaks it."""
    spoken = languages(controller)
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wanted = chosen if chosen in spoken else translation.get_language_from_request(request)
    return wanted if wanted in spoken else spoken[0]


# -- pages -------------------------------------------------------------------------------------------


def home_path(controller: Controller) -> str:
    return reverse("portal:home", args=[controller.slug])


def see_other(address: str) -> HttpResponse:
    """After a POST: go and look there."""
    return HttpResponse(status=303, headers={"Location": address})


def page(
    request: HttpRequest,
    controller: Controller,
    template: str,
    context: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page in the brand's look."""
    return render(request, template, brand_context(controller) | (context or {}), status=status)


def brand_context(controller: Controller) -> dict[str, Any]:
    """What the portal's shell shows of the brand."""
    return {
        "controller": controller,
        "brand": {
            "name": controller.name,
            "logo_url": static(controller.logo) if controller.logo else "",
            "stylesheet_url": f"{reverse('portal:theme', args=[controller.slug])}?{controller.accent[1:]}",
            "privacy_url": controller.privacy_notice_url,
        },
        "portal_home_url": home_path(controller),
        "portal_links": [
            {"label": _("Follow up a request"), "url": reverse("portal:enter", args=[controller.slug])}
        ],
        "portal_languages": [get_language_info(code) | {"code": code} for code in languages(controller)],
    }
