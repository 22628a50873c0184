"""The mails of an inquiry: the question and its reminders to the owner of a source, and what staff are told.

Nothing in them tells who the customer is: that is behind the link.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.defaultfilters import date as date_format
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from cases.correspondence.compose import render
from cases.models import Inquiry
from identity.models import User

QUESTION = "mail/owner/question.txt"
UNANSWERED = "mail/staff/owner_silent.txt"


@dataclass(frozen=True)
class Mail:
    """A mail, ready to be sent outside of any transaction; ``id`` makes one sent twice one message."""

    id: str
    to: str
    sender: str
    title: str
    body: str

    def send(self) -> None:
        """Raises OSError or SMTPException where the mail server does not take it."""
        domain = self.sender.rpartition("@")[2].rstrip(">")
        headers = {"Message-ID": f"<{self.id}@{domain}>", "Auto-Submitted": "auto-generated"}
        message = EmailMessage(self.title, self.body, self.sender, [self.to], headers=headers)
        get_connection().send_messages([message])


def question(inquiry: Inquiry, token: str, number: int, instructions: str) -> Mail:
    """The mail to the owner; the first is the question, the others remind of it."""
    source = inquiry.search.source
    brand = source.controller
    with translation.override(brand.language):
        context = {
            "brand": brand.name,
            "source": source.name,
            "by": date_format(inquiry.answer_by.astimezone(brand.zone), _("l, j F Y")),
            "url": link(inquiry, token),
            "instructions": instructions,
            "is_reminder": number > 1,
            "contact": brand.privacy_email,
        }
    title, body = render(QUESTION, brand.language, context)
    return Mail(
        f"inquiry.{inquiry.pk}.{number}", source.owner_email, settings.DEFAULT_FROM_EMAIL, title, body
    )


def link(inquiry: Inquiry, token: str) -> str:
    """The address that opens one inquiry."""
    slug = inquiry.search.source.controller.slug
    return str(settings.BASE_URL + reverse("portal:inquiry-open", args=[slug, token]))


def unanswered(inquiry: Inquiry, person: User) -> Mail:
    """Tell a member of staff that no answer came in time."""
    source, case = inquiry.search.source, inquiry.search.run.case
    with translation.override(person.language):
        context = {
            "name": person.full_name,
            "source": source.name,
            "reference": case.reference,
            "by": date_format(inquiry.answer_by.astimezone(source.controller.zone), _("l, j F Y")),
            "url": settings.BASE_URL + reverse("console:case", args=[case.pk]) + "#sources",
        }
    title, body = render(UNANSWERED, person.language, context)
    return Mail(f"silent.{inquiry.pk}.{person.pk}", person.email, settings.DEFAULT_FROM_EMAIL, title, body)
