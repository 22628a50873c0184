"""Sending a picture of an identity document: told at once when it cannot be read, then waiting for a person."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.models import SubjectRequest
from cases.portal import limits, sessions
from cases.portal.attempts import attempt
from cases.portal.document import DocumentForm, kept_words
from cases.portal.door import open_door, page, see_other
from cases.portal.sessions import Visitor
from cases.workflow import document as documents
from cases.workflow import document_words
from dsar.lib.tenancy import unit_of_work
from identity import assurance
from identity.limits import DOCUMENT, HOUR, POOR_PICTURE
from identity.models import Controller, DocumentKind, DocumentStage
from identity.models.policy import rules_of


@require_http_methods(["GET", "POST"])
@open_door
def document(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The page and its form. Pictures are decoded outside of any transaction, which holds nobody up."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        if request.method != "POST":
            return _shown(request, controller, here.request, DocumentForm())
        logged = here.request
    form = DocumentForm(request.POST, request.FILES)
    if not limits.spend(controller, DOCUMENT, str(logged.pk), now):
        form.add_error(None, _("You have tried very often. Please wait an hour, or write to us."))
    elif form.is_valid() and _sent(controller, here, form, now):
        return see_other(reverse("portal:mine", args=[controller.slug]) + "?done=document")
    with unit_of_work([controller.pk]):
        return _shown(request, controller, logged, form, 422)


def _sent(controller: Controller, here: Visitor, form: DocumentForm, now: datetime) -> bool:
    """Whether the pictures were taken; otherwise the form says why. Poor ones are counted, and taken in the end."""
    who = str(here.request.pk)
    with unit_of_work([controller.pk]):
        poor = limits.count_since(controller, POOR_PICTURE, who, now - HOUR, now)
    pictures = form.take(is_patient=poor >= POOR_PICTURE.most)
    if pictures is None:
        if form.has_poor_pictures:
            limits.spend(controller, POOR_PICTURE, who, now)
        return False
    kind = DocumentKind(form.cleaned_data["kind"])
    with unit_of_work([controller.pk]):
        return (
            attempt(lambda: documents.hand_in(here.request, kind, pictures, here.by, now), form) is not None
        )


def _shown(
    request: HttpRequest,
    controller: Controller,
    logged: SubjectRequest,
    form: DocumentForm,
    status: int = 200,
) -> HttpResponse:
    newest = next(iter(documents.documents_of(logged)), None)
    days = rules_of(assurance.policy_in_force(controller.pk)).keep_pictures_days
    missing = document_words.more(newest.reason) if newest and newest.stage == DocumentStage.MORE else None
    context = {
        "form": form,
        "logged": logged,
        "is_waiting": newest is not None and newest.stage == DocumentStage.WAITING,
        "missing": missing,
        "may_send": missing is not None or documents.may_send(logged),
        "kept": kept_words(days),
    }
    return page(request, controller, "portal/document.html", context, status)
