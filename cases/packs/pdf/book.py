"""Pages with a cursor: headings, paragraphs and tables that flow, tagged as they are drawn.

Lengths are in points, from the lower left corner of the page. A page is a list of operators until the
file is finished, so that "page 3 of 17" and the page numbers of the contents can be filled in last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from cases.packs.pdf.tags import Element, Facts, Link, Outline, Structure, tagged
from cases.packs.pdf.text import Encoder, face

MARGIN = 56.0
TOP = 72.0
BOTTOM = 62.0
KEPT_TOGETHER = 200.0  # A row of a table up to this height is not torn apart.
GRID = "0.82 0.84 0.87"
SHADE = "0.945 0.95 0.96"
MARK_SHADE = "0.90 0.90 0.91"
INK = "0.11 0.13 0.16"
GREY = "0.36 0.39 0.43"


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks. `colour` is three numbers from 0 to 1."""

    size: float = 10.0
    leading: float = 14.5
    bold: bool = False
    colour: str = INK


BODY = Style()
SMALL = Style(8.5, 12.0, colour=GREY)
CELL = Style(8.5, 11.5)
CELL_HEAD = Style(8.5, 11.5, bold=True)


class _Sheets(Canvas):
    """ReportLab's canvas, given whole pages of operators."""

    _doc: object
    _code: list[str]
    _preamble: str

    @property
    def document(self) -> object:
        """What fonts keep their subsets by."""
        return self._doc

    def add(self, size: tuple[float, float], code: list[str]) -> None:
        """One page."""
        self.setPageSize(size)
        self._preamble = ""  # It would name a font that is not embedded.
        self._code = code
        self.showPage()


class Page:
    """One page being drawn: what lies under the text, the text, and who owns each marked content."""

    __slots__ = ("code", "height", "owners", "running", "under", "width")

    def __init__(self, size: tuple[float, float], running: bool) -> None:
        self.width, self.height = size
        self.running = running
        self.under: list[str] = []
        self.code: list[str] = []
        self.owners: list[Element] = []


@dataclass(frozen=True, slots=True)
class Running:
    """What stands on every page: `left` and `right` above, `page_of` with {page} and {pages} below."""

    left: str
    right: str
    page_of: str


@dataclass(slots=True)
class Cell:
    """Lines of text of one table cell, and where it stands."""

    element: Element
    x: float
    lines: list[str]
    style: Style
    marked: bool = False


@dataclass(slots=True)
class _Entry:
    """A line of the contents, waiting for its page number."""

    element: Element
    key: str
    slot: int
    page: int
    mark: int
    y: float


@dataclass(slots=True)
class Place:
    """Where a heading came to stand."""

    page: int
    y: float


@dataclass(slots=True)
class Grid:
    """A table being drawn. `edges` are the left edges of its columns and its right edge."""

    element: Element
    edges: Sequence[float]
    head: Sequence[tuple[float, list[str]]] = ()
    head_style: Style = CELL_HEAD
    pad: float = 3.0
    part: Element = field(default_factory=lambda: Element("TBody"))


class Book:
    """One PDF file in the making."""

    def __init__(self, facts: Facts, running: Running, accent: str = "0.12 0.31 0.47") -> None:
        self._buffer = BytesIO()
        # pikepdf compresses when it saves; ReportLab's own way would add a slow layer of ASCII.
        self._canvas = _Sheets(self._buffer, A4, pageCompression=0, invariant=1, pdfVersion=(1, 7))
        self._faces = (face("regular"), face("bold"))
        self._encoders = tuple(Encoder(one, self._canvas.document) for one in self._faces)
        self.facts = Facts(self.clean(facts.title), self.clean(facts.author), facts.language)
        self.running, self.accent = running, accent
        self.document = Element("Document")
        self.pages: list[Page] = []
        self.page = Page(A4, running=False)
        self.y = 0.0
        self.escaped = 0  # characters of wrapped text that are shown by their code
        self._outlines: list[Outline] = []
        self._links: list[Element] = []
        self._entries: list[_Entry] = []
        self._places: dict[str, Place] = {}

    # Pages

    def new_page(self, wide: bool = False, running: bool = True) -> None:
        """Go on at the top of a new page."""
        self.page = Page(landscape(A4) if wide else A4, running)
        self.pages.append(self.page)
        self.y = self.page.height - TOP

    def same_page(self) -> None:
        """Go on at the top of a new page like this one."""
        self.new_page(self.page.width > self.page.height, self.page.running)

    @property
    def room(self) -> float:
        """Height that is left on this page."""
        return self.y - BOTTOM

    @property
    def width(self) -> float:
        """Width between the margins of this page."""
        return self.page.width - 2 * MARGIN

    def need(self, height: float) -> None:
        """Begin a new page when less than this height is left."""
        if self.room < height:
            self.same_page()

    def gap(self, height: float) -> None:
        self.y -= height

    # Text

    def clean(self, text: str, bold: bool = False) -> str:
        return self._faces[bold].clean(text)

    def wrap(self, text: str, width: float, style: Style) -> list[str]:
        """Clean the text and break it into lines of that width."""
        font = self._faces[style.bold]
        if not text.isascii():
            self.escaped += font.escapes_in(text)
        return font.wrap(font.clean(text), width * 1000 / style.size)

    def text_width(self, text: str, style: Style) -> float:
        return self._faces[style.bold].width(text) * style.size / 1000

    def operators(self, x: float, y: float, lines: Sequence[str], style: Style) -> str:
        """Operators that show the lines beneath each other; `y` is the base of the first."""
        show = self._encoders[style.bold].show
        following = f" 0 {-style.leading:g} Td ".join([show(line, style.size) for line in lines])
        return f"BT {style.colour} rg 1 0 0 1 {x:.2f} {y:.2f} Tm {following} ET"

    def draw(self, element: Element, x: float, y: float, lines: Sequence[str], style: Style) -> None:
        """Draw text that belongs to this element."""
        owners = self.page.owners
        mark = len(owners)
        owners.append(element)
        element.marks.append((len(self.pages) - 1, mark))
        operators = self.operators(x, y, lines, style)
        self.page.code.append(f"/{element.tag}<</MCID {mark}>>BDC {operators} EMC")

    def flow(
        self, element: Element, text: str, style: Style = BODY, x: float = MARGIN, width: float = 0
    ) -> None:
        """Text that breaks into lines and goes on over pages."""
        lines = self.wrap(text, width or self.page.width - MARGIN - x, style)
        while lines:
            self.need(style.leading * min(len(lines), 2))
            count = max(1, int(self.room // style.leading))
            self.draw(element, x, self.y - style.size, lines[:count], style)
            self.gap(style.leading * len(lines[:count]))
            lines = lines[count:]

    def paragraph(self, parent: Element, text: str, style: Style = BODY, after: float = 6.0) -> None:
        self.flow(parent.add("P"), text, style)
        self.gap(after)

    def heading(self, parent: Element, level: int, text: str, key: str = "", size: float = 0) -> None:
        """A heading of level 1 to 3, bookmarked, kept together with what follows it."""
        size = size or {1: 20.0, 2: 15.0}.get(level, 11.5)
        style = Style(size, size * 1.3, bold=True, colour=self.accent)
        self.need(size + 60)
        if key:
            self._places[key] = Place(len(self.pages) - 1, self.y + 6)
        if level > 1 or not self._outlines:
            self._outlines.append(Outline(level, self.clean(text), len(self.pages) - 1))
        self.flow(parent.add(f"H{level}"), text, style)
        self.gap(size * 0.45)

    def items(self, parent: Element, texts: Sequence[str], style: Style = BODY) -> None:
        """A list with bullets."""
        listing = parent.add("L")
        for text in texts:
            item = listing.add("LI")
            self.need(style.leading)
            self.draw(item.add("Lbl"), MARGIN + 4, self.y - style.size, ["•"], style)
            self.flow(item.add("LBody"), text, style, MARGIN + 18)
            self.gap(3)

    # Drawing that carries no meaning

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled box beneath the text."""
        self.page.under.append(f"{colour} rg {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")

    def rule(self, x1: float, x2: float, y: float, colour: str = GRID, thickness: float = 0.5) -> None:
        self.page.under.append(f"{colour} RG {thickness:g} w {x1:.2f} {y:.2f} m {x2:.2f} {y:.2f} l S")

    # Tables

    def grid(
        self, parent: Element, edges: Sequence[float], head: Sequence[str] = (), style: Style = CELL_HEAD
    ) -> Grid:
        """Begin a table; the head is repeated on each page."""
        grid = Grid(parent.add("Table"), edges, head_style=style)
        if head:
            self._head(grid, head)
        grid.element.kids.append(grid.part)
        return grid

    def _head(self, grid: Grid, head: Sequence[str]) -> None:
        style = grid.head_style
        widths = [b - a - 2 * grid.pad for a, b in zip(grid.edges, grid.edges[1:], strict=False)]
        wrapped = [self.wrap(text, width, style) for text, width in zip(head, widths, strict=True)]
        grid.head = list(zip(grid.edges, wrapped, strict=False))
        self.need(self._head_height(grid) + 3 * style.leading)
        row = grid.element.add("THead").add("TR")
        base = self._head_ground(grid)
        for x, lines in grid.head:
            element = row.add("TH", "/A<</O/Table/Scope/Column>>")
            self.draw(element, x + grid.pad, base, lines, style)

    def _head_height(self, grid: Grid) -> float:
        return max((len(lines) for _, lines in grid.head), default=0) * grid.head_style.leading + 2 * grid.pad

    def _head_ground(self, grid: Grid) -> float:
        """Shade the head, move below it, and return the base of its first line."""
        height, top = self._head_height(grid), self.y
        self.box(grid.edges[0], top - height, grid.edges[-1] - grid.edges[0], height, SHADE)
        self.rule(grid.edges[0], grid.edges[-1], top - height, self.accent, 1.0)
        self.gap(height)
        return top - grid.pad - grid.head_style.size

    def _repeat_head(self, grid: Grid) -> None:
        self.same_page()
        if not grid.head:
            return
        base = self._head_ground(grid)
        shown = [self.operators(x + grid.pad, base, lines, grid.head_style) for x, lines in grid.head]
        self.page.code.append(f"/Artifact<</Type/Pagination>>BDC {' '.join(shown)} EMC")

    def row(self, grid: Grid, cells: Sequence[Cell], leading: float) -> None:
        """Draw one row. A low row stays together; a tall one starts here and goes on over pages."""
        pad = 2 * grid.pad
        tallest = max([len(cell.lines) for cell in cells])
        if tallest * leading + pad <= self.room:
            self._row_part(grid, cells, tallest, leading)
            return
        if tallest * leading + pad <= KEPT_TOGETHER:
            self._repeat_head(grid)
            self._row_part(grid, cells, tallest, leading)
            return
        self._long_row(grid, cells, tallest, leading)

    def _long_row(self, grid: Grid, cells: Sequence[Cell], tallest: int, leading: float) -> None:
        while tallest > 0:
            count = min(tallest, int((self.room - 2 * grid.pad) // leading))
            if count < min(tallest, 3):
                self._repeat_head(grid)
                continue
            self._row_part(grid, cells, count, leading)
            tallest -= count
            for cell in cells:
                cell.lines = cell.lines[count:]

    def _row_part(self, grid: Grid, cells: Sequence[Cell], count: int, leading: float) -> None:
        base = self.y - grid.pad
        for cell in cells:
            lines = cell.lines[:count]
            if lines:
                self._cell(grid, cell, lines, base)
        self.gap(count * leading + 2 * grid.pad)
        self.rule(grid.edges[0], grid.edges[-1], self.y)

    def _cell(self, grid: Grid, cell: Cell, lines: list[str], top: float) -> None:
        x, style = cell.x + grid.pad, cell.style
        if cell.marked:
            width = max(self.text_width(line, style) for line in lines)
            height = len(lines) * style.leading
            self.box(x - 1.5, top - height + 0.5, width + 3, height, MARK_SHADE)
        self.draw(cell.element, x, top - style.size, lines, style)

    # Contents

    def entry(self, parent: Element, text: str, key: str, indent: float = 0, note: str = "") -> None:
        """A line of the contents: it leads to the heading with that key, or ends in a note instead."""
        style = Style(10, 16, bold=not indent)
        lines = self.wrap(text, self.width - indent - 90, style)
        self.need(style.leading * len(lines))
        self.gap(0 if indent else 5)
        place = parent.add("TOCI").add("Reference")
        element = place if note else place.add("Link")
        top = self.y
        self.draw(self._span(element, note), MARGIN + indent, top - style.size, lines, style)
        self.gap(style.leading * len(lines))
        self._end_of_entry(element, key, note, top)

    def _span(self, element: Element, note: str) -> Element:
        return element.add("Span") if note else element

    def _end_of_entry(self, element: Element, key: str, note: str, top: float) -> None:
        base = self.y + 6
        if note:
            style = Style(9, 16, colour=GREY)
            x = self.page.width - MARGIN - self.text_width(self.clean(note), style)
            self.draw(element.add("Span"), x, base, [self.clean(note)], style)
            return
        mark = len(self.page.owners)
        self.page.owners.append(element)
        element.marks.append((len(self.pages) - 1, mark))
        self.page.code.append("")
        self._entries.append(_Entry(element, key, len(self.page.code) - 1, len(self.pages) - 1, mark, base))
        element.link = Link(len(self.pages) - 1, (MARGIN, self.y, self.page.width - MARGIN, top), "")
        self._links.append(element)

    def _fill_entry(self, entry: _Entry) -> None:
        place, page, style = self._places[entry.key], self.pages[entry.page], Style(10, 16)
        number = str(place.page + 1)
        x = page.width - MARGIN - self.text_width(number, style)
        shown = self.operators(x, entry.y, [number], style)
        page.code[entry.slot] = f"/Link<</MCID {entry.mark}>>BDC {shown} EMC"
        if entry.element.link:
            entry.element.link.to_page, entry.element.link.to_y = place.page, place.y
            entry.element.link.text = self.running.page_of.format(page=number, pages=len(self.pages))

    # The file

    def finish(self) -> bytes:
        """The finished file."""
        for entry in self._entries:
            self._fill_entry(entry)
        for number, page in enumerate(self.pages, 1):
            self._print(page, number)
        self._canvas.save()
        owners = [page.owners for page in self.pages]
        structure = Structure(self.document, owners, self._outlines, self._links)
        return tagged(self._buffer.getvalue(), structure, self.facts)

    def _print(self, page: Page, number: int) -> None:
        ground = ["/Artifact<</Type/Layout>>BDC", *page.under, "EMC"]
        code = [*ground, *page.code, *self._running(page, number)]
        self._canvas.add((page.width, page.height), code)

    def _running(self, page: Page, number: int) -> list[str]:
        style, right = Style(8, 10, colour=GREY), page.width - MARGIN
        foot = self.running.page_of.format(page=number, pages=len(self.pages))
        shown = [self._right(right, 34, foot, style), self._left(34, self.running.right, style)]
        if page.running:
            shown.append(self._left(page.height - 42, self.running.left, style))
            shown.append(
                f"{GRID} RG 0.5 w {MARGIN} {page.height - 50:.2f} m {right:.2f} {page.height - 50:.2f} l S"
            )
        return [f"/Artifact<</Type/Pagination>>BDC {' '.join(shown)} EMC"]

    def _left(self, y: float, text: str, style: Style) -> str:
        return self.operators(MARGIN, y, [self.clean(text)], style)

    def _right(self, right: float, y: float, text: str, style: Style) -> str:
        clean = self.clean(text)
        return self.operators(right - self.text_width(clean, style), y, [clean], style)
