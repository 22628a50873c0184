"""What the customer is asked to show next, on the page of their request: the least that is missing, and why."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cases import assurance
from cases.models import Case
from cases.words import Outcome
from cases.workflow import text_code
from identity.policy import wording
from identity.providers.base import Need

# Where something may yet be fetched or done, it has to be sure who it is.
_ANSWERED = frozenset({Outcome.FULFILLED, Outcome.PARTLY_FULFILLED})


@dataclass(frozen=True)
class Proof:
    """What to do next.

    ``by_code``: a button sends a fresh code; ``by_text``: one texts it; ``by_login``: one leads to the customer's
    account, ``by_questions`` to questions from the record.
    """

    text: str
    reason: str
    by_code: bool
    by_login: bool = False
    by_text: bool = False
    by_questions: bool = False

    @property
    def is_at_hand(self) -> bool:
        """Whether it takes less than what other cards of the page offer."""
        return self.by_login or self.by_text or self.by_questions


def proof_of(cases: list[Case], request_id: object, now: datetime) -> Proof | None:
    """None where it is sure enough who it is, for each case of this very request."""
    own = [case for case in cases if case.subject_request_id == request_id and _counts(case)]
    missing = [found for found in assurance.standings(own, now) if not found.is_enough]
    if not missing:
        return None
    strictest = max(missing, key=lambda found: found.requirement.level)
    way = assurance.proposal_from(own[0].subject_request, strictest, now)
    if way.next is None:
        return Proof(
            _(
                "What you have shown so far is not enough, and we cannot ask for more here. Write to us below."
            ),
            "",
            by_code=False,
        )
    needs = way.next.needs
    is_code = bool(needs & {Need.EMAIL, Need.PHONE})
    return Proof(
        _(way.next.asks),
        wording.why_you(way, _),
        by_code=Need.EMAIL in needs,
        by_login=Need.LOGIN in needs,
        by_text=is_code and text_code.why_not(own[0].subject_request) is None,
        by_questions=Need.FACTS in needs,
    )


def _counts(case: Case) -> bool:
    return case.takes_proof or case.outcome in _ANSWERED
