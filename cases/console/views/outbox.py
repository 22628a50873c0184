"""The demonstration's mailbox: every mail and text message that the desk sent, for whoever plays the customer."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.correspondence.outbox import everything


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """Public like a mailbox on a table, so it is there in demonstrations and tests alone (DSAR.E005)."""
    if not settings.OUTBOX:
        raise Http404
    return render(request, "console/outbox.html", {"mails": everything()})
