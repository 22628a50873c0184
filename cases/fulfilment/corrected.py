"""What becomes of a record when its disputed values are decided: values that are set, statements that are added."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from cases.collection.identifiers import connect, connect_to_change
from cases.connectors.base import JSON, Ability, ConfigurationError, RecordType
from cases.fulfilment import abilities
from cases.models import Correction, CorrectionOutcome, SourceSystem, Treatment

# What a person asked for was done; what was not leaves a note where the record stays as it was.
DONE = frozenset({CorrectionOutcome.CORRECTED, CorrectionOutcome.COMPLETED})
KEPT = frozenset({CorrectionOutcome.REFUSED, CorrectionOutcome.OPINION, CorrectionOutcome.RECORD_OF_MISTAKE})


@dataclass(frozen=True, slots=True)
class Reach:
    """What a source's records look like, and whether they can be changed from here."""

    types: Mapping[str, RecordType] = field(default_factory=dict)
    may_change: bool = False

    def can_set(self, collection: str, name: str) -> bool:
        """Whether a connector can write this field."""
        known = self.types.get(collection)
        return self._can(known, Ability.RECTIFY) and known is not None and name in known.rectifiable

    def can_restrict(self, collection: str) -> bool:
        """Whether a connector can mark such a record as not to be used."""
        return self._can(self.types.get(collection), Ability.RESTRICT)

    def statement_field(self, collection: str) -> str:
        """The field to which a connector can add a statement; empty where there is none."""
        known = self.types.get(collection)
        name = known.statement_field if known else ""
        return name if name and self.can_set(collection, name) else ""

    def _can(self, known: RecordType | None, ability: Ability) -> bool:
        return self.may_change and known is not None and ability in known.abilities


def reach_of(source: SourceSystem | None) -> Reach:
    """What is known of a source without contacting it; nothing where its settings do not work."""
    if source is None:
        return Reach()
    for open_ in (connect_to_change, connect):
        try:
            with closing(open_(source)) as connector:
                return Reach(connector.capabilities().types, abilities.changes(source))
        except ConfigurationError:
            continue
    return Reach()


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
