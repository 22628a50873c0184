"""The extensions of a case as its page shows them."""

from dataclasses import dataclass
from typing import Any

from cases.console.desk_next import Situation
from cases.models import Extension, ExtensionState
from cases.words import EXTENSION_REASONS
from cases.workflow import extension


@dataclass(frozen=True)
class Shown:
    """One extension, its reason in words, and what may be done about it by whoever looks."""

    made: Extension
    reason_words: Any
    is_unsent: bool
    may_be_decided: bool


def of(found: Situation) -> list[Shown]:
    """Newest first."""
    listed = found.case.extensions.select_related(
        "case", "proposed_by", "approved_by", "controller_decided_by"
    )
    return [_shown(found, made) for made in listed.order_by("-proposed_at")]


def _shown(found: Situation, made: Extension) -> Shown:
    decider = extension.DECIDES.get(ExtensionState(made.state))
    is_own = made.proposed_by_id == found.by.person_id
    return Shown(
        made,
        EXTENSION_REASONS[made.reason],
        made.state in extension.UNSENT,
        decider is not None and not is_own and found.may(decider),
    )
