"""The logical structure of a tagged PDF (ISO 32000-1, 14.7 and 14.8; PDF/UA-1, ISO 14289-1).

ReportLab writes no structure, so it is appended to its file as plain objects, which is many times
quicker than to build them one by one through a library; pikepdf then ties them in and compresses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, String


class Element:
    """A structure element: a tag, its children, and the marks on the pages that it owns.

    `marks` are pairs of page index and marked-content number. A link also has `link`, its place on the page.
    """

    __slots__ = ("attributes", "kids", "link", "marks", "number", "tag")

    def __init__(self, tag: str, attributes: str = "") -> None:
        self.tag = tag
        self.attributes = attributes
        self.kids: list[Element] = []
        self.marks: list[tuple[int, int]] = []
        self.link: Link | None = None
        self.number = 0

    def add(self, tag: str, attributes: str = "") -> Element:
        """A new last child."""
        kid = Element(tag, attributes)
        self.kids.append(kid)
        return kid


@dataclass(slots=True)
class Link:
    """A clickable area that leads to a place in the same file. Lengths are in points."""

    page: int
    area: tuple[float, float, float, float]
    text: str
    to_page: int = 0
    to_y: float = 0
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
    """The tree of one file, and for each page the element of each marked-content number."""

    root: Element
    owners: Sequence[Sequence[Element]]
    outlines: Sequence[Outline] = ()
    links: list[Element] = field(default_factory=list)


def text_string(text: str) -> str:
    """A PDF text string, written in hexadecimal UTF-16."""
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def tagged(pdf: bytes, structure: Structure, facts: Facts) -> bytes:
    """The same pages with structure, language, title, metadata and bookmarks."""
    with pikepdf.open(BytesIO(pdf)) as plain:
        pages = [page.obj.objgen[0] for page in plain.pages]
        first, catalog = int(plain.trailer.Size), plain.Root.objgen[0]
    whole = _appended(pdf, _Objects(structure, pages, first), catalog)
    with pikepdf.open(BytesIO(whole)) as file:
        _tie_in(file, structure, facts, first)
        return _saved(file)


class _Objects:
    """Numbers all objects to append and writes them: tree root, parent tree, elements, links."""

    def __init__(self, structure: Structure, pages: Sequence[int], first: int) -> None:
        self.structure, self.pages, self.first = structure, pages, first
        self.elements = list(_document_order(structure.root))
        for number, element in enumerate(self.elements, first + 2):
            element.number = number
        self.links = [element.link for element in structure.links if element.link]
        for number, link in enumerate(self.links, first + 2 + len(self.elements)):
            link.number = number

    def bodies(self) -> Iterator[str]:
        """The objects in the order of their numbers."""
        last = len(self.pages) + len(self.links)
        kid = self.structure.root.number
        yield f"<</Type/StructTreeRoot/K {kid} 0 R/ParentTree {self.first + 1} 0 R/ParentTreeNextKey {last}>>"
        yield self._parent_tree()
        yield from self._element(self.structure.root, self.first)
        for key, link in enumerate(self.links, len(self.pages)):
            yield self._annotation(key, link)

    def _parent_tree(self) -> str:
        pages = (
            f"{key}[{' '.join([f'{owner.number} 0 R' for owner in owners])}]"
            for key, owners in enumerate(self.structure.owners)
        )
        links = (f"{key} {e.number} 0 R" for key, e in enumerate(self.structure.links, len(self.pages)))
        return f"<</Nums[{' '.join((*pages, *links))}]>>"

    def _element(self, element: Element, parent: int) -> Iterator[str]:
        start = f"<</S/{element.tag}/P {parent} 0 R{element.attributes}"
        yield f"{start}{self._content(element)}>>"
        for kid in element.kids:
            yield from self._element(kid, element.number)

    def _content(self, element: Element) -> str:
        if element.kids:
            return f"/K[{' '.join([f'{kid.number} 0 R' for kid in element.kids])}]"
        marks = element.marks
        if len(marks) == 1 and not element.link:
            return f"/Pg {self.pages[marks[0][0]]} 0 R/K {marks[0][1]}"
        return f"/K[{' '.join([*map(self._mark, marks), *self._reference(element)])}]"

    def _mark(self, mark: tuple[int, int]) -> str:
        return f"<</Type/MCR/Pg {self.pages[mark[0]]} 0 R/MCID {mark[1]}>>"

    def _reference(self, element: Element) -> list[str]:
        link = element.link
        return [f"<</Type/OBJR/Obj {link.number} 0 R/Pg {self.pages[link.page]} 0 R>>"] if link else []

    def _annotation(self, key: int, link: Link) -> str:
        area = " ".join(f"{value:.1f}" for value in link.area)
        target = f"[{self.pages[link.to_page]} 0 R/XYZ 0 {link.to_y:.1f} null]"
        words = text_string(link.text)
        return (
            f"<</Type/Annot/Subtype/Link/F 4/Border[0 0 0]/Rect[{area}]/Dest{target}"
            f"/StructParent {key}/Contents{words}>>"
        )


def _document_order(element: Element) -> Iterator[Element]:
    yield element
    for kid in element.kids:
        yield from _document_order(kid)


def _appended(pdf: bytes, objects: _Objects, catalog: int) -> bytes:
    """The file with the objects added as an incremental update (ISO 32000-1, 7.5.6)."""
    parts, offsets, at = [pdf, b"\n"], [], len(pdf) + 1
    for number, body in enumerate(objects.bodies(), objects.first):
        part = f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
        offsets.append(at)
        parts.append(part)
        at += len(part)
    previous = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    size = objects.first + len(offsets)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<</Size {size}/Root {catalog} 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    parts.append(f"xref\n{objects.first} {len(offsets)}\n{table}{trailer}".encode("ascii"))
    return b"".join(parts)


def _tie_in(file: pikepdf.Pdf, structure: Structure, facts: Facts, first: int) -> None:
    for key, page in enumerate(file.pages):
        page.obj.StructParents = key
        page.obj.Tabs = Name.S
    _attach_links(file, structure)
    root = file.Root
    root.StructTreeRoot = file.get_object(first, 0)
    root.MarkInfo = Dictionary(Marked=True)
    root.Lang = String(facts.language)
    root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    root.Metadata = file.make_stream(_metadata(facts), Type=Name.Metadata, Subtype=Name.XML)
    _bookmark(file, structure.outlines)


def _attach_links(file: pikepdf.Pdf, structure: Structure) -> None:
    for element in structure.links:
        if element.link:
            page = file.pages[element.link.page].obj
            page.Annots = Array([*page.get("/Annots", []), file.get_object(element.link.number, 0)])


def _bookmark(file: pikepdf.Pdf, outlines: Sequence[Outline]) -> None:
    if not outlines:
        return
    with file.open_outline() as outline:
        levels = [outline.root]
        for mark in outlines:
            item = pikepdf.OutlineItem(mark.title, mark.page)
            del levels[mark.level :]
            levels[-1].append(item)
            levels.append(item.children)


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
