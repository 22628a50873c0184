"""The customer signs in with the controller's own account: a trip to the provider, and what it shows of the person.

The trip is bound to one request and its person. What the account says of itself is compared with what the person
is known by, as keyed hashes; a source is asked, yes or no, whether it knows what matched.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from cases import queries
from cases.collection.identifiers import AT_SOURCES
from cases.connectors.base import Identifier
from cases.models import SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.workflow import identity
from cases.workflow.perform import lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import services
from identity.models import CustomerLogin, Verification, VerificationState
from identity.openid import flow
from identity.openid.flow import Claims, Ticket
from identity.providers import registry
from identity.providers.base import Context, Person, Step
from identity.providers.login import method

CHECK_LOGIN = "check_login"
NUMBER = "external_id"
METHOD = method.CustomerLogin.about.code
TRIPS_PER_HOUR = method.CustomerLogin.about.steps_per_hour


def login_of(controller_id: UUID) -> CustomerLogin | None:
    """The controller's customer sign-in, where one is connected."""
    found: CustomerLogin | None = CustomerLogin.objects.filter(
        controller_id=controller_id, is_active=True
    ).first()
    return found


def is_possible(request: SubjectRequest) -> bool:
    """An account shows who the customer is: not who speaks for them, and nobody in a drill."""
    return request.representative_id is None and not request.is_drill


def depart(request: SubjectRequest, login: CustomerLogin, by: By, now: datetime) -> str:
    """Where to send the browser. Raises Refused where that is not possible, OpenIdRefused where nobody answers."""
    if not is_possible(request):
        raise Refused(_("An account shows who its customer is, not who speaks for them."), "not_the_person")
    address, ticket = flow.begin(login.connection, back_address(login))
    with transaction.atomic():
        lock_all(request.pk)
        recent = Verification.objects.filter(
            subject_request=request, method=METHOD, started_at__gt=now - timedelta(hours=1)
        )
        if recent.count() >= TRIPS_PER_HOUR:
            raise Refused(
                _("That was tried too often. Wait an hour, or show who you are in another way."), "too_often"
            )
        _close_open(request, now)
        verification = services.new_verification(request, now, METHOD)
        verification.progress = {"ticket": ticket.kept()}
        verification.save(update_fields=["progress"])
        _on_record(request, Action.LOGIN_BEGUN, by, now, {"verification": str(verification.pk)})
    return address


def back_address(login: CustomerLogin) -> str:
    """The address that the provider sends the browser back to; it is registered there."""
    return settings.BASE_URL + reverse("portal:login-back", args=[login.controller.slug])


def take_ticket(request: SubjectRequest) -> tuple[Verification, Ticket] | None:
    """The open trip of this request and its ticket, which is spent with this. Commit before using it."""
    lock_all(request.pk)
    trips = Verification.objects.filter(
        subject_request=request, subject_id=request.subject_id, method=METHOD, state=VerificationState.OPEN
    )
    verification = trips.select_for_update(of=("self",)).order_by("-started_at", "-pk").first()
    kept = verification.progress if verification is not None else None
    if verification is None or not isinstance(kept, dict) or "ticket" not in kept:
        return None
    verification.progress = None
    verification.save(update_fields=["progress"])
    return verification, Ticket.of(kept["ticket"])


def who_signed_in(login: CustomerLogin, ticket: Ticket, answer: Mapping[str, str]) -> Claims:
    """Ask the provider, outside of any transaction. Raises OpenIdRefused."""
    return flow.finish(login.connection, back_address(login), ticket, answer)


def refused(verification: Verification, reason: str, by: By, now: datetime) -> None:
    """The trip ended in nothing; which account it was is not kept."""
    with transaction.atomic():
        lock_all(verification.subject_request_id)
        services.fail(verification, now)
        _on_record(verification.subject_request, Action.LOGIN_REFUSED, by, now, {"reason": reason})


def signed_in(
    verification: Verification, login: CustomerLogin, claims: Claims, by: By, now: datetime
) -> bool:
    """Compare the account with the person; True where it may be theirs, and the sources are being asked."""
    request = verification.subject_request
    with transaction.atomic():
        lock_all(request.pk)
        locked = Verification.objects.select_for_update().get(pk=verification.pk)
        if locked.state != VerificationState.OPEN or locked.subject_id != request.subject_id:
            return False
        told = _told(login, claims)
        matches, differs = compared(request, told, now)
        given: dict[str, Any] = {"matches": sorted(matches), "differs": sorted(differs), "acr": claims.acr}
        step = registry.build(METHOD, login.setup).step({}, given, Person(), Context(now, b""))
        if step.result is not None:
            refused(locked, step.result.reason, by, now)
            return False
        locked.progress = {"state": step.state, "told": {kind: told[kind] for kind in sorted(matches)}}
        locked.save(update_fields=["progress"])
        identity.received(request, by, now)
        _on_record(request, Action.LOGIN_ACCEPTED, by, now, {"kinds": sorted(matches)})
        _look_up(locked, now)
        return True


def compared(request: SubjectRequest, told: Mapping[str, str], now: datetime) -> tuple[set[str], set[str]]:
    """Which kinds of identifiers are the person's, and which speak of somebody else.

    An address may be one of several; a customer number is one person's.
    """
    known = {(one.kind, bytes(one.blind)) for one in request.subject.identifiers.all()}
    said = queries.blind_identifiers(request.controller, now, **told)
    matches = {kind for kind, blind in said if (kind, blind) in known}
    has_number = any(kind == NUMBER for kind, _blind in known)
    says_number = any(kind == NUMBER for kind, _blind in said)
    is_another = has_number and says_number and NUMBER not in matches
    return matches, {NUMBER} if is_another else set()


def wanted(verification: Verification) -> list[Identifier]:
    """What the sources are asked about; nothing where the trip has ended meanwhile."""
    kept = verification.progress if verification.state == VerificationState.OPEN else None
    told = (kept or {}).get("told", {})
    return [Identifier(AT_SOURCES[kind], value) for kind, value in told.items()]


def looked_up(verification: Verification, on_file: bool, now: datetime) -> None:
    """A source knows what matched, or none does: the sign-in counts."""
    with transaction.atomic():
        lock_all(verification.subject_request_id)
        locked = Verification.objects.select_for_update().get(pk=verification.pk)
        login = login_of(locked.controller_id)
        if locked.state != VerificationState.OPEN or not isinstance(locked.progress, dict) or login is None:
            return
        state = locked.progress.get("state", {})
        step: Step = registry.build(METHOD, login.setup).step(
            state, {"on_file": on_file}, Person(), Context(now, b"")
        )
        if step.result is None:
            return
        # Which address or number it was has served; that it matched is what later searches go by.
        locked.progress, locked.address_on_file = {"state": step.state}, on_file
        locked.save(update_fields=["progress", "address_on_file"])
        services.achieve(locked, step.result.level, BY_SYSTEM.actor, now)


def _told(login: CustomerLogin, claims: Claims) -> dict[str, str]:
    """What the provider vouches for. An address that somebody merely typed there names nobody."""
    told = {
        "email": _claim(claims, login.email_claim) if claims.get("email_verified") is True else "",
        "phone": _claim(claims, login.phone_claim) if claims.get("phone_number_verified") is True else "",
        NUMBER: _claim(claims, login.external_id_claim),
    }
    return {kind: value for kind, value in told.items() if value}


def _claim(claims: Claims, name: str) -> str:
    value = claims.get(name) if name else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _close_open(request: SubjectRequest, now: datetime) -> None:
    """A new trip takes the place of one that was not finished."""
    for one in Verification.objects.filter(
        subject_request=request, method=METHOD, state=VerificationState.OPEN
    ):
        services.fail(one, now)


def _look_up(verification: Verification, now: datetime) -> None:
    enqueue(
        CHECK_LOGIN,
        controller_id=verification.controller_id,
        key=f"login:{verification.pk}",
        args={"verification": str(verification.pk)},
        now=now,
    )


def _on_record(request: SubjectRequest, action: Action, by: By, now: datetime, codes: dict[str, Any]) -> None:
    for case in request.cases.order_by("pk"):
        put_on_record(case, action, by, now, codes)
