"""Log a request while the customer speaks: one page, and what it looks up meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.forms import FileField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cases import queries, rights
from cases.console.business_card import card
from cases.console.forms_agent import IntakeForm
from cases.models import Case, DataSubject, SubjectRequest
from cases.representing import pages as authority_pages
from cases.surface import attempt, by, needs, see_other, staff
from cases.words import Channel
from cases.workflow.contact import Contact, note_contact
from cases.workflow.intake import Upload, log_request
from dsar.lib import cards, uploads
from dsar.lib.errors import Refused
from dsar.vault import keyring
from identity.evidence.intake import Picture
from identity.models import Controller
from identity.roles import Permission

LOOKED_UP = ("name", "email", "phone", "external_id", "birth_date")


@dataclass(frozen=True)
class Known:
    """Somebody whom the brand may know already, and what they have open. Nothing collected is shown."""

    subject: DataSubject
    open_cases: Sequence[Case]
    chosen: bool
    is_restricted: bool


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@needs(Permission.LOG_REQUEST)
def log(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    if request.method == "GET":
        return _page(request, _blank(request), now)
    if "check" in request.POST:
        return _page(request, _unchecked(request), now)
    form = _sent(request, now)
    if "business" in request.POST:
        return _note_business(request, form, now)
    if form.is_valid() and (logged := _log(request, form, now)):
        return see_other("console:read-out", logged.pk)
    return _page(request, form, now, status=422)


@sensitive_post_parameters()
@require_POST
@needs(Permission.LOG_REQUEST)
def who(request: HttpRequest) -> HttpResponse:
    """Likely the same person, and what they have open. By POST: what is typed belongs into no address line."""
    form = _unchecked(request)
    context = {
        "form": form,
        "known": _known(request, form, timezone.now()),
        "looked_up": _has_identifier(form),
    }
    return render(request, "console/log.html#who", context)


@sensitive_post_parameters()
@require_POST
@needs(Permission.LOG_REQUEST)
def words(request: HttpRequest) -> HttpResponse:
    """The customer's words with card numbers masked, as they will be kept; nothing where there were none."""
    masked, count = cards.mask_cards(request.POST.get("words", ""))
    if not count:
        return HttpResponse(status=204)
    form = IntakeForm(_brands(request), initial={"words": masked})
    return render(request, "console/log.html#words", {"form": form, "masked": _said_masked(count)})


@sensitive_post_parameters()
@require_POST
@needs(Permission.LOG_REQUEST)
def is_it_a_request(request: HttpRequest) -> HttpResponse:
    """The card, narrowed by what the customer says."""
    return render(request, "console/log.html#card", {"card": card(request.POST.get("said", ""))})


# -- the form ----------------------------------------------------------------------------------------


def _brands(request: HttpRequest) -> list[Controller]:
    return list(Controller.objects.visible_to(staff(request), Permission.LOG_REQUEST).filter(is_active=True))


def _blank(request: HttpRequest) -> IntakeForm:
    brands = _brands(request)
    wanted = request.GET.get("brand", "")
    brand = next((one for one in brands if str(one.pk) == wanted), brands[0] if len(brands) == 1 else None)
    initial = {"submission": uuid4(), "language": brand.language if brand else settings.LANGUAGE_CODE}
    form = IntakeForm(brands, initial={**initial, "brand": brand.pk if brand else ""})
    form.fields["name"].widget.attrs["autofocus"] = True
    return form


def _unchecked(request: HttpRequest) -> IntakeForm:
    """What was typed so far, without judging it."""
    form = IntakeForm(_brands(request))
    for name, field in form.fields.items():
        if not isinstance(field, FileField):
            form.initial[name] = field.widget.value_from_datadict(request.POST, {}, name)
    return form


def _sent(request: HttpRequest, now: datetime) -> IntakeForm:
    form = IntakeForm(_brands(request), request.POST, request.FILES)
    form.now = now
    return form


def _page(request: HttpRequest, form: IntakeForm, now: datetime, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "known": _known(request, form, now),
        "looked_up": _has_identifier(form),
        "card": card(request.POST.get("said", "")),
        "one_brand": form.controller if len(form.brands) == 1 else None,
    }
    return render(request, "console/log.html", context, status=status)


# -- who it is ---------------------------------------------------------------------------------------


def _has_identifier(form: IntakeForm) -> bool:
    return any(form[name].value() for name in LOOKED_UP)


def _known(request: HttpRequest, form: IntakeForm, now: datetime) -> list[Known]:
    """Those of the chosen brand who share what was typed, with their open cases: two queries for all."""
    if form.controller is None or not _has_identifier(form):
        return []
    typed: dict[str, Any] = {name: str(form[name].value() or "") for name in LOOKED_UP}
    found = queries.likely_subjects(staff(request), form.controller, now, **typed)
    keyring.open_all(one.key_id for one in found)
    open_cases = _open_cases(request, found)
    chosen = str(form["subject"].value() or "")
    restricted = rights.restricted_among(one.pk for one in found) if found else set()
    return [
        Known(one, open_cases.get(one.pk, []), str(one.pk) == chosen, one.pk in restricted) for one in found
    ]


def _open_cases(request: HttpRequest, subjects: Sequence[DataSubject]) -> Mapping[UUID, list[Case]]:
    gathered: dict[UUID, list[Case]] = {}
    cases = Case.objects.visible_to(staff(request)).counted().open().filter(subject__in=subjects)
    for case in cases.select_related("subject_request").order_by("received_at"):
        gathered.setdefault(case.subject_id, []).append(case)
    return gathered


# -- logging -----------------------------------------------------------------------------------------


def _log(request: HttpRequest, form: IntakeForm, now: datetime) -> SubjectRequest | None:
    taken = _taken(request, [(None, file) for file in form.cleaned_data["attachments"]] + form.evidence())
    intake = form.intake(now, taken, _pictures(request, form))
    logged = attempt(request, lambda: log_request(intake, by(request), now), form=form)
    if logged is not None:
        masked = cards.mask_cards(intake.words)[1]
        if masked:
            messages.info(request, _said_masked(masked))
    return logged


def _taken(request: HttpRequest, given: "Sequence[tuple[int | None, UploadedFile[bytes]]]") -> list[Upload]:
    """The files that can be kept. One that cannot does not hold up the request: its clock runs all the same."""
    kept = []
    for claim, file in given:
        verdict = uploads.inspect(cast(BinaryIO, file), file.name or "")
        if verdict.kind is not None:
            kept.append(Upload(verdict.name, verdict.kind.media_type, file.chunks(), claim))
        else:
            facts = {"name": file.name, "reason": verdict.message}
            messages.warning(request, _("The file “%(name)s” was not kept. %(reason)s") % facts)
    return kept


def _pictures(request: HttpRequest, form: IntakeForm) -> list[Picture]:
    """Pages of an authority. One that cannot be taken does not hold up the request: it is asked for by letter."""
    kept: list[Picture] = []
    if not form.cleaned_data["for_another"]:
        return kept
    for file in form.cleaned_data["authority_copy"]:
        try:
            kept += authority_pages(file)
        except Refused as refusal:
            facts = {"name": file.name, "reason": refusal}
            messages.warning(request, _("The file “%(name)s” was not kept. %(reason)s") % facts)
    return kept


def _said_masked(count: int) -> str:
    return ngettext(
        "%(count)d payment card number was masked in the customer's words.",
        "%(count)d payment card numbers were masked in the customer's words.",
        count,
    ) % {"count": count}


def _note_business(request: HttpRequest, form: IntakeForm, now: datetime) -> HttpResponse:
    """Done within the conversation: noted, and no case. Brand, channel and words are all that it needs."""
    contact = _contact(form, now)
    done = _("Noted as done within the conversation. There is no case and no date.")
    if contact is not None:
        noted = attempt(request, lambda: note_contact(contact, by(request), now), done=done, form=form)
        if noted is not None:
            return see_other("console:log")
    return _page(request, form, now, status=422)


def _contact(form: IntakeForm, now: datetime) -> Contact | None:
    form.as_business()
    if not form.is_valid():
        return None
    data, controller = form.cleaned_data, form.controller
    assert controller is not None
    return Contact(
        controller=controller,
        channel=Channel(data["channel"]),
        summary=data["words"],
        said_at=form.received_at(now) or now,
        submission=data["submission"],
        contact_reference=data["contact_reference"],
    )
