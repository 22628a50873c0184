"""What a person may be asked from the record: declared questions, without those that were asked before. Reads only.

Nothing here depends on what a source holds of the person: it would show in which questions are asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases import queries
from cases.connectors import registry
from cases.connectors.base import ConfigurationError
from cases.connectors.base import Setup as ConnectorSetup
from cases.connectors.questions import AnswersQuestions, Question
from cases.models import AskedQuestion, SourceSystem, SubjectRequest
from identity import assurance
from identity.models import Method, Verification
from identity.models.policy import rules_of
from identity.policy.rules import RecordQuestions
from identity.providers.base import JSON, Setup
from identity.providers.record import answers

METHOD = Method.RECORD_QUESTIONS.value
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Offered:
    """A question of one source. ``name`` tells it apart from those of all others of the brand."""

    source: str
    question: Question

    @property
    def name(self) -> str:
        return f"{self.source}:{self.question.name}"


def policy_of(request: SubjectRequest) -> RecordQuestions:
    """How questions are asked, by the policy in force."""
    return rules_of(assurance.policy_in_force(request.controller_id)).record_questions


def call_minutes(request: SubjectRequest) -> int:
    """How long after it was logged a request still belongs to its conversation."""
    return rules_of(assurance.policy_in_force(request.controller_id)).call_check.minutes


def offered(request: SubjectRequest) -> list[Offered]:
    """Every question that the brand's sources declare."""
    sources = SourceSystem.objects.filter(controller_id=request.controller_id, is_active=True)
    plain = sources.order_by("slug").defer("secrets")
    return [found for source in plain for found in _of_source(source)]


def _of_source(source: SourceSystem) -> Iterator[Offered]:
    try:
        kind = registry.get(source.connector)
        if issubclass(kind, AnswersQuestions):
            declared = kind.questions(ConnectorSetup(source.options, {}, source.dataset or None))
            yield from (Offered(source.slug, one) for one in declared)
    except ConfigurationError:
        return  # its own searches say so


def setup_of(request: SubjectRequest, found: list[Offered], now: datetime, language: str) -> Setup:
    """What the method is made from: the questions in this language, and those that are not to be asked again."""
    policy = policy_of(request)
    questions: list[JSON] = [
        {
            "name": one.name,
            "kind": one.question.kind.value,
            "text": one.question.in_language(language),
            "choices": list(one.question.choices),
        }
        for one in found
    ]
    not_again: list[JSON] = [*sorted(asked_before(request, policy, now))]
    return Setup(
        {
            "questions": questions,
            "not_again": not_again,
            "ask": policy.ask,
            "right": policy.right,
            "max_level": int(policy.max_level),
        }
    )


def asked_before(request: SubjectRequest, policy: RecordQuestions, now: datetime) -> set[str]:
    """What this person was asked already, under whichever row the brand knows them."""
    since = now - timedelta(days=policy.not_again_days)
    asked = AskedQuestion.objects.filter(subject__in=queries.same_person(request.subject), asked_at__gt=since)
    return set(asked.values_list("question", flat=True))


def tries_today(request: SubjectRequest, now: datetime) -> int:
    """How often this person was asked within a day, under whichever request."""
    return Verification.objects.filter(
        subject_id__in=queries.same_person(request.subject), method=METHOD, started_at__gt=now - A_DAY
    ).count()


def are_there(request: SubjectRequest, now: datetime) -> bool:
    """Whether this requester can be asked: enough is declared that they were not asked, and they may try."""
    if request.representative_id is not None or request.is_drill or not known_by(request):
        return False
    policy, found = policy_of(request), offered(request)
    if len(found) < policy.ask or tries_today(request, now) >= policy.attempts:
        return False
    before = asked_before(request, policy, now)
    left = [one for one in found if one.name not in before]
    strong = [one for one in left if one.question.kind.value not in answers.WEAK]
    return len(strong) + min(1, len(left) - len(strong)) >= policy.ask


def known_by(request: SubjectRequest) -> tuple[str, str] | None:
    """By what the person's record is found: the address, else the customer number; a number is shared by households."""
    subject = request.subject
    if subject.email.strip():
        return "email", subject.email
    return ("external_id", subject.external_id) if subject.external_id.strip() else None
