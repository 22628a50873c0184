"""A source that costs next to nothing: it makes records as it is asked, goes by the gate, and notes each call.

Worker processes find it as they find any stranger's connector: by the entry point of a package.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

from cases.connectors.base import (
    EMAIL,
    Capabilities,
    Check,
    Cursor,
    Identifier,
    Limit,
    Link,
    LinkKind,
    Match,
    Option,
    OptionKind,
    Page,
    Record,
    RecordType,
    Setup,
    require_identifiers,
)
from cases.connectors.options import Settings, read_settings

KEY: Final = "bench_metered"
PEOPLE, EVENTS = "people", "events"
TYPES: Final = {
    PEOPLE: RecordType(PEOPLE, frozenset({"email", "name"})),
    EVENTS: RecordType(EVENTS, frozenset({"text"}), parents=(PEOPLE,)),
}
OPTIONS: Final = (
    Option("log", "File in which each call is noted"),
    Option("records", "Records of each person", kind=OptionKind.NUMBER, default=9, minimum=1),
    Option("page_size", "Records a page", kind=OptionKind.NUMBER, default=2000, minimum=1),
    Option("calls", "Calls", "In so many seconds; 0 for no limit.", kind=OptionKind.NUMBER, default=0),
    Option("seconds", "Seconds", kind=OptionKind.NUMBER, default=1, minimum=1),
)
_TEXT = "What was said on this occasion, in a sentence or two of ordinary length. "


class Metered:
    """Everybody whose address ends in example.com is known here, with one row and some events."""

    key: ClassVar[str] = KEY
    label: ClassVar[str] = "Metered records"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, setup: Setup, settings: Settings) -> None:
        self._clock, self._gate = setup.clock, setup.gate
        self._log = settings.text("log")
        self._records, self._page = settings.number("records"), settings.number("page_size")
        self._limit = Limit(settings.number("calls"), float(settings.number("seconds")))

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare how much there is, how fast it may be asked, and where calls are noted."""
        return OPTIONS

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Check the settings. Raises ConfigurationError."""
        return cls(setup, read_settings(OPTIONS, setup))

    def capabilities(self) -> Capabilities:
        """Say what is held, and how fast it may be asked."""
        limits = (self._limit,) if self._limit.calls else ()
        return Capabilities(frozenset({EMAIL}), TYPES, self._page, limits=limits)

    def check(self) -> Check:
        """Count as a call."""
        self._call()
        return Check("bench", self.version)

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Know everybody."""
        self._call()
        return dict.fromkeys((one.kind for one in identifiers), True)

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find the person by the address."""
        usable = require_identifiers(identifiers, frozenset({EMAIL}))
        self._call()
        return [
            Match(f"{PEOPLE}/{_id(one)}", PEOPLE, (EMAIL,), selector={"email": one.value}) for one in usable
        ]

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Make one page."""
        self._call()
        email, start = str(matches[0].selector["email"]), cursor.seen if cursor else 0
        end = min(start + self._page, self._records)
        following = Cursor(EVENTS, None, end, self._records) if end < self._records else None
        return Page(self._made(email, start, end), following, self._records)

    def _made(self, email: str, start: int, end: int) -> list[Record]:
        """The person's own row is number 0."""
        person, now = _id(Identifier(EMAIL, email)), self._clock()
        row = {"id": person, "email": email, "name": "Ada Example"}
        own = Record(
            f"{PEOPLE}/{person}",
            PEOPLE,
            Link(LinkKind.IDENTITY, (f"{PEOPLE}.email",), {"email": email}),
            row,
            now,
            {},
        )
        link = Link(LinkKind.REFERENCE, (f"{EVENTS}.person_id = {PEOPLE}.id",), {"person_id": person})
        numbers = range(max(start, 1), end)
        events = [
            Record(
                f"{EVENTS}/{person}-{number}",
                EVENTS,
                link,
                {
                    "id": number,
                    "person_id": person,
                    "kind": "call",
                    "text": f"{_TEXT}{number}",
                    "minutes": number % 60,
                },
                now,
                {},
            )
            for number in numbers
        ]
        return [own, *events] if start == 0 else events

    def _call(self) -> None:
        """Ask the gate, then note when the call was made: a line is written whole, whoever writes beside."""
        self._gate.take()
        if self._log:
            with Path(self._log).open("ab", buffering=0) as log:
                log.write(f"{time.time():.6f}\n".encode())

    def close(self) -> None:
        """There is nothing to close."""


def _id(identifier: Identifier) -> str:
    return identifier.value.partition("@")[0]


def offered_in(folder: Path) -> Path:
    """Make a package that offers this connector; for PYTHONPATH, together with the checkout."""
    package = folder / "packages"
    info = package / "dsar_bench-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dsar-bench\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[dsar.connectors]\n{KEY} = {__name__}:{Metered.__name__}\n")
    return package


def calls_in(log: Path) -> list[float]:
    """When each call was made, in seconds since the epoch, in order."""
    return sorted(float(line) for line in log.read_text().split()) if log.exists() else []


def most_within(calls: Sequence[float], seconds: float) -> int:
    """The most calls that were made within any stretch of so many seconds; ``calls`` are in order."""
    return max((number + 1 - bisect_right(calls, at - seconds) for number, at in enumerate(calls)), default=0)
