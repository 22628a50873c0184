"""What a visitor claims before they have proved it, and the signed cookie in which the claim travels."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from cases.portal.door import home_path
from cases.workflow.claim import Claim, address_hash, claimed_by, make, request_of
from identity.models import Controller

COOKIE = "dsar_claim"
LIFETIME = timedelta(minutes=30)

__all__ = ["Claim", "address_hash", "claimed_by", "forget", "make", "remember", "remembered", "request_of"]


def remember(response: HttpResponse, controller: Controller, claim: Claim) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps([claim.reference, claim.address], salt=_salt(controller)),
        max_age=LIFETIME,
        path=home_path(controller),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def forget(response: HttpResponse, controller: Controller) -> None:
    response.delete_cookie(COOKIE, path=home_path(controller), samesite="Lax")


def remembered(request: HttpRequest, controller: Controller) -> Claim | None:
    """The claim in the visitor's cookie, if it is ours, for this brand, and not too old."""
    try:
        given = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(controller), max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return Claim(*given)


def _salt(controller: Controller) -> str:
    return f"cases.portal.claim.{controller.pk}"
