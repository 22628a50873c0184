"""The part of the contract that walks through all records of a source, to find what came back from a backup.

A connector that cannot list leaves it out; then whoever restored the source has to say by what the people are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cases.connectors.base import Cursor, Identifier


@dataclass(frozen=True, slots=True)
class Place:
    """Where one record stands: its reference and type as in ``Record``, and the identifiers that it bears itself."""

    ref: str
    type: str
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacePage:
    """One page of places; ``next`` is None at the end. ``skipped`` names record types that cannot be walked through."""

    places: Sequence[Place]
    next: Cursor | None
    skipped: tuple[str, ...] = ()


@runtime_checkable
class ListsPlaces(Protocol):
    """A connector that can walk through its source."""

    def places(self, cursor: Cursor | None) -> PlacePage:
        """Return one page of every record there is, whomever it is about: keys and identifiers, nothing else.

        Raises ConnectorError.
        """
