"""Where a page leads after something was done."""

from typing import Any, NoReturn

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from cases.models import Case
from cases.retention import outlook
from dsar.vault.keyring import KeyDestroyed

SEE_OTHER = 303


def see_other(name: str, *args: Any, anchor: str = "") -> HttpResponseRedirect:
    """To a page after a POST: the browser fetches it anew, and reloading does nothing twice."""
    return HttpResponseRedirect(reverse(name, args=args) + (f"#{anchor}" if anchor else ""), status=SEE_OTHER)


def not_there(case: Case) -> NoReturn:
    """What was asked for of a case is not there: forgotten, which is said, or it never was."""
    if outlook.collected_gone_at(case) is not None:
        raise KeyDestroyed
    raise Http404
