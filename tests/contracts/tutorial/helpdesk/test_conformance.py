"""The practice help desk with invented people in it, and the fifteen points tried on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cases.connectors.base import JSON, Record, Setup
from cases.connectors.changes import Verb
from cases.connectors.conformance.kit import Change, ConnectorContract, Trouble, World
from cases.connectors.conformance.practice import PracticeDesk

PHOTO = b"\x89PNG" + b"a picture of a kettle" * 20


class TestHelpDesk(ConnectorContract):
    connector = "helpdesk.changing:HelpDesk"

    def setup_method(self) -> None:
        self.desk = PracticeDesk(token="right-token").start()
        self.desk.add_contact(
            1, email="Ada.Example@shop.test", phone="+44 20 7946 0001", name="Ada Example", score=7
        )
        self.desk.add_contact(2, email="bob@shop.test", phone="+44 20 7946 0002", name="Bob Sample")
        self.desk.add_contact(3, name="Nobody Atall")
        self.desk.add_contact(4, email="ada.example@shop.test", name="Ada Second-Entry")
        self.desk.add_contact(5, email="ada.example@shop.test", name="Ada Of-Old", archived=True)
        self.desk.add_ticket(11, 1, subject="Kettle", text="It leaks.")
        self.desk.add_ticket(12, 1, subject="Teapot", text="It broke.", status="billed")
        self.desk.add_ticket(13, 2, subject="Harpoon", text="Moved to Leeds.")
        self.desk.add_ticket(14, 4, subject="Cup", text="Where is it?")
        self.desk.add_ticket(15, 5, subject="Saucer", text="From the archive.")
        self.desk.add_file(91, 11, "kettle.png", PHOTO)
        self.desk.add_file(92, 13, "bob.png", b"a picture of Bob")

    def teardown_method(self) -> None:
        self.desk.stop()

    def world(self) -> World:
        return World(
            subject="ada.example@shop.test",
            spellings=("ADA.EXAMPLE@SHOP.TEST", " Ada.Example@shop.test\n"),
            near_misses=("da.example@shop.test", "ada.example@shop", "ada_example@shop.test", "%"),
            phone="+44 20 7946 0001",
            phone_spellings=("0044 (20) 7946-0001", "442079460001"),
            duplicate_marks=("Ada Second-Entry", "Where is it?"),
            archived_marks=("Ada Of-Old", "From the archive."),
            stranger="bob@shop.test",
            stranger_marks=("bob@shop.test", "Bob Sample", "Harpoon", "Moved to Leeds."),
            confidential=("right-token", "wrong-token", "ada.example@", "It leaks", "Bob S", "kettle.png"),
            records={"contact": 3, "ticket": 4},
            unknown_fields={"contact": ("score",)},
            files={"kettle.png": hashlib.sha256(PHOTO).hexdigest()},
            changes=(
                Change(Verb.DELETE, "ticket", {"subject": "Kettle"}),
                Change(Verb.SET, "contact", {"id": 1}, {"name": "Ada Married-Name"}),
            ),
            refused=Change(Verb.DELETE, "ticket", {"subject": "Teapot"}),
        )

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        options: dict[str, JSON] = {
            "base_url": self.desk.address,
            "network": "private",
            "page_size": page_size,
        }
        return Setup(options, {"token": "wrong-token" if wrong_secret else "right-token"})

    def misbehave(self, trouble: Trouble) -> None:
        self.desk.trouble = trouble

    def behave(self) -> None:
        self.desk.trouble = None

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        del self.desk.tickets[int(taken[-1].ref.split("/")[1])]
        self.desk.add_ticket(16, 1, subject="Late", text="Came while pages were read.")

    def fill(self, count: int, size: int) -> None:
        for number in range(1000, 1000 + count):
            self.desk.add_ticket(number, 1, text="x" * size)

    def attach(self, size: int) -> str:
        content = bytes(size)
        self.desk.add_file(93, 11, "large.bin", content)
        return hashlib.sha256(content).hexdigest()

    def writes(self) -> int:
        return self.desk.writes
