"""What a source holds, described once for all connectors.

Collections, fields, and the references between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong or noteworthy in a description: a code, the place by names, the line, and a sentence."""

    code: str
    place: str
    line: int | None
    message: str

    def __str__(self) -> str:
        at_line = f" (line {self.line})" if self.line else ""
        return f"{self.place}{at_line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A field's declared tie to a field of another collection.

    ``direction`` is "from" when values flow from there to here, "to" for the reverse, None when it was not
    said.
    """

    collection: str
    field: str
    direction: str | None


@dataclass(frozen=True, slots=True)
class Askable:
    """That a person may be asked for a field's value to show who they are.

    ``kind`` is one of ``cases.connectors.questions.FactKind``; ``newest_by`` names the field by which the newest of
    several rows is told.
    """

    kind: str
    wording: Mapping[str, str]
    choices: tuple[str, ...] = ()
    newest_by: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``path`` has dots for a field inside another.

    ``third_party`` says that it is about somebody else, ``contact_changed`` that it holds the day on which contact
    data of the person were changed last, ``takes_statements`` that a statement of the person can be added to its text.
    """

    name: str
    path: str
    categories: tuple[str, ...]
    identity: str | None = None
    primary_key: bool = False
    references: tuple[Reference, ...] = ()
    data_type: str | None = None
    length: int | None = None
    read_only: bool = False
    third_party: bool = False
    fields: tuple[Field, ...] = ()
    askable: Askable | None = None
    contact_changed: bool = False
    takes_statements: bool = False

    def walk(self) -> Iterator[Field]:
        """Yield this field and the fields inside it."""
        yield self
        for inner in self.fields:
            yield from inner.walk()


@dataclass(frozen=True)
class Collection:
    """A table, or whatever the source calls it. ``third_party`` says that its rows are about somebody else."""

    name: str
    fields: tuple[Field, ...]
    subjects: tuple[str, ...]
    third_party: bool = False
    skipped: bool = False
    erase_after: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields of the collection itself, by name."""
        return {item.name: item for item in self.fields}

    @cached_property
    def identities(self) -> tuple[Field, ...]:
        """The fields by which a person can be found."""
        return tuple(item for item in self.fields if item.identity)

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        """The names of the fields that tell its rows apart."""
        return tuple(item.name for item in self.fields if item.primary_key)

    @cached_property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The data categories of each field, those inside others by their path."""
        return {inner.path: inner.categories for item in self.fields for inner in item.walk()}

    @cached_property
    def statement_field(self) -> str:
        """The first field to which a statement of the person can be added; empty where there is none."""
        return next((item.name for item in self.fields if item.takes_statements), "")

    @cached_property
    def personal_fields(self) -> frozenset[str]:
        """The fields that hold data about a person, rather than of the system's own working."""
        return frozenset(
            path for path, held in self.categories.items() if any(is_personal(one) for one in held)
        )

    @cached_property
    def third_party_fields(self) -> tuple[str, ...]:
        """The fields about somebody else in a collection about the person."""
        return tuple(inner.path for item in self.fields for inner in item.walk() if inner.third_party)


def is_personal(category: str) -> bool:
    """Say whether a data category is about people; the taxonomy keeps them all under ``user``."""
    return category == "user" or category.startswith("user.")


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference in the direction in which it is followed: from rows that are known to rows to be found.

    ``cyclic`` marks one that can lead back to where it began, and so is followed a limited number of times.
    """

    source: str
    source_field: str
    target: str
    target_field: str
    cyclic: bool = False

    def __str__(self) -> str:
        return f"{self.target}.{self.target_field} = {self.source}.{self.source_field}"


@dataclass(frozen=True)
class Dataset:
    """A source's description, validated.

    Collections stand in the order of traversal, those about others last.

    ``edges`` holds only references that are followed; ``unreachable`` names collections that nothing leads
    to; ``warnings`` is what an operator should know and may leave.
    """

    key: str
    name: str
    subjects: tuple[str, ...]
    collections: tuple[Collection, ...]
    edges: tuple[Edge, ...] = ()
    unreachable: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = field(default=())

    @cached_property
    def by_name(self) -> dict[str, Collection]:
        """The collections by name."""
        return {item.name: item for item in self.collections}

    @cached_property
    def reached(self) -> tuple[Collection, ...]:
        """The collections that are searched, in order."""
        return tuple(
            item for item in self.collections if item.name not in self.unreachable and not item.skipped
        )

    @cached_property
    def identity_kinds(self) -> frozenset[str]:
        """The kinds of identifier by which this source can be searched."""
        return frozenset(item.identity for held in self.reached for item in held.identities if item.identity)

    def edges_into(self, collection: str) -> tuple[Edge, ...]:
        """Return the followed references that lead to this collection."""
        return tuple(edge for edge in self.edges if edge.target == collection)
