"""How the records of one collection are laid out: as a table where they fit, else as cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

from cases.packs.content import Json, PackRecord, Redacted
from cases.packs.pdf.book import GREY, MARGIN, Book, Grid, Ink, Shape, Style
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


_ROW_HEAD = ("TH", "/A<</O/Table/Scope/Row>>")
_REMEMBERED = 4096  # Cells drawn already: states, currencies and names repeat all the time.
_HASHABLE = frozenset((str, int, float, bool, type(None), Redacted))


def _inker(book: Book, words: Wording) -> Callable[[Json, float], Ink]:
    """How the values of records are drawn.

    No method of the writer, which remembers what this gives: a circle would keep volumes in memory for long.
    """

    def inked(value: Json, width: float) -> Ink:
        if isinstance(value, Redacted):
            return book.ink(shown(value, words), width, DATA_MARK, DATA, marked=True)
        return book.ink(shown(value, words), width, DATA, DATA)

    return inked


class Writer:
    """Draws the records of one collection in one volume."""

    def __init__(self, book: Book, parent: Element, plan: Layout, words: Wording, heading: str) -> None:
        self.book, self.parent, self.layout, self.words = book, parent, plan, words
        self._heading = heading  # the tag of a card's heading
        self._ink = _inker(book, words)
        self._known_ink = lru_cache(_REMEMBERED, typed=True)(self._ink)
        self._label = lru_cache(_REMEMBERED)(partial(book.ink, style=DATA_MARK, row=DATA))
        self._grid: Grid | None = None
        if plan.edges:
            self._grid = book.grid(parent, plan.edges, (words.number, *plan.labels), DATA_HEAD)
            self._number_width, *widths = [
                right - left - 2 * Grid.pad for left, right in pairwise(plan.edges)
            ]
            self._columns = list(zip(plan.fields, widths, strict=True))
            tags = [_ROW_HEAD, *(("TD", "") for _ in widths)]
            cells = [(left, *tag) for left, tag in zip(plan.edges, tags, strict=False)]
            self._shape = book.shape(cells, DATA)
        else:
            self._shapes = self._card_shapes()

    def write(self, record: PackRecord) -> None:
        if self._grid is None:
            self._card(record)
        else:
            self._row(self._grid, record)

    def _row(self, grid: Grid, record: PackRecord) -> None:
        get, known, new = record.data.get, self._known_ink, self._ink
        head = self.book.ink(str(record.number), self._number_width, DATA, DATA)
        # Not a function of its own: this runs for each of a million cells.
        inks = [
            (known if type(value := get(name)) in _HASHABLE else new)(value, width)
            for name, width in self._columns
        ]
        self.book.row(grid, self._shape, [head, *inks])

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
        grid = self.book.grid(self.parent, self._card_edges())
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

    def _card_edges(self) -> tuple[float, ...]:
        half, label = self.book.width / 2, 92.0
        return MARGIN, MARGIN + label, MARGIN + half, MARGIN + half + label, MARGIN + 2 * half

    def _card_shapes(self) -> tuple[Shape, Shape]:
        """Lines with one pair, which has the room of two, and with two."""
        first, value, second, other, _ = self._card_edges()
        one = [(first, *_ROW_HEAD), (value, "TD", "/A<</O/Table/ColSpan 3>>")]
        two = [(first, *_ROW_HEAD), (value, "TD", ""), (second, *_ROW_HEAD), (other, "TD", "")]
        return self.book.shape(one, DATA), self.book.shape(two, DATA)

    def _line(self, grid: Grid, pairs: list[tuple[str, Json]]) -> None:
        if not pairs:
            return
        shape = self._shapes[len(pairs) - 1]
        edges = [*(left for left, _, _ in shape.cells), grid.edges[-1]]
        widths = [right - left - 2 * Grid.pad for left, right in pairwise(edges)]
        inks: list[Ink] = []
        for (label, value), label_width, width in zip(pairs, widths[::2], widths[1::2], strict=True):
            inks += (self._label(label, label_width), self._ink(value, width))
        self.book.row(grid, shape, inks)
