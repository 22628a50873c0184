"""Pages of records become items: sealed, told apart by place, seen again when they changed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import connection

from cases.connectors.base import LinkKind, Record
from cases.law.loader import others_code
from cases.models import Case, Item, ItemDecision, SourceSearch
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
    """What the statement takes of one record, in its order."""

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


@dataclass(frozen=True)
class Form:
    """How records become rows of one case: its keys, opened, and what its law says of others."""

    blind: Callable[[str], bytes]
    content: Sealer
    redactions: Sealer
    others: str
    goes_out: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        """Open the case's keys, once for all pages; raises KeyDestroyed."""
        key_id = case.collected_key_id
        return cls(
            blind=crypto.blinder(keyring.key(key_id)),
            content=sealer(Item, "content", key_id),
            redactions=sealer(Item, "redactions", key_id),
            others=others_code(case.regime),
            goes_out=case.right in DISCLOSING,
        )

    def seal(self, records: Sequence[Record], first_number: int) -> "SealedPage":
        """Make a page ready to be stored; nothing is asked of the database."""
        once = list({(record.type, record.ref): record for record in records}.values())
        return SealedPage(
            self, once, [self._row(record, number) for number, record in enumerate(once, first_number)]
        )

    def change(self, item: Item, record: Record) -> None:
        """Give an item what was found now: it has to be decided anew."""
        data = _encoded(record.data)
        item.content, item.content_hash = json.loads(_written(record, data)), self.blind(data)
        item.decision, item.exemption, item.redactions = self._first_decision(record)
        item.is_silent, item.decided_by_id, item.decided_at = False, None, None

    def _row(self, record: Record, number: int) -> Row:
        item_id = uuid7()
        data = _encoded(record.data)
        decision, exemption, redactions = self._first_decision(record)
        return Row(
            item_id,
            record.type,
            self.blind(f"ref|{record.type}|{record.ref}"),
            self.blind(data),
            number,
            self.content(item_id, _written(record, data)),
            record.third_party,
            decision,
            exemption,
            None if redactions is None else self.redactions(item_id, _encoded(redactions).encode()),
        )

    def _first_decision(self, record: Record) -> tuple[str, str, Any]:
        """Third parties' records start as withheld; fields about others in the person's own as redacted.

        Where nothing goes out, as with an erasure, there is nothing to redact: the record is to be decided as a
        whole.
        """
        if record.third_party:
            return ItemDecision.WITHHOLD.value, self.others, None
        if self.goes_out and record.third_party_fields:
            fields = [{"field": name, "code": self.others} for name in record.third_party_fields]
            return ItemDecision.REDACT.value, "", {"fields": fields, "passages": []}
        return ItemDecision.UNDECIDED.value, "", None


@dataclass(frozen=True)
class SealedPage:
    """The records of a page, each once, and as rows."""

    form: Form
    records: Sequence[Record]
    rows: Sequence[Row]

    def store(self, search: SourceSearch) -> None:
        """Store the page inside the caller's transaction."""
        if not self.rows:
            return
        columns: list[Any] = [list(column) for column in zip(*self.rows, strict=True)]
        case_id, source_id = search.run.case_id, search.source_id
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [*columns, search.controller_id, case_id, source_id, search.pk])
            changed = {bytes(ref_hash) for (ref_hash,) in cursor.fetchall()}
        for row, record in zip(self.rows, self.records, strict=True) if changed else ():
            if row.ref_hash in changed:
                item = Item.objects.get(case=case_id, source=source_id, ref_hash=row.ref_hash)
                self.form.change(item, record)
                item.save()


def _written(record: Record, data: str) -> bytes:
    """The content as JSON, round its data, which are in this form already because their hash is taken of it."""
    proof = _proof(record.link.via, record.link.kind, record.fetched_at)
    return f'{{"ref":{_encoded(record.ref)},"data":{data},{proof}'.encode()


@lru_cache(maxsize=100)
def _proof(via: tuple[str, ...], kind: LinkKind, fetched_at: datetime) -> str:
    """The end of a content, which most records of a page share."""
    return _encoded({"via": list(via), "link": kind.value, "fetched_at": fetched_at.isoformat()})[1:]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value)


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode
