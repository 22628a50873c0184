"""The demo CRM passes the kit, with every way of misbehaving."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from cases.connectors.base import OPEN_GATE, Connector, Gate, Record, Setup
from cases.connectors.changes import Verb
from cases.connectors.conformance.kit import Change, ConnectorContract, Trouble, World
from cases.connectors.demo_crm.system.api import WRITE_KEY, Switches
from cases.connectors.demo_crm.system.server import Server, running
from tests.cases.connectors.demo_crm.crm_world import ADA, fill

TROUBLES = {
    Trouble.FILTER_IGNORED: "filters_ignored",
    Trouble.LIMIT_WITH_WAIT: "limit_with_wait",
    Trouble.LIMIT_WITHOUT_WAIT: "limit_without_wait",
    Trouble.LIMIT_AS_FORBIDDEN: "limit_as_forbidden",
    Trouble.ERROR_IN_SUCCESS: "error_in_success",
    Trouble.KEY_REVOKED: "keys_revoked",
    Trouble.COMMIT_THEN_FAIL: "commit_then_fail",
    Trouble.RESIDUE_LEFT: "residue_left",
    Trouble.CORRECTION_IGNORED: "corrections_ignored",
}
RECORDS = {
    "contacts": 2,
    "subscriptions": 1,
    "tickets": 2,
    "messages": 2,
    "calls": 1,
    "invoices": 2,
    "files": 2,
    "history": 1,
}
PIECE = b"0123456789abcdef" * 4096


class TestDemoCrm(ConnectorContract):
    connector: ClassVar[str] = "demo_crm"
    server: Server
    files: dict[str, str]
    normal = Switches(calls=1_000_000)

    def setup_method(self) -> None:
        self._connected: list[Connector] = []
        self._running = running()
        self.server = self._running.__enter__()
        self.server.crm.switches = self.normal
        self.files = fill(self.server.crm.store)

    def teardown_method(self) -> None:
        for connector in self._connected:
            connector.close()
        self._running.__exit__(None, None, None)

    def connect(
        self, *, page_size: int = 1000, wrong_secret: bool = False, gate: Gate = OPEN_GATE
    ) -> Connector:
        """Not every test of the kit closes what it opened."""
        self._connected.append(super().connect(page_size=page_size, wrong_secret=wrong_secret, gate=gate))
        return self._connected[-1]

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        options = {"base_url": self.server.url, "network": "private", "page_size": page_size}
        return Setup(options, {"api_key": "wrong-key" if wrong_secret else WRITE_KEY})

    def world(self) -> World:
        return World(
            subject="ada.example@shop.test",
            spellings=("ADA.EXAMPLE@SHOP.TEST", " Ada.Example@shop.test\n"),
            near_misses=("da.example@shop.test", "ada.example@shop", "ada_example@shop.test", "%"),
            stranger="bob@shop.test",
            stranger_marks=("bob@shop.test", "My heating is cold.", "Bob moved out", "Bobtown"),
            confidential=(WRITE_KEY, "wrong-key", "ada.example@", "Ada Example", "bob sample", "my parcel"),
            records=RECORDS,
            phone="+44 20 7946 0001",
            phone_spellings=("0044 (20) 7946-0001", "442079460001"),
            duplicate_marks=("A. Example (old)",),
            archived_marks=("Harbour View 9",),
            unknown_fields={"contacts": ("loyalty_score",)},
            files=self.files,
            # One after the other on the same people, so the one after which nobody finds them comes last.
            changes=(
                Change(Verb.DELETE, "messages", {"text": "It is on its way."}),
                Change(Verb.SET, "contacts", {"name": "A. Example (old)"}, {"city": "Bradford on Avon"}),
                Change(Verb.RESTRICT, "contacts", {"name": "Ada Example"}),
                Change(Verb.DELETE, "tickets", {"subject": "Wrong size"}),
                Change(Verb.DELETE, "invoices", {"number": "I-2"}),
                Change(Verb.DELETE, "files", {"name": "letter.pdf"}),
                Change(Verb.DELETE, "contacts", {"name": "A. Example (old)"}),
                Change(Verb.ANONYMISE, "contacts", {"name": "Ada Example"}),
            ),
            refused=Change(Verb.DELETE, "invoices", {"number": "I-1"}),
        )

    def misbehave(self, trouble: Trouble) -> None:
        self.server.crm.switches = replace(self.normal, **{TROUBLES[trouble]: True})

    def behave(self) -> None:
        self.server.crm.switches = self.normal

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        store = self.server.crm.store
        kind, _, number = taken[-1].ref.partition("/")
        gone = store.get(kind, int(number))
        assert gone
        store.remove(gone)
        store.add(
            "history",
            [{"contact_id": ADA, "field": "city", "old": "Hull", "new": "York", "changed_by": "Kim"}],
        )

    def fill(self, count: int, size: int) -> None:
        rows = ({"contact_id": ADA, "agent": "Kim", "summary": f"{n} " + "x" * size} for n in range(count))
        self.server.crm.store.add("calls", rows)

    def attach(self, size: int) -> str:
        about = {
            "contact_id": ADA,
            "on_type": "calls",
            "on_id": 31,
            "name": "long.wav",
            "media_type": "audio/wav",
        }
        _number, digest = self.server.crm.store.attach(about, _pieces(size))
        assert digest == hashlib.sha256(PIECE * (size // len(PIECE))).hexdigest()
        return digest

    def writes(self) -> int:
        return self.server.crm.writes


def _pieces(size: int) -> Iterator[bytes]:
    assert size % len(PIECE) == 0
    yield from _times(PIECE, size // len(PIECE))


def _times(piece: bytes, count: int) -> Iterable[bytes]:
    return (piece for _ in range(count))


class TestDemoCrmThatDeletesLater(TestDemoCrm):
    """The same with a system that takes its time for every deletion."""

    normal = Switches(calls=1_000_000, eventual_deletion=2)

    not_claimed: ClassVar = {
        Trouble.RESIDUE_LEFT: "A deletion that comes later leaves no ghost here.",
    }
