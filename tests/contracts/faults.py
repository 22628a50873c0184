"""A fault for each point of the kit, planted in the tutorial's connector: exactly that point has to fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from helpdesk.changing import HelpDesk, _is_as_wished
from helpdesk.reading import MEANINGS, OPTIONS, Row

from cases.connectors.base import (
    EMAIL,
    AuthError,
    Blob,
    Cursor,
    Identifier,
    Link,
    LinkKind,
    Match,
    Page,
    Refused,
    Setup,
    Transient,
)
from cases.connectors.changes import (
    Action,
    Blocker,
    Finding,
    Obstacle,
    Outcome,
    Plan,
    Receipt,
    Remains,
    Verb,
    Wish,
)
from cases.connectors.options import read_settings
from cases.connectors.web import Answer, Meaning, Web


class KnowsNoProof(HelpDesk):
    """Leaves out why a record belongs to the person."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        unproven = [replace(record, link=Link(LinkKind.REFERENCE, (), {})) for record in page.records]
        return replace(page, records=unproven)


class HangsOnNothing(HelpDesk):
    """Names as proof a record that it never gave."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        link = Link(LinkKind.REFERENCE, ("ticket.contact = account.id",), {"contact": 1})
        records = [replace(one, link=link) if one.data.get("contact") == 1 else one for one in page.records]
        return replace(page, records=records)


class MindsCase(HelpDesk):
    """Tells addresses apart by their case."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        found = super().find(identifiers)
        return found if any(item.value == item.value.lower() for item in identifiers) else []


class MindsBlanksInTelephones(HelpDesk):
    """Finds a telephone number only as it is written."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        return [] if any(item.value.startswith("00") for item in identifiers) else super().find(identifiers)


class CountsPage(HelpDesk):
    """Gives the length of the page for the total."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        return replace(page, expected_total=len(page.records))


class NamesOneFileTwice(HelpDesk):
    """Gives the first half of a file and then the whole of it."""

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        yield b"again: " if (blob.size or 0) < 1000 else b""
        yield from super().open_blob(blob)


class RemembersPlaces(HelpDesk):
    """Keeps places in the memory of its process, and puts only their number into the cursor."""

    places: ClassVar[dict[int, Cursor]] = {}
    given: ClassVar[dict[str, int]] = {}

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        known = self.places.get(cursor.after) if cursor and isinstance(cursor.after, int) else cursor
        page = super().collect(matches, known)
        if page.next is None:
            return page
        number = self.given.setdefault(str(page.next.to_json()), len(self.given) + 1)
        self.places[number] = page.next
        return replace(page, next=replace(page.next, after=number))


class TrustsFilter(HelpDesk):
    """Takes whatever the help desk sends for what was asked for."""

    def _search(self, item: Identifier) -> list[Row]:
        if item.kind != EMAIL:
            return super()._search(item)
        return self._list("contacts", {"email": item.value.strip(), "archived": "include"})


class PagesByOffset(HelpDesk):
    """Counts how many records it has seen, and begins after so many."""

    def _rows(self, stage: str, mine: Mapping[int, Match], after: int) -> list[Row]:
        name = "contacts" if stage == "contact" else "tickets"
        ids = ",".join(map(str, sorted(mine)))
        asked = {"ids" if stage == "contact" else "contacts": ids, "archived": "include"}
        return self._list(name, {**asked, "offset": after, "limit": self._page_size})

    def _next(self, start: Cursor, rows: Sequence[Row], seen: int) -> Cursor | None:
        following = super()._next(start, rows, seen)
        if following is None or following.stage != start.stage:
            return following
        return replace(following, after=int(str(start.after)) + len(rows))


class TakesLimitForRefusal(HelpDesk):
    """Knows a limit only by status 429."""

    def __init__(self, setup: Setup, settings: Any) -> None:
        super().__init__(setup, settings)
        _understand(self, setup, MEANINGS[1:])


class TakesErrorForAnswer(HelpDesk):
    """Believes every 200."""

    def __init__(self, setup: Setup, settings: Any) -> None:
        super().__init__(setup, settings)
        _understand(self, setup, MEANINGS[:1])

    def _list(self, name: str, params: Mapping[str, Any]) -> list[Row]:
        return self._web.read("GET", f"/{name}", params=params).at(name) or []


class RepeatsBlindly(HelpDesk):
    """Writes again when the answer was lost."""

    def _write(self, action: Action) -> Answer:
        try:
            return super()._write(action)
        except Transient:
            return super()._write(action)


class PlansByTrying(HelpDesk):
    """Writes a little to see whether it may."""

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        self._web.write("PATCH", "/contacts/{id}", fill={"id": 1}, json={})
        return super().plan(wishes)


class PassesRefusalOn(HelpDesk):
    """Foresees no refusal, and lets it through as an error."""

    def _judge(self, wish: Wish) -> Action | Blocker:
        judged = super()._judge(wish)
        if isinstance(judged, Blocker) and judged.obstacle is Obstacle.STATE:
            return Action(wish.key, wish.verb, wish.ref, wish.type)
        return judged

    def apply(self, action: Action) -> Receipt:
        receipt = super().apply(action)
        if receipt.obstacle is Obstacle.STATE and action.verb is Verb.DELETE:
            raise Refused(reason="billed")
        return receipt


class WritesAgain(HelpDesk):
    """Writes without looking whether it is so already."""

    def apply(self, action: Action) -> Receipt:
        if action.verb is not Verb.SET:
            return super().apply(action)
        began, answer = self._clock(), self._write(action)
        outcome = Outcome.DONE if _is_as_wished(self._read(action.ref), action) else Outcome.REFUSED
        return self._receipt(action, outcome, began, answer.request, answer)


class VerifiesByNumber(HelpDesk):
    """Looks again by the very way by which it deleted."""

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        left = [action for action in actions if not _is_as_wished(self._read(action.ref), action)]
        return [Finding(action.ref, action.type, "by number", Remains.RESIDUAL) for action in left]


class BelievesAnswers(HelpDesk):
    """Takes 200 for done."""

    def apply(self, action: Action) -> Receipt:
        receipt = super().apply(action)
        return replace(receipt, outcome=Outcome.DONE) if receipt.status == 200 else receipt


class TriesOnWithRevokedKey(HelpDesk):
    """Takes a refused key for something that passes."""

    def __init__(self, setup: Setup, settings: Any) -> None:
        super().__init__(setup, settings)
        _understand(self, setup, (Meaning(lambda _: Transient(), [401]), *MEANINGS))


class ReadsEverything(HelpDesk):
    """Reads the whole list to give a page of it."""

    def _rows(self, stage: str, mine: Mapping[int, Match], after: int) -> list[Row]:
        size, self._page_size = self._page_size, 1000
        found: list[Row] = []
        while rows := super()._rows(stage, mine, found[-1]["id"] if found else after):
            found += rows
        self._page_size = size
        return found[:size]


class ReadsFileWhole(HelpDesk):
    """Reads a file to its end before it gives the first chunk."""

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        content = b"".join(super().open_blob(blob))
        yield from (content[start : start + 65_536] for start in range(0, len(content), 65_536))


class LogsAddress(HelpDesk):
    """Writes what it searches for into the log."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        logging.getLogger("vendor").debug("searching %s", [item.value for item in identifiers])
        return super().find(identifiers)


class QuotesSecret(HelpDesk):
    """Hands on the vendor's own words."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        try:
            return super().find(identifiers)
        except AuthError as error:
            raise type(error) from ValueError("wrong-token is not valid")


class NamesPersonInReceipt(HelpDesk):
    """Puts the corrected name into the receipt."""

    def apply(self, action: Action) -> Receipt:
        receipt = super().apply(action)
        return replace(receipt, request=f"{receipt.request} {dict(action.payload)}")


def _understand(connector: HelpDesk, setup: Setup, meanings: Sequence[Meaning]) -> None:
    settings = read_settings(OPTIONS, setup)
    token = {"Authorization": f"Bearer {settings.secret('token')}"}
    connector._web = Web.of(settings, setup, headers=token, meanings=meanings)


# Each with the one point that has to fail.
FAULTS: Mapping[type[HelpDesk], int] = {
    KnowsNoProof: 0,
    HangsOnNothing: 0,
    MindsCase: 1,
    MindsBlanksInTelephones: 1,
    CountsPage: 2,
    NamesOneFileTwice: 2,
    RemembersPlaces: 3,
    TrustsFilter: 4,
    PagesByOffset: 5,
    TakesLimitForRefusal: 6,
    TakesErrorForAnswer: 6,
    RepeatsBlindly: 7,
    PlansByTrying: 8,
    PassesRefusalOn: 9,
    WritesAgain: 10,
    VerifiesByNumber: 11,
    BelievesAnswers: 12,
    TriesOnWithRevokedKey: 13,
    ReadsEverything: 14,
    ReadsFileWhole: 14,
    LogsAddress: 15,
    QuotesSecret: 15,
    NamesPersonInReceipt: 15,
}
