"""Verify the trail, and compare it with anchors that left the database.

PostgreSQL reads the chains in one statement, so that heads and events are of one moment, and hands over a
row a chain: memory stays flat however long the trail is. The caller's transaction must serve every
controller; what it cannot see counts as cut off.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from dsar.audit.anchor import Anchor, Damage
from dsar.audit.sql import CHAIN, HASH

BATCH_HEADS = 5000

# An event is judged against its neighbour, a chain against its head.
CHAINS = f"""
WITH linked AS (
    SELECT chain, seq, hash, prev, {HASH.format(row="event")} AS computed, {CHAIN.format(row="event")} AS place,
           lag(seq, 1, 0::bigint) OVER chained AS seq_before,
           lag(hash, 1, ''::bytea) OVER chained AS hash_before,
           lead(seq) OVER chained IS NULL AS is_last
      FROM audit_event event
    WINDOW chained AS (PARTITION BY chain ORDER BY seq)
), judged AS (
    SELECT chain, seq, hash, is_last,
           CASE WHEN seq <> seq_before + 1 THEN seq_before + 1
                WHEN prev <> hash_before OR hash <> computed OR place <> chain THEN seq END AS broken_at,
           CASE WHEN seq <> seq_before + 1 THEN 'gap'
                WHEN prev <> hash_before THEN 'unlinked'
                WHEN hash <> computed THEN 'edited'
                WHEN place <> chain THEN 'misplaced' END AS what
      FROM linked
), chains AS (
    SELECT chain, count(*) AS events, max(seq) AS last, min(broken_at) AS broken_at,
           (array_agg(what ORDER BY seq) FILTER (WHERE what IS NOT NULL))[1] AS what,
           max(encode(hash, 'hex')) FILTER (WHERE is_last) AS hash
      FROM judged GROUP BY chain
)
SELECT chain, coalesce(events, 0), coalesce(last, 0), broken_at, what, coalesce(chains.hash, ''),
       head.seq, encode(head.hash, 'hex')
  FROM chains FULL JOIN audit_head head USING (chain)"""  # noqa: S608  Every part is a constant.

ONE_CHAIN = CHAINS.replace("audit_event event", "(SELECT * FROM audit_event WHERE chain = %s) event").replace(
    "audit_head head", "(SELECT * FROM audit_head WHERE chain = %s) head"
)

ANCHORED = """
SELECT anchored.chain, anchored.seq
  FROM unnest(%s::uuid[], %s::bigint[], %s::text[]) WITH ORDINALITY AS anchored (chain, seq, hash, place)
  LEFT JOIN audit_event event ON event.chain = anchored.chain AND event.seq = anchored.seq
 WHERE encode(event.hash, 'hex') IS DISTINCT FROM anchored.hash
 ORDER BY anchored.place"""

WORDS = {
    "gap": "events are missing from here on",
    "unlinked": "this event does not continue the one before: one of them was replaced",
    "edited": "this event is not what was recorded",
    "misplaced": "this event belongs to another chain",
    "cut_tail": "events are missing at the end",
    "beyond_head": "events stand behind the recorded end",
    "head_missing": "the chain's recorded end is missing",
    "head_mismatch": "the last event is not the recorded end",
    "anchor_mismatch": "the event differs from the anchor, or is gone",
    "anchor_altered": "this line of the anchors is not what was written",
    "anchor_cut": "lines are missing from the anchors before this one",
    "anchor_key_unknown": "the master key that signed this line of the anchors is not at hand",
}


@dataclass(frozen=True)
class Break:
    """The first thing wrong in a chain; for ``anchor_altered`` and the like ``seq`` is the line's number."""

    chain: UUID | None
    seq: int
    what: str

    @property
    def words(self) -> str:
        return WORDS[self.what]


@dataclass
class Tally:
    """What was looked at so far."""

    chains: int = 0
    events: int = 0
    anchors: int = 0


def broken_chains(tally: Tally) -> Iterator[Break]:
    """The first break of each broken chain; inside a unit of work that serves every controller."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(CHAINS)
        while rows := cursor.fetchmany(BATCH_HEADS):
            tally.chains += len(rows)
            tally.events += sum(row[1] for row in rows)
            yield from filter(None, (_judge(*row) for row in rows))


def broken_chain(chain: UUID) -> Break | None:
    """The first break of one chain that the caller's transaction serves; None where it is whole."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_CHAIN, [chain, chain])
        row = cursor.fetchone()
    return _judge(*row) if row else Break(chain, 1, "gap")


def _judge(
    chain: UUID,
    events: int,
    last: int,
    broken_at: int | None,
    what: str | None,
    hash_: str,
    head: int | None,
    end: str,
) -> Break | None:
    if broken_at is not None and what is not None:
        return Break(chain, broken_at, what)
    if head is None:
        return Break(chain, 1, "head_missing")
    if events < head:
        return Break(chain, last + 1, "cut_tail")
    if last > head:
        return Break(chain, head + 1, "beyond_head")
    return None if hash_ == end else Break(chain, last, "head_mismatch")


def broken_anchors(anchors: Iterable[Anchor | Damage], tally: Tally) -> Iterator[Break]:
    """What in the trail contradicts the anchors, and what is wrong with the anchors themselves."""
    seen: dict[UUID, tuple[int, str]] = {}
    for anchor in anchors:
        tally.anchors += 1
        if isinstance(anchor, Damage):
            yield Break(None, anchor.line, anchor.what)
        else:
            yield from _contradictions(_news(anchor, seen))


def _news(anchor: Anchor, seen: dict[UUID, tuple[int, str]]) -> Iterator[tuple[UUID, int, str]]:
    """Heads that an earlier anchor has not vouched for: most chains stand still from one to the next."""
    for chain, head in anchor.heads.items():
        if seen.get(chain) != head:
            seen[chain] = head
            yield chain, *head


def _contradictions(heads: Iterator[tuple[UUID, int, str]]) -> Iterator[Break]:
    while batch := list(islice(heads, BATCH_HEADS)):
        with connection.cursor() as cursor:
            cursor.execute(ANCHORED, [list(column) for column in zip(*batch, strict=True)])
            found: list[Any] = cursor.fetchall()
        yield from (Break(chain, seq, "anchor_mismatch") for chain, seq in found)
