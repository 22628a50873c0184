"""The facts behind a reviewer's signals, and what they say in words. Reads only; nothing is decided by them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from cases import queries
from cases.connectors.base import ConfigurationError
from cases.connectors.dataset import parse_dataset
from cases.models import Case, Item, RequestOrigin, SignalDismissal, SourceSystem, SubjectRequest
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib import crypto, normalise
from dsar.vault.keyring import KeyDestroyed
from identity.models import DocumentStage, IdentityDocument, Method, VerificationState
from identity.policy.signals import Code, Facts, Seen, Signal, signals

ABOUT_THE_PERSON = timedelta(days=90)
FROM_THE_NETWORK = timedelta(days=1)
# A person has few requests and few records that say when their contact data changed.
LOOKED_AT = 20

_WORDS: Mapping[Code, tuple[Any, Any]] = {
    Code.SEVERAL_REQUESTERS: (
        gettext_lazy("Within 90 days {count} different requesters asked for this person"),
        gettext_lazy(
            "Compare who asked and where the answers go. Families and solicitors are harmless reasons."
        ),
    ),
    Code.CONTACT_CHANGED: (
        gettext_lazy("A source says that contact data of this person were changed on {day}"),
        gettext_lazy("Ask by a contact that is older than that before anything leaves the house."),
    ),
    Code.ADDRESS_UNKNOWN: (
        gettext_lazy("The answer is to go to an address that no source knows"),
        gettext_lazy("Ask why, and have it shown by something that was on file before."),
    ),
    Code.COUNTRY_DIFFERS: (
        gettext_lazy("Requests about this person came from different countries: {found}"),
        gettext_lazy("Travel is a harmless reason. Ask for what only the person knows where you doubt."),
    ),
    Code.LANGUAGE_DIFFERS: (
        gettext_lazy("Requests about this person came from browsers with different languages: {found}"),
        gettext_lazy("Borrowed devices are a harmless reason. Compare the wording of the requests."),
    ),
    Code.FAILED_CHECKS: (
        gettext_lazy("Checks of identity failed {count} times"),
        gettext_lazy("See below which ones, and whether somebody tries one way after the other."),
    ),
    Code.MANY_FROM_NETWORK: (
        gettext_lazy("Requests about {count} persons came from the same network within a day"),
        gettext_lazy("Offices and families share one. Look whether the requests are worded alike."),
    ),
}


@dataclass(frozen=True)
class Shown:
    """A signal in words, as the case page shows it. ``id`` is by what an act finds it again."""

    signal: Signal
    title: str
    look: str
    dismissal: SignalDismissal | None

    @property
    def id(self) -> UUID:
        return UUID(self.signal.digest[:32])


def of(case: Case, now: datetime) -> list[Shown]:
    """What stands out about the request of a case, those that nobody has looked into first."""
    request = case.subject_request
    done = {(one.code, one.facts): one for one in request.dismissals.select_related("dismissed_by")}
    found = [_shown(one, done.get((one.code.value, one.digest))) for one in signals(facts(request, now))]
    return sorted(found, key=lambda one: one.dismissal is not None)


def _shown(signal: Signal, dismissal: SignalDismissal | None) -> Shown:
    title, look = _WORDS[signal.code]
    values = dict(signal.values)
    if "day" in values:
        values["day"] = date_format(date.fromisoformat(values["day"]), "DATE_FORMAT")
    return Shown(signal, str(title).format(**values), str(look), dismissal)


# -- facts -----------------------------------------------------------------------------------------------


def facts(request: SubjectRequest, now: datetime) -> Facts:
    """What is known of a request and of others about the same person, at this brand alone."""
    zone = request.controller.zone
    return Facts(
        asked_on=request.received_at.astimezone(zone).date(),
        requests=_requests(request, now),
        address_on_file=_address_on_file(request),
        failures=_failures(request),
        from_network=_from_network(request),
        contact_changed=tuple(_contact_changed(request)),
    )


def _requests(request: SubjectRequest, now: datetime) -> list[Seen]:
    mine = SubjectRequest.objects.filter(
        subject_id__in=queries.same_person(request.subject),
        logged_at__gt=request.logged_at - ABOUT_THE_PERSON,
        is_drill=False,
    ).select_related("subject", "representative", "origin")
    return [_seen(one, now) for one in mine.order_by("-logged_at")[:LOOKED_AT]]


def _seen(request: SubjectRequest, now: datetime) -> Seen:
    origin: RequestOrigin | None = getattr(request, "origin", None)
    return Seen(_requester(request, now), origin.language if origin else "", origin.country if origin else "")


def _requester(request: SubjectRequest, now: datetime) -> str:
    """Who asks, as a keyed hash of their address; the same for every way to write it. Empty where none is known."""
    try:
        written = (request.representative or request.subject).email
    except KeyDestroyed:
        return ""
    if not written:
        return ""
    try:
        plain = normalise.email(written)
    except ValueError:
        plain = written.strip()
    return crypto.blind(queries.lookup_key(request.controller_id, now), f"requester|{plain}").hex()


def _address_on_file(request: SubjectRequest) -> bool | None:
    checks = request.verifications.filter(method=Method.EMAIL_CODE).order_by("-started_at", "-pk")
    found: bool | None = checks.values_list("address_on_file", flat=True).first()
    return found if request.representative_id is None else None


def _failures(request: SubjectRequest) -> int:
    """Wrong codes, refused documents and checks that came to nothing; each case's trail tells of the codes."""
    case = request.cases.order_by("pk").first()
    wrong = AuditEvent.objects.filter(case_id=case.pk if case else None, action=Action.CODE_FAILED).count()
    refused = IdentityDocument.objects.filter(
        verification__subject_request=request, stage=DocumentStage.REFUSED
    ).count()
    # A restarted e-mail check is marked as failed too, and nobody failed there; a document's is counted above.
    failed = request.verifications.filter(state=VerificationState.FAILED, document=None)
    return wrong + refused + failed.exclude(method=Method.EMAIL_CODE).count()


def _from_network(request: SubjectRequest) -> int:
    origin = RequestOrigin.objects.filter(subject_request=request).first()
    if origin is None:
        return 0
    near = RequestOrigin.objects.filter(
        controller=request.controller_id,
        network=bytes(origin.network),
        at__gt=origin.at - FROM_THE_NETWORK,
        at__lt=origin.at + FROM_THE_NETWORK,
    )
    return near.values("subject_request__subject").distinct().count()


def _contact_changed(request: SubjectRequest) -> Iterable[date]:
    """The days that sources tell, by fields whose description says that they hold them."""
    cases = [case.pk for case in request.cases.all()]
    for source in SourceSystem.objects.filter(controller_id=request.controller_id, is_active=True):
        for collection, paths in _marked(source).items():
            kept = Item.objects.filter(case__in=cases, source=source, collection=collection)
            for item in kept.select_related("case")[:LOOKED_AT]:
                yield from _days(item, paths)


def _marked(source: SourceSystem) -> dict[str, list[str]]:
    """The fields of a source that say when contact data changed, by collection."""
    try:
        dataset = parse_dataset(source.dataset)
    except ConfigurationError:
        return {}
    marked = {
        one.name: [inner.path for field in one.fields for inner in field.walk() if inner.contact_changed]
        for one in dataset.collections
    }
    return {name: paths for name, paths in marked.items() if paths}


def _days(item: Item, paths: Iterable[str]) -> Iterable[date]:
    try:
        record: Any = (item.content or {}).get("data")
    except KeyDestroyed:
        return
    for path in paths:
        found = _day(_at(record, path))
        if found is not None:
            yield found


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def _day(value: Any) -> date | None:
    text = str(value or "")
    try:
        moment = parse_datetime(text)
        return moment.date() if moment else parse_date(text[:10])
    except ValueError:
        return None
