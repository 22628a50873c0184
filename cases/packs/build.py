"""Build the pack of an approved decision: read the case, render, and keep the files encrypted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from cases import authority
from cases.connectors import registry
from cases.connectors.base import ConnectorError
from cases.correspondence import links
from cases.law import loader as law
from cases.models import (
    Case,
    CollectionRun,
    Decision,
    Item,
    ItemDecision,
    PackFile,
    ResponsePack,
    SearchState,
    SourceSearch,
    SourceSystem,
)
from cases.packs.content import (
    Addressee,
    Attachment,
    Brand,
    LetterInput,
    PackInput,
    PackRecord,
    Processing,
    SearchResult,
    SourceSearched,
    Statement,
    Withheld,
)
from cases.packs.render import render_pack
from cases.packs.spool import Spool
from cases.review import items
from cases.review.redaction import redacted
from dsar.lib.prepared import Prepared
from dsar.vault import files
from dsar.vault.fields import Opener, opener

Step = Callable[[], AbstractContextManager[Any]]

_BUILT = Prepared(
    lambda pack_id: PackFile.objects.filter(pack_id=pack_id).order_by().values_list("pk", flat=True)[:1], UUID
)
_NEWEST_RUN = Prepared(
    lambda case_id: (
        CollectionRun.objects.filter(case_id=case_id).order_by("-number").values_list("pk", flat=True)[:1]
    ),
    UUID,
)
_SEARCHES = Prepared(lambda run_id: SourceSearch.objects.filter(run_id=run_id).select_related("source"), UUID)
_SLUGS = Prepared(
    lambda controller_id: (
        SourceSystem.objects.filter(controller_id=controller_id).order_by().values_list("pk", "slug")
    ),
    UUID,
)


@dataclass
class VaultSink:
    """Encrypts each file as it is rendered; rows are made at the end, in one transaction."""

    written: list[tuple[str, str, files.Written]] = field(default_factory=list)

    def add(self, name: str, media_type: str, chunks: Iterable[bytes]) -> None:
        self.written.append((name, media_type, files.write(chunks)))


@dataclass
class Rendered:
    """The files of a pack as they lie on disk, and what the manifest says of them; named by ``keep``."""

    sink: VaultSink
    manifest: dict[str, Any]

    def discard(self) -> None:
        """Delete the files of a pack that is not wanted any more."""
        for _name, _media_type, written in self.sink.written:
            files.discard(written)


def render(content: PackInput) -> Rendered:
    """Render a pack; each read of items is a transaction of its own, so that none stays open for long."""
    sink = VaultSink()
    with translation.override(content.language):
        manifest = render_pack(content, sink)
    return Rendered(sink, asdict(manifest))


def keep(pack: ResponsePack, rendered: Rendered, now: datetime) -> None:
    """Name the files; those of an earlier, unfinished build go."""
    earlier = pack.files.select_related("file") if _BUILT.exists(pack.pk) else ()
    for old in earlier:
        stored = old.file
        old.delete()
        files.remove(stored)
    kept = files.keep_all(
        rendered.sink.written, key_id=pack.case.collected_key_id, controller_id=pack.controller_id, now=now
    )
    PackFile.objects.bulk_create(
        PackFile(controller_id=pack.controller_id, pack=pack, file=stored, position=position)
        for position, stored in enumerate(kept)
    )


def content_of(pack: ResponsePack, step: Step, spool: Spool, now: datetime) -> PackInput:
    """All that goes into a pack; its records are read as they are asked for, each page in a ``step`` of its own."""
    case, decision = pack.case, pack.decision
    controller, request = case.controller, case.subject_request
    language = request.language
    with translation.override(language):
        brand = _brand(case)
        addressee = _addressee(case, now)
        searches = _searches(case)
        return PackInput(
            brand=brand,
            reference=case.reference,
            right=str(case.get_right_display()),
            subject_name=case.subject.name,
            letter=_letter(case, decision, brand, addressee, now),
            received_on=case.received_at.astimezone(controller.zone).date(),
            answered_on=now.astimezone(controller.zone).date(),
            statement=_statement(case, searches, now),
            sources=tuple(_searched(case, searches)),
            withheld=tuple(_withheld(case)),
            records=_Records(case, step, spool),
            attachments=tuple(_attachments(case, step)),
            language=language.partition("-")[0],
            zone=controller.zone,
        )


def _brand(case: Case) -> Brand:
    controller = case.controller
    return Brand(
        name=controller.name,
        address=_lines(f"{controller.legal_name}\n{controller.postal_address}"),
        dpo_contact=_lines(controller.dpo_contact) or (controller.privacy_email,),
        accent=controller.accent,
    )


def _addressee(case: Case, now: datetime) -> Addressee:
    person = authority.addressee(case, now)
    return Addressee(name=person.name, lines=_lines(person.postal_address))


def _letter(case: Case, decision: Decision, brand: Brand, addressee: Addressee, now: datetime) -> LetterInput:
    body = links.without_token(decision.letter_body, case.controller)
    return LetterInput(
        brand=brand,
        addressee=addressee,
        reference=case.reference,
        dated_on=now.astimezone(case.controller.zone).date(),
        title=decision.letter_subject,
        paragraphs=tuple(part.strip() for part in body.split("\n\n") if part.strip()),
        signatory=(case.controller.name,),
        language=case.subject_request.language.partition("-")[0],
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _statement(case: Case, searches: Sequence[SourceSearch], now: datetime) -> Statement:
    """Article 15(1), from the facts that the controller keeps for itself and for each source."""
    controller = case.controller
    facts = [(controller.name, controller.statement)]
    facts += [(search.source.name, known) for search in searches if (known := _known(search.source))]
    return Statement(
        confirmation=(
            _("%(name)s processes personal data about you. A copy is in this answer.")
            % {"name": controller.name},
        ),
        processings=tuple(_processing(label, known) for label, known in facts),
        rights=_rights(),
        complaints=law.remedies(case.regime, now.astimezone(controller.zone).date(), _),
    )


def _known(source: SourceSystem) -> dict[str, Any]:
    """What is stated of a source; data in another country with what its transfer rests on (Article 15(2))."""
    if not source.country:
        return dict(source.facts)
    place = f"{source.country}: {source.safeguard}" if source.safeguard else source.country
    return {**source.facts, "transfers": [place, *_as_list(source.facts.get("transfers"))]}


def _rights() -> tuple[str, ...]:
    return (
        _("You can have wrong data corrected and incomplete data completed."),
        _("You can have data erased, where the law allows it."),
        _("You can have the use of your data restricted, and you can object to it."),
    )


def _processing(label: str, known: dict[str, Any]) -> Processing:
    return Processing(
        label=label,
        **{
            name: tuple(_as_list(known.get(name)))
            for name in (
                "purposes",
                "categories",
                "recipients",
                "retention",
                "origin",
                "automated_decisions",
                "transfers",
            )
        },
    )


def _as_list(value: Any) -> list[str]:
    if not value:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _searches(case: Case) -> list[SourceSearch]:
    run_id = _NEWEST_RUN.first(case.pk)
    return _SEARCHES.all(run_id) if run_id else []


_RESULTS = {
    SearchState.DONE: SearchResult.DONE,
    SearchState.NO_DATA: SearchResult.NO_DATA,
    SearchState.WAIVED: SearchResult.WAIVED,
}


def _searched(case: Case, searches: Sequence[SourceSearch]) -> Iterator[SourceSearched]:
    out: Counter[UUID | None] = Counter()
    for group in items.groups(case):
        out[group.source_id] += group.disclosed + group.redacted
    for search in searches:
        records = out[search.source_id]
        yield SourceSearched(
            code=search.source.slug,
            label=search.source.name,
            result=_result(case, search, records),
            searched_at=search.ended_at,
            records=records,
            reason=search.waiver if search.state == SearchState.WAIVED else "",
            blind_spots=_blind_spots(search.source),
        )


def _result(case: Case, search: SourceSearch, records: int) -> SearchResult:
    """A source in which everything is withheld in silence says: no data."""
    result = _RESULTS[SearchState(search.state)]
    if result != SearchResult.DONE or records:
        return result
    named = case.items.filter(source_id=search.source_id, is_silent=False).exists()
    return SearchResult.DONE if named else SearchResult.NO_DATA


def _blind_spots(source: SourceSystem) -> tuple[str, ...]:
    try:
        connector = registry.build(source.connector, source.options, source.secrets, source.dataset or None)
    except ConnectorError:
        return ()
    return connector.capabilities().blind_spots


def _withheld(case: Case) -> Iterator[Withheld]:
    for code, count in items.named_counts(case):
        yield Withheld(code=code, label=items.exemption_sentence(code, case.regime), count=count)


_COLUMNS = ("source_id", "collection", "number", "pk", "content", "redactions", "decision")

_FIRST_PAGE: Prepared[Any] = Prepared(
    lambda case_id: (
        Item.objects.filter(case_id=case_id, decision__in=items.GOES_OUT, file=None)
        .order_by(*items.ORDER)
        .values_list(*_COLUMNS)[: items.PAGE]
    ),
    UUID,
)

# What is needed of an item to make a record of it: source, collection, data, its marks or nothing, provenance.
_Row: TypeAlias = Sequence[Any]


class _Records:
    """The disclosed records, read page by page, each page in a transaction of its own; after that, from a spool.

    Rows are plain tuples: an object of the model for each of 100,000 would cost more than the rest of the pack.
    """

    def __init__(self, case: Case, step: Step, spool: Spool) -> None:
        self._case, self._step, self._spool = case, step, spool
        self._is_spooled = False

    def __call__(self) -> Iterator[PackRecord]:
        pages = self._spool.pages() if self._is_spooled else self._read()
        number = 0
        for page in pages:
            for row in page:
                number += 1
                yield _record(number, row)

    def _read(self) -> Iterator[list[_Row]]:
        """Every page from the database; only when all of them were read is the spool good for the next time."""
        self._spool.clear()
        after = None
        while True:
            with self._step():
                found = self._page(after)
                rows = list(self._opened(found))
            self._spool.add(rows)
            yield rows
            if len(found) < items.PAGE:
                break
            after = found[-1][:4]
        self._is_spooled = True

    def _page(self, after: items.Place | None) -> Sequence[tuple[Any, ...]]:
        """Most packs have but a first page, which is composed once."""
        if after is None:
            return _FIRST_PAGE.all(self._case.pk)
        return items.page(self._chosen(), _COLUMNS, after)

    def _chosen(self) -> QuerySet[Item]:
        return items.going_out(self._case).filter(file=None)

    def _opened(self, found: Sequence[tuple[Any, ...]]) -> Iterator[_Row]:
        open_content, open_redactions = self._openers()
        slugs = self._slugs()
        for source_id, collection, _number, pk, sealed, redactions, decision in found:
            content = open_content(pk, sealed)
            marks = open_redactions(pk, redactions) if decision == ItemDecision.REDACT else None
            yield slugs[source_id], collection, content["data"], marks, ", ".join(content.get("via", ()))

    def _openers(self) -> tuple[Opener, Opener]:
        key_id = self._case.collected_key_id
        return opener(Item, "content", key_id), opener(Item, "redactions", key_id)

    def _slugs(self) -> dict[UUID | None, str]:
        return {None: "by-hand", **dict(_SLUGS.all(self._case.controller_id))}


def _record(number: int, row: _Row) -> PackRecord:
    source, collection, data, marks, provenance = row
    label = _collection_label(collection)
    return PackRecord(source, collection, label, number, redacted(data, marks) if marks else data, provenance)


@cache
def _collection_label(collection: str) -> str:
    return collection.replace("_", " ").capitalize()


def _attachments(case: Case, step: Step) -> Iterator[Attachment]:
    if not items.goes_out_with_files(case):
        return
    for item in items.going_out(case).exclude(file=None).select_related("file"):
        stored = item.file
        assert stored is not None
        yield Attachment(name=stored.name, media_type=stored.media_type, open=_opener(stored, step))


def _opener(stored: Any, step: Step) -> Callable[[], Iterable[bytes]]:
    def open_() -> Iterable[bytes]:
        with step():
            return files.read(stored)

    return open_
