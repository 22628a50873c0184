"""Asking the owner of a source that a person searches: the rows, and the jobs that write the mails."""

from datetime import datetime, timedelta

from cases.collection import identifiers
from cases.connectors.base import ConnectorError
from cases.connectors.manual.connector import ANSWER_DAYS, ManualConnector
from cases.models import HeldFor, Inquiry, SearchState, SourceSearch, SourceSystem
from dsar.jobs.queue import enqueue

MAIL = "mail_owner"


def is_manual(source: SourceSystem) -> bool:
    return source.connector == ManualConnector.key


def connector_of(source: SourceSystem) -> ManualConnector:
    """Raises ConfigurationError."""
    made = identifiers.connect(source)
    assert isinstance(made, ManualConnector)
    return made


def ask(search: SourceSearch, now: datetime) -> None:
    """Put the question to the owner; where nobody can be asked the search has failed, and says what to do."""
    trouble = _trouble(search.source)
    if trouble:
        search.state, search.ended_at = SearchState.FAILED, now
        search.error_code, search.error_text = trouble
    else:
        _open(search, now)
        search.state, search.held_for, search.started_at = SearchState.HELD, HeldFor.OWNER, now
    search.save()


def _trouble(source: SourceSystem) -> tuple[str, str] | None:
    if not source.owner_email:
        return "owner_missing", (
            "This source is searched by a person, and nobody is named. "
            "Ask an administrator to name its owner, then search again."
        )
    try:
        connector_of(source)
    except ConnectorError as error:
        return error.code, f"{error} {error.what_to_do}"
    return None


def _open(search: SourceSearch, now: datetime) -> None:
    days = connector_of(search.source).settings.number(ANSWER_DAYS)
    inquiry = Inquiry.objects.create(
        controller_id=search.controller_id,
        search=search,
        asked_at=now,
        answer_by=now + timedelta(days=days),
    )
    order_mail(inquiry, now)


def order_mail(inquiry: Inquiry, now: datetime) -> None:
    """The next mail of an inquiry: the question, then reminders. Each is ordered once."""
    inquiry.mails += 1
    inquiry.save(update_fields=["mails"])
    enqueue(
        MAIL,
        controller_id=inquiry.controller_id,
        case_id=inquiry.search.run.case_id,
        key=f"{MAIL}:{inquiry.pk}:{inquiry.mails}",
        args={"inquiry": str(inquiry.pk), "mail": str(inquiry.mails)},
        now=now,
        max_attempts=8,
    )
