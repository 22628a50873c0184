"""What is said of a document that was not accepted: to staff who choose the reason, and to the customer."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True)
class Reason:
    """A coded reason. ``told`` is a sentence to the customer; it teaches a forger nothing."""

    code: str
    label: Words
    told: Words


REFUSALS = (
    Reason(
        "other_person",
        _("Another person's: name or date of birth differ"),
        _("The name or the date of birth on it is not the one that we have on file."),
    ),
    Reason("expired", _("Expired"), _("It has expired. Please use one that is valid.")),
    Reason(
        "not_genuine",
        _("Doubts whether it is genuine"),
        _("We could not establish from the picture that it is you."),
    ),
    Reason("unreadable", _("Cannot be read"), _("We could not read what we need on the picture.")),
    Reason(
        "no_document", _("No identity document"), _("It is not a passport, identity card or driving licence.")
    ),
)

MORE = (
    Reason(
        "unreadable",
        _("Cannot be read"),
        _("We cannot read the picture. Please take it once more in good light."),
    ),
    Reason(
        "back_missing", _("The back is missing"), _("Please send a picture of the back of your card as well.")
    ),
    Reason(
        "covered_too_much",
        _("Too much is covered"),
        _(
            "Something that we need is covered. Please leave your name, date of birth and the date of expiry uncovered."
        ),
    ),
    Reason(
        "zone_missing",
        _("The lines with < signs are missing"),
        _("Please leave the lines of letters and < signs at the bottom uncovered and inside the picture."),
    ),
    Reason(
        "name_changed",
        _("Another name: proof of the change is needed"),
        _(
            "The name is not the one that we have. If it has changed, please send a paper that shows the change."
        ),
    ),
)

AFTER_REFUSAL = _(
    "You can send another document on the page of your request, or ask us there for another way."
)
AFTER_MORE = _("You can send it on the page of your request.")


def refusal(code: str) -> Reason | None:
    return next((reason for reason in REFUSALS if reason.code == code), None)


def more(code: str) -> Reason | None:
    return next((reason for reason in MORE if reason.code == code), None)
