"""The customer's own link in a letter: a stand-in while people write and approve it, made when it is sent.

What stands in a draft opens nothing, so that whoever reads a letter here cannot follow it as the customer.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.urls import reverse

from identity.models import Controller

STAND_IN = "made-when-sent"


def home(controller: Controller) -> str:
    """The address of the brand's portal."""
    return str(settings.BASE_URL + reverse("portal:home", args=[controller.slug]))


def follow(controller: Controller, token: str = STAND_IN) -> str:
    """The address that finds a request by its token."""
    return str(settings.BASE_URL + reverse("portal:follow", args=[controller.slug, token]))


def replaced(body: str, controller: Controller, make: Callable[[], str]) -> str:
    """The letter with its link, if it has one, made anew; every place gets the same."""
    before, after = follow(controller, "-").rsplit("/-/", 1)
    link = re.compile(re.escape(f"{before}/") + r"[\w-]+" + re.escape(f"/{after}"))
    if link.search(body) is None:
        return body
    fresh = make()
    return link.sub(lambda _found: fresh, body)


def without_token(body: str, controller: Controller) -> str:
    """The letter as it is kept with an answer for years: it leads to the portal, not through it."""
    return replaced(body, controller, lambda: home(controller))
