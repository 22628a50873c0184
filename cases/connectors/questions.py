"""Questions whose answers a source holds, beside the contract: for sources by which a person may show who they are.

What may be asked is declared, and is known without asking the source; the answer of one person is looked up when it
is needed, bounded, and never kept. What is public, or what people tell everybody, is no such fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from cases.connectors.base import Identifier, Setup


class FactKind(StrEnum):
    """How an answer is written, and so how it is compared."""

    MONTH = "month"  # a date, of which month and year are asked
    AMOUNT = "amount"  # money; the whole units are asked
    POSTCODE = "postcode"
    CHOICE = "choice"  # one of the declared values


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``name`` is its place in the source; ``wording`` has a text for each language, such as ``de``.

    ``choices`` are all values that may be chosen from, the same for everybody.
    """

    name: str
    kind: FactKind
    wording: Mapping[str, str]
    choices: tuple[str, ...] = ()

    def in_language(self, code: str) -> str:
        """The text in this language (``de`` or ``de-at``), else in English, else the first."""
        plain = code.partition("-")[0]
        return self.wording.get(code) or self.wording.get(plain) or next(iter(self.wording.values()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source holds of one person for one question."""

    name: str
    value: str = field(repr=False)


@runtime_checkable
class AnswersQuestions(Protocol):
    """A connector by whose source a person may be asked."""

    @classmethod
    def questions(cls, setup: Setup) -> tuple[Question, ...]:
        """Say what may be asked, contacting nobody and needing no secret. Raises ConfigurationError."""

    def facts(self, identifier: Identifier, names: Sequence[str]) -> Sequence[Answer]:
        """Give the answers of exactly one person, in a bounded number of reads.

        Empty where nobody is known by the identifier, or more than one: a fact of somebody else proves the wrong
        person. A question to which nothing is held has no answer. Raises ConnectorError.
        """
