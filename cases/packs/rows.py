"""How the records of one collection are laid out: as a table where they fit, else as cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from cases.packs.content import Json, PackRecord, Redacted
from cases.packs.pdf.book import GREY, MARGIN, Book, Cell, Grid, Style
from cases.packs.pdf.tags import Element
from cases.packs.plan import Collection, Column
from cases.packs.values import humanise, shown
from cases.packs.wording import Wording

DATA = Style(7.5, 9.75)
DATA_HEAD = Style(7.5, 9.75, bold=True)
DATA_MARK = Style(7.0, 9.75, bold=True, colour=GREY)
_CHAR = 4.4  # points that a character takes on average at that size
_WORD_CHAR = 5.1  # the same for a single word, which must not break for being a little wide
_PADDING = 8.0
_PORTRAIT, _LANDSCAPE = 595.28 - 2 * MARGIN, 841.89 - 2 * MARGIN
_LONGEST_WORD = 17  # Longer words are broken rather than given a column of their width.
_WIDE_ENOUGH = 64  # characters beyond which a column wraps its text instead of growing
# Lines of an average row beyond which a wider layout is easier to read: upright, sideways, and with few columns.
_TALLEST, _TALLEST_WIDE, _TALLEST_OF_FEW = 1.8, 3.0, 12.0
_FEW_COLUMNS = 4
_LONGEST_LABEL = 80  # characters of a column's label beyond which the head of a table would fill the page
_CARDS_UP_TO = 3  # So few records of many fields are easier to read as cards.
_SHORT_VALUE = 30  # characters of values that stand two in a line of a card


@dataclass(frozen=True, slots=True)
class Layout:
    """How to draw the records of a collection. No `edges` means cards."""

    fields: tuple[str, ...]
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()
    wide: bool = False


def layout(collection: Collection, known: Mapping[str, str], words: Wording) -> Layout:
    """The narrowest layout in which the records can be read."""
    fields = tuple(collection.columns)
    labels = tuple(known.get(name) or humanise(name) for name in fields)
    if max(map(len, labels), default=0) > _LONGEST_LABEL:
        return Layout(fields, labels)
    few = len(fields) <= _FEW_COLUMNS
    for room, wide in ((_PORTRAIT, False), (_LANDSCAPE, True)):
        tallest = _TALLEST_OF_FEW if few else _TALLEST_WIDE if wide else _TALLEST
        edges = _edges(collection, labels, room, words)
        if edges and _lines(collection, edges) <= tallest and (few or collection.count > _CARDS_UP_TO):
            return Layout(fields, labels, edges, wide)
    return Layout(fields, labels)


def _edges(collection: Collection, labels: tuple[str, ...], room: float, words: Wording) -> tuple[float, ...]:
    """Edges of the columns when all have room in that width, else nothing."""
    number = max(len(words.number), len(str(collection.last))) * _WORD_CHAR + _PADDING
    columns = list(collection.columns.values())
    needs = [_need(column, label) for column, label in zip(columns, labels, strict=True)]
    spare = room - number - sum(needs)
    if spare < 0 or not columns:
        return ()
    wants = [max(0.0, _want(column) - need) for column, need in zip(columns, needs, strict=True)]
    share = min(1.0, spare / (sum(wants) or 1))
    widths = [need + want * share for need, want in zip(needs, wants, strict=True)]
    return _spread(number, widths, room)


def _spread(number: float, widths: list[float], room: float) -> tuple[float, ...]:
    """Edges of columns that together fill the room."""
    stretch = (room - number) / sum(widths)
    edges = [MARGIN, MARGIN + number]
    for width in widths:
        edges.append(edges[-1] + width * stretch)
    return tuple(edges)


def _need(column: Column, label: str) -> float:
    word = max(map(len, label.split()), default=0) + 1
    longest = max(min(column.longest_word, _LONGEST_WORD), min(word, _LONGEST_WORD + 1), 4)
    return longest * _WORD_CHAR + _PADDING


def _want(column: Column) -> float:
    return min(column.longest, _WIDE_ENOUGH) * _CHAR + _PADDING


def _lines(collection: Collection, edges: tuple[float, ...]) -> float:
    """Lines of an average row."""
    widths = [right - left - _PADDING for left, right in pairwise(edges[1:])]
    pairs = zip(collection.columns.values(), widths, strict=True)
    return max(column.total / collection.count * _CHAR / width for column, width in pairs)


class Writer:
    """Draws the records of one collection in one volume."""

    def __init__(self, book: Book, parent: Element, plan: Layout, words: Wording, heading: str) -> None:
        self.book, self.parent, self.layout, self.words = book, parent, plan, words
        self._heading = heading  # the tag of a card's heading
        self._grid: Grid | None = None
        if plan.edges:
            self._grid = book.grid(parent, plan.edges, (words.number, *plan.labels), DATA_HEAD)
            self._columns = self._measured(plan.edges, self._grid.pad)

    def _measured(self, edges: tuple[float, ...], pad: float) -> list[tuple[str, float, float]]:
        """Field, left edge and width for text of each column but the first."""
        spans = zip(self.layout.fields, edges[1:], edges[2:], strict=False)
        return [(name, left, right - left - 2 * pad) for name, left, right in spans]

    def write(self, record: PackRecord) -> None:
        if self._grid is None:
            self._card(record)
        else:
            self._row(self._grid, record)

    def _row(self, grid: Grid, record: PackRecord) -> None:
        row = grid.part.add("TR")
        head = Cell(row.add("TH", "/A<</O/Table/Scope/Row>>"), grid.edges[0], [str(record.number)], DATA)
        get = record.data.get
        cells = [self._cell(row.add("TD"), x, width, get(name)) for name, x, width in self._columns]
        self.book.row(grid, [head, *cells], DATA.leading)

    def _cell(self, element: Element, x: float, width: float, value: Json) -> Cell:
        marked = isinstance(value, Redacted)
        style = DATA_MARK if marked else DATA
        text = shown(value, self.words)
        return Cell(element, x, self.book.wrap(text, width, style) if text else [], style, marked)

    # Cards

    def _card(self, record: PackRecord) -> None:
        book = self.book
        heading = self.words.record.format(number=record.number)
        filled = [(label, record.data.get(name)) for name, label in self._named()]
        present = [pair for pair in filled if pair[1] is not None and pair[1] != ""]
        # A card that takes less than a third of a page is not torn apart.
        book.need(min(260.0, 40.0 + len(present) * 11.0))
        book.flow(self.parent.add(self._heading), heading, Style(9.5, 14, bold=True))
        if present:
            self._pairs(present)
        else:
            book.paragraph(self.parent, self.words.nothing_recorded, Style(8.5, 12, colour=GREY))
        book.gap(9)

    def _named(self) -> zip[tuple[str, str]]:
        return zip(self.layout.fields, self.layout.labels, strict=True)

    def _pairs(self, present: list[tuple[str, Json]]) -> None:
        """Labels and values, two pairs in a line where both are short."""
        half, label = self.book.width / 2, 92.0
        edges = (MARGIN, MARGIN + label, MARGIN + half, MARGIN + half + label, MARGIN + 2 * half)
        grid = self.book.grid(self.parent, edges)
        waiting: list[tuple[str, Json]] = []
        for pair in present:
            if len(shown(pair[1], self.words)) > _SHORT_VALUE:
                self._line(grid, waiting)
                self._line(grid, [pair])
                waiting = []
                continue
            waiting.append(pair)
            if len(waiting) == 2:
                self._line(grid, waiting)
                waiting = []
        self._line(grid, waiting)

    def _line(self, grid: Grid, pairs: list[tuple[str, Json]]) -> None:
        if not pairs:
            return
        row = grid.part.add("TR")
        span = "" if len(pairs) == 2 else "/A<</O/Table/ColSpan 3>>"
        edges = grid.edges if len(pairs) == 2 else (grid.edges[0], grid.edges[1], grid.edges[-1])
        cells = []
        for place, (label, value) in enumerate(pairs):
            x, middle, end = edges[2 * place : 2 * place + 3]
            cells.append(self._label(row, x, middle - x - 2 * grid.pad, label))
            cells.append(self._cell(row.add("TD", span), middle, end - middle - 2 * grid.pad, value))
        self.book.row(grid, cells, DATA.leading)

    def _label(self, row: Element, x: float, width: float, label: str) -> Cell:
        element = row.add("TH", "/A<</O/Table/Scope/Row>>")
        return Cell(element, x, self.book.wrap(label, width, DATA_MARK), DATA_MARK)
