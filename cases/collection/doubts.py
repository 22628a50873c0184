"""What a search cannot settle alone is kept apart, sealed, until somebody decides; and what was decided is kept to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from cases.collection.matches import Found, Wanted
from cases.collection.proof import Doubt, Place, Proof, Trusted
from cases.collection.store import Form
from cases.connectors.base import Blob, ConnectorError, Link, LinkKind, Match, Record, RecordType
from cases.models import Belongs, Candidate, Item, RecordDoubt, SearchState, SetAside, SourceSearch
from dsar.lib.prepared import Prepared

# So many records without proof are no accident any more; more of strangers' data are not kept to be looked at.
MOST_ASIDE = 200
MOST_CANDIDATES = 200


_ASIDE = Prepared(
    lambda case_id, source_id: SetAside.objects.filter(
        case_id=case_id, source_id=source_id, verdict=Belongs.OPEN
    ).select_related("case"),
    UUID,
    UUID,
)
_JUDGED = Prepared(
    lambda case_id, source_id: (
        SetAside.objects.filter(case_id=case_id, source_id=source_id)
        .exclude(verdict=Belongs.OPEN)
        .values_list("ref_hash", "verdict")
    ),
    UUID,
    UUID,
)
_CANDIDATES = Prepared(
    lambda case_id, source_id: Candidate.objects.filter(case_id=case_id, source_id=source_id).values_list(
        "ref_hash", "verdict"
    ),
    UUID,
    UUID,
)
_CONFIRMED = Prepared(
    lambda case_id, source_id: Candidate.objects.filter(
        case_id=case_id, source_id=source_id, verdict=Belongs.THEIRS
    ).select_related("case"),
    UUID,
    UUID,
)


class Unproved(ConnectorError):
    """The source gives records that are not the person's; engine and staff look at some and stop it there."""

    code = "unproved"
    sentence = (
        "The source gave many records that nothing shows to be the person's; none of them was taken in."
    )
    remedy = (
        "Tell the administrator: the source seems to ignore what is asked for. Look at the records set aside."
    )


@dataclass(frozen=True)
class Judgements:
    """What people have decided before about this source and case, and the records on which others hang."""

    theirs: frozenset[bytes]
    not_theirs: frozenset[bytes]
    confirmed: Sequence[Match]
    parents: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = ()

    def proof(
        self, types: Mapping[str, RecordType], wanted: Wanted, form: Form, doubtful: Iterable[Match]
    ) -> Proof:
        """What proves a record of this search."""

        def judged(record: Record) -> bool | None:
            place = form.place(record)
            return True if place in self.theirs else False if place in self.not_theirs else None

        singles = [match for match in self.confirmed if not match.is_group]
        proof = Proof(
            trusted=wanted.trusted,
            types=types,
            groups=_groups(self.confirmed, wanted),
            chosen=frozenset(map(_place, singles)),
            doubtful=frozenset(map(_place, doubtful)),
            judged=judged,
            turns_away=bool(self.not_theirs),
        )
        for record_type, data, handle in self.parents:
            proof.learn(record_type, data, handle)
        return proof


def _place(match: Match) -> Place:
    return match.type, match.ref


def _groups(confirmed: Sequence[Match], wanted: Wanted) -> dict[str, Trusted]:
    """Of many records at once somebody said that they are the person's: what led there proves each of them."""
    kinds: dict[str, set[str]] = {}
    for match in confirmed:
        if match.is_group:
            kinds.setdefault(match.type, set()).update(match.matched_on)
    return {
        record_type: Trusted.of([one for one in wanted.all if one.kind in led], wanted.region)
        for record_type, led in kinds.items()
    }


def judgements(search: SourceSearch, types: frozenset[str], *, goes_on: bool) -> Judgements:
    """Read them; where a search goes on, with the records that it has found so far."""
    aside = _JUDGED.all(search.run.case_id, search.source_id)
    confirmed = _CONFIRMED.all(search.run.case_id, search.source_id)
    return Judgements(
        frozenset(bytes(place) for place, verdict in aside if verdict == Belongs.THEIRS),
        frozenset(bytes(place) for place, verdict in aside if verdict == Belongs.NOT_THEIRS),
        [Match.from_json(one.match) for one in confirmed],
        found_parents(search, types) if goes_on else (),
    )


def found_parents(
    search: SourceSearch, types: frozenset[str]
) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """The records of a search that others may refer to, as far as they were stored."""
    items = Item.objects.filter(case=search.run.case_id, search=search, collection__in=types)
    opened = ((item.collection, item.content or {}) for item in items.select_related("case").iterator())
    return [(kind, content.get("data", {}), content.get("handle", {})) for kind, content in opened]


# --- Matches ------------------------------------------------------------------------------------------------


def keep_candidates(search: SourceSearch, form: Form, found: Found) -> None:
    """Keep the matches that somebody has to look at; what was decided stays decided, what is gone is forgotten."""
    doubtful = found.doubtful[:MOST_CANDIDATES]
    places = {form.blind(f"match|{match.type}|{match.ref}"): (match, why) for match, why in doubtful}
    mine = _CANDIDATES.all(search.run.case_id, search.source_id)
    known = {bytes(place) for place, verdict in mine if verdict != Belongs.OPEN}
    if len(known) < len(mine):
        before = Candidate.objects.filter(case=search.run.case_id, source=search.source_id)
        before.filter(verdict=Belongs.OPEN).delete()
    for place, (match, why) in places.items():
        if place not in known:
            _new_candidate(search, place, match, why)
    if len(found.doubtful) > MOST_CANDIDATES:
        more = len(found.doubtful) - MOST_CANDIDATES
        search.warnings = [*search.warnings, _MORE.format(more)]


_MORE = "{} more records agree only in part: ask the person for what tells them apart, then search again."


def _new_candidate(search: SourceSearch, place: bytes, match: Match, why: str) -> None:
    candidate = Candidate(
        controller_id=search.controller_id, case=search.run.case, source=search.source, search=search
    )
    candidate.ref_hash, candidate.why, candidate.matched_on = place, why, list(match.matched_on)
    candidate.match = match.to_json()
    candidate.save()


# --- Records ------------------------------------------------------------------------------------------------


def set_aside(search: SourceSearch, form: Form, doubts: Sequence[Doubt]) -> bool:
    """Keep records without proof apart; False where they are too many to be an accident, and the rest is left out."""
    open_ones = SetAside.objects.filter(
        case=search.run.case_id, source=search.source_id, verdict=Belongs.OPEN
    )
    known = {bytes(place) for place in open_ones.values_list("ref_hash", flat=True)}
    new = {form.place(record): (record, why) for record, why in doubts}
    new = {place: doubt for place, doubt in new.items() if place not in known}
    room = MOST_ASIDE - len(known)
    for place, (record, why) in list(new.items())[:room]:
        _keep_aside(search, place, record, why)
    return len(new) <= room


def _keep_aside(search: SourceSearch, place: bytes, record: Record, why: RecordDoubt) -> None:
    kept = SetAside(
        controller_id=search.controller_id, case=search.run.case, source=search.source, search=search
    )
    kept.ref_hash, kept.collection, kept.why = place, record.type, why
    kept.content = record_to_json(record)
    kept.save()


def release(search: SourceSearch, form: Form, proof: Proof) -> int:
    """Take in what is proved by now: a record may come before the one to which it refers. Returns how many."""
    taken = 0
    waiting = _ASIDE.all(search.run.case_id, search.source_id)
    while waiting:
        still = [one for one in waiting if proof.doubt(record_from_json(one.content)) is not None]
        proved = [one for one in waiting if one not in still]
        if not proved:
            break
        taken += take_in(search, form, proved)
        SetAside.objects.filter(pk__in=[one.pk for one in proved]).delete()
        waiting = still
    return taken


def take_in(search: SourceSearch, form: Form, kept: Sequence[SetAside]) -> int:
    """Make items of records that were set aside; returns how many."""
    page = form.seal([record_from_json(one.content) for one in kept], search.found)
    page.store(search)
    search.found += len(page.rows)
    if search.state == SearchState.NO_DATA:
        search.state = SearchState.DONE
    search.save(update_fields=["found", "state"])
    return len(page.rows)


def record_to_json(record: Record) -> dict[str, Any]:
    """All of a record, to be made an item of later."""
    link = record.link
    return {
        "ref": record.ref,
        "type": record.type,
        "link": [link.kind.value, list(link.via), dict(link.keys), dict(link.identifiers)],
        "data": dict(record.data),
        "fetched_at": record.fetched_at.isoformat(),
        "third_party": record.third_party,
        "third_party_fields": list(record.third_party_fields),
        "unclassified": dict(record.unclassified),
        "handle": dict(record.handle),
        "blobs": [
            [blob.ref, blob.name, blob.media_type, blob.size, dict(blob.handle)] for blob in record.blobs
        ],
    }


def record_from_json(kept: Mapping[str, Any]) -> Record:
    """Read what record_to_json wrote."""
    kind, via, keys, identifiers = kept["link"]
    return Record(
        ref=kept["ref"],
        type=kept["type"],
        link=Link(LinkKind(kind), tuple(via), keys, identifiers),
        data=kept["data"],
        fetched_at=datetime.fromisoformat(kept["fetched_at"]),
        categories={},
        third_party=kept["third_party"],
        third_party_fields=tuple(kept["third_party_fields"]),
        unclassified=kept["unclassified"],
        handle=kept["handle"],
        blobs=tuple(Blob(*cast(Any, blob)) for blob in kept["blobs"]),
    )
