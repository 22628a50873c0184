"""The report: cover, contents, Article 15(1) statement, searches, what is withheld, and the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice, pairwise

from cases.packs.content import PackInput, PackRecord, Processing, SearchResult, SourceSearched, Statement
from cases.packs.pdf.book import CELL, CELL_HEAD, GREY, MARGIN, SMALL, Book, Grid, Running, Style
from cases.packs.pdf.colours import accent
from cases.packs.pdf.tags import Element, Facts
from cases.packs.plan import Plan, RecordsChanged, Section
from cases.packs.rows import Layout, Writer, layout
from cases.packs.wording import Wording

REPORT = "02-report.pdf"
_PROVENANCES = 6  # Beyond so many different ones, only the machine-readable files name them.


def volume_name(number: int) -> str:
    """File name of a volume; the first is the report itself."""
    return REPORT if number == 1 else f"02-report-volume-{number:03d}.pdf"


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment as the report lists it."""

    name: str
    media_type: str


@dataclass(slots=True)
class Report:
    """Renders the volumes of a report one after the other, each in bounded memory."""

    pack: PackInput
    plan: Plan
    words: Wording
    attached: Sequence[AttachedFile] = ()
    escaped: int = 0
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = {source.code: source.label for source in self.pack.sources}

    def volumes(self) -> Iterator[tuple[int, bytes]]:
        """Each volume's number and PDF.

        Raises RecordsChanged when the records are not those of the plan.
        """
        records = iter(self.pack.records())
        for number, sections in enumerate(self.plan.volumes, 1):
            yield number, self._volume(number, sections, records)
        if next(records, None) is not None:
            raise RecordsChanged(self.pack.reference)

    def _volume(self, number: int, sections: Sequence[Section], records: Iterator[PackRecord]) -> bytes:
        book = self._book(number)
        part = book.document.add("Part")
        if number == 1:
            self._front(book, part)
        else:
            self._volume_head(book, part, number, sections)
        self._sections(book, part, number, sections, records)
        if book.escaped:
            book.paragraph(part, self.words.escaped_note, SMALL)
        self.escaped += book.escaped
        return book.finish()

    def _book(self, number: int) -> Book:
        title = self._title(number)
        facts = Facts(f"{title} – {self.pack.reference}", self.pack.brand.name, self.pack.language)
        running = Running(
            f"{self.pack.brand.name} · {title}",
            f"{self.words.reference} {self.pack.reference}",
            self.words.page_of,
        )
        return Book(facts, running, accent(self.pack.brand.accent))

    def _title(self, number: int) -> str:
        return self.words.report_title if number == 1 else self.words.volume_title.format(volume=number)

    # Before the data

    def _front(self, book: Book, part: Element) -> None:
        self._cover(book, part)
        self._contents(book, part)
        self._statement(book, part)
        self._searched(book, part)
        self._withheld(book, part)
        self._attachments(book, part)

    def _cover(self, book: Book, part: Element) -> None:
        book.new_page(running=False)
        height, white = book.page.height, "1 1 1"
        book.y = height - 62
        book.paragraph(part, self.pack.brand.name, Style(15, 20, bold=True, colour=white))
        book.y = min(book.y - 30, height - 158)
        book.flow(part.add("H1"), self.words.report_title, Style(30, 38, bold=True, colour=white))
        subtitle = self.words.report_subtitle.format(right=self.pack.right)
        book.paragraph(part, subtitle, Style(13, 18, colour=white))
        book.box(0, book.y - 28, book.page.width, height - book.y + 28, book.accent)
        book.gap(70)
        self._particulars(book, part)
        self._reading(book, part)

    def _particulars(self, book: Book, part: Element) -> None:
        pack, words = self.pack, self.words
        pairs = [
            (words.prepared_for, pack.subject_name),
            (words.reference, pack.reference),
            (words.request, pack.right),
            (words.received, words.day(pack.received_on)),
            (words.answered, words.day(pack.answered_on)),
            (words.controller, "\n".join((pack.brand.name, *pack.brand.address))),
            (words.controller_contact, "\n".join(pack.brand.dpo_contact)),
        ]
        facts_table(book, part, [pair for pair in pairs if pair[1]], Style(10, 14))

    def _reading(self, book: Book, part: Element) -> None:
        words = self.words
        book.gap(26)
        book.flow(part.add("P"), words.how_to_read, Style(11, 16, bold=True, colour=book.accent))
        book.gap(4)
        texts = list(words.how_to_read_text)
        if self.pack.withheld:
            code = self.pack.withheld[0].code
            mark = words.withheld_mark.format(code=code)
            texts.append(words.how_to_read_withheld.format(mark=mark, chapter=words.withheld))
        for text in texts:
            book.paragraph(part, text, Style(9.5, 14))

    def _contents(self, book: Book, part: Element) -> None:
        book.new_page()
        book.heading(part, 2, self.words.contents)
        toc = part.add("TOC")
        if self._stated:
            book.entry(toc, self.words.statement, "statement")
        book.entry(toc, self.words.searched, "searched")
        book.entry(toc, self.words.withheld, "withheld")
        if self.attached:
            book.entry(toc, self.words.attachments, "attachments")
        book.entry(toc, self.words.data, "data")
        for number, sections in enumerate(self.plan.volumes, 1):
            for section in sections:
                self._section_entry(book, toc, number, section)

    def _section_entry(self, book: Book, toc: Element, number: int, section: Section) -> None:
        text = f"{self._section_title(section)}, {self.words.range(section.first, section.last)}"
        note = "" if number == 1 else self.words.volume.format(volume=number)
        book.entry(toc, text, _key(section), 14, note)

    def _section_title(self, section: Section) -> str:
        source = section.collection.source
        return f"{self.names.get(source, source)}: {section.collection.label}"

    @property
    def _stated(self) -> bool:
        """Whether there is an Article 15(1) statement; an answer under Article 20 has none."""
        return self.pack.statement != Statement()

    def _statement(self, book: Book, part: Element) -> None:
        statement, words = self.pack.statement, self.words
        book.new_page()
        if not self._stated:
            return
        book.heading(part, 2, words.statement, "statement")
        for text in statement.confirmation:
            book.paragraph(part, text)
        for processing in statement.processings:
            self._processing(book, part, processing)
        for title, texts in (
            (words.your_rights, statement.rights),
            (words.how_to_complain, statement.complaints),
        ):
            if texts:
                book.gap(8)
                book.heading(part, 3, title)
                book.items(part, texts)

    def _processing(self, book: Book, part: Element, processing: Processing) -> None:
        """One table of facts; a fact that does not apply has no row."""
        keys = (
            "purposes",
            "categories",
            "recipients",
            "retention",
            "origin",
            "automated_decisions",
            "transfers",
        )
        pairs = [(getattr(self.words, key), "\n".join(getattr(processing, key))) for key in keys]
        known = [pair for pair in pairs if pair[1]]
        if known:
            book.gap(8)
            book.heading(part, 3, processing.label or self.words.whole_organisation)
            facts_table(book, part, known, CELL)

    def _searched(self, book: Book, part: Element) -> None:
        words, sources = self.words, self.pack.sources
        book.gap(22 if self._stated else 0)
        book.heading(part, 2, words.searched, "searched")
        if not sources:
            book.paragraph(part, words.searched_none)
            return
        book.paragraph(part, words.searched_intro)
        head = (words.system, words.searched_at, words.result, words.records)
        table(book, part, head, (0.30, 0.25, 0.33, 0.12), [self._search_row(source) for source in sources])
        self._blind_spots(book, part, sources)

    def _search_row(self, source: SourceSearched) -> tuple[str, ...]:
        words, at = self.words, source.searched_at
        results = {SearchResult.DONE: words.result_done, SearchResult.NO_DATA: words.result_no_data}
        result = results.get(source.result) or words.result_waived.format(reason=source.reason)
        return source.label, words.moment(at, self.pack.zone) if at else "–", result, str(source.records)

    def _blind_spots(self, book: Book, part: Element, sources: Sequence[SourceSearched]) -> None:
        spots = [f"{source.label}: {spot}" for source in sources for spot in source.blind_spots]
        if spots:
            book.gap(12)
            book.heading(part, 3, self.words.blind_spots)
            book.items(part, spots)

    def _withheld(self, book: Book, part: Element) -> None:
        words = self.words
        book.gap(22)
        book.heading(part, 2, words.withheld, "withheld")
        if not self.pack.withheld:
            book.paragraph(part, words.withheld_none)
            return
        book.paragraph(part, words.withheld_intro)
        rows = [(item.code, item.label, str(item.count)) for item in self.pack.withheld]
        table(book, part, (words.code, words.reason, words.count), (0.16, 0.70, 0.14), rows)

    def _attachments(self, book: Book, part: Element) -> None:
        if not self.attached:
            return
        words = self.words
        book.gap(22)
        book.heading(part, 2, words.attachments, "attachments")
        book.paragraph(part, words.attachments_intro)
        rows = [(file.name, file.media_type) for file in self.attached]
        table(book, part, (words.file_name, words.file_type), (0.66, 0.34), rows)

    # The data

    def _volume_head(self, book: Book, part: Element, number: int, sections: Sequence[Section]) -> None:
        book.new_page(wide=self._layout(sections[0]).wide)
        book.heading(part, 1, self._title(number))
        subtitle = f"{self.pack.brand.name} · {self.pack.subject_name} · {self.pack.reference}"
        book.paragraph(part, subtitle, SMALL, after=14)

    def _sections(
        self,
        book: Book,
        part: Element,
        number: int,
        sections: Sequence[Section],
        records: Iterator[PackRecord],
    ) -> None:
        if number == 1:
            self._data_head(book, part, sections)
        for _, members in groupby(sections, key=lambda section: section.collection.source):
            group = part.add("Sect")
            for section in members:
                plan = self._layout(section)
                self._turn(book, plan)
                # No level of heading may be left out (PDF/UA-1, 7.4.2): later volumes have no chapter "data".
                level = 3 if number == 1 else 2
                self._section(book, group.add("Sect"), section, plan, level, islice(records, section.count))

    def _layout(self, section: Section) -> Layout:
        return layout(section.collection, self.pack.field_labels, self.words)

    def _data_head(self, book: Book, part: Element, sections: Sequence[Section]) -> None:
        book.new_page(wide=bool(sections) and self._layout(sections[0]).wide)
        book.heading(part, 2, self.words.data, "data")
        if not self.plan.records:
            book.paragraph(part, self.words.data_none)
        if len(self.plan.volumes) > 1:
            book.paragraph(part, self.words.elsewhere(len(self.plan.volumes) - 1), SMALL)

    def _turn(self, book: Book, plan: Layout) -> None:
        """Turn the page sideways, or back, when the table needs it."""
        if plan.wide != (book.page.width > book.page.height):
            book.new_page(wide=plan.wide)

    def _section(
        self,
        book: Book,
        group: Element,
        section: Section,
        plan: Layout,
        level: int,
        records: Iterable[PackRecord],
    ) -> None:
        book.gap(6)
        book.heading(group, level, self._section_title(section), _key(section), size=11.5)
        self._section_notes(book, group, section, plan)
        writer, count = Writer(book, group, plan, self.words, f"H{level + 1}"), 0
        for record in records:
            count += 1
            if (record.source, record.collection) != (section.collection.source, section.collection.name):
                raise RecordsChanged(f"{record.source}/{record.collection}")
            writer.write(record)
        if count != section.count:
            raise RecordsChanged(f"{section.collection.source}/{section.collection.name}")
        book.gap(16)

    def _section_notes(self, book: Book, group: Element, section: Section, plan: Layout) -> None:
        words, found = self.words, sorted(filter(None, section.collection.provenances))
        notes = [words.records_count(section.count)]
        if found and len(found) <= _PROVENANCES:
            notes.append(words.found_by.format(provenance="; ".join(found)))
        if not plan.edges:
            notes.append(words.empty_fields)
        book.paragraph(group, " · ".join(notes), SMALL, after=5)


def _key(section: Section) -> str:
    return f"{section.first}-{section.last}"


def facts_table(book: Book, parent: Element, pairs: Sequence[tuple[str, str]], style: Style) -> None:
    """Two columns: what, and the value; several lines where the value has line ends."""
    if not pairs:
        return
    edges = (MARGIN, MARGIN + 0.30 * book.width, MARGIN + book.width)
    grid, label = book.grid(parent, edges), Style(style.size, style.leading, bold=True, colour=GREY)
    shape = book.shape([(edges[0], "TH", "/A<</O/Table/Scope/Row>>"), (edges[1], "TD", "")], style)
    for name, value in pairs:
        first = book.ink(name, edges[1] - edges[0] - 8, label, style)
        book.row(grid, shape, [first, book.ink(value, edges[2] - edges[1] - 8, style, style)])


def table(
    book: Book, parent: Element, head: Sequence[str], shares: Sequence[float], rows: Iterable[Sequence[str]]
) -> None:
    """A small table; `shares` of the width for its columns add up to one."""
    edges = [MARGIN]
    for share in shares:
        edges.append(edges[-1] + share * book.width)
    grid = book.grid(parent, edges, head, CELL_HEAD)
    shape = book.shape([(left, "TD", "") for left in edges[:-1]], CELL)
    widths = [right - left - 2 * Grid.pad for left, right in pairwise(edges)]
    for texts in rows:
        inks = [book.ink(text, width, CELL, CELL) for text, width in zip(texts, widths, strict=True)]
        book.row(grid, shape, inks)
