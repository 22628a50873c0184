"""Why something may not happen, in sentences for the person who tried."""

from django.utils.translation import gettext as _

from cases.words import State
from dsar.lib.errors import Conflict, NotAllowed, Refused

__all__ = ["Conflict", "NotAllowed", "Refused", "not_from_here", "not_yours", "somebody_was_quicker", "unmet"]


def not_yours(act: str) -> NotAllowed:
    return NotAllowed(_("Your role does not allow this for this brand."), "not_allowed", {"act": act})


def not_from_here(act: str, state: str) -> Conflict:
    """The state has moved on, or never allowed this."""
    return Conflict(
        _("This cannot be done while the case is in “%(state)s”. Somebody may have moved it on: look again.")
        % {"state": State(state).label},
        "not_from_here",
        {"act": act, "state": state},
    )


def somebody_was_quicker() -> Conflict:
    return Conflict(
        _(
            "Somebody else changed this case while you had it open. Nothing of yours was done:"
            " look at what changed, then try again."
        ),
        "changed_meanwhile",
    )


def unmet(condition: str) -> Refused:
    """The sentence for a declared condition that does not hold."""
    return Refused(_SENTENCES[condition](), condition)


_SENTENCES = {
    "identity_suffices": lambda: _(
        "The requester's identity is not yet verified at the level that this right asks for."
    ),
    "identity_suffices_for_answer": lambda: _(
        "The requester's identity is not verified at the level that this right asks for. What is known of the"
        " person goes to nobody before that, not even as the reasons of a refusal."
    ),
    "authority_suffices": lambda: _(
        "Whoever asks for somebody else has not shown that they may, for this right, or it holds no more."
    ),
    "authority_suffices_for_answer": lambda: _(
        "Whoever asks for somebody else has not shown that they may, for this right, or it holds no more. What is"
        " known of the person goes to nobody before that, not even as the reasons of a refusal."
    ),
    "needs_no_search": lambda: _("The sources have to be searched for this right first."),
    "is_marketing_objection": lambda: _(
        "Only an objection to direct marketing is carried out without a decision."
    ),
    "nothing_carried_out": lambda: _("Something was carried out already, so this is not possible any more."),
    "proposal_stands": lambda: _("No outcome has been proposed."),
    "may_be_decided_here": lambda: _(
        "The controller's instruction keeps this decision for the controller: hand the case over."
    ),
}
