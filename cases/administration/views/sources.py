"""The list of sources, one source, and what can be done to it at once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.administration import forms, reading
from cases.models import SourceSystem
from cases.surface import attempt, by, needs, see_other, staff
from cases.workflow import health, standing
from identity.roles import Permission


@require_safe
@needs(Permission.ADMINISTER)
def sources(request: HttpRequest) -> HttpResponse:
    """Every source of the brands that this person administers: how it stands, and what to do."""
    now = timezone.now()
    context = {
        "rows": reading.rows(staff(request), now),
        "stops": reading.stops(),
        "may_lift_all": standing.may_switch_all(by(request)),
    }
    return render(request, "administration/sources.html", context)


def source_or_404(request: HttpRequest, source_id: UUID) -> SourceSystem:
    """The source; another brand's is not found, never forbidden."""
    mine = SourceSystem.objects.visible_to(staff(request), Permission.ADMINISTER)
    found: SourceSystem | None = mine.select_related("controller", "paused_by").filter(pk=source_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
@needs(Permission.ADMINISTER)
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """One source: how it stands, what it can do, what it is told with, and what befell it."""
    found = source_or_404(request, source_id)
    with timezone.override(found.controller.zone):
        able = reading.capabilities(found)
        context = {
            **_trial(found),
            "options": reading.options(found),
            "capabilities": able,
            "found_by": reading.found_by(able),
            "facts": [
                (label, found.facts.get(name)) for name, label in forms.FACTS.items() if found.facts.get(name)
            ],
            "history": reading.history(found),
        }
        return render(request, "administration/source.html", context)


@require_safe
@needs(Permission.ADMINISTER)
def tried(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """How it stands, asked for every other second while a trial is under way."""
    found = source_or_404(request, source_id)
    with timezone.override(found.controller.zone):
        context = _trial(found)
        response = render(request, "administration/source.html#standing", context)
    if not context["is_trying"]:
        response["HX-Refresh"] = "true"  # the rest of the page may say something else now
    return response


def _trial(found: SourceSystem) -> dict[str, Any]:
    now = timezone.now()
    row = reading.row(found, now)
    newest = found.checks.first()
    return {
        "source": found,
        "row": row,
        "newest": newest,
        "has_secrets": reading.has_secrets(found),
        "is_trying": reading.until_next_look(newest, now),
    }


@require_POST
@needs(Permission.ADMINISTER)
def try_connection(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Ask a worker to try the connection; the page shows what comes of it."""
    found = source_or_404(request, source_id)
    attempt(
        request, lambda: health.ask(found, by(request), timezone.now()), _("The connection is being tried.")
    )
    return see_other("administration:source", found.pk)


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
def pause(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Pause a source, with the reason."""
    found = source_or_404(request, source_id)
    form = forms.Reason(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = _("The source is paused. Cases that need it wait.")
        reason, now = form.cleaned_data["reason"], timezone.now()
        if attempt(request, lambda: standing.pause(found, reason, by(request), now), done, form):
            return see_other("administration:source", found.pk)
    context = {"source": found, "form": form}
    return render(request, "administration/pause.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Permission.ADMINISTER)
def resume(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Let a source be asked again."""
    found = source_or_404(request, source_id)
    done = _("The source is asked again. What waited goes on by itself.")
    attempt(request, lambda: standing.resume(found, by(request), timezone.now()), done)
    return see_other("administration:source", found.pk)


@require_POST
@needs(Permission.ADMINISTER)
def search_again(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Search it again wherever it failed."""
    found = source_or_404(request, source_id)
    count = attempt(request, lambda: standing.rerun_failed(found, by(request), timezone.now()))
    if count is not None:
        said = ngettext("%(count)d search begins again.", "%(count)d searches begin again.", count)
        messages.success(request, said % {"count": count})
    return see_other("administration:source", found.pk)
