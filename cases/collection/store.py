"""Pages of records become items: sealed, told apart by place, seen again when they changed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import connection
from django.utils import timezone

from cases.collection import drift
from cases.connectors.base import Blob, LinkKind, Record
from cases.law.loader import others_code
from cases.models import Case, CollectedFile, FileState, Item, ItemDecision, SourceSearch
from cases.words import DISCLOSING
from dsar.lib import crypto
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring
from dsar.vault.fields import Sealer, sealer

# A record found again keeps its decision unless its content changed; those that changed are given back.
# The values travel in binary form: as text, bytes are twice as long and every item of an array is searched
# for signs to escape. EXCEPT compares by hashing, whatever number of rows the planner expects of unnest().
INSERT = """
WITH page AS (
    SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::bytea[], %b::int[], %b::bytea[], %b::bool[],
                         %b::text[], %b::text[], %b::bytea[])
           AS page (id, collection, ref_hash, content_hash, number, content, third, decision, exemption, redactions)
), stored AS (
    INSERT INTO cases_item (controller_id, case_id, source_id, search_id, id, collection, ref_hash, content_hash,
                            number, content, is_third_party, decision, exemption, redactions, is_silent)
    SELECT %b::uuid, %b::uuid, %b::uuid, %b::uuid, page.*, false FROM page
    ON CONFLICT (case_id, source_id, collection, ref_hash) DO UPDATE
       SET search_id = EXCLUDED.search_id, number = EXCLUDED.number
    RETURNING ref_hash, content_hash
)
SELECT ref_hash FROM (SELECT ref_hash, content_hash FROM stored EXCEPT SELECT ref_hash, content_hash FROM page)
       AS changed"""


class Row(NamedTuple):
    """What the statement takes of one record, in its order; and then what it was sealed from."""

    id: UUID
    collection: str
    ref_hash: bytes
    content_hash: bytes
    number: int
    content: bytes
    is_third_party: bool
    decision: str
    exemption: str
    redactions: bytes | None
    plain: bytes
    marks: bytes | None


COLUMNS = 10


@dataclass(frozen=True)
class Form:
    """How records become rows of one case: its keys, opened, what its law says of others, and of unknown fields."""

    blind: Callable[[str], bytes]
    content: Sealer
    redactions: Sealer
    others: str
    goes_out: bool
    choices: drift.Choices = field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, source_id: UUID | None = None) -> Self:
        """Open the case's keys, once for all pages; raises KeyDestroyed."""
        key_id = case.collected_key_id
        return cls(
            blind=crypto.blinder(keyring.key(key_id)),
            content=sealer(Item, "content", key_id),
            redactions=sealer(Item, "redactions", key_id),
            others=others_code(case.regime),
            goes_out=case.right in DISCLOSING,
            choices=drift.choices_of(source_id) if source_id else {},
        )

    def seal(self, records: Sequence[Record], first_number: int) -> "SealedPage":
        """Make a page ready to be stored; nothing is asked of the database."""
        once = list({(record.type, record.ref): record for record in records}.values())
        numbered = list(enumerate(once, first_number))
        return SealedPage(
            self,
            once,
            [self._row(record, number) for number, record in numbered],
            [self._file(record, blob, number) for number, record in numbered for blob in record.blobs],
            _unknown(once),
        )

    def place(self, record: Record) -> bytes:
        """The keyed hash of where a record stands in its source."""
        return self.blind(f"ref|{record.type}|{record.ref}")

    def change(self, item: Item, row: Row) -> None:
        """Give an item what was found now: it has to be decided anew."""
        item.content, item.content_hash = json.loads(row.plain), row.content_hash
        item.decision, item.exemption = row.decision, row.exemption
        item.redactions = None if row.marks is None else json.loads(row.marks)
        item.is_silent, item.decided_by_id, item.decided_at = False, None, None

    def classify(self, item: Item) -> bool:
        """Apply what was said of unknown fields to an item that is stored already; False where it stays as it is."""
        content: dict[str, Any] = item.content or {}
        held = content.get("unclassified", {})
        if not held:
            return False
        shown = drift.classified(content["data"], held, self.choices.get(item.collection, {}))
        item.content = content | {"data": shown.data, "unclassified": shown.held}
        item.content_hash = self.blind(_to_compare(_encoded(shown.data), shown.undecided))
        if self.goes_out and item.decision != ItemDecision.WITHHOLD:
            marks = _with_others(item.redactions, shown.others, held, self.others)
            item.decision = _redacted_or_not(ItemDecision(item.decision), marks)
            item.redactions = marks
        return True

    def _row(self, record: Record, number: int) -> Row:
        item_id = uuid7()
        if record.unclassified:
            shown = drift.classified(record.data, record.unclassified, self.choices.get(record.type, {}))
            data, others = _encoded(shown.data), (*record.third_party_fields, *shown.others)
            written = _written(record, data, shown.held)
            compared = _to_compare(data, shown.undecided)
        else:
            data, others = _encoded(record.data), record.third_party_fields
            written, compared = _written(record, data), data
        decision, exemption, marks = self._first_decision(record, others)
        return Row(
            item_id,
            record.type,
            self.place(record),
            self.blind(compared),
            number,
            self.content(item_id, written),
            record.third_party,
            decision,
            exemption,
            None if marks is None else self.redactions(item_id, marks),
            written,
            marks,
        )

    def _file(self, record: Record, blob: Blob, number: int) -> Row:
        """A file of a record as an item, whose bytes come later."""
        about = {"name": blob.name, "media_type": blob.media_type, "size": blob.size}
        file = replace(
            record,
            ref=blob.ref,
            type=f"files of {record.type}",
            data=about,
            third_party_fields=(),
            unclassified={},
            handle=blob.handle,
        )
        return self._row(file, number)

    def _first_decision(self, record: Record, others: tuple[str, ...]) -> tuple[str, str, bytes | None]:
        """Third parties' records start as withheld; fields about others in the person's own as redacted.

        Where nothing goes out, as with an erasure, there is nothing to redact: the record is to be decided as a
        whole.
        """
        if record.third_party:
            return ItemDecision.WITHHOLD.value, self.others, None
        if self.goes_out and others:
            marks = {"fields": [{"field": name, "code": self.others} for name in others], "passages": []}
            return ItemDecision.REDACT.value, "", _encoded(marks).encode()
        return ItemDecision.UNDECIDED.value, "", None


@dataclass(frozen=True)
class SealedPage:
    """The records of a page, each once, and as rows; the files that hang on them; and unknown fields by type."""

    form: Form
    records: Sequence[Record]
    rows: Sequence[Row]
    files: Sequence[Row] = ()
    unknown: Mapping[str, set[str]] = field(default_factory=dict)

    def store(self, search: SourceSearch) -> None:
        """Store the page inside the caller's transaction."""
        rows = [*self.rows, *{row.ref_hash: row for row in self.files}.values()]
        if not rows:
            return
        columns: list[Any] = [list(column) for column in zip(*rows, strict=True)][:COLUMNS]
        case_id, source_id = search.run.case_id, search.source_id
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [*columns, search.controller_id, case_id, source_id, search.pk])
            changed = {bytes(ref_hash) for (ref_hash,) in cursor.fetchall()}
        for row in rows if changed else ():
            if row.ref_hash in changed:
                item = Item.objects.get(case=case_id, source=source_id, ref_hash=row.ref_hash)
                self.form.change(item, row)
                item.save()
        if self.files:
            self._await_files(search, changed)
        if self.unknown:
            choices, now = self.form.choices, timezone.now()
            drift.note(search.source, search.run.case_id, self.unknown, choices, now)

    def _await_files(self, search: SourceSearch, changed: set[bytes]) -> None:
        """Have the files fetched that are not here yet, and those that changed once more."""
        wanted = {row.ref_hash for row in self.files}
        found = dict(
            Item.objects.filter(
                case=search.run.case_id, source=search.source_id, ref_hash__in=wanted
            ).values_list("pk", "ref_hash")
        )
        CollectedFile.objects.bulk_create(
            [
                CollectedFile(
                    controller_id=search.controller_id, case_id=search.run.case_id, item_id=pk, search=search
                )
                for pk in found
            ],
            ignore_conflicts=True,
        )
        again = [pk for pk, ref_hash in found.items() if bytes(ref_hash) in changed]
        CollectedFile.objects.filter(item__in=found).update(search=search)
        CollectedFile.objects.filter(item__in=again).update(state=FileState.WAITING, attempts=0)


def _unknown(records: Sequence[Record]) -> dict[str, set[str]]:
    """Which fields that nobody described these records have, by their type."""
    found: dict[str, set[str]] = {}
    for record in records:
        if record.unclassified:
            found.setdefault(record.type, set()).update(record.unclassified)
    return found


def _with_others(marks: Any, others: Sequence[str], held: Mapping[str, Any], code: str) -> Any:
    """The marks of an item, once the fields about others among those that were held are known."""
    kept = [mark for mark in (marks or {}).get("fields", []) if mark["field"] not in held]
    fields = [*kept, *({"field": name, "code": code} for name in others)]
    passages = [mark for mark in (marks or {}).get("passages", []) if mark["field"] not in held]
    return {"fields": fields, "passages": passages} if fields or passages else None


def _redacted_or_not(decision: ItemDecision, marks: Any) -> ItemDecision:
    """Marks make a redaction of what was to go out whole; a redaction without marks is to be decided anew."""
    if marks:
        return ItemDecision.REDACT
    return ItemDecision.UNDECIDED if decision == ItemDecision.REDACT else decision


def _to_compare(data: str, undecided: Mapping[str, Any]) -> str:
    """What a change shows in: what is shown, and what may be shown one day."""
    return data + _encoded(undecided) if undecided else data


def _written(record: Record, data: str, held: Mapping[str, Any] | None = None) -> bytes:
    """The content as JSON, round its data, which are in this form already because their hash is taken of it."""
    proof = _proof(record.link.via, record.link.kind, record.fetched_at)
    more = _more(record.handle, held) if record.handle or held else ""
    return f'{{"ref":{_encoded(record.ref)},"data":{data},{more}{proof}'.encode()


def _more(handle: Mapping[str, Any], held: Mapping[str, Any] | None) -> str:
    """What only some records have."""
    parts = {"handle": handle} if handle else {}
    parts |= {"unclassified": held} if held else {}
    return f"{_encoded(parts)[1:-1]},"


@lru_cache(maxsize=100)
def _proof(via: tuple[str, ...], kind: LinkKind, fetched_at: datetime) -> str:
    """The end of a content, which most records of a page share."""
    return _encoded({"via": list(via), "link": kind.value, "fetched_at": fetched_at.isoformat()})[1:]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value)


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode
