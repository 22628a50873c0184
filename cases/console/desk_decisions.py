"""What may be decided about an item, by the right of its case and its law: choices for select boxes."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.law import loader as law
from cases.models import Case, ItemDecision
from cases.words import DISCLOSING, Right
from cases.workflow.review import kept_under


@dataclass(frozen=True)
class Option:
    """One line of a select box."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Picklists:
    """The decisions of a case, and the codes under which something is withheld or kept."""

    decisions: tuple[Option, ...]
    codes: tuple[Option, ...]
    has_silent: bool
    may_redact: bool
    needs_code: str


def picklists(case: Case) -> Picklists:
    """Give the choices; silence is offered only where some exemption of the law allows it."""
    if case.right in DISCLOSING:
        exemptions = law.exemptions_for(case.regime)
        decisions = (
            Option(ItemDecision.DISCLOSE.value, _("Disclose")),
            Option(ItemDecision.WITHHOLD.value, _("Withhold")),
        )
        codes = tuple(_exemption(one) for one in exemptions)
        return Picklists(
            decisions, codes, any(one.silent for one in exemptions), True, ItemDecision.WITHHOLD.value
        )
    decisions = (
        Option(ItemDecision.ACT.value, _acting(case)),
        Option(ItemDecision.KEEP.value, _("Keep as it is")),
    )
    codes = tuple(Option(one.code, _(one.name), one.provision) for one in kept_under(case))
    return Picklists(decisions, codes, False, False, ItemDecision.KEEP.value)


def _exemption(one: law.Exemption) -> Option:
    silence = {"may": _("may be silent"), "must": _("must be silent")}.get(one.silence, "")
    name = _(one.name)
    return Option(one.code, f"{name} – {silence}" if silence else name, one.provision)


def _acting(case: Case) -> str:
    words: dict[str, Any] = {
        Right.ERASURE: _("Erase"),
        Right.RECTIFICATION: _("Correct"),
        Right.RESTRICTION: _("Restrict"),
    }
    return str(words.get(case.right, _("Carry out")))


def decision_words(case: Case) -> dict[str, str]:
    """How each decision is called on a page about this case."""
    return {
        ItemDecision.UNDECIDED.value: _("To decide"),
        ItemDecision.DISCLOSE.value: _("Disclose"),
        ItemDecision.REDACT.value: _("Disclose redacted"),
        ItemDecision.WITHHOLD.value: _("Withhold"),
        ItemDecision.ACT.value: _acting(case),
        ItemDecision.KEEP.value: _("Keep"),
    }
