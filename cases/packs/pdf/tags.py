"""The logical structure of a tagged PDF (ISO 32000-1, 14.7 and 14.8; PDF/UA-1, ISO 14289-1).

ReportLab writes no structure. pikepdf adds what is small (language, metadata, bookmarks, links); the tens
of thousands of structure elements are then appended as an incremental update of our own writing, which
takes a fraction of the time and memory that a library needs to hold them as objects. For the same reason
the rows of large tables are not elements here, but numbers in a run.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate, chain, islice
from operator import add
from struct import Struct
from typing import TypeAlias
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, String


class Element:
    """A structure element: a tag, its children, and the marks on the pages that it owns.

    `marks` are pairs of page index and marked-content number. A link also has `link`, its place on the page.
    """

    __slots__ = ("attributes", "kids", "link", "marks", "number", "parent", "tag")

    def __init__(self, tag: str, attributes: str = "") -> None:
        self.tag = tag
        self.attributes = attributes
        self.kids: list[Element | Run] = []
        self.marks: list[tuple[int, int]] = []
        self.link: Link | None = None
        self.number = 0
        self.parent = 0

    def add(self, tag: str, attributes: str = "") -> Element:
        """A new last child."""
        kid = Element(tag, attributes)
        self.kids.append(kid)
        return kid


class Run:
    """Rows of a table, one after the other, that are tagged alike and hold one mark in each cell.

    `cells` are the tags of a row's cells with their attributes. For each row, `places` has the page's index and
    the number of the first cell's mark; those of the other cells follow it.
    """

    __slots__ = ("cells", "number", "parent", "places")

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells = cells
        self.places: list[tuple[int, int]] = []
        self.number = 0
        self.parent = 0

    def row_number(self, place: int) -> int:
        """The object number of a row, which those of its cells follow."""
        return self.number + place * (len(self.cells) + 1)


# What owns marks of a page: an element one, a row of a run one for each cell.
Owner: TypeAlias = "Element | tuple[Run, int]"


@dataclass(slots=True)
class Link:
    """A clickable area that leads to a place in the same file. Lengths are in points."""

    page: int
    area: tuple[float, float, float, float]
    text: str
    to_page: int = 0
    to_y: float = 0
    place: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """A bookmark: level 1 is the outermost."""

    level: int
    title: str
    page: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says of itself."""

    title: str
    author: str
    language: str


@dataclass(slots=True)
class Structure:
    """The tree of one file, and for each page the owners of its marks in the order of their numbers."""

    root: Element
    owners: Sequence[Sequence[Owner]]
    outlines: Sequence[Outline] = ()
    links: list[Element] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is printed: its width and height in points, and its operators."""

    size: tuple[float, float]
    content: bytes


def tagged(pdf: bytes, sheets: Sequence[Sheet], structure: Structure, facts: Facts) -> bytes:
    """These sheets with the fonts of the one page that is there, structure, language, metadata and bookmarks."""
    with pikepdf.open(BytesIO(pdf)) as file:
        _lay_out(file, sheets)
        _tie_in(file, structure, facts)
        described = _saved(file)
    with pikepdf.open(BytesIO(described)) as file:
        return _Update(file, structure).appended_to(described)


def _lay_out(file: pikepdf.Pdf, sheets: Sequence[Sheet]) -> None:
    resources = file.make_indirect(file.pages[0].obj.Resources)
    del file.pages[0]
    for sheet in sheets:
        page = file.add_blank_page(page_size=sheet.size).obj
        page.Resources = resources
        page.Contents = file.make_stream(zlib.compress(sheet.content, _FASTEST), Filter=Name.FlateDecode)


class _Update:
    """The structure tree as an incremental update (ISO 32000-1, 7.5.6) of compressed object streams.

    Its objects are, in the order of their numbers: catalog, root of the tree, parent tree, elements.
    """

    def __init__(self, file: pikepdf.Pdf, structure: Structure) -> None:
        self.structure = structure
        self.pages = [page.obj.objgen[0] for page in file.pages]
        self.first, self.file_id = int(file.trailer.Size), file.trailer.ID.unparse().decode("latin-1")
        self.catalog = file.Root.objgen[0]
        self.catalog_entries = file.Root.unparse(resolved=True)
        self.links = [self._annotation(file, element) for element in structure.links]
        self.nodes: list[Element | Run] = [structure.root]
        number = self.first + 2
        # The list grows while it is walked: breadth first, parents before kids.
        for node in self.nodes:
            node.number = number
            if isinstance(node, Run):
                number = node.row_number(len(node.places))
            else:
                number += 1
                self.nodes.extend(node.kids)

    def _annotation(self, file: pikepdf.Pdf, element: Element) -> int:
        """Object number of the annotation that belongs to a link."""
        link = element.link
        if link is None:
            raise ValueError("a link without a place on a page")
        link.number = file.pages[link.page].obj.Annots[link.place].objgen[0]
        return link.number

    def _bodies(self) -> Iterator[str]:
        """All objects in the order of their numbers."""
        return chain(self._roots(), chain.from_iterable(chain.from_iterable(map(self._node, self.nodes))))

    def _roots(self) -> Iterator[str]:
        key, kid = len(self.pages) + len(self.links), self.structure.root.number
        yield f"<</Type/StructTreeRoot/K {kid} 0 R/ParentTree {self.first + 1} 0 R/ParentTreeNextKey {key}>>"
        yield self._parent_tree()
        self.structure.root.parent = self.first

    def _node(self, node: Element | Run) -> Iterable[list[str]]:
        if isinstance(node, Run):
            return self._rows(node)
        for kid in node.kids:
            kid.parent = node.number
        return ([f"<</S/{node.tag}/P {node.parent} 0 R{node.attributes}{self._content(node)}>>"],)

    def _rows(self, run: Run) -> Iterator[list[str]]:
        """Each row with its cells."""
        row, count = run.number, len(run.cells)
        heads = [f"<</S/{cell}/P " for cell in run.cells]
        for page, mark in run.places:
            tail = f"{row} 0 R/Pg {self.pages[page]} 0 R/K "
            cells = [f"{head}{tail}{number}>>" for number, head in enumerate(heads, mark)]
            yield [f"<</S/TR/P {run.parent} 0 R/K[{_references(row + 1, row + 1 + count)}]>>", *cells]
            row += count + 1

    def _parent_tree(self) -> str:
        pages = (
            f"{key}[{' '.join([_owner(owner) for owner in owners])}]"
            for key, owners in enumerate(self.structure.owners)
        )
        links = (f"{key} {e.number} 0 R" for key, e in enumerate(self.structure.links, len(self.pages)))
        return f"<</Nums[{' '.join((*pages, *links))}]>>"

    def _content(self, element: Element) -> str:
        if element.kids:
            return f"/K[{' '.join([_kid(kid) for kid in element.kids])}]"
        marks = element.marks
        if len(marks) == 1 and not element.link:
            return f"/Pg {self.pages[marks[0][0]]} 0 R/K {marks[0][1]}"
        return f"/K[{' '.join([*map(self._mark, marks), *self._reference(element)])}]"

    def _mark(self, mark: tuple[int, int]) -> str:
        return f"<</Type/MCR/Pg {self.pages[mark[0]]} 0 R/MCID {mark[1]}>>"

    def _reference(self, element: Element) -> list[str]:
        link = element.link
        return [f"<</Type/OBJR/Obj {link.number} 0 R/Pg {self.pages[link.page]} 0 R>>"] if link else []

    def appended_to(self, pdf: bytes) -> bytes:
        """The file with this update behind it."""
        parts, at = [pdf, b"\n"], len(pdf) + 1
        table = _CrossReferences(self.first)
        catalog = self.catalog_entries.rstrip()[:-2] + f"/StructTreeRoot {self.first} 0 R>>".encode()
        plain = f"{self.catalog} 0 obj\n".encode() + catalog + b"\nendobj\n"
        parts.append(plain)
        streams_at = at + len(plain)
        parts.extend(table.object_streams(self._bodies(), streams_at))
        previous = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
        parts.append(table.ending(self.catalog, at, sum(map(len, parts)), previous, self.file_id))
        return b"".join(parts)


def _kid(kid: Element | Run) -> str:
    if isinstance(kid, Run):
        return _references(kid.number, kid.row_number(len(kid.places)), len(kid.cells) + 1)
    return f"{kid.number} 0 R"


def _owner(owner: Owner) -> str:
    if isinstance(owner, Element):
        return f"{owner.number} 0 R"
    run, place = owner
    first = run.row_number(place) + 1
    return _references(first, first + len(run.cells))


def _references(first: int, beyond: int, step: int = 1) -> str:
    """References to objects whose numbers follow each other."""
    return " 0 R ".join(map(str, range(first, beyond, step))) + " 0 R"


# What is compressed here repeats itself so much that more effort takes thrice the time for a tenth of the size.
_FASTEST = 1
_ROW = Struct(">BIH").pack  # kind; offset, or number of the object stream; index in that stream
_PER_STREAM = 500
_INDEXES = [index.to_bytes(2) for index in range(_PER_STREAM)]


class _CrossReferences:
    """Packs objects into object streams and keeps where each is (ISO 32000-1, 7.5.7 and 7.5.8)."""

    def __init__(self, first: int) -> None:
        self.first = self.next = first
        self.rows: list[bytes] = []

    def object_streams(self, bodies: Iterator[str], at: int) -> Iterator[bytes]:
        """The streams for objects numbered from `first`; the streams' own numbers come after all of them."""
        batches = list(self._batches(bodies))
        for number, (count, _) in enumerate(batches, self.next):
            # The kind and the stream's number stand before the index of each object.
            self.rows.append(b"".join(map((b"\x02" + number.to_bytes(4)).__add__, _INDEXES[:count])))
        for _, batch in batches:
            part = f"{self.next} 0 obj\n".encode() + batch
            self.rows.append(_ROW(1, at, 0))
            self.next += 1
            at += len(part)
            yield part

    def _batches(self, bodies: Iterator[str]) -> Iterator[tuple[int, bytes]]:
        """How many objects, and the stream that holds them."""
        while batch := list(islice(bodies, _PER_STREAM)):
            first = self.next
            self.next += len(batch)
            yield len(batch), _packed(batch, first)

    def ending(self, catalog: int, catalog_at: int, at: int, previous: int, file_id: str) -> bytes:
        """The cross-reference stream, and the place where it starts."""
        size = self.next + 1
        rows = zlib.compress(b"".join([_ROW(1, catalog_at, 0), *self.rows, _ROW(1, at, 0)]), _FASTEST)
        head = (
            f"{self.next} 0 obj\n<</Type/XRef/Size {size}/Root {catalog} 0 R/Prev {previous}/ID {file_id}"
            f"/W[1 4 2]/Index[{catalog} 1 {self.first} {size - self.first}]"
            f"/Filter/FlateDecode/Length {len(rows)}>>stream\n"
        )
        return head.encode("latin-1") + rows + f"\nendstream\nendobj\nstartxref\n{at}\n%%EOF\n".encode()


def _packed(bodies: Sequence[str], first: int) -> bytes:
    """An object stream without its first line: the numbers and offsets, then the objects."""
    ends = accumulate(map(len, bodies[:-1]), initial=0)
    offsets = map(add, ends, range(len(bodies)))  # A space follows each object.
    index = " ".join(map("%d %d".__mod__, enumerate(offsets, first))) + "\n"
    data = zlib.compress(f"{index}{' '.join(bodies)}".encode("ascii"), _FASTEST)
    head = (
        f"<</Type/ObjStm/N {len(bodies)}/First {len(index)}/Filter/FlateDecode/Length {len(data)}>>stream\n"
    )
    return head.encode() + data + b"\nendstream\nendobj\n"


def _tie_in(file: pikepdf.Pdf, structure: Structure, facts: Facts) -> None:
    for key, page in enumerate(file.pages):
        page.obj.StructParents = key
        page.obj.Tabs = Name.S
    _attach_links(file, structure)
    root = file.Root
    root.MarkInfo = Dictionary(Marked=True)
    root.Lang = String(facts.language)
    root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    root.Metadata = file.make_stream(_metadata(facts), Type=Name.Metadata, Subtype=Name.XML)
    _bookmark(file, structure.outlines)


def _attach_links(file: pikepdf.Pdf, structure: Structure) -> None:
    for key, element in enumerate(structure.links, len(file.pages)):
        if element.link:
            page = file.pages[element.link.page].obj
            others = list(page.get("/Annots", Array()))
            element.link.place = len(others)
            page.Annots = Array([*others, file.make_indirect(_link(file, element.link, key))])


def _link(file: pikepdf.Pdf, link: Link, key: int) -> Dictionary:
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        F=4,
        Border=Array([0, 0, 0]),
        Rect=Array([round(value, 1) for value in link.area]),
        Dest=Array([file.pages[link.to_page].obj, Name.XYZ, 0, round(link.to_y, 1), None]),
        StructParent=key,
        Contents=String(link.text),
    )


def _bookmark(file: pikepdf.Pdf, outlines: Sequence[Outline]) -> None:
    if not outlines:
        return
    with file.open_outline() as outline:
        branches = [(0, outline.root)]
        for mark in outlines:
            while branches[-1][0] >= mark.level:
                branches.pop()
            item = pikepdf.OutlineItem(mark.title, mark.page)
            branches[-1][1].append(item)
            branches.append((mark.level, item.children))


def _metadata(facts: Facts) -> bytes:
    """XMP with the title and the claim of PDF/UA-1; no dates, so that the same input gives the same file."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(facts.title)}</rdf:li></rdf:Alt></dc:title>
   <dc:creator><rdf:Seq><rdf:li>{escape(facts.author)}</rdf:li></rdf:Seq></dc:creator>
   <dc:language><rdf:Bag><rdf:li>{escape(facts.language)}</rdf:li></rdf:Bag></dc:language>
   <pdfuaid:part>1</pdfuaid:part>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()


def _saved(file: pikepdf.Pdf) -> bytes:
    if "/Info" in file.trailer:
        del file.trailer["/Info"]
    target = BytesIO()
    file.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return target.getvalue()
