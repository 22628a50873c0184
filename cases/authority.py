"""By what right somebody asks for another person at this moment, and to whom the answer may go. Reads only.

The right is the person's. A solicitor, a parent or an attorney has to show that they may use it (Art 12(2) and
(6); ICO, requests made on behalf of others), for this right, and at the moment at which something leaves the house.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cases.law import loader as law
from cases.models import Authority, AuthorityState, Case, DataSubject, Representative, SubjectRequest
from cases.models.case import AUTHORISED, tells_nothing
from cases.words import AnswerTo, Party, Right
from identity.models import Method

NOT_NEEDED, VALID = AUTHORISED
MISSING, UNJUDGED, OUTSIDE = "missing", "unjudged", "outside"
REFUSED, REVOKED = "refused", "revoked"
NOT_YET, EXPIRED, NOT_COVERED = "not_yet", "expired", "not_covered"

# Whoever asks for somebody else has one of these; of everybody else's case nothing is said.
CODES = frozenset({VALID, MISSING, UNJUDGED, OUTSIDE, REFUSED, REVOKED, NOT_YET, EXPIRED, NOT_COVERED})

_BY_STATE: dict[str, str] = {
    AuthorityState.ASKED: MISSING,
    AuthorityState.RECEIVED: UNJUDGED,
    AuthorityState.REFUSED: REFUSED,
    AuthorityState.REVOKED: REVOKED,
}
_PARTIES: dict[str, tuple[Party, ...]] = {
    AnswerTo.SUBJECT: (Party.SUBJECT,),
    AnswerTo.REPRESENTATIVE: (Party.REQUESTER,),
    AnswerTo.BOTH: (Party.REQUESTER, Party.SUBJECT),
}


@dataclass(frozen=True)
class Standing:
    """Whether somebody may ask: ``code`` is one of the words above, ``authority`` what it rests on."""

    code: str
    authority: Authority | None = None

    @property
    def is_enough(self) -> bool:
        return self.code in AUTHORISED


def is_needed(case: Case) -> bool:
    """Whether authority has to be shown for this case.

    Advertising is stopped whoever says so (Art 21(3)), and a complaint about the handling is looked at whoever
    makes it.
    """
    request = case.subject_request
    if request.representative_id is None or request.is_drill or case.right == Right.COMPLAINT:
        return False
    return not (case.right == Right.OBJECTION and case.about_marketing)


def standing(case: Case, now: datetime) -> Standing:
    """From what was shown and judged for the case's own request, as it is at this moment."""
    if not is_needed(case):
        return Standing(NOT_NEEDED)
    if outside(case) is not None:
        return Standing(OUTSIDE)
    rounds = list(case.subject_request.authorities.order_by("-version"))
    held = next((one for one in rounds if one.state == AuthorityState.ACCEPTED), None)
    if held is not None:
        return Standing(_flaw(held, case, _today(case, now)) or VALID, held)
    return Standing(_BY_STATE[rounds[0].state], rounds[0]) if rounds else Standing(MISSING)


def outside(case: Case) -> law.Outside | None:
    """Why the law of the case gives nobody of this kind a right, such as heirs of the dead (recital 27)."""
    representative = case.subject_request.representative
    return law.outside(representative.kind, case.regime) if representative else None


def _today(case: Case, now: datetime) -> date:
    return now.astimezone(case.controller.zone).date()


def _flaw(held: Authority, case: Case, today: date) -> str:
    if held.valid_from is not None and today < held.valid_from:
        return NOT_YET
    if held.valid_until is not None and today > held.valid_until:
        return EXPIRED
    return "" if case.right in held.rights else NOT_COVERED


# -- to whom the answer goes ---------------------------------------------------------------------------


def recipients(case: Case, now: datetime) -> tuple[Party, ...]:
    """Who gets what is decided in this case, at this moment; nobody while nobody has shown that they may ask.

    What says nothing of the person goes to whoever asked.
    """
    if tells_nothing(case):
        return (Party.REQUESTER,)
    found = standing(case, now)
    if found.code == NOT_NEEDED:
        return (Party.REQUESTER,)
    return _PARTIES[found.authority.answer_to] if found.authority and found.is_enough else ()


def person_of(request: SubjectRequest, party: str = Party.REQUESTER) -> DataSubject | Representative:
    """Who is written to as this party."""
    own = request.representative if party == Party.REQUESTER else None
    return own or request.subject


def addressee(case: Case, now: datetime) -> DataSubject | Representative:
    """Whose name a letter of the case bears; of two recipients the person whose data it is."""
    found = recipients(case, now) or (Party.REQUESTER,)
    return person_of(case.subject_request, found[-1])


def chosen(request: SubjectRequest) -> str:
    """Where the newest judgement sends the answer; empty where there was none. Part of what is approved."""
    if request.representative_id is None:
        return ""
    judged = request.authorities.exclude(answer_to="").order_by("-version")
    return str(judged.values_list("answer_to", flat=True).first() or "")


def address_on_file(request: SubjectRequest) -> bool | None:
    """Whether a source knows the person's own e-mail address; None while none has answered."""
    checks = request.verifications.filter(method=Method.EMAIL_CODE).order_by("-started_at", "-pk")
    known: bool | None = checks.values_list("address_on_file", flat=True).first()
    return known


# -- what may be shown ---------------------------------------------------------------------------------


def mandates(case: Case) -> Sequence[law.Mandate]:
    """What this representative may show under the law of the case."""
    representative = case.subject_request.representative
    return law.mandates_for(representative.kind, case.regime) if representative else ()


def rounds(request: SubjectRequest) -> list[Authority]:
    """Every round of asking and showing, the newest first."""
    found = request.authorities.select_related("asked_by", "decided_by", "subject_request")
    return list(found.prefetch_related("pictures").order_by("-version"))
