"""Being in the portal after a code was accepted: a token in a cookie of this brand's pages alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from cases.models import SubjectRequest
from cases.permissions import By, by_customer
from cases.portal.door import home_path
from cases.words import Party
from identity import services
from identity.models import AccessToken, Controller, TokenPurpose

COOKIE = "dsar_portal"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
# Prolonging at each click would be a write at each click.
GRAIN = timedelta(minutes=1)
STEPPED_UP = timedelta(minutes=10)


@dataclass(frozen=True)
class Visitor:
    """Somebody who proved control of the requester's address."""

    token: AccessToken

    @property
    def request(self) -> SubjectRequest:
        request: SubjectRequest = self.token.subject_request
        return request

    @property
    def party(self) -> Party:
        """Whoever asked, or the person for whom a representative did."""
        return Party(self.token.party)

    @property
    def by(self) -> By:
        return by_customer(self.request.pk)

    def is_stepped_up(self, delivery_id: UUID, now: datetime) -> bool:
        """Whether a fresh code was accepted for this very delivery, some minutes ago at most."""
        return self.token.target_id == delivery_id and self.token.created_at > now - STEPPED_UP


def visitor(request: HttpRequest, controller: Controller, now: datetime) -> Visitor | None:
    """Who comes with a living session of this brand; it is prolonged."""
    value = request.COOKIES.get(COOKIE, "")
    token = services.find_token(value, TokenPurpose.SESSION, now) if value else None
    if token is None or token.controller_id != controller.pk or token.created_at < now - LONGEST:
        return None
    if token.expires_at < now + IDLE - GRAIN:
        AccessToken.objects.filter(pk=token.pk).update(expires_at=now + IDLE)
    return Visitor(token)


def begin(
    request: SubjectRequest,
    now: datetime,
    *,
    after: Visitor | None = None,
    delivery_id: UUID | None = None,
    party: Party = Party.REQUESTER,
) -> str:
    """A new session and its value; the one before it, if any, ends."""
    if after is not None:
        end(after, now)
    level = max((case.identity_level for case in request.cases.all()), default=0)
    return services.new_token(
        TokenPurpose.SESSION, request, now, IDLE, level=level, target_id=delivery_id, party=party
    )


def end(gone: Visitor, now: datetime) -> None:
    AccessToken.objects.filter(pk=gone.token.pk, revoked_at=None).update(revoked_at=now)


def give(response: HttpResponse, controller: Controller, value: str) -> None:
    """Put the session into the visitor's browser, until it is closed."""
    response.set_cookie(
        COOKIE,
        value,
        path=home_path(controller),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def take_away(response: HttpResponse, controller: Controller) -> None:
    response.delete_cookie(COOKIE, path=home_path(controller), samesite="Lax")
