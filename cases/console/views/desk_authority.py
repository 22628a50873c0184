"""The authority of a representative: what came, beside what this law accepts; a person judges it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from cases import authority as standing
from cases.console import desk_authority as shown_of
from cases.console.desk_forms import DeskForm
from cases.console.going import see_other
from cases.console.views.desk_document import NEVER_A_PAGE, SHOWN_IN
from cases.models import Authority, AuthorityPicture, AuthorityState, Case
from cases.representing import summary
from cases.surface import attempt, by, case_or_404
from cases.workflow import authority
from identity.roles import Permission

FORMS: Mapping[str, type[DeskForm]] = {
    "record": shown_of.RecordForm,
    "accept": shown_of.AcceptForm,
    "refuse": shown_of.RefuseForm,
    "revoke": shown_of.RevokeForm,
    "recipient": shown_of.RecipientForm,
}
_DONE: Mapping[str, Any] = {
    "record": _("It is noted as received."),
    "accept": _("The authority is accepted."),
    "refuse": _("The authority is refused, and the representative is told."),
    "revoke": _("From now on this authority opens nothing."),
    "recipient": _("The answer goes there."),
}


@require_http_methods(["GET", "POST"])
def authority_of(request: HttpRequest, case_id: UUID, act: str = "") -> HttpResponse:
    """What was asked and shown, and what is pressed about it."""
    case = case_or_404(request, case_id, Permission.RECORD_IDENTITY)
    if case.subject_request.representative_id is None:
        raise Http404
    rounds = standing.rounds(case.subject_request)
    with timezone.override(case.controller.zone):
        forms = {name: _form(request, name, act, case, rounds) for name in FORMS}
        if act and _pressed(request, case, act, forms, rounds):
            return see_other("console:authority", case.pk)
        status = 422 if act and forms[act].errors else 200
        context = _context(case, rounds) | {"forms": forms}
        return render(request, "console/desk/authority.html", context, status=status)


def _form(request: HttpRequest, name: str, act: str, case: Case, rounds: list[Authority]) -> DeskForm:
    sent = name == act and request.method == "POST"
    return FORMS[name](
        request.POST if sent else None,
        request.FILES if sent else None,
        case=case,
        target=_target(name, rounds),
        auto_id=f"{name}_%s",
    )


def _target(name: str, rounds: list[Authority]) -> Authority | None:
    """The version that an act is about: what waits to be judged, or what holds."""
    state = AuthorityState.RECEIVED if name in {"accept", "refuse"} else AuthorityState.ACCEPTED
    return next((one for one in rounds if one.state == state), None) if name != "record" else None


def _pressed(
    request: HttpRequest, case: Case, act: str, forms: Mapping[str, Any], rounds: list[Authority]
) -> bool:
    """Whether it was done; otherwise the form says why not. Raises Http404 for what is no act."""
    form = forms.get(act)
    if form is None or request.method != "POST":
        raise Http404
    if not form.is_valid():
        return False
    deed = _deed(request, case, act, form)
    if form.errors:
        return False
    return attempt(request, deed, str(_DONE[act]), form) is not None


def _deed(request: HttpRequest, case: Case, act: str, form: Any) -> Callable[[], Authority]:
    who, now, given = by(request), timezone.now(), form.cleaned_data
    if act == "record":
        shown = form.taken()
        return lambda: authority.record(case, shown, who, now)
    target = _named(request, form)
    deeds: Mapping[str, Callable[[], Authority]] = {
        "accept": lambda: authority.accept(case, target, form.judged(), who, now),
        "refuse": lambda: authority.refuse(case, target, given["reason"], who, now),
        "revoke": lambda: authority.revoke(case, target, given["reason"], given["remark"], who, now),
        "recipient": lambda: authority.choose_recipient(
            case,
            target,
            given["answer_to"],
            given["answer_reason"],
            who,
            now,
            address_compared=given["address_compared"],
        ),
    }
    return deeds[act]


def _named(request: HttpRequest, form: Any) -> UUID:
    """The version that the person had before their eyes; Http404 where it is not the one that the act is about."""
    target = form.target
    if target is None or request.POST.get("authority") != str(target.pk):
        raise Http404
    return UUID(str(target.pk))


def _context(case: Case, rounds: list[Authority]) -> dict[str, Any]:
    request = case.subject_request
    return {
        "case": case,
        "asked": request,
        "summary": summary(case, timezone.now()),
        "outside": _outside(case),
        "rounds": shown_of.rounds(case),
        "received": _target("accept", rounds),
        "held": _target("revoke", rounds),
        "mandates": [(_t(one.name), one.provision, _t(one.asks)) for one in standing.mandates(case)],
        "childhood": shown_of.childhood(case, timezone.localdate()),
        "address_on_file": standing.address_on_file(request),
    }


def _outside(case: Case) -> tuple[str, str] | None:
    found = standing.outside(case)
    return (_t(found.name), found.provision) if found else None


@require_safe
def picture(request: HttpRequest, case_id: UUID, authority_id: UUID, picture_id: UUID) -> HttpResponse:
    """One page, made anew for the screen, for who may judge it; each look is on the record."""
    case = case_or_404(request, case_id, Permission.RECORD_IDENTITY)
    if request.headers.get("Sec-Fetch-Dest", "") not in SHOWN_IN:
        raise Http404
    try:
        shown = authority.view_picture(case, authority_id, picture_id, 0, by(request), timezone.now())
    except (Authority.DoesNotExist, AuthorityPicture.DoesNotExist):
        raise Http404 from None
    return HttpResponse(shown, content_type="image/jpeg", headers=NEVER_A_PAGE)
