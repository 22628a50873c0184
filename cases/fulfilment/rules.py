"""What becomes of a record whose erasure somebody asks for, as the rules have it. Pure: no database is asked.

Rules propose and a human decides. What nobody made a rule for is deleted; what others' data, a legal hold or a keeping
rule of the controller speaks for stays, under the exception that it names (Art 17(3)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from cases.deadlines.arithmetic import add_months
from cases.models import Treatment

# What proposed a line; a keeping rule is named behind the colon.
THIRD_PARTY: Final = "third_party"
LEGAL_HOLD: Final = "legal_hold"
BLOCKING: Final = "blocking"
USUAL: Final = "usual"
REFERENCED: Final = "referenced"
SOURCE_KEEPS: Final = "source_keeps"
KEEPING: Final = "keeping"
PART_OF: Final = "part_of"
UNDATED: Final = "undated"
PAST: Final = "past"

ON_HOLD: Final = "LEGAL_CLAIMS"
# What writes nothing into a source.
AT_REST: Final = frozenset({Treatment.KEEP, Treatment.REFER, Treatment.REFUSE})


@dataclass(frozen=True, slots=True)
class Rule:
    """A keeping rule as it is compared with records; empty parts of it fit any."""

    slug: str
    treatment: str = Treatment.KEEP
    exception: str = ""
    source_id: UUID | None = None
    collection: str = ""
    parts: frozenset[str] = frozenset()
    category: str = ""
    date_field: str = ""
    keep_months: int | None = None
    strategies: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """The more a rule says of where it holds, the earlier it is asked."""
        return (not self.collection, self.source_id is None, -len(self.category), self.slug)

    def fits(self, record: "Record") -> bool:
        """Whether the rule speaks of this kind of record."""
        if self.source_id is not None and self.source_id != record.source_id:
            return False
        if self.collection and self.collection != record.collection:
            return False
        return not self.category or any(_is_under(one, self.category) for one in record.categories)

    def keeps_on(self, record: "Record", today: date) -> bool | None:
        """Whether the time of keeping runs still; None where the record's date cannot be read."""
        if not self.date_field or self.keep_months is None:
            return True
        start = read_date(record.data.get(self.date_field))
        return None if start is None else today < add_months(start, self.keep_months)


def _is_under(category: str, above: str) -> bool:
    return category == above or category.startswith(f"{above}.")


def read_date(value: Any) -> date | None:
    """The day that a field of a record names, as sources write it; None for anything else."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Record:
    """What rules look at of one record.

    ``parents`` are the places to which it refers, ``keys`` those by which others refer to it, each as (type, field,
    value); ``others`` is the exemption under which a third party's record stays.
    """

    source_id: UUID | None
    collection: str
    data: Mapping[str, Any]
    categories: frozenset[str] = frozenset()
    parents: frozenset[tuple[str, str, str]] = frozenset()
    keys: frozenset[tuple[str, str, str]] = frozenset()
    others: str = ""


@dataclass(frozen=True, slots=True)
class Can:
    """What a source lets us do to records of a type."""

    delete: bool = False
    anonymise: bool = False
    block: bool = False

    def do(self, treatment: str) -> bool:
        """Whether a connector does this, so that no human has to."""
        return {
            Treatment.DELETE: self.delete,
            Treatment.ANONYMISE: self.anonymise,
            Treatment.BLOCK: self.block,
        }.get(Treatment(treatment), False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule proposes. ``rule`` is what the page explains it by."""

    treatment: str
    rule: str
    basis: str = ""
    strategies: Mapping[str, Any] = field(default_factory=dict)
    by_hand: bool = False


@dataclass
class Judge:
    """Proposes for one record after another, each behind those to which it refers.

    ``blocks_under`` is the exception under which a state's law wants records blocked rather than deleted.
    """

    rules: Sequence[Rule]
    today: date
    is_on_hold: bool = False
    blocks_under: str = ""
    _kept: dict[tuple[UUID | None, str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rules = sorted(self.rules, key=lambda rule: rule.rank)
        self._by_slug = {rule.slug: rule for rule in self.rules}

    def propose(self, record: Record, can: Can) -> Proposal:
        """What becomes of a record, by the first rule that speaks of it."""
        if record.others:
            return Proposal(Treatment.KEEP, THIRD_PARTY, record.others)
        if self.is_on_hold:
            return Proposal(Treatment.KEEP, LEGAL_HOLD, ON_HOLD)
        return self._as_part(record, can) or self._by_rule(record, can) or self._usual(can)

    def _as_part(self, record: Record, can: Can) -> Proposal | None:
        """What belongs to a record that is kept stays with it."""
        for kind, name, value in sorted(record.parents):
            slug = self._kept.get((record.source_id, kind, name, value))
            if slug is not None and record.collection in self._by_slug[slug].parts:
                self._remember(record, self._by_slug[slug])
                return self._under(self._by_slug[slug], PART_OF, can)
        return None

    def _by_rule(self, record: Record, can: Can) -> Proposal | None:
        past = ""
        for rule in self.rules:
            if not rule.fits(record):
                continue
            keeps = rule.keeps_on(record, self.today)
            if keeps is False:
                past = past or rule.slug
                continue
            self._remember(record, rule)
            return self._under(rule, KEEPING if keeps else UNDATED, can)
        return self._usual(can, f"{PAST}:{past}") if past else None

    def _remember(self, record: Record, rule: Rule) -> None:
        if rule.parts:
            self._kept |= {(record.source_id, *place): rule.slug for place in record.keys}

    def _under(self, rule: Rule, how: str, can: Can) -> Proposal:
        said = f"{how}:{rule.slug}"
        if rule.treatment in AT_REST:
            return Proposal(rule.treatment, said, rule.exception)
        by_hand = not can.do(rule.treatment)
        return Proposal(rule.treatment, said, rule.exception, dict(rule.strategies), by_hand)

    def _usual(self, can: Can, said: str = USUAL) -> Proposal:
        """Deleted, or blocked where the law of the place wants that (LOPDGDD art 32); as the source can, if it can."""
        if self.blocks_under:
            return Proposal(Treatment.BLOCK, BLOCKING, self.blocks_under, by_hand=not can.block)
        if not can.delete and can.anonymise:
            return Proposal(Treatment.ANONYMISE, said)
        return Proposal(Treatment.DELETE, said, by_hand=not can.delete)
