"""The queue and one's own absence."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases import worklist
from cases.console.desk_forms import Absence
from cases.console.going import see_other
from cases.surface import attempt, by, needs, staff
from cases.words import Right, State
from cases.workflow import people
from identity.models import Controller, User
from identity.roles import Permission

FILTERS = ("brand", "right", "state", "blocked")


@require_safe
@needs(Permission.VIEW_CASE)
def queue(request: HttpRequest) -> HttpResponse:
    """Open cases in due order; with a reference typed, the cases that bear it."""
    user, now = staff(request), timezone.now()
    brands = worklist.controllers_of(user)
    typed = request.GET.get("q", "").strip()
    wanted = _wanted(request.GET)
    if typed:
        page = worklist.Page(worklist.by_reference(user, typed, now), None)
    else:
        page = worklist.page(user, brands, wanted, now)
    context = {
        "page": page,
        "typed": typed,
        "tabs": _tabs(request, wanted.tab, worklist.counts(user, brands, now)),
        "filters": _filters(brands, wanted),
        "is_narrowed": any(request.GET.get(name) for name in FILTERS),
        "is_first": wanted.after is None,
        "next_url": _address(request, after=page.after) if page.after else "",
        "first_url": _address(request, after=""),
        "tab": wanted.tab,
        "may_log": user.access.anywhere(Permission.LOG_REQUEST),
        "works": user.access.anywhere(Permission.WORK),
        "person": user,
        "is_away": bool(user.away_until and user.away_until >= timezone.localdate()),
    }
    return render(request, "console/desk/queue.html", context)


def _wanted(query: QueryDict) -> worklist.Wanted:
    """The filters of the address; what is not among the choices is left out."""
    tab = query.get("tab", "")
    return worklist.Wanted(
        tab=tab if tab in worklist.TABS else "all",
        brand=_uuid(query.get("brand", "")),
        right=_known(query.get("right", ""), Right.values),
        state=_known(query.get("state", ""), State.values),
        blocked=_known(query.get("blocked", ""), [one.value for one in worklist.Blocked]),
        after=worklist.parse_after(query.get("after", "")),
    )


def _known(value: str, values: list[str]) -> str:
    return value if value in values else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _address(request: HttpRequest, **changes: str) -> str:
    """The queue as it is narrowed now, with something changed."""
    kept = {**request.GET.dict(), **changes}
    return f"{reverse('console:queue')}?{urlencode({name: kept[name] for name in kept if kept[name] and name != 'q'})}"


def _tabs(request: HttpRequest, current: str, counts: dict[str, str]) -> list[dict[str, Any]]:
    labels = {"all": _("All open"), "mine": _("Mine"), "unassigned": _("Unassigned"), "late": _("Late")}
    return [
        {
            "label": labels[tab],
            "url": _address(request, tab="" if tab == "all" else tab, after=""),
            "current": tab == current,
            "count": counts[tab],
        }
        for tab in worklist.TABS
    ]


def _filters(brands: list[Controller], wanted: worklist.Wanted) -> list[dict[str, Any]]:
    """The four selects above the list; one brand alone needs no choice."""
    open_states = [(state.value, state.label) for state in State if state != State.CLOSED]
    blocked = [(one.value, worklist.BLOCKED_WORDS[one]) for one in worklist.Blocked]
    selects = [
        _select("right", _("Right"), Right.choices, wanted.right),
        _select("state", _("State"), open_states, wanted.state),
        _select("blocked", _("Waits for"), blocked, wanted.blocked),
    ]
    if len(brands) > 1:
        choices = [(str(brand.pk), brand.name) for brand in brands]
        selects.insert(0, _select("brand", _("Brand"), choices, str(wanted.brand or "")))
    return selects


def _select(name: str, label: str, choices: list[Any], value: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "options": [{"value": key, "label": words, "selected": key == value} for key, words in choices],
    }


@require_http_methods(["GET", "POST"])
@needs(Permission.WORK)
def absence(request: HttpRequest) -> HttpResponse:
    """I am away until …, covered by …; open cases go to the cover at once."""
    person = staff(request)
    form = Absence(
        request.POST if request.method == "POST" else None, person=person, colleagues=_covers(person)
    )
    if form.is_valid():
        until, cover = form.cleaned_data["until"], form.cleaned_data["cover"]
        moved = attempt(
            request,
            lambda: people.set_absence(person, until, cover if until else None, by(request), timezone.now()),
            form=form,
        )
        if moved is not None:
            messages.success(request, _away_words(bool(until), moved))
            return see_other("console:absence")
    context = {"form": form, "person": person, "is_away": person.away_until is not None}
    return render(request, "console/desk/absence.html", context, status=422 if form.errors else 200)


def _away_words(is_away: bool, moved: int) -> str:
    if not is_away:
        return _("You are here. New cases can be assigned to you.")
    return _("You are away. Cases handed over: %(count)d.") % {"count": moved}


def _covers(person: User) -> list[User]:
    """Everybody who works one of the person's brands, but the person."""
    found = {
        colleague.pk: colleague
        for controller_id in person.access.controllers(Permission.WORK)
        for colleague in people.colleagues(controller_id)
    }
    found.pop(person.pk, None)
    return list(found.values())
