"""Fetching the answer: a fresh code each time, then links that work once, then the files as a stream."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.models import Delivery, PackFile
from cases.packs.archive import ZipEntry, pack_zip
from cases.packs.names import safe_name
from cases.portal import limits, sessions, story
from cases.portal.attempts import attempt
from cases.portal.door import door, open_door, page, see_other
from cases.portal.forms import CodeForm, PlainForm
from cases.portal.sessions import Visitor
from cases.portal.views.enter import Tries, code_is_right, explain
from cases.portal.views.mine import inside
from cases.workflow import answer, identity
from cases.workflow.certificate import CERTIFIED
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from dsar.vault import files
from dsar.vault.models import StoredFile
from identity import services
from identity.limits import TRY
from identity.models import Controller, TokenPurpose

# Each file's button needs a token of its own; beyond so many there is the whole pack.
SINGLE_FILES = 25


@require_http_methods(["GET", "POST"])
@open_door
def pack(request: HttpRequest, controller: Controller, delivery_id: UUID) -> HttpResponse:
    """What lies ready; and the code that has to be typed anew for each visit here."""
    if request.method == "POST":
        return _step_up(request, controller, delivery_id)
    with unit_of_work([controller.pk]):
        return _shown(request, controller, delivery_id=delivery_id)


@inside
def _shown(request: HttpRequest, controller: Controller, here: Visitor, delivery_id: UUID) -> HttpResponse:
    now = timezone.now()
    delivery = _delivery(here, delivery_id, now)
    if not here.is_stepped_up(delivery.pk, now):
        return _ask_code(request, controller, delivery, CodeForm())
    return _ready(request, controller, delivery, PlainForm())


def _delivery(here: Visitor, delivery_id: UUID, now: datetime) -> Delivery:
    """A delivery of the visitor's own request. Raises Http404 for any other, and for what is closed."""
    try:
        own = story.fetchable(now).filter(pack__case__subject_request=here.request, party=here.party)
        found: Delivery = own.get(pk=delivery_id)
    except Delivery.DoesNotExist:
        raise Http404 from None
    return found


# -- the code ----------------------------------------------------------------------------------------


def _ask_code(
    request: HttpRequest, controller: Controller, delivery: Delivery, form: CodeForm, status: int = 200
) -> HttpResponse:
    context = _about(delivery) | {"form": form, "was_sent": "sent" in request.GET or form.is_bound}
    return page(request, controller, "portal/pack_code.html", context, status)


def _about(delivery: Delivery) -> dict[str, object]:
    entries = list(delivery.pack.files.select_related("file"))
    return {
        "delivery": delivery,
        "case": delivery.pack.case,
        "is_certified": delivery.pack.case.right in CERTIFIED,
        "entries": entries,
        "size": sum(entry.file.size for entry in entries),
    }


@require_POST
@door
@inside
def send(request: HttpRequest, controller: Controller, here: Visitor, delivery_id: UUID) -> HttpResponse:
    """Send the fresh code."""
    now = timezone.now()
    delivery = _delivery(here, delivery_id, now)
    try:
        with transaction.atomic():
            identity.send_code(here.request, _purpose(here), here.by, now)
    except Refused as refusal:
        context = _about(delivery) | {"form": CodeForm(), "was_sent": True, "refusal": str(refusal)}
        return page(request, controller, "portal/pack_code.html", context, 429)
    return see_other(_address(controller, delivery_id) + "?sent")


def _step_up(request: HttpRequest, controller: Controller, delivery_id: UUID) -> HttpResponse:
    """The try is counted, for good, before the code is compared; the session is new afterwards."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        delivery = _delivery(here, delivery_id, now)
    form = CodeForm(request.POST)
    is_right = form.is_valid() and _is_right(controller, here, form, now)
    with unit_of_work([controller.pk]):
        if not is_right:
            return _ask_code(request, controller, delivery, form, 422)
        value = sessions.begin(here.request, now, after=here, delivery_id=delivery.pk, party=here.party)
    response = see_other(_address(controller, delivery_id))
    sessions.give(response, controller, value)
    return response


def _is_right(controller: Controller, here: Visitor, form: CodeForm, now: datetime) -> bool:
    who = f"step_up|{here.request.pk}|{here.party}"
    may_try = limits.spend(controller, TRY, who, now)
    if may_try and code_is_right(here.request, _purpose(here), form.cleaned_data["code"], now):
        return True
    with unit_of_work([controller.pk]):
        newest = services.open_verification(here.request, now).codes.filter(purpose=_purpose(here))
        sent_at = newest.order_by("-sent_at").values_list("sent_at", flat=True).first()
        since = limits.count_since(controller, TRY, who, sent_at, now) if sent_at else 0
    form.add_error("code", explain(controller, Tries(sent_at, since), now))
    return False


def _purpose(here: Visitor) -> str:
    return identity.purpose_of(identity.STEP_UP, here.party)


# -- the files ---------------------------------------------------------------------------------------


def _ready(
    request: HttpRequest, controller: Controller, delivery: Delivery, form: PlainForm, status: int = 200
) -> HttpResponse:
    """The buttons, each with a token that works once and for some minutes."""
    now = timezone.now()
    context = _about(delivery)
    entries = context["entries"]
    assert isinstance(entries, list)
    try:
        context |= {
            "form": form,
            "zip_token": answer.download_link(delivery, now),
            "singles": [(entry, answer.download_link(delivery, now)) for entry in entries[:SINGLE_FILES]],
            "rest": entries[SINGLE_FILES:],
            "minutes": answer.DOWNLOAD_MINUTES,
        }
    except Refused:
        raise Http404 from None
    return page(request, controller, "portal/pack.html", context, status)


@require_POST
@open_door
def fetch(request: HttpRequest, controller: Controller, delivery_id: UUID) -> HttpResponse:
    """The whole pack, or one file of it. What was checked before is checked again; the token is spent for good."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        delivery = _delivery(here, delivery_id, now)
        if not here.is_stepped_up(delivery.pk, now):
            return see_other(_address(controller, delivery_id))
        is_first = _spend(request, here, delivery, now)
    with unit_of_work([controller.pk]):
        form = PlainForm({})
        wanted = _wanted(request, delivery)
        if is_first:
            fetched = attempt(lambda: answer.fetch(delivery, here.by, now, party=here.party), form)
            if fetched is not None:
                return _stream(delivery, wanted)
        else:
            form.add_error(None, _("This button was used already, or is too old. Here are new ones."))
        return _ready(request, controller, _delivery(here, delivery_id, now), form, 422)


def _spend(request: HttpRequest, here: Visitor, delivery: Delivery, now: datetime) -> bool:
    """Whether the token is for this request and delivery, alive, and used for the first time."""
    token = services.find_token(request.POST.get("token", ""), TokenPurpose.DOWNLOAD, now)
    return (
        token is not None
        and token.subject_request_id == here.request.pk
        and token.party == here.party
        and token.target_id == delivery.pk
        and services.use_up(token, now)
    )


def _wanted(request: HttpRequest, delivery: Delivery) -> PackFile | None:
    """The single file that is asked for; None means all. Raises Http404 for a file of something else."""
    wanted = request.POST.get("file", "")
    if not wanted:
        return None
    try:
        found: PackFile = delivery.pack.files.select_related("file").get(pk=UUID(wanted))
    except (ValueError, PackFile.DoesNotExist):
        raise Http404 from None
    return found


def _stream(delivery: Delivery, single: PackFile | None) -> HttpResponse:
    """Decrypted as it is sent. Keys are opened here, since the transaction is over when the bytes flow."""
    if single is not None:
        return _download(files.read(single.file), single.file.name, single.file.media_type)
    entries = [_entry(entry.file) for entry in delivery.pack.files.select_related("file")]
    name = delivery.pack.case.reference.replace("/", "-")
    return _download(pack_zip(entries), f"{name}.zip", "application/zip")


def _entry(stored: StoredFile) -> ZipEntry:
    return ZipEntry(_safe_path(stored.name), stored.size, files.read(stored))


def _safe_path(name: str) -> str:
    """Folders of the pack stay, and no name leads out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return "/".join(safe_name(part) for part in parts) or "file"


def _download(chunks: Iterator[bytes], name: str, media_type: str) -> HttpResponse:
    response = StreamingHttpResponse(chunks, content_type=media_type)
    plain = safe_name(name.replace("\\", "/").rpartition("/")[2])
    response["Content-Disposition"] = content_disposition_header(True, plain) or "attachment"
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response  # type: ignore[return-value]


def _address(controller: Controller, delivery_id: UUID) -> str:
    return reverse("portal:pack", args=[controller.slug, delivery_id])
