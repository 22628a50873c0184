"""Whether a record proves that it belongs to the person. Pure: nothing is asked of the database.

A filter that a source silently ignores gives everybody's records, each with a reason why it was found. So no reason
is believed: the values that the record itself holds are compared with what was searched for, or with the records of
the person that were collected before it. It is done for every record, and so costs a few look-ups in sets.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

from cases.connectors.base import (
    EMAIL,
    PHONE,
    Identifier,
    LinkKind,
    Record,
    RecordType,
    canonical_kind,
    phone_digits,
)
from cases.models import RecordDoubt
from dsar.lib import normalise

# A household, or a switchboard, has one number: what agrees in it alone may be somebody else's.
SHARED_KINDS: Final = frozenset({PHONE})

Place: TypeAlias = tuple[str, str]
Doubt: TypeAlias = tuple[Record, RecordDoubt]


@lru_cache(maxsize=10_000)
def plain_forms(kind: str, value: str, region: str | None) -> frozenset[str]:
    """An identifier as it is compared; telephone numbers both as dialled and in international form."""
    if kind == EMAIL:
        forms = {normalise.email(value)}
    elif kind == PHONE:
        forms = {phone_digits(value), normalise.phone(value, region)}
    else:
        forms = {value.strip().casefold()}
    return frozenset(forms - {""})


@dataclass(frozen=True)
class Trusted:
    """Identifiers that may prove a record, by kind, in their plain forms."""

    forms: Mapping[str, frozenset[str]]
    region: str | None = None

    @classmethod
    def of(cls, identifiers: Iterable[Identifier], region: str | None) -> "Trusted":
        forms: dict[str, frozenset[str]] = {}
        for one in identifiers:
            forms[one.kind] = forms.get(one.kind, frozenset()) | plain_forms(one.kind, one.value, region)
        return cls(forms, region)

    def agrees(self, kind: str, value: Any) -> bool:
        """Whether any of what a field holds is one of them: it may hold several, as a list or in one text."""
        known = self.forms[kind]
        return any(not known.isdisjoint(plain_forms(kind, text, self.region)) for text in _texts(kind, value))


@dataclass(frozen=True)
class Proof:
    """What proves records of one search. It learns from each record that was proved what others may refer to.

    ``groups`` are identifiers that prove records of one type, because somebody said of all of them that they are the
    person's; ``chosen`` are records of which somebody said so. ``doubtful`` are matches that wait for somebody to say
    it. ``judged`` says what was decided about a record before: True where it is the person's. Where it ``turns_away``
    any, each record is asked after, since what somebody said is not the person's is not proved by anything.
    """

    trusted: Trusted
    types: Mapping[str, RecordType] = field(default_factory=dict)
    groups: Mapping[str, Trusted] = field(default_factory=dict)
    chosen: frozenset[Place] = frozenset()
    doubtful: frozenset[Place] = frozenset()
    judged: Callable[[Record], bool | None] = lambda record: None
    turns_away: bool = False
    _seen: set[int] = field(default_factory=set)
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def sort(self, records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Doubt]]:
        """The records that are proved, and the others with what is wrong; without those already turned away."""
        doubts = [(record, why) for record in records if (why := self.doubt(record))]
        if not doubts:
            return records, ()
        unproved = {id(record) for record, _why in doubts}
        kept = [record for record in records if id(record) not in unproved]
        return kept, [doubt for doubt in doubts if self.judged(doubt[0]) is None]

    def doubt(self, record: Record) -> RecordDoubt | None:
        """Why a record is not proved; None where it is, and others may refer to it from now on."""
        if self.turns_away and self.judged(record) is False:
            return RecordDoubt.IDENTITY
        why = self._doubt(record)
        if why is not None and self.judged(record) is True:
            why = None
        if why is None:
            self.learn(record.type, record.data, record.handle)
        return why

    def learn(self, record_type: str, data: Mapping[str, Any], handle: Mapping[str, Any]) -> None:
        """Take a record of the person as one that others may refer to."""
        keys = self._keys_of(record_type)
        if not keys:
            return
        held = [(name, _elements(data.get(name, handle.get(name)))) for name in keys]
        self._seen.update(hash((record_type, name, value)) for name, values in held for value in values)
        if len(keys) > 1:
            self._seen.add(hash((record_type, frozenset(held))))

    def _keys_of(self, record_type: str) -> tuple[str, ...]:
        found = self._keys.get(record_type)
        if found is None:
            known = self.types.get(record_type)
            is_leaf = known is not None and record_type not in parents(self.types)
            keys = () if is_leaf else tuple(known.keys if known else ("id",))
            found = self._keys[record_type] = keys
        return found

    def _doubt(self, record: Record) -> RecordDoubt | None:
        link, place = record.link, (record.type, record.ref)
        if place in self.chosen or self._refers(record):
            return None
        if link.kind is not LinkKind.IDENTITY:
            return RecordDoubt.REFERENCE
        if place in self.doubtful:
            return RecordDoubt.MATCH
        return None if self._bears(record) else RecordDoubt.IDENTITY

    def _bears(self, record: Record) -> bool:
        """Whether a record bears an identifier, and none of its own that is another than the person's."""
        group = self.groups.get(record.type)
        if group is not None and any(_judgements(record, group)):
            return True
        agreed = dict(_by_kind(record, self.trusted))
        own = {kind: yes for kind, yes in agreed.items() if kind not in SHARED_KINDS}
        return any(own.values()) or (any(agreed.values()) and not own)

    def _refers(self, record: Record) -> bool:
        return any(self._are_seen(record, parsed(record.type, via)) for via in record.link.via)

    def _are_seen(self, record: Record, references: Sequence["Reference"]) -> bool:
        """Whether a record of the person holds what these refer to; together, where they are all of its keys."""
        if len(references) == 1:  # of nearly every record, so it takes the shortest way
            one = references[0]
            return self._is_seen(one, _elements(_held(record, one.key)))
        values = [(one, _elements(_held(record, one.key))) for one in references]
        if not values or not all(self._is_seen(one, held) for one, held in values):
            return False
        parent = references[0].type
        if {one.field for one in references} != set(self._keys_of(parent)):
            return True
        return hash((parent, frozenset((one.field, held) for one, held in values))) in self._seen

    def _is_seen(self, one: "Reference", values: tuple[str, ...]) -> bool:
        return not self._seen.isdisjoint([hash((one.type, one.field, value)) for value in values])


def _held(record: Record, key: str) -> Any:
    """What the record itself holds under a key of its proof; nothing where the proof does not name it."""
    stated = record.link.keys.get(key)
    return None if stated is None else record.data.get(key, stated)


def parents(types: Mapping[str, RecordType]) -> frozenset[str]:
    """The types to which others refer, of those that a source names."""
    return frozenset(chain.from_iterable(known.parents for known in types.values()))


def _by_kind(record: Record, trusted: Trusted) -> Iterator[tuple[str, bool]]:
    """For each kind of which the record holds a value: whether one of its fields agrees."""
    agreed: dict[str, bool] = {}
    for kind, value in _identifying(record, trusted):
        agreed[kind] = agreed.get(kind, False) or trusted.agrees(kind, value)
    yield from agreed.items()


def _judgements(record: Record, trusted: Trusted) -> Iterator[bool]:
    return (trusted.agrees(kind, value) for kind, value in _identifying(record, trusted))


def _identifying(record: Record, trusted: Trusted) -> Iterator[tuple[str, Any]]:
    """What the record itself holds under the keys of its proof, where that is of a kind that was searched for."""
    link = record.link
    for name, stated in link.keys.items():
        kind = canonical_kind(link.identifiers.get(name, name))
        value = record.data.get(name, stated)
        if kind in trusted.forms and value:
            yield kind, value


@dataclass(frozen=True)
class Reference:
    """That the field ``key`` of a record refers to the field ``field`` of another type."""

    key: str
    type: str
    field: str


@lru_cache(maxsize=2_000)
def parsed(record_type: str, via: str) -> tuple[Reference, ...]:
    """Read ``invoice.customer_id = customer.id``, one or several with “and”, as a record of the first type states it.

    Empty for anything else.
    """
    found = [_parsed(record_type, part) for part in via.split(" and ")]
    references = tuple(one for one in found if one is not None)
    return references if len(references) == len(found) else ()


def _parsed(record_type: str, part: str) -> Reference | None:
    left, equals, right = part.partition(" = ")
    parent, dot, name = right.rpartition(".")
    if not equals or not dot or not left.startswith(f"{record_type}."):
        return None
    return Reference(left.removeprefix(f"{record_type}."), parent, name)


def _elements(value: Any) -> tuple[str, ...]:
    """What a key refers to, as text: numbers and texts are one, and nothing refers to nothing."""
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(chain.from_iterable(map(_elements, value)))
    return (str(value),)


def _texts(kind: str, value: Any) -> Iterator[str]:
    for text in _elements(value):
        yield text
        if kind == EMAIL and ("," in text or ";" in text):
            yield from text.replace(";", ",").split(",")
