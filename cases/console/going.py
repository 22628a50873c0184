"""Where a page leads after something was done."""

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse

SEE_OTHER = 303


def see_other(name: str, *args: Any, anchor: str = "") -> HttpResponseRedirect:
    """To a page after a POST: the browser fetches it anew, and reloading does nothing twice."""
    return HttpResponseRedirect(reverse(name, args=args) + (f"#{anchor}" if anchor else ""), status=SEE_OTHER)
