"""The connector of a source that a person searches: it declares how its owner is asked, and searches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from cases.connectors.base import (
    Capabilities,
    Check,
    ConfigurationError,
    Cursor,
    Identifier,
    Match,
    Option,
    OptionKind,
    Page,
    RecordType,
    Refused,
    Setup,
)
from cases.connectors.options import Settings, read_settings

HANDED_IN = "handed_in"
# What of a person can be shown to whoever searches, in the order in which it is shown.
SHOWN = ("name", "email", "phone", "external_id", "birth_date")

INSTRUCTIONS, SEARCH_BY = "instructions", "search_by"
ANSWER_DAYS, REMIND_DAYS = "answer_days", "remind_days"


class SearchedByHand(Refused):
    """A program asked; this source answers its owner alone."""

    code = "searched_by_hand"
    sentence = "This source is searched by a person."
    remedy = "Its owner is asked by mail; wait for the answer, or record what they said."


class ManualConnector:
    """Keeps the contract as far as a source without an interface can: nothing is found by calling it."""

    key: ClassVar[str] = "manual"
    label: ClassVar[str] = "Searched by a person"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare what its owner is told, and when."""
        return (
            Option(
                INSTRUCTIONS,
                "What to do",
                help="In the owner's words: where to look, and how to save what is found.",
                default="",
            ),
            Option(
                SEARCH_BY,
                "Shown to the owner",
                help=f"What of the person is needed to find them, and no more: {', '.join(SHOWN)}.",
                default="name, email",
            ),
            Option(ANSWER_DAYS, "Days to answer", kind=OptionKind.NUMBER, default=7, minimum=1, maximum=28),
            Option(
                REMIND_DAYS,
                "Days between reminders",
                kind=OptionKind.NUMBER,
                default=3,
                minimum=1,
                maximum=14,
            ),
        )

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Check the options. Raises ConfigurationError."""
        made = cls(read_settings(cls.options(), setup))
        unknown = [name for name in made.shown if name not in SHOWN]
        if unknown or not made.shown:
            raise ConfigurationError(f"“Shown to the owner” ({SEARCH_BY}) names some of {', '.join(SHOWN)}.")
        return made

    @property
    def shown(self) -> tuple[str, ...]:
        """What of the person the owner sees."""
        return tuple(name for part in self.settings.text(SEARCH_BY).split(",") if (name := part.strip()))

    def capabilities(self) -> Capabilities:
        """Say that whatever is handed in has one type, and that what is found rests on the owner's care."""
        handed_in = RecordType(HANDED_IN, frozenset({"title", "text"}))
        return Capabilities(
            identifier_kinds=frozenset(),
            types={HANDED_IN: handed_in},
            page_max=1,
            blind_spots=("A person searches this source and hands in what they find.",),
        )

    def check(self) -> Check:
        """There is nothing to connect to."""
        return Check(account="", server="")

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Know of no kind of identifier."""
        return {}

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Raises SearchedByHand."""
        raise SearchedByHand

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Raises SearchedByHand."""
        raise SearchedByHand

    def close(self) -> None:
        """There is nothing to let go of."""
