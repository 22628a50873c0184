"""Pages with a cursor: headings, paragraphs and tables that flow, tagged as they are drawn.

Lengths are in points, from the lower left corner of the page. A page is a list of operators until the
file is finished, so that "page 3 of 17" and the page numbers of the contents can be filled in last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, NamedTuple

from reportlab.lib.pagesizes import A4, landscape

from cases.packs.pdf.fonts import Fonts
from cases.packs.pdf.tags import Element, Facts, Link, Outline, Owner, Run, Sheet, Structure, tagged

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


class Page:
    """One page being drawn: what lies under the text, the text, and who owns each marked content."""

    __slots__ = ("code", "height", "marks", "owners", "running", "under", "width")

    def __init__(self, size: tuple[float, float], running: bool) -> None:
        self.width, self.height = size
        self.running = running
        self.under: list[str] = []
        self.code: list[str] = []
        self.owners: list[Owner] = []
        self.marks = 0

    def own(self, owner: Owner, count: int = 1) -> int:
        """Number of the first of so many marks that the owner now has."""
        first = self.marks
        self.marks += count
        self.owners.append(owner)
        return first


@dataclass(frozen=True, slots=True)
class Running:
    """What stands on every page: `left` and `right` above, `page_of` with {page} and {pages} below."""

    left: str
    right: str
    page_of: str


class Ink(NamedTuple):
    """The text of a table's cell, ready to be drawn any number of times.

    `operators` begin and end at the base of the first line, in the style of the row. `box` is the width of the
    ground beneath a mark, else 0; `escapes` counts the characters that are shown by their code.
    """

    operators: str
    height: int  # in lines
    lines: Sequence[str]
    style: Style
    box: float = 0.0
    escapes: int = 0


class Shape:
    """Where the cells of a row stand, how they are tagged, and the style of the row.

    `cells` are the left edge, the tag and the attributes of each.
    """

    def __init__(
        self, cells: Sequence[tuple[float, str, str]], style: Style, select: str, pad: float
    ) -> None:
        self.cells, self.style = cells, style
        self.tags = [tag + attributes for _, tag, attributes in cells]
        self._select, self._pad = select, pad
        self.template = self._template()

    def _template(self) -> str:
        """To be filled with the height of the base, then the number of the mark and the operators of each cell.

        The style is set and the cells are placed from one another, since operators are most of a large file.
        """
        xs = [round(x + self._pad, 2) for x, _, _ in self.cells]
        steps = [f" {right - left:.2f} 0 Td " for left, right in pairwise(xs)]
        shown = [f"/{tag}<</MCID %d>>BDC %s EMC" for _, tag, _ in self.cells]
        rest = "".join([step + cell for step, cell in zip(steps, shown[1:], strict=True)])
        return f"BT {style_operators(self.style, self._select)} {xs[0]:.2f} %.2f Td {shown[0]}{rest} ET"

    def filled(self, y: float, mark: int, operators: Sequence[str]) -> str:
        """The operators of a row whose first cell has that mark."""
        values: list[object] = [y] * (2 * len(operators) + 1)
        values[1::2] = range(mark, mark + len(operators))
        values[2::2] = operators
        return self.template % tuple(values)


def style_operators(style: Style, select: str) -> str:
    """Colour, face and distance of lines."""
    return f"{style.colour} rg {select} {style.leading:g} TL"


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
    pad: ClassVar[float] = 3.0
    part: Element = field(default_factory=lambda: Element("TBody"))


class Book:
    """One PDF file in the making."""

    def __init__(self, facts: Facts, running: Running, accent: str = "0.12 0.31 0.47") -> None:
        self._fonts = Fonts()
        self._faces, self._encoders = self._fonts.faces, self._fonts.encoders
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
        encoder = self._encoders[style.bold]
        shown = " T* ".join([encoder.show(line, style.size) for line in lines])
        return f"BT {style_operators(style, encoder.select(style.size))} {x:.2f} {y:.2f} Td {shown} ET"

    def draw(self, element: Element, x: float, y: float, lines: Sequence[str], style: Style) -> None:
        """Draw text that belongs to this element."""
        mark = self.page.own(element)
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

    def shape(self, cells: Sequence[tuple[float, str, str]], style: Style) -> Shape:
        """What rows of that style look like; `cells` are the left edge, the tag and the attributes of each."""
        return Shape(cells, style, self._encoders[style.bold].select(style.size), Grid.pad)

    def ink(self, text: str, width: float, style: Style, row: Style, marked: bool = False) -> Ink:
        """Text for a cell of that width in a row of another style, or the same."""
        if not text:
            return Ink("", 0, (), style)
        font, room = self._faces[style.bold], width * 1000 / style.size
        if not font.is_plain(text, room):
            lines: Sequence[str] = font.wrap(font.clean(text), room)
        elif style is row:
            return Ink(self._encoders[style.bold].show(text, style.size), 1, (text,), style)
        else:
            lines = (text,)
        box = max(self.text_width(line, style) for line in lines) if marked else 0.0
        return Ink(self._inked(lines, style, row), len(lines), lines, style, box, font.escapes_in(text))

    def _inked(self, lines: Sequence[str], style: Style, row: Style) -> str:
        show, size = self._encoders[style.bold].show, style.size
        operators = " T* ".join([show(line, size) for line in lines])
        if len(lines) > 1:
            operators += f" 0 {(len(lines) - 1) * style.leading:g} Td"
        return operators if style is row else f"{self._styled(style)} {operators} {self._styled(row)}"

    def _styled(self, style: Style) -> str:
        return style_operators(style, self._encoders[style.bold].select(style.size))

    def row(self, grid: Grid, shape: Shape, inks: Sequence[Ink]) -> None:
        """Draw one row. A low row stays together; a tall one starts here and goes on over pages."""
        tallest = max([ink.height for ink in inks])
        height = tallest * shape.style.leading + 2 * grid.pad
        if height > self.room:
            if height > KEPT_TOGETHER:
                self._long_row(grid, shape, inks, tallest)
                return
            self._repeat_head(grid)
        self._whole_row(grid, shape, inks)
        self._end_row(grid, height)

    def _whole_row(self, grid: Grid, shape: Shape, inks: Sequence[Ink]) -> None:
        operators, _, _, _, boxes, escapes = zip(*inks, strict=True)
        run, top = self._run(grid, shape), self.y - grid.pad
        mark = self.page.own((run, len(run.places)), len(inks))
        run.places.append((len(self.pages) - 1, mark))
        self.page.code.append(shape.filled(top - shape.style.size, mark, operators))
        self.escaped += sum(escapes)
        if any(boxes):
            for (left, _, _), ink in zip(shape.cells, inks, strict=True):
                self._ground(left + grid.pad, top, ink, ink.height)

    def _run(self, grid: Grid, shape: Shape) -> Run:
        """The run to which rows of this shape are added."""
        last = grid.part.kids[-1] if grid.part.kids else None
        if isinstance(last, Run) and last.cells is shape.tags:
            return last
        run = Run(shape.tags)
        grid.part.kids.append(run)
        return run

    def _ground(self, x: float, top: float, ink: Ink, lines: int) -> None:
        """The ground beneath a mark."""
        if ink.box:
            height = lines * ink.style.leading
            self.box(x - 1.5, top - height + 0.5, ink.box + 3, height, MARK_SHADE)

    def _end_row(self, grid: Grid, height: float) -> None:
        self.gap(height)
        self.rule(grid.edges[0], grid.edges[-1], self.y)

    def _long_row(self, grid: Grid, shape: Shape, inks: Sequence[Ink], tallest: int) -> None:
        row, leading, done = grid.part.add("TR"), shape.style.leading, 0
        elements = [row.add(tag, attributes) for _, tag, attributes in shape.cells]
        self.escaped += sum(ink.escapes for ink in inks)
        while done < tallest:
            count = min(tallest - done, int((self.room - 2 * grid.pad) // leading))
            if count < min(tallest - done, 3):
                self._repeat_head(grid)
                continue
            for element, (left, _, _), ink in zip(elements, shape.cells, inks, strict=True):
                self._part(element, left + grid.pad, ink, slice(done, done + count))
            self._end_row(grid, count * leading + 2 * grid.pad)
            done += count

    def _part(self, element: Element, x: float, ink: Ink, chosen: slice) -> None:
        """Some of the lines of a cell."""
        lines, top = ink.lines[chosen], self.y - Grid.pad
        if lines:
            self._ground(x, top, ink, len(lines))
            self.draw(element, x, top - ink.style.size, lines, ink.style)

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
        mark = self.page.own(element)
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
        sheets = [
            Sheet((page.width, page.height), self._content(page, number))
            for number, page in enumerate(self.pages, 1)
        ]
        owners = [page.owners for page in self.pages]
        structure = Structure(self.document, owners, self._outlines, self._links)
        return tagged(self._fonts.embedded(), sheets, structure, self.facts)

    def _content(self, page: Page, number: int) -> bytes:
        ground = ["/Artifact<</Type/Layout>>BDC", *page.under, "EMC"]
        return "\n".join([*ground, *page.code, *self._running(page, number)]).encode("ascii")

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
