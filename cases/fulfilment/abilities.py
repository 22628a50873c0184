"""What a source lets us do to its records, and what it says of them; nothing is contacted."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from cases.collection import identifiers
from cases.connectors.base import Ability, ConfigurationError, Connector, RecordType
from cases.connectors.changes import ChangesRecords
from cases.fulfilment.rules import Can
from cases.models import SourceSystem


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of record: what can be done to it, its data categories, and the fields by which others refer to it."""

    can: Can = field(default_factory=Can)
    categories: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


UNKNOWN: Final = Kind()


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
    """What is known of a source; nothing where its settings do not work.

    With the account that changes, where there is one: what it may do is said of that one.
    """
    if source is None:
        return Reach()
    for connect in (identifiers.connect_to_change, identifiers.connect):
        try:
            with closing(connect(source)) as connector:
                return Reach(connector.capabilities().types, _may_change(source, connector, connect))
        except ConfigurationError:
            continue
    return Reach()


def _may_change(source: SourceSystem, connector: Connector, connect: object) -> bool:
    """It knows how, is in use, and was opened with an account for it."""
    is_account = connect is identifiers.connect_to_change
    return is_account and source.is_active and isinstance(connector, ChangesRecords)


def changes(source: SourceSystem) -> bool:
    """Whether a connector may change this source."""
    return reach_of(source).may_change


def kinds_of(source: SourceSystem | None) -> Mapping[str, Kind]:
    """Every type of record of a source; of one whose settings cannot work, none."""
    reach = reach_of(source)
    return {name: _kind(one, writes=reach.may_change) for name, one in reach.types.items()}


def _kind(one: RecordType, *, writes: bool) -> Kind:
    able = one.abilities if writes else frozenset()
    can = Can(Ability.DELETE in able, Ability.ANONYMISE in able, Ability.RESTRICT in able)
    own = [form for form in one.forms.values() if not form.third_party]
    return Kind(can, frozenset(name for form in own for name in form.categories), one.keys)
