"""What the customer reads of a check by an external provider."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import SubjectRequest
from cases.portal.forms import PlainForm
from cases.workflow import external as checks
from cases.workflow.document_words import Words
from identity.models import CheckStage, ExternalCheck, IdentityProvider
from identity.providers.external.wire import places


class ConsentForm(PlainForm):
    """A face is compared only of who wants it; other ways stay open (Art 9(2)(a) and 7(4))."""

    agree = forms.BooleanField(
        label=_("I agree that the service compares my face with my document"),
        help_text=_("You need not: there are other ways."),
        error_messages={
            "required": _("Tick the box if you want this check, or write to us for another way.")
        },
    )


@dataclass(frozen=True)
class Card:
    """What the page of a request says of it. ``label`` is the words of the way there; empty: there is none."""

    title: Words
    text: Words
    label: Words = ""
    tone: str = "info"


_OFFERED = Card(
    _("Show that it is you"),
    _(
        "A service that we trust can check your identity document for us. We learn the outcome and get no pictures."
    ),
    _("See how it works"),
)
_STAGES: dict[str, Card] = {
    CheckStage.STARTING: Card(
        _("Your check was not begun"),
        _("The service could not be reached when you tried. You can try again."),
        _("Try again"),
        "warning",
    ),
    CheckStage.OPEN: Card(
        _("Your check is open"),
        _(
            "If you have finished it, we wait for the outcome and you need not do anything. If not, go on with it."
        ),
        _("Go on with the check"),
    ),
    CheckStage.REFUSED: Card(
        _("The check did not show that it is you"),
        _(
            "That can have harmless reasons, such as another name or a poor picture. Try once more, or write to us."
        ),
        _("Try again"),
        "warning",
    ),
    CheckStage.EXPIRED: Card(
        _("The check took too long"),
        _("It ended without a result. You can begin it once more, or write to us."),
        _("Try again"),
        "warning",
    ),
}
_ENDED = Card(
    _("The check ended without a result"),
    _("You can begin it once more, or write to us."),
    _("Try again"),
    "warning",
)
_DONE = Card(
    _("The check was successful"), _("Thank you. There is nothing more to do for this step."), tone="success"
)


def card_of(request: SubjectRequest, now: datetime) -> Card | None:
    """What to say on the page of a request; None where such a check is no way."""
    newest: ExternalCheck | None = next(iter(checks.checks_of(request)), None)
    if newest is None or not checks.is_possible(request):
        if newest is not None and newest.stage == CheckStage.VERIFIED:
            return _DONE
        return _OFFERED if checks.is_offered(request, now) else None
    if newest.stage == CheckStage.VERIFIED:
        return _DONE
    return _STAGES.get(newest.stage, _ENDED)


_SENT: dict[str, Words] = {
    "name": _("your name"),
    "birth_date": _("your date of birth"),
    "email": _("your e-mail address"),
    "language": _("the language that you read"),
}


def purpose_of(provider: IdentityProvider) -> list[Words]:
    """What of the customer is sent to the provider, in words."""
    sent = places(provider.wire.start.body)
    return [words for name, words in _SENT.items() if name in sent]


def learnt_from(provider: IdentityProvider) -> Words:
    """What we are told in turn."""
    if provider.wire.holder == "sent":
        return _("We learn the outcome, and get no pictures")
    return _(
        "We learn the outcome and the name on the document; we compare it, do not keep it, and get no pictures"
    )
