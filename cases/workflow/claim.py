"""What somebody claims before they have proved it: a reference, and the address that it was asked from.

A claim holds nothing that we looked up, so it is the same whether or not there is such a request.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

from cases import queries
from cases.models import SubjectRequest
from cases.workflow.identity import requester_email
from dsar.lib import crypto, normalise
from identity.models import Controller


@dataclass(frozen=True)
class Claim:
    """``address`` is the keyed hash of an e-mail address, in hexadecimal."""

    reference: str
    address: str

    @property
    def key(self) -> str:
        """Under which tries are counted."""
        return f"{self.reference}|{self.address}"


def make(controller: Controller, reference: str, email: str, now: datetime) -> Claim:
    return Claim(reference, address_hash(controller, email, now))


def address_hash(controller: Controller, email: str, now: datetime) -> str:
    """The same for every way to write the address."""
    try:
        plain = normalise.email(email)
    except ValueError:
        plain = email.strip()
    return crypto.blind(queries.lookup_key(controller.pk, now), f"claim|{plain}").hex()


def request_of(controller: Controller, claim: Claim, now: datetime) -> SubjectRequest | None:
    """The request that is claimed; None where there is none, or its requester has another address."""
    found: SubjectRequest | None = (
        SubjectRequest.objects.filter(controller=controller, reference=claim.reference)
        .select_related("subject", "representative", "controller")
        .first()
    )
    if found is None or not requester_email(found):
        return None
    known = address_hash(controller, requester_email(found), now)
    return found if hmac.compare_digest(known, claim.address) else None
