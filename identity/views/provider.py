"""The external providers of identity checks: how each is spoken with, and whether it answers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity import external
from identity.models import CheckStage, ExternalCheck, IdentityProvider
from identity.models.external import OUTCOMES
from identity.providers.external.wire import places
from identity.roles import Permission
from identity.views.person import person_of

RECENT = timedelta(days=30)

_SENT = {
    "reference": gettext_lazy("our reference of the check"),
    "back": gettext_lazy("where the customer is sent back to"),
    "webhook": gettext_lazy("where messages go"),
    "language": gettext_lazy("language"),
    "name": gettext_lazy("name"),
    "birth_date": gettext_lazy("date of birth"),
    "email": gettext_lazy("e-mail address"),
}
_TRIED = {
    "answers": gettext_lazy("It answers, and takes our token."),
    "http_401": gettext_lazy("It answers, but does not take our token."),
    "http_403": gettext_lazy("It answers, but does not take our token."),
    "timeout": gettext_lazy("It did not answer in time."),
    "no_connection": gettext_lazy("It cannot be reached at this address."),
    "forbidden_destination": gettext_lazy("The address is in a network that is not connected to."),
}


@dataclass(frozen=True)
class Shown:
    """One provider in words."""

    provider: IdentityProvider
    base_url: str
    hosts: str
    sent: str
    compares: str
    outcomes: tuple[tuple[str, str], ...]
    webhook_url: str
    keys: int
    tried: str
    counts: tuple[tuple[str, int], ...]


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """Each brand's provider, for who administers it."""
    if not person_of(request).access.anywhere(Permission.ADMINISTER):
        raise Http404
    found = _visible(request)
    counts = _counts(found)
    shown = [_shown(one, counts.get(one.pk, {})) for one in found]
    return render(request, "identity/providers.html", {"providers": shown})


@require_POST
def try_provider(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Ask the provider for a check that cannot exist: nobody is named, nothing is opened."""
    provider = next((one for one in _visible(request) if one.pk == provider_id), None)
    if provider is None:
        raise Http404
    now, code = timezone.now(), external.try_out(external.connection_of(provider))
    IdentityProvider.objects.filter(pk=provider.pk).update(tried_at=now, tried_code=code)
    codes = {"provider": str(provider.pk), "result": code}
    record(
        Action.IDENTITY_PROVIDER_TRIED,
        person_of(request).actor,
        now,
        controller_id=provider.controller_id,
        data=codes,
    )
    said = messages.success if code == "answers" else messages.error
    said(request, _tried(code))
    return HttpResponse(status=303, headers={"Location": reverse("identity:providers")})


def _visible(request: HttpRequest) -> list[IdentityProvider]:
    found = IdentityProvider.objects.visible_to(person_of(request), Permission.ADMINISTER)
    return list(found.select_related("controller").order_by("controller__name"))


def _counts(found: list[IdentityProvider]) -> Mapping[UUID, Mapping[str, int]]:
    """How the checks of the last days ended, by provider."""
    since = timezone.now() - RECENT
    rows = ExternalCheck.objects.filter(provider__in=found, asked_at__gt=since)
    counted = Counter(rows.values_list("provider_id", "stage"))
    return {
        one.pk: {stage: number for (provider, stage), number in counted.items() if provider == one.pk}
        for one in found
    }


def _shown(provider: IdentityProvider, counts: Mapping[str, int]) -> Shown:
    wire = provider.wire
    sent = places(wire.start.body)
    return Shown(
        provider=provider,
        base_url=wire.base_url,
        hosts=", ".join(sorted(wire.hosts)),
        sent=", ".join(str(words) for name, words in _SENT.items() if name in sent),
        compares=_("the provider, by the name that is sent")
        if wire.holder == "sent"
        else _("we, by the name that the provider tells; it is not kept"),
        outcomes=tuple((word, str(OUTCOMES[ours])) for word, ours in wire.outcomes.items()),
        webhook_url=settings.BASE_URL + f"/p/{provider.controller.slug}/provider/messages/",
        keys=len(provider.signing_keys),
        tried=_tried(provider.tried_code) if provider.tried_at else "",
        counts=tuple((str(stage.label), counts.get(stage.value, 0)) for stage in CheckStage),
    )


def _tried(code: str) -> str:
    known = _TRIED.get(code)
    return str(known) if known else _("It answers with an error ({code}).").format(code=code)
