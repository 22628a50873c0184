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


def kinds_of(source: SourceSystem | None) -> Mapping[str, Kind]:
    """Every type of record of a source; of one whose settings cannot work, none."""
    connector = _connected(source) if source else None
    if connector is None:
        return {}
    with closing(connector):
        writes = source is not None and changes(source)
        types = connector.capabilities().types
    return {name: _kind(one, writes=writes) for name, one in types.items()}


def changes(source: SourceSystem) -> bool:
    """Whether a connector may change this source: it knows how, and was given an account for it."""
    try:
        with closing(identifiers.connect_to_change(source)) as connector:
            return source.is_active and isinstance(connector, ChangesRecords)
    except ConfigurationError:
        return False


def _connected(source: SourceSystem) -> Connector | None:
    """With the account that changes, where there is one: what it may do is said of that one."""
    for connect in (identifiers.connect_to_change, identifiers.connect):
        try:
            return connect(source)
        except ConfigurationError:
            continue
    return None


def _kind(one: RecordType, *, writes: bool) -> Kind:
    able = one.abilities if writes else frozenset()
    can = Can(Ability.DELETE in able, Ability.ANONYMISE in able, Ability.RESTRICT in able)
    own = [form for form in one.forms.values() if not form.third_party]
    return Kind(can, frozenset(name for form in own for name in form.categories), one.keys)
