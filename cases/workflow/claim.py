"""What somebody claims before they have proved it: a reference, and the address that it was asked from.

A claim holds nothing that we looked up, so it is the same whether or not there is such a request.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

from cases import queries
from cases.correspondence.compose import Kind
from cases.models import LetterState, SubjectRequest
from cases.words import Party
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
    found = _named(controller, claim)
    return found if found and _has_address(found, requester_email(found), claim, now) else None


def claimed_by(controller: Controller, claim: Claim, now: datetime) -> tuple[SubjectRequest, Party] | None:
    """The request, and who it is that claims it: whoever asked, or the person to whom the answer was sent."""
    found = _named(controller, claim)
    if found is None:
        return None
    if _has_address(found, requester_email(found), claim, now):
        return found, Party.REQUESTER
    if _was_answered(found) and _has_address(found, found.subject.email, claim, now):
        return found, Party.SUBJECT
    return None


def _named(controller: Controller, claim: Claim) -> SubjectRequest | None:
    found: SubjectRequest | None = (
        SubjectRequest.objects.filter(controller=controller, reference=claim.reference)
        .select_related("subject", "representative", "controller")
        .first()
    )
    return found


def _has_address(found: SubjectRequest, email: str, claim: Claim, now: datetime) -> bool:
    return bool(email) and hmac.compare_digest(address_hash(found.controller, email, now), claim.address)


def _was_answered(found: SubjectRequest) -> bool:
    """Whether an answer to what a representative asked went to the person themselves: that opens the door to them."""
    if found.representative_id is None:
        return False
    own = found.letters.filter(party=Party.SUBJECT, state=LetterState.SENT)
    return own.exclude(kind=Kind.ONE_TIME_CODE).exists()
