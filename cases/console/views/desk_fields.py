"""Fields that a source's description does not know, as a case meets them; somebody says once what each is."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from cases.console.desk_forms import DeskForm, paragraph
from cases.console.going import see_other
from cases.models import Case, FieldClass, FieldInCase, UnknownField
from cases.review.showing import label, text_of
from cases.surface import attempt, by, case_or_404
from cases.workflow import fields as verbs
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from identity.roles import Permission

EXAMPLES = 3
EXAMPLE_LENGTH = 60
LOOKED_AT = 50


class Classification(DeskForm):
    choice = forms.ChoiceField(
        label=gettext_lazy("What is it?"),
        choices=lambda: [(value, capfirst(words)) for value, words in FieldClass.choices],
        widget=forms.RadioSelect,
    )
    reason = paragraph(
        gettext_lazy("Reason"),
        2,
        gettext_lazy("It is kept with the field, and counts for every case of this source."),
    )


@require_http_methods(["GET", "POST"])
def fields(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """List the fields of a case's records; say what one of them is."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if request.method == "GET":
        return _page(request, case, None)
    field = _field(case, request.POST.get("field", ""))
    form = _form(case, field, request)
    if form.is_valid():
        chosen = FieldClass(form.cleaned_data["choice"])
        reason = form.cleaned_data["reason"]
        done = attempt(
            request,
            lambda: verbs.classify(field, chosen, reason, by(request), timezone.now()),
            _("It is kept, and applied to what was collected."),
            form,
        )
        if done is not None:
            return see_other("console:fields", case.pk)
    return _page(request, case, form, 422)


def _field(case: Case, wanted: str) -> UnknownField:
    try:
        found = UnknownField.objects.filter(pk=UUID(wanted), in_cases__case=case).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _form(case: Case, field: UnknownField, request: HttpRequest | None = None) -> Classification:
    data = request.POST if request else None
    initial = {"choice": field.choice}
    return Classification(data, case=case, target=field, auto_id=f"{field.pk}_%s", initial=initial)


def _page(request: HttpRequest, case: Case, bound: Classification | None, status: int = 200) -> HttpResponse:
    met = (
        FieldInCase.objects.filter(case=case)
        .select_related("field__source")
        .order_by("field__version", "field__source__name", "field__collection", "field__name")
    )
    known = list(met)
    seen = _examples(case, [one.field for one in known])
    rows = [_row(case, one, bound, seen) for one in known]
    context = {
        "case": case,
        "rows": rows,
        "undecided": sum(not one.field.version for one in known),
        "may_classify": by(request).allows(Permission.CLASSIFY, case.controller_id),
        "bound": bound,
    }
    put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"fields": len(known)})
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/fields.html", context, status=status)


def _row(
    case: Case, one: FieldInCase, bound: Classification | None, seen: dict[tuple[Any, str, str], list[str]]
) -> dict[str, Any]:
    field = one.field
    is_bound = bound is not None and bound.target.pk == field.pk
    latest = field.choices.select_related("decided_by", "field__source").first() if field.version else None
    return {
        "field": field,
        "kind": label(field.collection),
        "examples": seen.get((field.source_id, field.collection, field.name), []),
        "latest": latest,
        "is_coming": bool(field.version) and one.applied != field.version,
        "form": bound if is_bound else _form(case, field),
    }


def _examples(case: Case, wanted: list[UnknownField]) -> dict[tuple[Any, str, str], list[str]]:
    """A few values of this case, by which a person can tell what a field is; a secret is not shown again."""
    found: dict[tuple[Any, str, str], list[str]] = {}
    for source_id, collection in {(field.source_id, field.collection) for field in wanted}:
        items = case.items.filter(source=source_id, collection=collection).select_related("case")
        for item in items.order_by("number")[:LOOKED_AT]:
            held = (item.content or {}).get("unclassified", {})
            for name, value in held.items():
                kept = found.setdefault((source_id, collection, name), [])
                text = text_of(value)[:EXAMPLE_LENGTH]
                if text and text not in kept and len(kept) < EXAMPLES:
                    kept.append(text)
    return found
