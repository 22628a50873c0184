"""One line of a plan: the whole record, and what becomes of each of its fields."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from cases import planned
from cases.console.desk_decisions import Option
from cases.console.views.desk_plan import choices, decides, erasure, exceptions
from cases.fulfilment import anonymise
from cases.models import Case, LineState, PlannedChange
from cases.surface import attempt, by, see_other, version_of
from cases.workflow import plan as verbs
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action

FIELD = "field-"
CONSTANT = "constant-"


@require_http_methods(["GET", "HEAD", "POST"])
def plan_line(request: HttpRequest, case_id: UUID, line_id: UUID) -> HttpResponse:
    """Look at one line, and decide about it; a line of another case is not found."""
    case = erasure(request, case_id)
    line = _line(case, line_id)
    if request.method == "POST":
        done = attempt(request, lambda: _decide(request, case, line), _("This line is decided."))
        if done is not None:
            return see_other("console:plan-line", case.pk, line.pk)
        case.refresh_from_db()
    return _page(request, case, _line(case, line_id))


def _line(case: Case, line_id: UUID) -> PlannedChange:
    found: PlannedChange | None = (
        PlannedChange.objects.filter(case=case, pk=line_id)
        .select_related("item__case", "item__file", "case", "source", "decided_by", "plan")
        .first()
    )
    if found is None:
        raise Http404
    return found


def _decide(request: HttpRequest, case: Case, line: PlannedChange) -> int:
    data, version = request.POST, version_of(request)
    wanted = verbs.Treat(
        data.get("treatment", ""),
        data.get("basis", ""),
        data.get("reason", ""),
        data.get("by_hand") == "on",
        _strategies(request, line),
    )
    return verbs.treat(case, verbs.Lines(ids=[line.pk]), wanted, by(request), timezone.now(), version=version)


def _strategies(request: HttpRequest, line: PlannedChange) -> dict[str, Any]:
    """What was chosen for each field; where nothing was, the source's own way is taken."""
    found: dict[str, Any] = {}
    for name in line.expected or {}:
        chosen = request.POST.get(f"{FIELD}{name}", "")
        word, _colon, given = chosen.partition(":")
        if word == anonymise.CONSTANT:
            found[name] = {word: request.POST.get(f"{CONSTANT}{name}", "")}
        elif word == anonymise.POSTCODE and given.isdigit():
            found[name] = {word: int(given)}
        elif word == anonymise.DATE:
            found[name] = {word: given}
        elif word:
            found[name] = word
    return found


def _page(request: HttpRequest, case: Case, line: PlannedChange) -> HttpResponse:
    posted = request.method == "POST"
    put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"item": str(line.item_id)})
    one = planned.line(line, planned.Words(case))
    context = {
        "case": case,
        "one": one,
        "line": line,
        "fields": _fields(request, one, line),
        "decides": decides(request, case) and line.plan_id == getattr(verbs.live(case), "pk", None),
        "choices": choices(),
        "exceptions": exceptions(case),
        "returned": line.return_reason if line.state == LineState.RETURNED else "",
        "typed": request.POST
        if posted
        else {
            "treatment": line.treatment,
            "basis": line.basis,
            "reason": line.reason,
            "by_hand": line.by_hand,
        },
    }
    return render(request, "console/desk/plan_line.html", context, status=422 if posted else 200)


def _fields(request: HttpRequest, one: planned.Line, line: PlannedChange) -> list[dict[str, Any]]:
    """Each field with its value and how it is made anonymous."""
    wanted, ways = line.wanted or {}, _ways()
    held = one.shown.fields if one.shown else ()
    return [
        {
            "field": field,
            "chosen": request.POST.get(f"{FIELD}{field.name}", _word(wanted.get(field.name))),
            "constant": request.POST.get(f"{CONSTANT}{field.name}", _constant(wanted.get(field.name))),
            "ways": ways,
        }
        for field in held
    ]


def _word(strategy: Any) -> str:
    """A strategy as the select box names it."""
    if not isinstance(strategy, dict):
        return str(strategy or "")
    word, given = next(iter(strategy.items()))
    return word if word == anonymise.CONSTANT else f"{word}:{given}"


def _constant(strategy: Any) -> str:
    return str(strategy.get(anonymise.CONSTANT, "")) if isinstance(strategy, dict) else ""


def _ways() -> list[Option]:
    grains = {
        "month": _("the month of the date"),
        "quarter": _("the quarter of the date"),
        "year": _("the year of the date"),
        "decade": _("the decade of the date"),
    }
    return [
        Option("", _("as the source does it")),
        Option(anonymise.NULL, _("emptied")),
        Option(anonymise.RANDOM, _("a random value")),
        Option(anonymise.KEYED_HASH, _("a keyed hash: what was alike stays alike")),
        Option(anonymise.CONSTANT, _("this value:")),
        *(Option(f"{anonymise.DATE}:{grain}", words) for grain, words in grains.items()),
        *(Option(f"{anonymise.POSTCODE}:{size}", _first(size)) for size in (1, 2, 3)),
        Option(anonymise.KEEP, _("left as it is")),
    ]


def _first(size: int) -> str:
    return ngettext("its first sign", "its first %(size)d signs", size) % {"size": size}
