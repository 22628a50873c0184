"""Which of the records that were collected may be written to: those that prove by themselves whose they are.

A search hit is no match. What a human took in, because it agreed only in part, is enough to be shown or to be dealt
with by hand; a connector changes only what bears the verified identity by the rule of its source, or refers to such a
record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cases.collection.proof import parsed
from cases.models import Belongs, Candidate, Case, SetAside
from dsar.lib import crypto
from dsar.vault import keyring

# A record of a source, by the field by which others refer to it: type, field, value.
Key = tuple[str, str, str]


def parents_of(collection: str, content: Mapping[str, Any]) -> frozenset[Key]:
    """The places to which a record refers, as the proof of its link names them."""
    data = content.get("data") or {}
    return frozenset(
        (one.type, one.field, value)
        for via in content.get("via") or ()
        for one in parsed(collection, via)
        for value in _texts(data.get(one.key))
    )


def keys_of(collection: str, content: Mapping[str, Any], names: frozenset[str]) -> frozenset[Key]:
    """The places by which others may refer to a record."""
    data = content.get("data") or {}
    return frozenset((collection, name, value) for name in names for value in _texts(data.get(name)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None and value != "":
        yield str(value)


@dataclass
class Proven:
    """Judges one record after another, each behind those to which it refers.

    What hangs on a record that a human took in is taken in by that human's word as well.
    """

    place: Any
    by_word: frozenset[bytes]
    doubtful_sources: frozenset[UUID]
    whole_sources: frozenset[UUID]
    _on_word: set[tuple[UUID, Key]] = field(default_factory=set)

    @classmethod
    def of(cls, case: Case) -> "Proven":
        """Read what humans decided about this case's doubts."""
        aside = SetAside.objects.filter(case=case, verdict=Belongs.THEIRS)
        matches = Candidate.objects.filter(case=case, verdict=Belongs.THEIRS).select_related("case")
        groups = frozenset(one.source_id for one in matches if one.match.get("is_group"))
        taken = [*aside.values_list("source_id", "ref_hash"), *matches.values_list("source_id", "ref_hash")]
        return cls(
            crypto.blinder(keyring.key(case.collected_key_id)),
            frozenset(bytes(ref_hash) for _source, ref_hash in taken),
            frozenset(source for source, _ref_hash in taken),
            groups,
        )

    def shows(
        self, source_id: UUID | None, collection: str, content: Mapping[str, Any], keys: frozenset[Key]
    ) -> bool:
        """Whether this record may be written to. ``keys`` are those by which others refer to it."""
        if source_id is None or content.get("link") not in {"identity", "reference"}:
            return False
        if source_id not in self.doubtful_sources:
            return True
        if source_id in self.whole_sources or not self._by_itself(source_id, collection, content):
            self._on_word |= {(source_id, key) for key in keys}
            return False
        return True

    def _by_itself(self, source_id: UUID, collection: str, content: Mapping[str, Any]) -> bool:
        ref = content["ref"]
        places = (f"ref|{collection}|{ref}", f"match|{collection}|{ref}")
        if any(self.place(one) in self.by_word for one in places):
            return False
        if content["link"] == "identity":
            return True
        parents = parents_of(collection, content)
        return bool(parents) and not any((source_id, key) in self._on_word for key in parents)
