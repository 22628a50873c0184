"""Pages of records become items: sealed, told apart by place, seen again when they changed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
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


def store_page(search: SourceSearch, records: Sequence[Record], first_number: int) -> int:
    """Store one page inside the caller's transaction; returns how many records it held."""
    if not records:
        return 0
    once = {(record.type, record.ref): record for record in records}.values()
    form = _Form(search.run.case)
    rows = [form.row(record, number) for number, record in enumerate(once, first_number)]
    case_id, source_id = search.run.case_id, search.source_id
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*columns, search.controller_id, case_id, source_id, search.pk])
        changed = {bytes(ref_hash) for (ref_hash,) in cursor.fetchall()}
    for row, record in zip(rows, once, strict=True) if changed else ():
        if row.ref_hash in changed:
            form.replace(Item.objects.get(case=case_id, source=source_id, ref_hash=row.ref_hash), record)
    return len(rows)


@dataclass(frozen=True)
class _Form:
    """How records become rows of one case; what the records of a page share is worked out once."""

    case: Case

    def row(self, record: Record, number: int) -> Row:
        item_id = uuid7()
        data = _encoded(record.data)
        decision, exemption, redactions = self._first_decision(record)
        return Row(
            item_id,
            record.type,
            self._blind(f"ref|{record.type}|{record.ref}"),
            self._blind(data),
            number,
            self._content(item_id, _written(record, data)),
            record.third_party,
            decision,
            exemption,
            None if redactions is None else self._redactions(item_id, _encoded(redactions).encode()),
        )

    def replace(self, item: Item, record: Record) -> None:
        """A record that is another than before is stored anew, and has to be decided anew."""
        data = _encoded(record.data)
        item.content, item.content_hash = json.loads(_written(record, data)), self._blind(data)
        item.decision, item.exemption, item.redactions = self._first_decision(record)
        item.is_silent, item.decided_by_id, item.decided_at = False, None, None
        item.save()

    def _first_decision(self, record: Record) -> tuple[str, str, Any]:
        """Third parties' records start as withheld; fields about others in the person's own as redacted.

        Where nothing goes out, as with an erasure, there is nothing to redact: the record is to be decided as a
        whole.
        """
        if record.third_party:
            return ItemDecision.WITHHOLD.value, self._others, None
        if self._goes_out and record.third_party_fields:
            fields = [{"field": name, "code": self._others} for name in record.third_party_fields]
            return ItemDecision.REDACT.value, "", {"fields": fields, "passages": []}
        return ItemDecision.UNDECIDED.value, "", None

    @cached_property
    def _others(self) -> str:
        return others_code(self.case.regime)

    @cached_property
    def _goes_out(self) -> bool:
        return self.case.right in DISCLOSING

    @cached_property
    def _blind(self) -> Callable[[str], bytes]:
        return crypto.blinder(keyring.key(self.case.collected_key_id))

    @cached_property
    def _content(self) -> Sealer:
        return sealer(Item, "content", self.case.collected_key_id)

    @cached_property
    def _redactions(self) -> Sealer:
        return sealer(Item, "redactions", self.case.collected_key_id)


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
