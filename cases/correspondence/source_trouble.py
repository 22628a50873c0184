"""The mail to administrators that says that a source needs them."""

from datetime import date

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from cases.correspondence.compose import render
from cases.models import SourceSystem
from identity.models import User

TEMPLATE = "mail/staff/source_trouble.txt"


def mail(source: SourceSystem, person: User, what: str, ends_on: date | None) -> EmailMessage:
    """In the person's language; nothing in it is about any customer."""
    context = {
        "name": person.full_name,
        "source": source.name,
        "brand": source.controller.name,
        "what": what,
        "trouble": source.trouble_text,
        "ends_on": ends_on,
        "url": settings.BASE_URL + reverse("administration:source", args=[source.pk]),
    }
    title, body = render(TEMPLATE, person.language, context)
    sender = settings.DEFAULT_FROM_EMAIL
    since = source.needs_admin_at.isoformat() if source.needs_admin_at else str(ends_on)
    mark = "".join(sign for sign in since if sign.isalnum())
    # The same mail sent twice after a crash is one message to a mail reader.
    message_id = f"<{what}.{mark}.{source.pk}.{person.pk}@{sender.rpartition('@')[2].rstrip('>')}>"
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    return EmailMessage(title, body, sender, [person.email], headers=headers)
