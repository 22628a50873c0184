"""The words of a policy and of a proposal, for people. Given the screens' translator, which knows the language."""

from __future__ import annotations

from collections.abc import Callable

from identity.policy.propose import Proposal
from identity.policy.words import MARKETING, DataKind, Requester
from identity.providers.base import Intrusiveness, Level, Performer, gettext_noop

Translator = Callable[[str], str]


RIGHTS: dict[str, str] = {
    "access": gettext_noop("Access"),
    "portability": gettext_noop("Portability"),
    "erasure": gettext_noop("Erasure"),
    "rectification": gettext_noop("Rectification"),
    "restriction": gettext_noop("Restriction"),
    "objection": gettext_noop("Objection"),
    MARKETING: gettext_noop("Objection to advertising"),
    "automated": gettext_noop("Automated decision"),
    "complaint": gettext_noop("Complaint about handling"),
}

DATA: dict[DataKind, str] = {
    DataKind.LOW_RISK: gettext_noop("data of little risk, such as a newsletter’s"),
    DataKind.ORDINARY: gettext_noop("an ordinary account"),
    DataKind.COMMUNICATIONS: gettext_noop("recordings, chats and letters"),
    DataKind.FINANCIAL: gettext_noop("financial data"),
    DataKind.CHILDREN: gettext_noop("data of children"),
    DataKind.SPECIAL_CATEGORY: gettext_noop("health and other special categories"),
}

REQUESTERS: dict[Requester, str] = {
    Requester.SELF: gettext_noop("the person themselves"),
    Requester.SOLICITOR: gettext_noop("a solicitor"),
    Requester.PARENT: gettext_noop("a parent or guardian"),
    Requester.ATTORNEY: gettext_noop("an attorney or deputy"),
    Requester.AGENT: gettext_noop("an authorised agent"),
    Requester.ELECTED: gettext_noop("an elected representative"),
    Requester.EXECUTOR: gettext_noop("an executor or heir"),
    Requester.OTHER: gettext_noop("somebody else"),
}

LEVELS: dict[Level, str] = {
    Level.NONE: gettext_noop("none"),
    Level.LOW: gettext_noop("low"),
    Level.SUBSTANTIAL: gettext_noop("substantial"),
    Level.HIGH: gettext_noop("high"),
}

PERFORMERS: dict[Performer, str] = {
    Performer.CUSTOMER: gettext_noop("by the customer, in the portal"),
    Performer.STAFF_ON_CALL: gettext_noop("by the agent, during the conversation"),
    Performer.STAFF: gettext_noop("by a member of staff"),
    Performer.EXTERNAL: gettext_noop("by an external provider"),
}

# Why a method is proposed before any other: by how much it takes.
_TAKES: dict[Intrusiveness, str] = {
    Intrusiveness.NOTHING_NEW: gettext_noop("It takes nothing new from the customer."),
    Intrusiveness.ADDRESS_HELD: gettext_noop("It takes no more than an address that is held anyway."),
    Intrusiveness.FACTS_HELD: gettext_noop("It asks only for what is held anyway, and nothing new is kept."),
    Intrusiveness.SEEN: gettext_noop(
        "Nothing that takes less is possible here; it is seen, and no copy is kept."
    ),
    Intrusiveness.DOCUMENT: gettext_noop(
        "Nothing that takes less is possible here; the picture is deleted as soon as it is decided."
    ),
    Intrusiveness.BIOMETRIC: gettext_noop(
        "Nothing that takes less is possible here; it needs express consent."
    ),
}


# The same to the customer.
_TAKES_OF_YOU: dict[Intrusiveness, str] = {
    Intrusiveness.NOTHING_NEW: gettext_noop("You use what you have already."),
    Intrusiveness.ADDRESS_HELD: gettext_noop("We only use an address that we hold anyway."),
    Intrusiveness.FACTS_HELD: gettext_noop("We ask only for what we hold anyway, and keep nothing new."),
    Intrusiveness.SEEN: gettext_noop("Nothing simpler is possible here. We look at it and keep no copy."),
    Intrusiveness.DOCUMENT: gettext_noop(
        "Nothing simpler is possible here. We delete the picture as soon as it is decided."
    ),
    Intrusiveness.BIOMETRIC: gettext_noop(
        "Nothing simpler is possible here, and it needs your express consent."
    ),
}

# The reasons of the house's own rules, for the translators' tools; a controller's own are told as they are written.
HOUSE_REASONS = (
    gettext_noop("Whoever wants no more advertising need not show who they are (Article 21(3))."),
    gettext_noop("A complaint about our handling is looked at whoever makes it."),
    gettext_noop("Nothing leaves the house and nothing is lost: a known contact is enough."),
    gettext_noop("Little could be done with these data: a known contact is enough."),
    gettext_noop("An account file tells much of somebody's life: two kinds of evidence are asked for."),
    gettext_noop("A wrong change to such data would harm the person: two kinds of evidence are asked for."),
    gettext_noop("Health, money or children in the wrong hands cannot be taken back."),
    gettext_noop("The address is not the one on file, so that reading mail there proves nothing."),
    gettext_noop("A whole file is to go to an address that is not on file."),
    gettext_noop("Somebody asks for another person; their authority is checked as well."),
)


def why_you(proposal: Proposal, translate: Translator) -> str:
    """The same sentence to the customer."""
    if proposal.next is None:
        return ""
    taken = _TAKES_OF_YOU.get(proposal.next.intrusiveness, "")
    return translate(taken) if taken else ""


def why_this(proposal: Proposal, translate: Translator) -> str:
    """One sentence that says why the next method is proposed; empty where there is none."""
    if proposal.next is None:
        return ""
    taken = _TAKES.get(proposal.next.intrusiveness, "")
    return translate(taken) if taken else ""


def names_of(proposal: Proposal, translate: Translator) -> list[str]:
    """What the proposed methods are called, in their order."""
    return [translate(one.name) for one in proposal.methods]
