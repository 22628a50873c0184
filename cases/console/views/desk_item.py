"""One item: its fields, the decision about it, fields and passages withheld, and items added by hand."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.console.desk_decisions import decision_words, picklists
from cases.console.desk_forms import ByHand
from cases.console.going import not_there, see_other
from cases.console.views.desk_review import choice_of
from cases.models import Case, Item, ItemDecision
from cases.review import marking, showing
from cases.surface import attempt, by, case_or_404, version_of
from cases.words import State
from cases.workflow import review as verbs
from cases.workflow.intake import Upload
from cases.workflow.perform import put_on_record
from cases.workflow.review import Choice, Selection
from dsar.audit.actions import Action
from dsar.lib import uploads
from dsar.lib.errors import Refused
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
def item(request: HttpRequest, case_id: UUID, item_id: UUID) -> HttpResponse:
    """Look at one item, and decide about it."""
    case, found = _found(request, case_id, item_id)
    if request.method == "GET":
        put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"item": str(found.pk)})
        return _page(request, case, found)
    if request.POST.get("decision") == found.decision == ItemDecision.REDACT:
        return _onwards(case, found)
    choice = choice_of(request.POST)
    if choice.decision == ItemDecision.UNDECIDED:
        messages.error(request, _("Choose what to do with this item."))
        return _page(request, case, found, status=422)
    changed = attempt(
        request,
        lambda: verbs.decide(
            case, Selection(ids=[found.pk]), choice, by(request), timezone.now(), version=version_of(request)
        ),
        _("Decided."),
    )
    if changed is None:
        return _page(request, case, found, status=422)
    return _onwards(case, found)


def _onwards(case: Case, found: Item) -> HttpResponse:
    """To the next item that is to be decided; back to the groups where this was the last."""
    following = _next_undecided(case, found)
    if following is None:
        return see_other("console:review", case.pk)
    return see_other("console:item", case.pk, following.pk)


@require_POST
def redact(request: HttpRequest, case_id: UUID, item_id: UUID) -> HttpResponse:
    """Withhold fields or a passage of an item, or show one again."""
    case, found = _found(request, case_id, item_id)

    def act() -> bool:
        marks = _marks(request, found)
        version = version_of(request)
        if marking.is_empty(marks):
            only = Selection(ids=[found.pk])
            verbs.decide(
                case, only, Choice(ItemDecision.DISCLOSE), by(request), timezone.now(), version=version
            )
        else:
            verbs.redact(found, marks, by(request), timezone.now(), version=version)
        return True

    if attempt(request, act, _("The redaction is kept.")) is None:
        return _page(request, case, found, status=422)
    return see_other("console:item", case.pk, found.pk)


def _marks(request: HttpRequest, found: Item) -> dict[str, Any]:
    """The marks as they shall be, from what was ticked, typed or taken off."""
    data, marks = request.POST, found.redactions if found.decision == ItemDecision.REDACT else None
    content: dict[str, Any] = (found.content or {}).get("data", {})
    if data.get("what") == "fields":
        ticked = [name for name in data.getlist("field") if name in content]
        return marking.with_fields(marks, ticked, data.get("code", ""))
    if data.get("what") == "show":
        place = data.get("place", "")
        return marking.without_passage(marks, int(place) if place.isdigit() else -1)
    field, passage = data.get("field", ""), data.get("passage", "")
    text = content.get(field)
    made = (
        marking.with_passage(marks, field, text, passage, data.get("code", ""))
        if isinstance(text, str)
        else None
    )
    if made is None:
        raise Refused(
            _("These words do not stand in this field. Copy them from it exactly."), "passage_not_found"
        )
    return made


def _found(request: HttpRequest, case_id: UUID, item_id: UUID) -> tuple[Case, Item]:
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    found = (
        case.items.filter(pk=item_id)
        .select_related("source", "file", "case__controller", "decided_by")
        .first()
    )
    if found is None:
        not_there(case)
    return case, found


def _page(request: HttpRequest, case: Case, found: Item, status: int = 200) -> HttpResponse:
    if status != 200:
        case.refresh_from_db()
    before, after = _neighbours(case, found)
    shown = showing.whole(found)
    context = {
        "case": case,
        "item": found,
        "shown": shown,
        "passages": list(enumerate((found.redactions or {}).get("passages", []))),
        "text_fields": [field for field in shown.fields if field.is_text and not field.code],
        "before": before,
        "after": after,
        "picklists": picklists(case),
        "words": decision_words(case),
        "typed": _typed(request, found),
        "decides": case.state == State.REVIEW and by(request).allows(Permission.WORK, case.controller_id),
    }
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/item.html", context, status=status)


def _typed(request: HttpRequest, found: Item) -> dict[str, Any]:
    """What the selects show: what was sent, else what is decided, so that pressing on changes nothing unasked."""
    is_redacted = found.decision == ItemDecision.REDACT
    if request.method == "POST":
        return {**request.POST.dict(), "may_stay_redacted": is_redacted}
    return {
        "decision": found.decision,
        "exemption": found.exemption,
        "silent": found.is_silent,
        "may_stay_redacted": is_redacted,
    }


def _neighbours(case: Case, found: Item) -> tuple[Item | None, Item | None]:
    group = case.items.filter(source_id=found.source_id, collection=found.collection)
    before = group.filter(number__lt=found.number).order_by("-number", "-id").first()
    return before, group.filter(number__gt=found.number).order_by("number", "id").first()


def _next_undecided(case: Case, found: Item) -> Item | None:
    """The next of the group that is to be decided, so that a run of items needs no way back."""
    group = case.items.filter(
        source_id=found.source_id, collection=found.collection, decision=ItemDecision.UNDECIDED
    ).exclude(pk=found.pk)
    following: Item | None = group.filter(number__gte=found.number).order_by("number", "id").first()
    return following or group.order_by("number", "id").first()


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Add what no source gave: a scan, a recording, a note of what a colleague found."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if request.method == "GET" and not by(request).allows(Permission.WORK, case.controller_id):
        raise Http404
    form = ByHand(request.POST, request.FILES, case=case) if request.method == "POST" else ByHand(case=case)
    if form.is_valid() and _added(request, form):
        return see_other("console:review", case.pk)
    return render(
        request,
        "console/desk/add_item.html",
        {"case": case, "form": form},
        status=422 if form.errors else 200,
    )


def _added(request: HttpRequest, form: ByHand) -> bool:
    data = form.cleaned_data
    try:
        upload = _upload(data["file"]) if data["file"] else None
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return False
    attempt(
        request,
        lambda: verbs.add_item(form.case, data["title"], data["text"], upload, by(request), timezone.now()),
        _("The item is added; decide about it like the others."),
        form,
    )
    return not form.errors


def _upload(file: Any) -> Upload:
    """The file, if its content may be taken; raises Refused with the reason."""
    verdict = uploads.inspect(file.file, file.name or "")
    if verdict.kind is None:
        raise Refused(verdict.message, verdict.code)
    return Upload(verdict.name, verdict.kind.media_type, file.chunks())
