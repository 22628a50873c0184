"""The start page: where each role's work begins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from cases import surface_nav


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the first page of the person's own navigation; to their account where they have no other."""
    return redirect(surface_nav.first_page(request))
