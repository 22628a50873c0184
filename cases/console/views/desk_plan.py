"""The plan of an erasure: groups and lines, what each source says to it, and the handler's decisions."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases import planned, queries
from cases.console.desk_decisions import Option
from cases.console.going import SEE_OTHER
from cases.law import loader as law
from cases.models import Case, ChangePlan, PlanStage, Treatment
from cases.surface import attempt, by, case_or_404, see_other, version_of
from cases.words import Right, State
from cases.workflow import plan as verbs
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from identity.roles import Permission

AS_PROPOSED = "as_proposed"


@require_safe
def plan(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """What becomes of each record; that content was seen goes on record."""
    case = erasure(request, case_id)
    return _page(request, case, request.GET)


@require_safe
def sources(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """How far the sources have answered; when all have, the page is read anew."""
    case = erasure(request, case_id)
    found = verbs.live(case)
    parts = planned.parts(found) if found else []
    if found is None or not planned.is_moving(found, parts):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"case": case, "plan": found, "parts": parts, "moves": True, "decides": decides(request, case)}
    return render(request, "console/desk/plan.html#answers", context)


@require_POST
def decide_lines(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide about what was ticked, the rest of the group, all of it, or everything that is open."""
    case = erasure(request, case_id)
    selection = _selection(request.POST)
    if selection is None:
        messages.error(request, _("Choose the lines first, and what becomes of them."))
        return _page(request, case, request.POST, status=422)
    changed = attempt(request, lambda: _decide(request, case, selection))
    if changed is None:
        case.refresh_from_db()
        return _page(request, case, request.POST, status=422)
    said = ngettext("%(count)d line is decided.", "%(count)d lines are decided.", changed)
    messages.success(request, said % {"count": changed})
    return HttpResponseRedirect(_address(case, request.POST), status=SEE_OTHER)


@require_POST
def dry_run(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask the sources again."""
    case = erasure(request, case_id)
    attempt(
        request,
        lambda: verbs.rerun_dry(case, by(request), timezone.now()),
        _("The sources are being asked again."),
    )
    return see_other("console:plan", case.pk)


@require_POST
def ground(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record why the data is erased (Art 17(1))."""
    case = erasure(request, case_id)
    attempt(
        request,
        lambda: verbs.choose_ground(
            case, request.POST.get("ground", ""), by(request), timezone.now(), version=version_of(request)
        ),
        _("The ground is recorded."),
    )
    return see_other("console:plan", case.pk)


def erasure(request: HttpRequest, case_id: UUID) -> Case:
    """The erasure whose content this person may see; another case is not found."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if case.right != Right.ERASURE:
        raise Http404
    return case


def _decide(request: HttpRequest, case: Case, selection: verbs.Lines) -> int:
    data, version = request.POST, version_of(request)
    if data.get("treatment") == AS_PROPOSED:
        return verbs.accept(case, selection, by(request), timezone.now(), version=version)
    wanted = verbs.Treat(
        data.get("treatment", ""), data.get("basis", ""), data.get("reason", ""), data.get("by_hand") == "on"
    )
    return verbs.treat(case, selection, wanted, by(request), timezone.now(), version=version)


def _selection(data: QueryDict) -> verbs.Lines | None:
    """Which lines are meant; None where nothing is, or nothing is to be done with them."""
    if data.get("treatment", "") not in {AS_PROPOSED, *verbs.CHOICES}:
        return None
    scope = data.get("scope", "")
    if scope == "everything":
        return verbs.Lines(everything=True, only_undecided=True)
    if scope in {"group", "rest"} and data.get("collection"):
        return verbs.Lines(
            source_id=next(iter(planned.line_ids([data.get("source", "")])), None),
            collection=data.get("collection", ""),
            treatment=data.get("shown_treatment", ""),
            rule=data.get("shown_rule", ""),
            basis=data.get("shown_basis", ""),
            by_hand=data.get("shown_hand") == "1",
            only_undecided=scope == "rest",
        )
    ids = planned.line_ids(data.getlist("line"))
    return verbs.Lines(ids=ids) if ids else None


def decides(request: HttpRequest, case: Case) -> bool:
    """Whether this person may decide lines now."""
    return bool(case.state == State.REVIEW and by(request).allows(Permission.WORK, case.controller_id))


def _page(request: HttpRequest, case: Case, query: QueryDict, status: int = 200) -> HttpResponse:
    found = verbs.live(case) or case.plans.order_by("-number").first()
    context: dict[str, Any] = {"case": case, "plan": found, "decides": decides(request, case)}
    if found is not None:
        context |= _content(request, case, found, query)
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/plan.html", context, status=status)


def _content(request: HttpRequest, case: Case, found: ChangePlan, query: QueryDict) -> dict[str, Any]:
    words = planned.Words(case)
    groups, parts = planned.groups(found, words), planned.parts(found)
    chosen = planned.chosen(groups, _shown(query))
    page, lines = (
        planned.lines(found, chosen, words, query.get("only", ""), query.get("page"))
        if chosen
        else (None, [])
    )
    if page:
        put_on_record(
            case,
            Action.CONTENT_VIEWED,
            by(request),
            timezone.now(),
            {"plan": found.number, "page": page.number, "count": len(page)},
        )
    return {
        "groups": groups,
        "summary": planned.summary(groups),
        "parts": parts,
        "moves": planned.is_moving(found, parts),
        "is_made": found.stage != PlanStage.MAKING,
        "chosen": chosen,
        "page": page,
        "lines": lines,
        "only": query.get("only", ""),
        "query": _query(chosen, query),
        "is_held": queries.is_held(case.subject),
        "grounds": [Option(one.code, _(one.name), one.provision) for one in _grounds(case)],
        "choices": [Option(AS_PROPOSED, _("As proposed")), *choices()],
        "exceptions": exceptions(case),
        "typed": query if query is request.POST else {},
        "ticked": query.getlist("line"),
    }


def _grounds(case: Case) -> tuple[law.Ground, ...]:
    return law.grounds_for("erasure_ground", case.regime)


def exceptions(case: Case) -> list[Option]:
    """What a record may be kept under; that it is not ours to erase is a treatment of its own."""
    listed = law.grounds_for("erasure_exception", case.regime)
    return [Option(one.code, _(one.name), one.provision) for one in listed if one.code != verbs.NOT_OURS]


def choices() -> list[Option]:
    """What may become of a record."""
    return [Option(one.value, planned.treatment_words(one)) for one in map(Treatment, verbs.CHOICES)]


def _query(chosen: planned.Group | None, query: QueryDict) -> str:
    if chosen is None:
        return ""
    kept = {**chosen.query, **({"only": query["only"]} if query.get("only") else {})}
    return urlencode(kept) + "&"


def _shown(data: QueryDict) -> dict[str, str]:
    """The group of an address; a form names the one that is shown beside what it wants done with it."""
    names = ("treatment", "rule", "basis", "hand")
    if "scope" not in data:
        return {name: data.get(name, "") for name in ("source", "collection", *names)}
    shown = {name: data.get(f"shown_{name}", "") for name in names}
    return {"source": data.get("source", ""), "collection": data.get("collection", ""), **shown}


def _address(case: Case, data: QueryDict) -> str:
    """Back to the group that was shown; where it is no more, its page shows the next that needs somebody."""
    kept = {**_shown(data), "only": data.get("only", "")}
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{reverse('console:plan', args=[case.pk])}?{query}#lines"
