"""The case page: the next action first, then everything that is known, each part as the role may see it."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases import history, queries, representing, rights, signals, worklist
from cases.console import (
    desk_carrying,
    desk_doubts,
    desk_extensions,
    desk_notices,
    desk_recipients,
    desk_rights,
)
from cases.console.desk_external import external_checks
from cases.console.desk_forms import KINDS_WORDS, Assign, Message, Note
from cases.console.desk_next import Situation
from cases.correspondence import date_moves as moved
from cases.models import Case, Letter, RequestFile
from cases.proving import proving
from cases.retention import outlook
from cases.review import items
from cases.surface import by, case_or_404
from cases.why import why
from cases.words import State
from cases.workflow import date_moves
from cases.workflow.document import documents_of
from cases.workflow.doubts import DECIDABLE
from cases.workflow.letters import ANSWERS
from cases.workflow.signals import may_see
from identity.roles import Permission

RECENT = 8


@require_safe
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Everything about one case."""
    found = Situation(case_or_404(request, case_id), by(request))
    with timezone.override(found.case.controller.zone):
        return render(request, "console/desk/case.html", _context(request, found))


@require_safe
def sources(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The sources of the latest run, asked for every other second while it lasts."""
    found = Situation(case_or_404(request, case_id), by(request))
    with timezone.override(found.case.controller.zone):
        response = render(request, "console/desk/case.html#sources", _sources(found))
    if found.case.state != State.SEARCHING:
        response["HX-Refresh"] = "true"  # the whole page says something else now
    return response


def _context(request: HttpRequest, found: Situation) -> dict[str, Any]:
    case, now = found.case, timezone.now()
    told = history.of_case(case.pk, with_content=found.may(Permission.VIEW_CONTENT))
    return {
        "row": worklist.row(case, now),
        "next": desk_rights.next_step(found),
        "more": desk_rights.more(found),
        "notices": desk_notices.notices(found, now),
        "is_held": queries.is_held(case.subject),
        "is_restricted": rights.restrictions_in_force(case.subject).exists(),
        "complaints": desk_notices.complaints_about(case),
        "siblings": case.subject_request.cases.exclude(pk=case.pk).order_by("right"),
        "why": why(case, now),
        "moves": [moved.sentence(move) for move in date_moves.unseen(case)],
        "verifications": case.subject_request.verifications.select_related("recorded_by").order_by(
            "started_at"
        ),
        "documents": documents_of(case.subject_request) if found.may(Permission.RECORD_IDENTITY) else (),
        "externals": external_checks(case) if found.may(Permission.RECORD_IDENTITY) else (),
        "proving": proving(case, now),
        "signals": signals.of(case, now) if may_see(found.by, case.controller_id) else (),
        "authority": representing.summary(case, now),
        "letters": _letters(case),
        "answers": () if found.may(Permission.VIEW_CONTENT) else ANSWERS,
        "kinds": KINDS_WORDS,
        "files": RequestFile.objects.filter(subject_request=case.subject_request).select_related("file"),
        "notes": _notes(case),
        "retention": outlook.of(case, now),
        "history": told[:RECENT],
        "earlier": told[RECENT:],
        "carrying": desk_carrying.of(case, found.by.person_id),
        **_sources(found),
        **desk_recipients.panel(found, now),
        **_content(found),
        **_forms(found),
    }


def _sources(found: Situation) -> dict[str, Any]:
    searches = found.searches
    return {
        "case": found.case,
        "can": _can(found),
        "me": found.by.person_id,
        "searches": searches,
        "is_searching": bool(found.is_searching or found.held) and found.case.state == State.SEARCHING,
        "pace": "2s" if found.is_searching else "15s",
        "answered": sum(one.state in {"done", "no_data", "waived"} for one in searches),
    }


def _can(found: Situation) -> dict[str, bool]:
    return {permission.value: found.may(permission) for permission in Permission}


def _content(found: Situation) -> dict[str, Any]:
    """What only those see who may see what was collected, silent withholdings among it."""
    case = found.case
    if not found.may(Permission.VIEW_CONTENT):
        return {"tasks": case.tasks.none(), "groups": [], "packs": case.packs.none(), "revealed": []}
    return {
        **desk_rights.panel(found, timezone.now()),
        "groups": items.groups(case),
        "revealed": desk_doubts.identifiers(case),
        "may_strike": found.may(Permission.WORK) and case.state in DECIDABLE,
        "tasks": case.tasks.select_related("source", "done_by"),
        "packs": case.packs.select_related("decision")
        .prefetch_related("files__file", "deliveries")
        .order_by("-id"),
        "decisions": case.decisions.select_related(
            "proposed_by", "approved_by", "controller_decided_by", "instruction"
        ),
        "extensions": desk_extensions.of(found),
        "latenesses": case.latenesses.select_related("given_by", "case").order_by("-given_at"),
    }


def _forms(found: Situation) -> dict[str, Any]:
    """Forms short enough to stand on the page itself; refused ones come back on a page of their own."""
    case = found.case
    return {
        "note_form": Note(case=case, auto_id="note_%s"),
        "message_form": Message(case=case, auto_id="message_%s")
        if found.may(Permission.WORK) and case.is_open
        else None,
        "assign_form": Assign(case=case, auto_id="assign_%s")
        if found.may(Permission.ASSIGN) and case.is_open
        else None,
    }


def _letters(case: Case) -> "QuerySet[Letter]":
    """The case's correspondence with the requester, and what belongs to the request as a whole; newest first."""
    letters: QuerySet[Letter] = (
        Letter.objects.filter(Q(case=case) | Q(case=None), subject_request_id=case.subject_request_id)
        .select_related("written_by", "case", "subject_request__controller")
        .order_by("-written_at", "-id")
    )
    return letters


def _notes(case: Case) -> Any:
    return case.notes.select_related("author", "case").order_by("-written_at")
