"""What becomes of a record when its disputed values are decided: values that are set, statements that are added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cases.connectors.base import JSON
from cases.fulfilment.abilities import Reach
from cases.models import Correction, CorrectionOutcome, Treatment

# What a person asked for was done; what was not leaves a note where the record stays as it was.
DONE = frozenset({CorrectionOutcome.CORRECTED, CorrectionOutcome.COMPLETED})
KEPT = frozenset({CorrectionOutcome.REFUSED, CorrectionOutcome.OPINION, CorrectionOutcome.RECORD_OF_MISTAKE})


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one record. ``by_hand`` says that a person has to do it in the source itself."""

    treatment: Treatment
    basis: str
    wanted: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    expected: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    by_hand: bool = False


def changes_of(
    decided: Sequence[Correction], data: Mapping[str, JSON], reach: Reach, collection: str
) -> list[Change]:
    """What the decisions about one record's values amount to: one change, and what is left for a person to do.

    A statement goes behind what the record's own field for such holds. Where there is none, a person adds it.
    """
    values = {one.field: one.wanted for one in decided if one.outcome == CorrectionOutcome.CORRECTED}
    settable = {name: value for name, value in values.items() if reach.can_set(collection, name)}
    statements = [one.statement.strip() for one in decided if one.outcome and one.statement.strip()]
    into = reach.statement_field(collection)
    if statements and into and into not in values:
        settable[into] = _appended(data.get(into), statements)
        statements = []
    made = _written(decided, settable, data)
    made += _by_hand({name: value for name, value in values.items() if name not in settable}, statements)
    return made or [Change(Treatment.REFUSE, _basis(decided))]


def _written(
    decided: Sequence[Correction], settable: Mapping[str, JSON], data: Mapping[str, JSON]
) -> list[Change]:
    if not settable:
        return []
    corrects = any(one.outcome == CorrectionOutcome.CORRECTED and one.field in settable for one in decided)
    treatment = Treatment.CORRECT if corrects else Treatment.SUPPLEMENT
    return [Change(treatment, _basis(decided), settable, {name: data.get(name) for name in settable})]


def _by_hand(values: Mapping[str, JSON], statements: Sequence[str]) -> list[Change]:
    if values:
        wanted = {**values, **({STATEMENT: "\n".join(statements)} if statements else {})}
        return [Change(Treatment.CORRECT, CorrectionOutcome.CORRECTED, wanted, by_hand=True)]
    if statements:
        wanted = {STATEMENT: "\n".join(statements)}
        return [Change(Treatment.SUPPLEMENT, CorrectionOutcome.COMPLETED, wanted, by_hand=True)]
    return []


# Under this name, which no field has, a person finds the statement that they add by hand.
STATEMENT = "+"


def _appended(held: JSON, statements: Sequence[str]) -> str:
    before = [str(held).rstrip()] if held else []
    return "\n".join([*before, *statements])


def _basis(decided: Sequence[Correction]) -> str:
    """The code under which a record changes or stays: of what was done, else of what was kept."""
    codes = [one.outcome for one in decided]
    return next((code for code in codes if code in DONE), codes[0] if codes else "")
