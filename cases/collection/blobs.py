"""Files and recordings of records: each streamed to encrypted storage under a key of its own, one after the other.

What was fetched is not fetched again; what fails, fails alone, with a reason.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from cases.collection import identifiers, turns
from cases.connectors.base import (
    Blob,
    Connector,
    ConnectorError,
    ContractBroken,
    HoldsBlobs,
    Throttled,
    Transient,
)
from cases.models import CollectedFile, FileState, Item, SourceSearch
from dsar.jobs.queue import enqueue
from dsar.jobs.run import Claim, LeaseLost, RetryLater
from dsar.lib.prepared import Prepared
from dsar.vault import files

FETCH = "fetch_files"
_WAITING = Prepared(
    lambda search_id: CollectedFile.objects.filter(search_id=search_id, state=FileState.WAITING).values_list(
        "pk", flat=True
    )[:1],
    UUID,
)
MOST_ATTEMPTS = 3
MISSING = "could_not_be_fetched"


class CutShort(Transient):
    """Less came than the source said that there is."""

    code = "cut_short"
    sentence = "The file ended before its end."
    remedy = "It is tried again by itself. If it keeps failing, look at the file in the source."


def order(search: SourceSearch, now: datetime) -> None:
    """Have the files of a search fetched that are not here yet."""
    if _WAITING.exists(search.pk):
        enqueue(
            FETCH,
            controller_id=search.controller_id,
            case_id=search.run.case_id,
            key=f"files:{search.pk}",
            args={"search": str(search.pk)},
            now=now,
            max_attempts=6,
            takes_turns=True,
        )


def fetch(claim: Claim, search_id: UUID) -> None:
    """Fetch the files of a search that wait. Raises RetryLater where some are to be tried again, and Throttled."""
    with claim.step():
        search = _search(search_id)
        if not search.run.case.is_open:
            return
        connector = identifiers.connect(search.source)
    tried: set[UUID] = set()
    with closing(connector):
        while (wanted := _next(claim, search_id, tried)) is not None:
            tried.add(wanted.pk)
            _fetch(claim, connector, wanted)
    if _is_left(claim, search_id):
        raise RetryLater("files")


def give_up(claim: Claim, search_id: UUID, code: str) -> None:
    """What is not here by now has failed, and says so."""
    with claim.step():
        CollectedFile.objects.filter(search=search_id, state=FileState.WAITING).update(
            state=FileState.FAILED, error_code=code[:60], error_text=_UNEXPECTED
        )


_UNEXPECTED = (
    "Something unexpected went wrong with this file. Fetch it again;"
    " if it fails again, tell the administrator."
)


@dataclass(frozen=True)
class _Wanted:
    """One file to fetch, and where it belongs."""

    pk: UUID
    blob: Blob


def _search(search_id: UUID) -> SourceSearch:
    return SourceSearch.objects.select_related("source", "run__case").get(pk=search_id)


def _next(claim: Claim, search_id: UUID, tried: set[UUID]) -> _Wanted | None:
    """The next one. Raises PutBack where the source may not be asked at this time."""
    with claim.step():
        waiting = CollectedFile.objects.filter(search=search_id, state=FileState.WAITING)
        found = waiting.exclude(pk__in=tried).select_related("item__case").order_by("pk").first()
        hold = turns.held(_search(search_id).source, timezone.now())
        if found is not None and hold is None:
            return _Wanted(found.pk, _blob(found.item))
    if found is not None and hold is not None:
        raise hold.put_back()
    return None


def _is_left(claim: Claim, search_id: UUID) -> bool:
    with claim.step():
        return CollectedFile.objects.filter(search=search_id, state=FileState.WAITING).exists()


def _blob(item: Item) -> Blob:
    content: dict[str, Any] = item.content or {}
    about = content["data"]
    return Blob(content["ref"], about["name"], about["media_type"], about["size"], content.get("handle", {}))


def _fetch(claim: Claim, connector: Connector, wanted: _Wanted) -> None:
    """Stream one file; outside of any transaction, however long it takes."""
    try:
        written = files.write(_stream(claim, connector, wanted.blob))
        _check_whole(written, wanted.blob)
    except Throttled:
        raise
    except ConnectorError as error:
        _failed(claim, wanted, error)
    else:
        _keep(claim, wanted, written)


def _stream(claim: Claim, connector: Connector, blob: Blob) -> Iterator[bytes]:
    if not isinstance(connector, HoldsBlobs):
        raise ContractBroken(what="a file that the connector names and cannot open")
    for chunk in connector.open_blob(blob):
        if claim.lost.is_set():
            raise LeaseLost
        yield chunk


def _check_whole(written: files.Written, blob: Blob) -> None:
    if blob.size is not None and written.size < blob.size:
        files.discard(written)
        raise CutShort


def _failed(claim: Claim, wanted: _Wanted, error: ConnectorError) -> None:
    """Wait for another try where that may help; else say what is wrong. The others go on."""
    with claim.step():
        found = CollectedFile.objects.select_for_update(no_key=True).get(pk=wanted.pk)
        found.attempts += 1
        if not error.retryable or found.attempts >= MOST_ATTEMPTS:
            found.state, found.error_code, found.error_text = FileState.FAILED, error.code, turns.told(error)
        found.save(update_fields=["attempts", "state", "error_code", "error_text"])


def _keep(claim: Claim, wanted: _Wanted, written: files.Written) -> None:
    """Give the item its file, in place of an earlier one."""
    with claim.step():
        found = (
            CollectedFile.objects.select_for_update(no_key=True, of=("self",))
            .select_related("search", "item__case", "item__file")
            .get(pk=wanted.pk)
        )
        item = found.item
        before, item.file = (
            item.file,
            files.keep(
                written,
                key_id=item.case.collected_key_id,
                controller_id=found.controller_id,
                name=wanted.blob.name,
                media_type=wanted.blob.media_type[:100],
                now=timezone.now(),
            ),
        )
        item.content = _measured(item.content, written)
        item.save(update_fields=["file", "content"])
        if before is not None:
            files.remove(before)
        found.state, found.error_code, found.error_text = FileState.FETCHED, "", ""
        found.save(update_fields=["state", "error_code", "error_text"])
        claim.progress(files=found.search.files.filter(state=FileState.FETCHED).count())


def _measured(content: Any, written: files.Written) -> dict[str, Any]:
    """The content with the size as it is, and the hash."""
    about = content["data"] | {"size": written.size, "sha256": written.sha256}
    about.pop(MISSING, None)
    return {**content, "data": about}
