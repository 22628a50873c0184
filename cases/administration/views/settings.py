"""Add a source, and change what is stated of one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.administration import forms, reading
from cases.administration.views.sources import source_or_404
from cases.connectors import registry
from cases.connectors.base import ConfigurationError, Connector
from cases.models import SourceSystem
from cases.surface import by, needs, see_other, staff
from cases.workflow import sources
from identity.models import Controller
from identity.roles import Permission


@require_safe
@needs(Permission.ADMINISTER)
def choose(request: HttpRequest) -> HttpResponse:
    """Of which brand, and of which kind; then the form is built from what that kind declares."""
    brands = reading.administered(staff(request))
    form = forms.Choose(brands, reading.kinds(), request.GET or None)
    if form.is_bound and form.is_valid():
        return see_other(
            "administration:add-source", form.cleaned_data["brand"], form.cleaned_data["connector"]
        )
    return render(request, "administration/choose.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
def add(request: HttpRequest, brand: str, connector: str) -> HttpResponse:
    """A new source of a brand."""
    controller = next((one for one in reading.administered(staff(request)) if one.slug == brand), None)
    if controller is None:
        raise Http404
    kind = _kind(connector)
    source = sources.new(controller, "", timezone.now())
    form = _form(request, kind, source)
    if request.method == "POST" and form.is_valid() and _saved(request, form, source):
        messages.success(request, _("The source is added. Its connection is being tried."))
        return see_other("administration:source", source.pk)
    return _render(request, form, kind, controller)


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Change what is stated of a source; credentials have a page of their own."""
    source = source_or_404(request, source_id)
    kind = _kind(source.connector)
    form = _form(request, kind, source)
    if request.method == "POST" and form.is_valid() and _saved(request, form, source):
        messages.success(request, _("The settings are saved."))
        return see_other("administration:source", source.pk)
    return _render(request, form, kind, source.controller)


def _kind(key: str) -> type[Connector]:
    try:
        return registry.get(key)
    except ConfigurationError:
        raise Http404 from None


def _form(request: HttpRequest, kind: type[Connector], source: SourceSystem) -> forms.SourceForm:
    others = list(SourceSystem.objects.filter(controller_id=source.controller_id).exclude(pk=source.pk))
    sent: dict[str, Any] = {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}
    return forms.SourceForm(kind, source, others, **sent)


def _saved(request: HttpRequest, form: forms.SourceForm, source: SourceSystem) -> bool:
    wanted = form.wanted
    try:
        sources.save(source, wanted, by(request), timezone.now())
    except sources.SettingsWrong as wrong:
        form.tell(wrong.problems)
        return False
    return True


def _render(
    request: HttpRequest, form: forms.SourceForm, kind: type[Connector], controller: Controller
) -> HttpResponse:
    context = {"form": form, "kind": _(kind.label), "controller": controller, "source": form.source}
    return render(request, "administration/settings.html", context, status=422 if form.errors else 200)
