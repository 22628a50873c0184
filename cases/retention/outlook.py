"""What went of a closed case, what will go and when, and what holds it back: in words, for its page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases import queries
from cases.models import Case, Delivery, Forgotten, PackFile
from cases.retention import due, rules
from cases.retention.chosen import Periods, periods_of
from cases.retention.due import Moment
from cases.retention.rules import Rule
from dsar.vault.models import KeyPurpose


@dataclass(frozen=True)
class Line:
    """One kind of data of the case. ``counts`` say what of it there was, for who may see what was collected."""

    name: str
    text: str
    is_gone: bool = False
    is_held: bool = False
    counts: tuple[dict[str, Any], ...] = field(default=(), repr=False)


def of(case: Case, now: datetime) -> tuple[Line, ...]:
    """Nothing while the case is open: then all of it is needed."""
    if case.is_open:
        return ()
    periods, gone = periods_of(case.controller_id), {one.rule: one for one in case.forgotten.all()}
    lines = [_collected(case, periods, gone.get(rules.COLLECTED.code), now)]
    if rules.ANSWER.code in gone or _answers(case).exists():
        lines.append(_answer(case, periods, gone.get(rules.ANSWER.code), now))
    return (*lines, _file(case, periods, now))


def collected_gone_at(case: Case) -> datetime | None:
    """When what was collected for the case went; None while it is there."""
    at: datetime | None = case.collected_key.destroyed_at
    return at


def _collected(case: Case, periods: Periods, gone: Forgotten | None, now: datetime) -> Line:
    rule = rules.COLLECTED
    if collected_gone_at(case) is not None and gone is not None:
        return Line(str(rule.name), _gone(gone), is_gone=True, counts=tuple(gone.counts or ()))
    latest = case.linked_from.aggregate(latest=Max("closed_at"))["latest"]
    assert case.closed_at is not None
    return _coming(rule, periods, max(case.closed_at, latest or case.closed_at), _what_holds(case, now), now)


def _answer(case: Case, periods: Periods, gone: Forgotten | None, now: datetime) -> Line:
    rule = rules.ANSWER
    if gone is not None and not _answers(case).exists():
        return Line(str(rule.name), _gone(gone), is_gone=True)
    until = Delivery.objects.filter(pack__case=case, revoked_at=None).aggregate(latest=Max("available_until"))
    assert case.closed_at is not None
    held = _("a legal hold lies on the person") if queries.is_held(case.subject) else ""
    return _coming(rule, periods, max(case.closed_at, until["latest"] or case.closed_at), held, now)


def _answers(case: Case) -> "QuerySet[PackFile]":
    return PackFile.objects.filter(pack__case=case, file__key__purpose=KeyPurpose.COLLECTED)


def _file(case: Case, periods: Periods, now: datetime) -> Line:
    """With those of the other cases of the request, when the last of them has been closed for so long."""
    closed = [one.closed_at for one in case.subject_request.cases.all()]
    if None in closed:
        return Line(
            str(rules.CASE_FILE.name),
            _("It stays while another case of the request is open."),
            is_held=True,
        )
    return _coming(
        rules.CASE_FILE, periods, max(one for one in closed if one), _what_holds(case, now, of_file=True), now
    )


def _what_holds(case: Case, now: datetime, *, of_file: bool = False) -> str:
    """Why it does not go, whatever its age; empty where nothing holds it."""
    if queries.is_held(case.subject):
        return _("a legal hold lies on the person")
    if any(one.is_open for one in case.linked_from.all()):
        return _("a complaint about it is open")
    query = due.QUERIES[rules.CASE_FILE.code if of_file else rules.COLLECTED.code]
    ever = Moment(case.controller_id, now, now)
    root = case.subject_request_id if of_file else case.pk
    over = query.over(ever).filter(pk=root)
    if over.exists() and not query.free(over, ever).exists():
        return _("something about it is not at its end")
    return ""


def _coming(rule: Rule, periods: Periods, since: datetime, held: str, now: datetime) -> Line:
    keep = periods.of(rule)
    assert keep is not None
    if held:
        return Line(str(rule.name), _("It stays: %(why)s.") % {"why": held}, is_held=True)
    goes = keep.after(since)
    if goes <= now:
        return Line(str(rule.name), _("It goes in the coming night."))
    return Line(str(rule.name), _("It goes on %(day)s.") % {"day": _day(goes)})


def _gone(gone: Forgotten) -> str:
    said = ngettext(
        "It went on %(day)s: %(rows)d row, %(files)d files.",
        "It went on %(day)s: %(rows)d rows, %(files)d files.",
        gone.rows,
    )
    return said % {"day": _day(gone.at), "rows": gone.rows, "files": gone.files}


def _day(moment: datetime) -> str:
    return date_format(localtime(moment), _("j F Y"))
