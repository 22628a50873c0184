"""The review: items by source and collection, a page at a time, decided singly, in selections, or as a group."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.console.desk_decisions import decision_words, picklists
from cases.console.going import SEE_OTHER
from cases.models import Case, Item, ItemDecision
from cases.retention import outlook
from cases.review import items, showing
from cases.review.items import Group
from cases.surface import attempt, by, case_or_404, version_of
from cases.words import State
from cases.workflow import review as verbs
from cases.workflow.perform import put_on_record
from cases.workflow.review import Choice, Selection
from dsar.audit.actions import Action
from identity.roles import Permission

PER_PAGE = 50


@require_safe
def review(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The groups, and one page of the chosen one; that its content was seen goes on record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    return _page(request, case, request.GET)


@require_POST
def decide_items(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide about what was ticked, the rest of the group, or all of it."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    selection, choice = selection_of(request.POST), choice_of(request.POST)
    if selection is None:
        messages.error(request, _("Choose the items first, and what to do with them."))
        return _page(request, case, request.POST, status=422)
    changed = attempt(
        request,
        lambda: verbs.decide(
            case, selection, choice, by(request), timezone.now(), version=version_of(request)
        ),
    )
    if changed is None:
        case.refresh_from_db()
        return _page(request, case, request.POST, status=422)
    said = ngettext("%(count)d item is decided.", "%(count)d items are decided.", changed) % {
        "count": changed
    }
    messages.success(request, said)
    return HttpResponseRedirect(_address(case, request.POST), status=SEE_OTHER)


def choice_of(data: QueryDict) -> Choice:
    """What was chosen; a code belongs only to what is withheld or kept."""
    decision = data.get("decision", "")
    known = ItemDecision(decision) if decision in ItemDecision.values else ItemDecision.UNDECIDED
    if known in {ItemDecision.WITHHOLD, ItemDecision.KEEP}:
        return Choice(known, data.get("exemption", ""), data.get("silent") == "on")
    return Choice(known)


def selection_of(data: QueryDict) -> Selection | None:
    """Which items are meant; None where nothing is, or nothing is to be done with them."""
    if data.get("decision", "") not in _DECIDABLE:
        return None
    source, collection, scope = (
        _uuid(data.get("source", "")),
        data.get("collection", ""),
        data.get("scope", ""),
    )
    if scope == "everything":
        return Selection(only_undecided=True)
    if scope in {"group", "rest"} and collection:
        return Selection(source_id=source, collection=collection, only_undecided=scope == "rest")
    ids = [found for found in map(_uuid, data.getlist("item")) if found]
    return Selection(ids=ids) if ids else None


_DECIDABLE = {
    ItemDecision.DISCLOSE.value,
    ItemDecision.WITHHOLD.value,
    ItemDecision.ACT.value,
    ItemDecision.KEEP.value,
}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _page(request: HttpRequest, case: Case, query: QueryDict, status: int = 200) -> HttpResponse:
    groups = items.groups(case)
    chosen = _chosen(groups, query)
    page = _items(case, chosen, query) if chosen else None
    context = {
        "case": case,
        "gone_at": outlook.collected_gone_at(case),
        "groups": groups,
        "chosen": chosen,
        "page": page,
        "shown": [showing.whole(item) for item in page] if page else [],
        "query": _query(query),
        "only": query.get("only", ""),
        "undecided": sum(group.undecided for group in groups),
        "total": sum(group.total for group in groups),
        "typed": {
            "decision": query.get("decision"),
            "exemption": query.get("exemption"),
            "items": query.getlist("item"),
        },
        "words": decision_words(case),
        **_rights(request, case),
    }
    if page and chosen:
        _viewed(request, case, chosen, page)
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/review.html", context, status=status)


def _rights(request: HttpRequest, case: Case) -> dict[str, Any]:
    decides = case.state == State.REVIEW and by(request).allows(Permission.WORK, case.controller_id)
    return {"decides": decides, "picklists": picklists(case)}


def _chosen(groups: list[Group], query: QueryDict) -> Group | None:
    """The group of the address; else the first with something to decide, else the first."""
    wanted = (query.get("source", ""), query.get("collection", ""))
    for group in groups:
        if wanted == (str(group.source_id or ""), group.collection):
            return group
    return next((group for group in groups if group.undecided), groups[0] if groups else None)


def _items(case: Case, group: Group, query: QueryDict) -> "Page[Item]":
    chosen: QuerySet[Item] = case.items.filter(source_id=group.source_id, collection=group.collection)
    if query.get("only") in ItemDecision.values:
        chosen = chosen.filter(decision=query["only"])
    chosen = chosen.select_related("case", "file").order_by("number", "id")
    return Paginator(chosen, PER_PAGE).get_page(query.get("page"))


def _query(query: QueryDict) -> str:
    kept = {name: query[name] for name in ("source", "collection", "only") if query.get(name)}
    return urlencode(kept) + "&" if kept else ""


def _address(case: Case, data: QueryDict) -> str:
    page = data.get("page", "")
    return f"{reverse('console:review', args=[case.pk])}?{_query(data)}{'page=' + page if page.isdigit() else ''}"


def _viewed(request: HttpRequest, case: Case, group: Group, page: "Page[Item]") -> None:
    source = str(group.source_id) if group.source_id else None
    codes = {"source": source, "page": page.number, "count": len(page)}
    put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), codes)
