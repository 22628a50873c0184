"""Write a letter, and send it."""

import logging
from collections.abc import Iterable
from datetime import datetime
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection

from cases.correspondence.compose import Kind
from cases.models import Case, Letter, LetterState, SubjectRequest
from cases.permissions import By
from cases.words import Party
from dsar.audit.actions import Action
from dsar.audit.record import record
from dsar.jobs.models import Job, JobState
from dsar.jobs.queue import enqueue
from identity.models import Controller

log = logging.getLogger(__name__)

SEND = "send_letter"


def write(
    kind: Kind,
    subject_request: SubjectRequest,
    title: str,
    body: str,
    by: By,
    now: datetime,
    *,
    case: Case | None = None,
    address: str,
    by_post: bool = False,
    to_requester: bool = True,
    party: Party = Party.REQUESTER,
    language: str = "",
) -> Letter:
    """Keep a letter sealed in the request's or the case's file; mails are queued, the rest is to print."""
    letter = Letter(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        case=case,
        key_id=case.file_key_id if case else subject_request.key_id,
        kind=kind.value,
        by_post=by_post,
        to_requester=to_requester,
        party=party,
        language=language or subject_request.language,
        state=LetterState.TO_PRINT if by_post else LetterState.QUEUED,
        written_by_id=by.person_id,
        written_at=now,
    )
    letter.address, letter.title, letter.body = address, title, body
    letter.save()
    _on_record(Action.LETTER_WRITTEN, letter, by, now)
    if not by_post:
        _queue(letter, now)
    return letter


def queue_again(letter: Letter, now: datetime) -> None:
    """Send a mail anew, to the address that it bears now."""
    letter.state, letter.error_code = LetterState.QUEUED, ""
    letter.save(update_fields=["address", "state", "error_code"])
    _queue(letter, now)


def _queue(letter: Letter, now: datetime) -> None:
    enqueue(
        SEND,
        controller_id=letter.controller_id,
        case_id=letter.case_id,
        key=f"letter:{letter.pk}",
        args={"letter": str(letter.pk)},
        now=now,
        max_attempts=8,
    )


def is_under_way(letters: Iterable[Letter]) -> bool:
    """Whether a worker is sending one of these right now. Hold their rows, so that none begins meanwhile."""
    keys = [f"letter:{letter.pk}" for letter in letters]
    return Job.objects.filter(key__in=keys, state=JobState.RUNNING).exists()


def deliver(letter: Letter, controller: Controller) -> None:
    """Hand one mail to the mail server; raises OSError or SMTPException where it does not take it."""
    message = EmailMessage(
        subject=letter.title,
        body=letter.body,
        from_email=f'"{controller.name}" <{controller.privacy_email}>',
        to=[letter.address],
        # The same letter sent twice after a crash is one message to a mail reader.
        headers={"Message-ID": f"<{letter.pk}@{controller.privacy_email.partition('@')[2]}>"},
    )
    get_connection().send_messages([message])


def mark_sent(letter: Letter, by: By, now: datetime, *, tracking: str = "") -> None:
    """The letter is out: taken by the mail server, or handed to the post."""
    letter.state, letter.sent_at, letter.tracking, letter.error_code = LetterState.SENT, now, tracking, ""
    if letter.kind == Kind.ONE_TIME_CODE:
        letter.body = ""  # what opens a door is not kept
    letter.save(update_fields=["state", "sent_at", "tracking", "error_code", "body"])
    _on_record(Action.LETTER_SENT, letter, by, now)


def mark_failed(letter: Letter, code: str, by: By, now: datetime) -> None:
    """The mail server would not take it; staff see why."""
    letter.state, letter.error_code = LetterState.FAILED, code
    letter.save(update_fields=["state", "error_code"])
    _on_record(Action.LETTER_FAILED, letter, by, now)


def mark_bounced(letter: Letter, by: By, now: datetime) -> None:
    """It came back: what it answered is not answered."""
    letter.state = LetterState.BOUNCED
    letter.save(update_fields=["state"])
    _on_record(Action.LETTER_BOUNCED, letter, by, now)


def receive(
    subject_request: SubjectRequest,
    case: Case | None,
    title: str,
    body: str,
    by: By,
    now: datetime,
    *,
    party: Party = Party.REQUESTER,
) -> Letter:
    """Keep what the customer wrote."""
    letter = Letter(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        case=case,
        key_id=case.file_key_id if case else subject_request.key_id,
        kind=Kind.MESSAGE.value,
        is_incoming=True,
        party=party,
        language=subject_request.language,
        state=LetterState.RECEIVED,
        written_at=now,
        sent_at=now,
    )
    letter.title, letter.body = title, body
    letter.save()
    _on_record(Action.MESSAGE_RECEIVED, letter, by, now)
    return letter


MAIL_TROUBLE = (OSError, SMTPException)


def _on_record(action: Action, letter: Letter, by: By, now: datetime) -> None:
    record(
        action,
        by.actor,
        now,
        controller_id=letter.controller_id,
        case_id=letter.case_id,
        data={"letter": str(letter.pk), "kind": letter.kind, "route": "post" if letter.by_post else "email"},
    )
