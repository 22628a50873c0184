"""What is said of an authority that is not accepted or holds no more: to staff, and to the representative."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True)
class Reason:
    """A coded reason. ``told`` is a sentence to the representative; ``is_final`` where asking again helps nobody."""

    code: str
    label: Words
    told: Words
    is_final: bool = False


REFUSALS = (
    Reason(
        "not_signed",
        _("Not signed, or not by the person"),
        _("It does not bear the signature of the person for whom you ask."),
    ),
    Reason("not_dated", _("Without a date, or too old"), _("It has no date, or it is too old.")),
    Reason(
        "other_person",
        _("Names another person"),
        _("It does not name the person for whom you ask, or not you."),
    ),
    Reason(
        "not_covered", _("Does not cover what is asked"), _("It does not say that you may ask us for this.")
    ),
    Reason(
        "not_registered",
        _("Not in the register, or not registered yet"),
        _("We could not find it in the register in which it has to stand."),
    ),
    Reason("expired", _("Expired, or ended"), _("It has expired, or has ended.")),
    Reason("unreadable", _("Cannot be read, or pages are missing"), _("We could not read all of it.")),
    Reason(
        "not_genuine",
        _("Doubts whether it is genuine"),
        _("We could not establish from it that you may ask."),
    ),
    Reason(
        "child_decides",
        _("The child understands and does not agree"),
        _("We cannot answer this to you. The person for whom you asked can ask us themselves."),
        is_final=True,
    ),
    Reason(
        "court_order",
        _("A court order, or the child's interests, stand against it"),
        _("We cannot answer this to you."),
        is_final=True,
    ),
    Reason(
        "no_right",
        _("The law gives this representative no right"),
        _("The law gives you no right to ask for this in the name of the person."),
        is_final=True,
    ),
)

REPLACED = "replaced"
PERSON_CORRECTED = "person_corrected"
REVOCATIONS = (
    Reason("person_revoked", _("The person took it back"), ""),
    Reason("ended", _("The power, the office or the mandate ended"), ""),
    Reason("false", _("It turned out to be false"), ""),
    Reason("mistake", _("It was accepted by mistake"), ""),
)
_BY_THE_HOUSE = (
    Reason(REPLACED, _("Another authority took its place"), ""),
    Reason(PERSON_CORRECTED, _("The person of the request was corrected"), ""),
)


def refusal(code: str) -> Reason | None:
    return next((one for one in REFUSALS if one.code == code), None)


def revocation(code: str) -> Reason | None:
    return next((one for one in REVOCATIONS if one.code == code), None)


def label(code: str) -> Words:
    """What a reason on record is called."""
    known = (*REFUSALS, *REVOCATIONS, *_BY_THE_HOUSE)
    return next((one.label for one in known if one.code == code), code)
