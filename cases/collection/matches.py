"""Which matches are followed, and which wait for somebody to say whether they are the person. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cases.collection.proof import SHARED_KINDS, Trusted
from cases.connectors.base import EMAIL, JSON, PHONE, Confidence, Connector, Identifier, Match, is_searchable
from cases.models import MatchDoubt

# What tells people apart in any system; numbers differ from system to system.
TELLING = frozenset({EMAIL, PHONE})


@dataclass(frozen=True)
class Wanted:
    """What is known of the person: by themselves, and by what sources revealed in earlier rounds."""

    known: Sequence[Identifier]
    revealed: Sequence[Identifier] = ()
    region: str | None = None

    @property
    def all(self) -> list[Identifier]:
        return [*self.known, *self.revealed]

    @property
    def verified(self) -> list[Identifier]:
        return [one for one in self.known if one.verified]

    @property
    def trusted(self) -> Trusted:
        """What proves a record: what was verified, and what was revealed and is nobody else's as well."""
        own = [one for one in self.revealed if one.kind not in SHARED_KINDS]
        return Trusted.of([*self.verified, *own], self.region)


@dataclass(frozen=True)
class Found:
    """What a source answered. ``sure`` are followed; the others wait, each with the reason."""

    sure: Sequence[Match] = ()
    doubtful: Sequence[tuple[Match, MatchDoubt]] = ()

    def to_json(self) -> dict[str, JSON]:
        """Return it as plain JSON, to be kept where a search is put back."""
        return {
            "sure": [match.to_json() for match in self.sure],
            "doubtful": [[match.to_json(), why.value] for match, why in self.doubtful],
        }

    @classmethod
    def from_json(cls, kept: Any) -> "Found":
        """Read what to_json wrote."""
        return cls(
            [Match.from_json(match) for match in kept["sure"]],
            [(Match.from_json(match), MatchDoubt(why)) for match, why in kept["doubtful"]],
        )


def find(connector: Connector, wanted: Wanted) -> Found:
    """Ask the source. What only a revealed identifier led to is told apart by asking without those as well."""
    matches = connector.find(wanted.all)
    if not wanted.revealed:
        return _sorted(matches, wanted, frozenset())
    before = frozenset(map(_place, _found_without(connector, wanted)))
    return _sorted(matches, wanted, frozenset(map(_place, matches)) - before)


def _place(match: Match) -> tuple[str, str]:
    return match.type, match.ref


def _found_without(connector: Connector, wanted: Wanted) -> Sequence[Match]:
    kinds = connector.capabilities().identifier_kinds
    searchable = [one for one in wanted.known if one.kind in kinds and is_searchable(one)]
    return connector.find(searchable) if searchable else ()


def _sorted(matches: Sequence[Match], wanted: Wanted, later: frozenset[tuple[str, str]]) -> Found:
    led = [match for match in matches if _place(match) in later]
    misled = frozenset(kind for match in led if _is_of_others(match, wanted) for kind in match.matched_on)
    several = Counter(match.type for match in led)
    judged = [
        (match, _doubt_of_led(match, misled, several) if _place(match) in later else _doubt(match, wanted))
        for match in matches
    ]
    return Found(
        [match for match, why in judged if why is None],
        [(match, why) for match, why in judged if why is not None],
    )


def _doubt(match: Match, wanted: Wanted) -> MatchDoubt | None:
    """Exact, and by an identifier that was verified; anything less is for a person to look at."""
    if match.confidence != Confidence.EXACT:
        return MatchDoubt(match.confidence.value)
    verified = {one.kind for one in wanted.verified}
    return None if verified & set(match.matched_on) else MatchDoubt.UNVERIFIED


def _doubt_of_led(match: Match, misled: frozenset[str], several: Counter[str]) -> MatchDoubt | None:
    """Of what a revealed identifier led to, only what leads to nobody else, and not by what people share.

    Several records of one type may be several people: a mailbox or a number that an office shares.
    """
    if match.confidence != Confidence.EXACT:
        return MatchDoubt(match.confidence.value)
    if misled & set(match.matched_on):
        return MatchDoubt.OTHERS
    if SHARED_KINDS.issuperset(match.matched_on):
        return MatchDoubt.SHARED
    return MatchDoubt.SEVERAL if match.is_group or several[match.type] > 1 else None


def _is_of_others(match: Match, wanted: Wanted) -> bool:
    """Whether the record that matched has an address or number of its own that is none of the person's."""
    known = Trusted.of(wanted.all, wanted.region)
    return any(not _agree(match.reveals, kind, known) for kind in _kinds(match.reveals))


def _kinds(identifiers: Iterable[Identifier]) -> Iterator[str]:
    return (kind for kind in TELLING if any(one.kind == kind for one in identifiers))


def _agree(identifiers: Iterable[Identifier], kind: str, known: Trusted) -> bool:
    """Whether one of this kind is known of the person; where none of this kind is known, there is no telling."""
    if kind not in known.forms:
        return True
    return any(known.agrees(kind, one.value) for one in identifiers if one.kind == kind)
