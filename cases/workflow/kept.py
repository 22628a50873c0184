"""What stays of what somebody asked to have erased, in the words of the letter."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from cases.fulfilment.plans import Kept
from cases.law import loader as law
from cases.models import Case
from cases.review import items


def sentences(case: Case, kept: Iterable[Kept]) -> list[str]:
    """One sentence for each reason, in the language in force; ``kept`` as ``cases.fulfilment.plans`` counts it."""
    return [
        " ".join(part for part in (_why(case, code), words, f"({count})") if part)
        for code, words, count in kept
    ]


def _why(case: Case, code: str) -> str:
    try:
        return _(law.ground("erasure_exception", code, case.regime).letter)
    except law.UnknownLaw:
        return items.exemption_sentence(code, case.regime)
