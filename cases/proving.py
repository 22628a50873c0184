"""How sure one is of who asks, and what to ask for next, in words: for the desk, the agent and the customer."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cases import assurance
from cases.models import Case
from cases.workflow import call_check, record_questions, text_code, unanswered
from cases.workflow.unanswered import Pursued
from identity.policy import wording
from identity.policy.combine import Evidence
from identity.policy.propose import Proposal
from identity.providers import registry
from identity.providers.base import About


@dataclass(frozen=True)
class Way:
    """A method to ask for, with who performs it and what the customer is told."""

    code: str
    name: str
    performed: str
    asks: str


@dataclass(frozen=True)
class Proving:
    """Where one case stands. ``rule`` and ``version`` say what asks for the level, ``why`` says it in words.

    ``can_check``: the agent may ask the brand's own questions in this conversation. ``can_text``: they may have a
    code texted, which the caller reads out. ``can_ask``: they may put questions from the record.
    """

    level: str
    needed: str
    is_enough: bool
    why: str
    rule: str
    version: int
    ways: tuple[Way, ...]
    reason: str
    lapsed: tuple[str, ...]
    pursued: Pursued | None = None
    can_check: bool = False
    can_text: bool = False
    can_ask: bool = False

    @property
    def next(self) -> Way | None:
        return self.ways[0] if self.ways else None


def proving(case: Case, now: datetime, *, in_contact: bool = False) -> Proving:
    """As it is at this moment, whatever the case remembers of it."""
    found = assurance.standing(case, now)
    way = assurance.proposal_from(case.subject_request, found, now, in_contact=in_contact)
    asked = found.requirement
    return Proving(
        level=_(wording.LEVELS[found.level]),
        needed=_(wording.LEVELS[asked.level]),
        is_enough=found.is_enough,
        why=_(asked.why) if asked.why else "",
        rule=asked.rule,
        version=asked.version,
        ways=tuple(_way(one) for one in way.methods),
        reason=wording.why_this(way, _),
        lapsed=_lapsed(way),
        pursued=unanswered.of(case, now) if case.waits_for_proof and case.is_open else None,
        can_check=in_contact and call_check.why_not(case.subject_request, now) is None,
        can_text=in_contact and text_code.why_not(case.subject_request) is None,
        can_ask=in_contact and record_questions.may_ask(case.subject_request, now),
    )


def _way(method: About) -> Way:
    return Way(
        method.code,
        _(method.name),
        _(wording.PERFORMERS[method.performer]),
        _(method.asks) if method.asks else "",
    )


def _lapsed(way: Proposal) -> tuple[str, ...]:
    """What was shown in this request and counts no more."""
    return tuple(_name(one) for one in way.lapsed if one.is_own)


def _name(evidence: Evidence) -> str:
    about = registry.known().get(evidence.method)
    return _(about.name) if about else evidence.method
