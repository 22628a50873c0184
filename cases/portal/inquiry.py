"""The owner of a source in the portal: by a link alone, kept in a cookie of these pages for a working day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.collection import inquiries
from cases.connectors.base import ConnectorError
from cases.models import Inquiry, InquiryState
from cases.portal.forms import FilesField, PlainForm
from cases.workflow import inquiry as verbs
from identity.models import Controller

COOKIE = "dsar_inquiry"
LONGEST = timedelta(hours=8)

ADD, REMOVE, ANSWER = "add", "remove", "answer"

_CHOICES = [
    (InquiryState.HANDED_IN, gettext_lazy("I found data, and it is here")),
    (InquiryState.NOTHING, gettext_lazy("I searched, and there is nothing")),
    (InquiryState.DECLINED, gettext_lazy("I cannot search")),
]


class AnswerForm(PlainForm):
    """What was found so far, of which more can follow, and the answer, once."""

    found = FilesField(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy("PDF, pictures, text, office documents or recordings, up to 25 MB each."),
    )
    said = forms.ChoiceField(
        label=gettext_lazy("Your answer"),
        choices=_CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose your answer.")},
    )
    note = forms.CharField(
        label=gettext_lazy("What you want to tell us"),
        help_text=gettext_lazy("Needed if you cannot search: say why. It stays with this request."),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def is_answer(self) -> bool:
        """Whether the answer itself was sent, and not files alone."""
        return self.data.get("act") == ANSWER

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.is_answer:
            self.errors.pop("said", None)  # Files can come first.
        if not self.is_answer and not data.get("found") and "found" not in self.errors:
            self.add_error("found", _("Choose at least one file."))
        return data


def remember(response: HttpResponse, controller: Controller, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=LONGEST,
        path=_path(controller),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def forget(response: HttpResponse, controller: Controller) -> None:
    response.delete_cookie(COOKIE, path=_path(controller), samesite="Lax")


def remembered(request: HttpRequest, controller: Controller, now: datetime) -> Inquiry | None:
    """The open inquiry of this brand whose link was opened in this browser."""
    return of_brand(request.COOKIES.get(COOKIE, ""), controller, now)


def of_brand(token: str, controller: Controller, now: datetime) -> Inquiry | None:
    """The open inquiry of a link, if it is this brand's."""
    found = verbs.of_token(token, now) if token else None
    return found if found is not None and found.controller_id == controller.pk else None


def _path(controller: Controller) -> str:
    return reverse("portal:inquiry", args=[controller.slug])


def whom(inquiry: Inquiry) -> Iterator[dict[str, str]]:
    """What the owner sees of the person: what the source is searched by, and no more."""
    subject = inquiry.search.run.case.subject
    for name in _shown(inquiry):
        value = str(getattr(subject, name) or "").strip()
        if value:
            yield {"label": _LABELS[name](), "value": value}


def _shown(inquiry: Inquiry) -> tuple[str, ...]:
    try:
        return inquiries.connector_of(inquiry.search.source).shown
    except ConnectorError:
        return ("name",)


_LABELS = {
    "name": lambda: _("Name"),
    "email": lambda: _("E-mail address"),
    "phone": lambda: _("Phone"),
    "external_id": lambda: _("Customer number"),
    "birth_date": lambda: _("Date of birth"),
}


def instructions(inquiry: Inquiry) -> str:
    """What an administrator wrote for the owner."""
    try:
        return inquiries.connector_of(inquiry.search.source).settings.text("instructions")
    except ConnectorError:
        return ""
