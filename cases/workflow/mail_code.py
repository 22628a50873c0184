"""A one-time code by mail for somebody who only claims to have asked: whether that is true, a job looks at, later.

So the page that ordered it does the same work for a true claim and a false one.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from cases.permissions import by_customer
from cases.workflow import claim as claims
from cases.workflow import identity
from cases.workflow.claim import Claim
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity.models import Controller

ASK = "ask_mail_code"


def order(controller: Controller, claim: Claim, now: datetime) -> None:
    """A visitor of the portal asks for a code."""
    enqueue(
        ASK,
        controller_id=controller.pk,
        key=f"mail:{claim.reference}:{claim.address[:32]}",
        args={"reference": claim.reference, "address": claim.address},
        now=now,
    )


def send(controller_id: UUID, args: Mapping[str, str], now: datetime) -> bool:
    """Send the code where the claim is true; False where it is not, or where too many were sent."""
    controller = Controller.objects.get(pk=controller_id)
    found = claims.claimed_by(controller, Claim(args["reference"], args["address"]), now)
    if found is None:
        return False
    request, party = found
    try:
        identity.send_code(request, identity.purpose_of(identity.VERIFY, party), by_customer(request.pk), now)
    except Refused:
        # Codes for fetching an answer count too. A page that said so would tell that the request exists.
        return False
    return True
