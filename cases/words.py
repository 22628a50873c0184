"""The closed vocabularies of a case: rights, channels, states, outcomes. Pure data."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Right(TextChoices):
    ACCESS = "access", _("Access")
    ERASURE = "erasure", _("Erasure")
    RECTIFICATION = "rectification", _("Rectification")
    RESTRICTION = "restriction", _("Restriction")
    OBJECTION = "objection", _("Objection")
    PORTABILITY = "portability", _("Portability")
    AUTOMATED = "automated", _("Automated decision")
    COMPLAINT = "complaint", _("Complaint about handling")


SUFFIX: dict[str, str] = {
    Right.ACCESS: "A",
    Right.ERASURE: "E",
    Right.RECTIFICATION: "R",
    Right.RESTRICTION: "S",
    Right.OBJECTION: "O",
    Right.PORTABILITY: "P",
    Right.AUTOMATED: "D",
    Right.COMPLAINT: "C",
}

# A copy leaves the house for these; for the others something is done in the source systems.
DISCLOSING = frozenset({Right.ACCESS, Right.PORTABILITY})
CARRIED_OUT = frozenset(
    {Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION, Right.AUTOMATED}
)


class Channel(TextChoices):
    CALL = "call", _("Phone call")
    CHAT = "chat", _("Chat")
    EMAIL = "email", _("E-mail")
    LETTER = "letter", _("Letter")
    IN_PERSON = "in_person", _("In person")
    SOCIAL = "social", _("Social media")
    PORTAL = "portal", _("Portal")


class AnswerBy(TextChoices):
    PORTAL = "portal", _("Portal, with notice by e-mail")
    POST = "post", _("Recorded post")


class AnswerTo(TextChoices):
    """Who gets the answer to what a representative asked."""

    SUBJECT = "subject", _("the person themselves")
    REPRESENTATIVE = "representative", _("the representative")
    BOTH = "both", _("both of them")


class Party(TextChoices):
    """Who is written to, or comes into the portal: whoever asked, or the person for whom a representative did."""

    REQUESTER = "requester", _("Requester")
    SUBJECT = "subject", _("Data subject")


class State(TextChoices):
    RECEIVED = "received", _("Received")
    AWAITING_IDENTITY = "awaiting_identity", _("Awaiting identity")
    AWAITING_CLARIFICATION = "awaiting_clarification", _("Awaiting clarification")
    AWAITING_FEE = "awaiting_fee", _("Awaiting fee")
    SEARCHING = "searching", _("Searching")
    REVIEW = "review", _("Review")
    APPROVAL = "approval", _("Approval")
    WITH_CONTROLLER = "with_controller", _("With controller")
    FULFILLING = "fulfilling", _("Fulfilling")
    CLOSED = "closed", _("Closed")


class Outcome(TextChoices):
    FULFILLED = "fulfilled", _("Fulfilled")
    PARTLY_FULFILLED = "partly_fulfilled", _("Partly fulfilled")
    NO_DATA = "no_data_held", _("No data held")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    IDENTITY_NOT_VERIFIED = "identity_not_verified", _("Identity not verified")
    NO_REPLY = "no_reply", _("No reply")
    NOT_A_REQUEST = "not_a_request", _("Not a rights request")
    DUPLICATE = "duplicate", _("Duplicate")
    TRANSFERRED = "transferred", _("Transferred")
    LOGGED_IN_ERROR = "logged_in_error", _("Logged in error")
    UPHELD = "upheld", _("Complaint upheld")
    PARTLY_UPHELD = "partly_upheld", _("Complaint partly upheld")
    NOT_UPHELD = "not_upheld", _("Complaint not upheld")


# What a review ends in, and what may be proposed instead of working the case to its end.
REVIEWED = (Outcome.FULFILLED, Outcome.PARTLY_FULFILLED, Outcome.NO_DATA, Outcome.REFUSED)
COMPLAINT_OUTCOMES = (Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD)
CLOSINGS = (
    Outcome.REFUSED,
    Outcome.IDENTITY_NOT_VERIFIED,
    Outcome.NO_REPLY,
    Outcome.NOT_A_REQUEST,
    Outcome.DUPLICATE,
    Outcome.TRANSFERRED,
)


class Step(TextChoices):
    """What a controller's instruction speaks about."""

    RELEASE = "release", _("Release an answer")
    REFUSE = "refuse", _("Refuse in whole or in part")
    ERASE = "erase", _("Erase data")
    RECTIFY = "rectify", _("Correct data")
    CLOSE = "close", _("Close without an answer")
    EXTEND = "extend", _("Extend the time")


class Say(TextChoices):
    """What an instruction says; where it says nothing, ask."""

    ALLOW = "allow", _("may do by itself")
    ASK = "ask", _("must ask the controller's reviewer")
    FORBID = "forbid", _("may not do")


# The reasons of cases.deadlines.events.ExtensionReason as a person chooses them.
EXTENSION_REASONS = {
    "complexity": _("The request is complex"),
    "number_of_requests": _("The number of the person's requests"),
    "other": _("Another reason"),
}


class LateReason(TextChoices):
    """Why something is late, as a regulator would count it."""

    VOLUME = "volume", _("Too many requests at once")
    SOURCE_UNAVAILABLE = "source_unavailable", _("A source system was not available")
    WAITING_FOR_CONTROLLER = "waiting_for_controller", _("Waiting for the controller")
    WAITING_FOR_SUPPLIER = "waiting_for_supplier", _("Waiting for a supplier")
    IDENTITY_LATE = "identity_late", _("Identity was proven late")
    COMPLEXITY = "complexity", _("The request is complex")
    STAFF_SHORTAGE = "staff_shortage", _("Too few staff")
    ERROR = "error", _("Our mistake")
    OTHER = "other", _("Something else")
