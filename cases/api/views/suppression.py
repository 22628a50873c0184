"""Whether addresses are suppressed, for whoever imports some: yes or no to each, in order, and nothing else."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from cases.models import SuppressionPurpose
from cases.workflow import suppression
from dsar.lib.tenancy import unit_of_work
from identity import limits
from identity.limits import NOT_BELIEVED, SUPPRESSION, Limit
from identity.models import Controller
from identity.whereabouts import client_address

log = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
LONGEST = 320  # of an e-mail address (RFC 3696)


class Problem(Exception):
    """An answer that is not what was asked for: a status, a code, and a sentence free of what was sent."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        self.response = JsonResponse({"error": {"code": code, "message": message}}, status=status)
        for name, value in headers.items():
            self.response[name.replace("_", "-")] = value


@csrf_exempt
@require_POST
@sensitive_variables()
def check(request: HttpRequest) -> JsonResponse:
    """Answer ``{"suppressed": [true, false, null]}``: null for a value that cannot be read.

    401 without a living token, 400 for another form, 413 for too much, 429 where too many came.
    """
    now = timezone.now()
    try:
        controller_id, token_id = _believed(request, now)
        _count(request, SUPPRESSION, str(token_id), now, controller_id)
        values, purpose = _asked(request)
        with unit_of_work([controller_id]):
            controller = Controller.objects.get(pk=controller_id)
            found = suppression.check(controller, values, now, purpose=purpose)
    except Problem as problem:
        return problem.response
    log.info("suppression: %d asked, %d on the list", len(found), sum(one is True for one in found))
    return JsonResponse({"purpose": purpose.value, "suppressed": found})


def _believed(request: HttpRequest, now: datetime) -> tuple[UUID, UUID]:
    """The controller and the token. A guess costs a try of the network that it comes from."""
    kind, _space, value = request.headers.get("authorization", "").partition(" ")
    controller_id = suppression.controller_of(value.strip()) if kind.lower() == "bearer" else None
    if controller_id is not None:
        with unit_of_work([controller_id]):
            token = suppression.find_token(value.strip(), now)
        if token is not None:
            return controller_id, token.pk
    _count(request, NOT_BELIEVED, client_address(request), now)
    raise Problem(401, "not_believed", "A living token is needed.", WWW_Authenticate="Bearer")


def _count(request: HttpRequest, limit: Limit, who: str, now: datetime, brand: UUID | None = None) -> None:
    over = limits.take([(limit, who)], now, brand=brand, actor="system")
    if over is not None:
        message = "Too many calls. Try again when the time in Retry-After is over."
        raise Problem(429, "too_many", message, Retry_After=str(over.seconds(now)))


def _asked(request: HttpRequest) -> tuple[list[str], SuppressionPurpose]:
    said = _content(request)
    values, purpose = said.get("values"), said.get("purpose", suppression.PURPOSE.value)
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise Problem(400, "values", "“values” must be a list of texts.")
    if len(values) > suppression.MOST_AT_ONCE or any(len(one) > LONGEST for one in values):
        raise Problem(413, "too_much", f"At most {suppression.MOST_AT_ONCE} values of {LONGEST} signs each.")
    if purpose not in SuppressionPurpose.values:
        raise Problem(400, "purpose", "There is no such purpose.")
    return values, SuppressionPurpose(purpose)


def _content(request: HttpRequest) -> Mapping[str, Any]:
    length = request.headers.get("content-length") or "0"
    if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BYTES:
        raise Problem(413, "too_much", f"At most {MOST_BYTES} bytes.")
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        # The cause is cut off: it quotes what was sent.
        raise Problem(400, "not_json", "The body must be JSON.") from None
    if not isinstance(said, dict):
        raise Problem(400, "not_json", "The body must be a JSON object.")
    return said
