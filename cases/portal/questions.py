"""What the customer reads of questions from the record."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from cases.models import SubjectRequest
from cases.workflow import record_questions
from cases.workflow.document_words import Words
from identity.models import VerificationState


@dataclass(frozen=True)
class Card:
    """What the page of a request says of them. ``label`` is the words of the way there; empty: there is none."""

    title: Words
    text: Words
    label: Words = ""
    tone: str = "info"


_OPEN = Card(
    _("Your questions wait for an answer"),
    _("You have begun to answer some questions. Go on, before their time is over."),
    _("Go on with the questions"),
)
_COMPARING = Card(
    _("We compare your answers"),
    _("It takes some seconds. Look at this page again in a moment."),
)
# The same whether an answer was wrong or nobody is known: whoever asks about somebody else learns nothing.
_NOT_SHOWN = Card(
    _("Your answers did not show that it is you"),
    _(
        "That can have harmless reasons, and we cannot say which answer it was. Look below for another way, or write "
        "to us."
    ),
    tone="warning",
)
_SHOWN = Card(
    _("Your answers were right"), _("Thank you. There is nothing more to do for this step."), tone="success"
)


def card_of(request: SubjectRequest, now: datetime) -> Card | None:
    """None where nobody was asked yet: whether to ask is proposed with the other ways."""
    newest = record_questions.newest_of(request)
    if newest is None:
        return None
    if newest.state == VerificationState.OPEN:
        if record_questions.is_answered(newest):
            return _COMPARING
        return _OPEN if record_questions.living_of(request, now) else None
    return _SHOWN if newest.state == VerificationState.ACHIEVED else _NOT_SHOWN
