"""Disputed values as pages show them: where they stand, what they hold, what is claimed and what was decided."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases import corrections
from cases.models import Case, Correction
from cases.review import showing
from cases.words import Right

# More than an approver reads on one page; all of them stand on the handler's.
LISTED = 200


@dataclass(frozen=True)
class Row:
    """One disputed value."""

    one: Correction
    place: str
    field: str
    held: str
    claimed: str
    wanted: str

    @classmethod
    def of(cls, one: Correction) -> "Row":
        source = one.source.name if one.source else _("added by hand")
        return cls(
            one,
            f"{source}: {showing.label(one.collection)}",
            showing.label(one.field),
            showing.text_of(one.held),
            showing.text_of(one.claimed),
            showing.text_of(one.wanted),
        )


def decided(case: Case) -> dict[str, Any]:
    """What an approver reads of a rectification; nothing for other rights."""
    if case.right != Right.RECTIFICATION:
        return {}
    found = corrections.disputed(case)
    return {"values": [Row.of(one) for one in found[:LISTED]], "values_total": found.count()}
