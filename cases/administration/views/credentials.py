"""Credentials: written and never shown, tried before the old ones are dropped."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.administration import forms, reading
from cases.administration.views.sources import source_or_404
from cases.connectors import registry
from cases.surface import attempt, by, needs, see_other
from cases.workflow import health
from identity import sessions
from identity.roles import Permission
from identity.step_up import asks_second_factor, asks_second_factor_first

READING, ERASING = "reading", "erasing"


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
def credentials(request: HttpRequest, source_id: UUID, purpose: str) -> HttpResponse:
    """Enter credentials; the second factor is asked for before the page is shown.

    Where it grew old meanwhile, what was typed is dropped and not carried along: a secret stands in no page.
    """
    if request.method == "POST" and not sessions.is_fresh(request) and "step_up-from" not in request.POST:
        messages.warning(
            request, _("That took a while: please confirm that it is you, and enter them again.")
        )
        return see_other("administration:credentials", source_id, purpose)
    return asks_second_factor_first(_credentials)(request, source_id, purpose)


def _credentials(request: HttpRequest, source_id: UUID, purpose: str) -> HttpResponse:
    source = source_or_404(request, source_id)
    if purpose not in {READING, ERASING} or not reading.has_secrets(source):
        raise Http404
    form = forms.Credentials(registry.get(source.connector), request.POST or None)
    if request.method == "POST" and form.is_valid():
        given, now, for_erasing = form.given, timezone.now(), purpose == ERASING
        done = _("They are being tried. If they work, they are taken into use; else the old ones stay.")
        if attempt(
            request,
            lambda: health.offer(source, given, by(request), now, for_erasing=for_erasing),
            done,
            form,
        ):
            return see_other("administration:source", source.pk)
    context = {"source": source, "form": form, "for_erasing": purpose == ERASING}
    return render(request, "administration/credentials.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Permission.ADMINISTER)
@asks_second_factor
def remove(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Forget the credentials for erasing."""
    source = source_or_404(request, source_id)
    done = _("The credentials for erasing are gone: nothing is changed in this source but by hand.")
    attempt(request, lambda: health.drop_erasing(source, by(request), timezone.now()), done)
    return see_other("administration:source", source.pk)
