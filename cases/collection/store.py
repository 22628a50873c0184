"""Pages of records become items: sealed, told apart by place, seen again when they changed."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from cases.connectors.base import Record
from cases.law.loader import others_code
from cases.models import Item, ItemDecision, SourceSearch
from cases.words import DISCLOSING
from dsar.lib import crypto
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring

# A record found again keeps its decision unless its content changed.
INSERT = """
INSERT INTO cases_item (id, controller_id, case_id, source_id, search_id, collection, ref_hash, content_hash, number,
                        content, is_third_party, decision, exemption, is_silent, redactions)
SELECT id, %s, %s, %s, %s, collection, ref_hash, content_hash, number,
       content, third, decision, exemption, false, redactions
  FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::bytea[], %s::int[], %s::bytea[], %s::bool[], %s::text[],
              %s::text[], %s::bytea[])
       AS page (id, collection, ref_hash, content_hash, number, content, third, decision, exemption, redactions)
ON CONFLICT (case_id, source_id, collection, ref_hash) DO UPDATE
   SET search_id = EXCLUDED.search_id, number = EXCLUDED.number
RETURNING id, encode(ref_hash, 'hex'), encode(content_hash, 'hex')"""


def store_page(search: SourceSearch, records: Sequence[Record], first_number: int) -> int:
    """Store one page inside the caller's transaction; returns how many records it held."""
    if not records:
        return 0
    case = search.run.case
    key = keyring.key(case.collected_key_id)
    once = {(record.type, record.ref): record for record in records}.values()
    others, goes_out = others_code(case.regime), case.right in DISCLOSING
    blind = crypto.blinder(key)
    rows = [
        _row(case.collected_key_id, key, blind, record, first_number + offset, others, goes_out)
        for offset, record in enumerate(once)
    ]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    head = [search.controller_id, case.pk, search.source_id, search.pk]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*head, *columns])
        stored = cursor.fetchall()
    _see_changes(rows, stored)
    return len(stored)


def _row(
    key_id: UUID,
    key: crypto.DataKey,
    blind: Callable[[str], bytes],
    record: Record,
    number: int,
    others: str,
    goes_out: bool,
) -> tuple[Any, ...]:
    item_id = uuid7()
    data = _encoded(record.data)
    decision, exemption, redactions = _first_decision(record, others, goes_out)
    return (
        item_id,
        record.type,
        blind(f"ref|{record.type}|{record.ref}"),
        blind(data),
        number,
        _sealed(key, "content", item_id, key_id, _encoded(_content(record))),
        record.third_party,
        decision,
        exemption,
        None if redactions is None else _sealed(key, "redactions", item_id, key_id, _encoded(redactions)),
    )


def _content(record: Record) -> dict[str, Any]:
    return {
        "ref": record.ref,
        "data": record.data,
        "via": list(record.link.via),
        "link": record.link.kind.value,
        "fetched_at": record.fetched_at.isoformat(),
    }


def _first_decision(record: Record, others: str, goes_out: bool) -> tuple[str, str, Any]:
    """Third parties' records start as withheld; fields about others in the person's own as redacted.

    Where nothing goes out, as with an erasure, there is nothing to redact: the record is to be decided as a whole.
    """
    if record.third_party:
        return ItemDecision.WITHHOLD, others, None
    if goes_out and record.third_party_fields:
        fields = [{"field": name, "code": others} for name in record.third_party_fields]
        return ItemDecision.REDACT, "", {"fields": fields, "passages": []}
    return ItemDecision.UNDECIDED, "", None


def _see_changes(rows: Sequence[tuple[Any, ...]], stored: Sequence[tuple[Any, ...]]) -> None:
    """A record that is another than before is stored anew, and has to be decided anew."""
    fresh = {row[2].hex(): row for row in rows}
    for item_id, ref_hash, content_hash in stored:
        row = fresh[ref_hash]
        if item_id != row[0] and content_hash != row[3].hex():
            item = Item.objects.select_related("case").get(pk=item_id)
            _replace(item, row)


def _replace(item: Item, row: tuple[Any, ...]) -> None:
    source_key = keyring.key(item.case.collected_key_id)
    place = f"cases_item|content|{row[0]}|{item.case.collected_key_id}".encode()
    item.content = json.loads(crypto.unseal(source_key, row[5], place))
    item.content_hash, item.decision, item.exemption = row[3], row[7], row[8]
    item.is_silent, item.redactions, item.decided_by_id, item.decided_at = False, None, None, None
    item.save()


def _sealed(key: crypto.DataKey, column: str, item_id: Any, key_id: Any, text: str) -> bytes:
    """As the model's own field seals it, without making a model object for each of 100,000 records."""
    return crypto.seal(key, text.encode(), f"cases_item|{column}|{item_id}|{key_id}".encode())


def _encoded(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value)
