"""Build the pack of an approved decision: read the case, render, and keep the files encrypted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from cases.connectors import registry
from cases.connectors.base import ConnectorError
from cases.correspondence import links
from cases.law import loader as law
from cases.models import (
    Case,
    Decision,
    Item,
    ItemDecision,
    PackFile,
    ResponsePack,
    SearchState,
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
from cases.review import items
from cases.review.redaction import redacted
from dsar.vault import files
from dsar.vault.fields import Opener, opener

Step = Callable[[], AbstractContextManager[Any]]


@dataclass
class VaultSink:
    """Encrypts each file as it is rendered; rows are made at the end, in one transaction."""

    written: list[tuple[str, str, files.Written]] = field(default_factory=list)

    def add(self, name: str, media_type: str, chunks: Iterable[bytes]) -> None:
        self.written.append((name, media_type, files.write(chunks)))


def build(pack_id: UUID, step: Step, now: datetime) -> dict[str, Any]:
    """Render the pack; each read of items is a transaction of its own, so that none stays open for long."""
    with step():
        pack = _pack(pack_id)
        content = _content(pack, step, now)
    sink = VaultSink()
    with translation.override(content.language):
        manifest = render_pack(content, sink)
    with step():
        _keep(_pack(pack_id), sink, now)
    return asdict(manifest)


def _pack(pack_id: UUID) -> ResponsePack:
    return ResponsePack.objects.select_related(
        "case__controller", "case__subject", "case__subject_request__representative", "decision"
    ).get(pk=pack_id)


def _keep(pack: ResponsePack, sink: VaultSink, now: datetime) -> None:
    """Name the files; those of an earlier, unfinished build go."""
    for old in pack.files.select_related("file"):
        stored = old.file
        old.delete()
        files.remove(stored)
    kept = [
        files.keep(
            written,
            key_id=pack.case.collected_key_id,
            controller_id=pack.controller_id,
            name=name,
            media_type=media_type,
            now=now,
        )
        for name, media_type, written in sink.written
    ]
    PackFile.objects.bulk_create(
        PackFile(controller_id=pack.controller_id, pack=pack, file=stored, position=position)
        for position, stored in enumerate(kept)
    )


def _content(pack: ResponsePack, step: Step, now: datetime) -> PackInput:
    case, decision = pack.case, pack.decision
    controller, request = case.controller, case.subject_request
    language = request.language
    with translation.override(language):
        brand = _brand(case)
        addressee = _addressee(case)
        searched = tuple(_searched(case))
        return PackInput(
            brand=brand,
            reference=case.reference,
            right=str(case.get_right_display()),
            subject_name=case.subject.name,
            letter=_letter(case, decision, brand, addressee, now),
            received_on=case.received_at.astimezone(controller.zone).date(),
            answered_on=now.astimezone(controller.zone).date(),
            statement=_statement(case, now),
            sources=searched,
            withheld=tuple(_withheld(case)),
            records=_Records(case, step),
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


def _addressee(case: Case) -> Addressee:
    person = case.subject_request.representative or case.subject
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


def _statement(case: Case, now: datetime) -> Statement:
    """Article 15(1), from the facts that the controller keeps for itself and for each source."""
    controller = case.controller
    facts = [(controller.name, controller.statement)]
    facts += [(search.source.name, search.source.facts) for search in _searches(case) if search.source.facts]
    return Statement(
        confirmation=(
            _("%(name)s processes personal data about you. A copy is in this answer.")
            % {"name": controller.name},
        ),
        processings=tuple(_processing(label, known) for label, known in facts),
        rights=_rights(),
        complaints=law.remedies(case.regime, now.astimezone(controller.zone).date(), _),
    )


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


def _searches(case: Case) -> list[Any]:
    run = case.runs.order_by("-number").first()
    return list(run.searches.select_related("source")) if run else []


_RESULTS = {
    SearchState.DONE: SearchResult.DONE,
    SearchState.NO_DATA: SearchResult.NO_DATA,
    SearchState.WAIVED: SearchResult.WAIVED,
}


def _searched(case: Case) -> Iterator[SourceSearched]:
    out: Counter[UUID | None] = Counter()
    for group in items.groups(case):
        out[group.source_id] += group.disclosed + group.redacted
    for search in _searches(case):
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


def _result(case: Case, search: Any, records: int) -> SearchResult:
    """A source in which everything is withheld in silence says: no data."""
    result = _RESULTS[SearchState(search.state)]
    named = case.items.filter(source_id=search.source_id, is_silent=False).exists()
    return SearchResult.NO_DATA if result == SearchResult.DONE and not records and not named else result


def _blind_spots(source: Any) -> tuple[str, ...]:
    try:
        connector = registry.build(source.connector, source.options, source.secrets, source.dataset or None)
    except ConnectorError:
        return ()
    return connector.capabilities().blind_spots


def _withheld(case: Case) -> Iterator[Withheld]:
    for code, count in items.named_counts(case):
        yield Withheld(code=code, label=items.exemption_sentence(code, case.regime), count=count)


# A record takes about three kilobytes in memory; more than these are read anew for each file.
KEPT = 20_000

_COLUMNS = ("source_id", "collection", "number", "pk", "content", "redactions", "decision")


@dataclass(frozen=True)
class _Records:
    """The disclosed records, read page by page, each page in a transaction of its own.

    Rows are plain tuples: an object of the model for each of 100,000 would cost more than the rest of the pack.
    """

    case: Case
    step: Step
    kept: list[PackRecord] = field(default_factory=list)

    def __call__(self) -> Iterator[PackRecord]:
        return iter(self.kept) if self.kept else self._read()

    def _read(self) -> Iterator[PackRecord]:
        number, after = 0, None
        read: list[PackRecord] = []
        while True:
            with self.step():
                page = list(self._page(after))
                records = list(self._records(page, number))
            read += records if number < KEPT else ()
            yield from records
            number += len(page)
            if len(page) < items.PAGE:
                break
            after = page[-1][:4]
        if number <= KEPT:
            self.kept.extend(read)

    def _page(self, after: items.Place | None) -> Any:
        chosen = items.going_out(self.case).filter(file=None)
        if after is not None:
            chosen = items.beyond(chosen, after)
        return chosen.values_list(*_COLUMNS)[: items.PAGE]

    def _records(self, page: Sequence[tuple[Any, ...]], number: int) -> Iterator[PackRecord]:
        open_content, open_redactions = self._openers()
        slugs, labels = self._slugs(), {row[1]: row[1].replace("_", " ").capitalize() for row in page}
        for place, (source_id, collection, _number, pk, content, redactions, decision) in enumerate(
            page, start=1
        ):
            found = open_content(pk, content)
            marks = open_redactions(pk, redactions) if decision == ItemDecision.REDACT else None
            yield PackRecord(
                source=slugs[source_id],
                collection=collection,
                collection_label=labels[collection],
                number=number + place,
                data=redacted(found["data"], marks),
                provenance=", ".join(found.get("via", [])),
            )

    def _openers(self) -> tuple[Opener, Opener]:
        key_id = self.case.collected_key_id
        return opener(Item, "content", key_id), opener(Item, "redactions", key_id)

    def _slugs(self) -> dict[UUID | None, str]:
        sources = SourceSystem.objects.filter(controller_id=self.case.controller_id)
        return {None: "by-hand", **dict(sources.values_list("pk", "slug"))}


def _attachments(case: Case, step: Step) -> Iterator[Attachment]:
    for item in items.going_out(case).exclude(file=None).select_related("file"):
        stored = item.file
        assert stored is not None
        yield Attachment(name=stored.name, media_type=stored.media_type, open=_opener(stored, step))


def _opener(stored: Any, step: Step) -> Callable[[], Iterable[bytes]]:
    def open_() -> Iterable[bytes]:
        with step():
            return files.read(stored)

    return open_
