import gc
import io
import re
from dataclasses import replace
from itertools import pairwise

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.packs.content import PackRecord, Redacted
from cases.packs.letter import render_letter
from cases.packs.pdf.book import CELL, Book, Running
from cases.packs.pdf.colours import WHITE, accent, contrast
from cases.packs.pdf.tags import Facts
from cases.packs.pdf.text import face
from tests.cases.packs.samples import LETTER, pack_of, page_texts, pdf_text, rendered, rows


@pytest.fixture(scope="module")
def report() -> bytes:
    wide = {f"field_{number}": "some words of text " * 3 for number in range(12)}
    tall = {"text": "Word after word. " * 900}
    records = [
        *rows(150, first="x", second="y"),
        *(PackRecord("crm", "wide", "Wide", number, wide) for number in range(151, 161)),
        PackRecord("web", "tall", "Tall", 161, tall),
    ]
    files, _ = rendered(pack_of(records))
    return files["02-report.pdf"]


@pytest.fixture
def book() -> Book:
    return Book(Facts("Title", "Author", "en"), Running("left", "right", "{page}/{pages}"))


def elements(node):
    """All structure elements beneath a node of the tree."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def test_file_tells_language_title_and_that_it_is_accessible(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()

        assert str(pdf.Root.Lang) == "en"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert "/Info" not in pdf.trailer
        assert re.findall(r"<pdfuaid:part>(.*?)<", metadata) == ["1"]
        assert re.findall(r'x-default">(.*?)<', metadata) == ["Your personal data – K7QF-2M9D/A"]


def test_file_is_sound(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_each_mark_on_each_page_belongs_to_an_element_of_the_same_tag(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        nums = pdf.Root.StructTreeRoot.ParentTree.Nums
        parents = {int(nums[i]): nums[i + 1] for i in range(0, len(nums), 2)}
        for page in pdf.pages:
            content = page.obj.Contents.read_bytes().decode("latin-1")
            drawn = re.findall(r"/(\w+)<</MCID (\d+)>>BDC", content)

            assert [int(mark) for _, mark in drawn] == list(range(len(drawn)))
            assert [tag for tag, _ in drawn] == [str(e.S)[1:] for e in parents[int(page.obj.StructParents)]]


def test_text_outside_of_marks_and_artifacts_is_not_there(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        for page in pdf.pages:
            content = page.obj.Contents.read_bytes().decode("latin-1")
            marked = re.sub(r"/\w+<<[^\n]*?>>BDC.*?EMC", "", content, flags=re.DOTALL)

            assert " Tj" not in marked
            assert content.count("BDC") == content.count("EMC")


def test_headings_leave_no_level_out(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        levels = [int(str(e.S)[2]) for e in elements(pdf.Root.StructTreeRoot) if str(e.S)[1] == "H"]

    assert levels[0] == 1
    assert [after for before, after in pairwise(levels) if after > before + 1] == []


def test_rows_of_a_table_have_the_same_number_of_cells(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        for table in [e for e in elements(pdf.Root.StructTreeRoot) if e.S == "/Table"]:
            counted = {sum(span(cell) for cell in row.K) for row in elements(table) if row.S == "/TR"}

            assert len(counted) == 1


def span(cell):
    attributes = cell.get("/A", pikepdf.Dictionary())
    return int(attributes.get("/ColSpan", 1))


def test_structure_holds_each_cell_in_its_row_and_column():
    tall = " ".join(["tall"] * 1_500)
    texts = {1: "short", 2: "brackets (a) and \\", 3: "", 4: tall, 5: Redacted("TP"), 6: "last"}
    records = [
        PackRecord("crm", "row", "Rows", n, {"key": f"k{n}", "text": text}) for n, text in texts.items()
    ]

    files, _ = rendered(pack_of([*records, *rows(60, key="k", text="more")]))

    found = read_tables(files["02-report.pdf"])[-1]
    assert found[0] == ["No.", "Key", "Text"]
    assert found[1:7] == [
        ["1", "k1", "short"],
        ["2", "k2", "brackets (a) and \\"],
        ["3", "k3", ""],
        ["4", "k4", tall],
        ["5", "k5", "[withheld: TP]"],
        ["6", "k6", "last"],
    ]
    assert found[7:] == [[str(number), "k", "more"] for number in range(1, 61)]


def read_tables(pdf):
    """The text of each cell of each table as a program reads it that follows the structure."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        drawn = {page.obj.objgen: marked_texts(page) for page in file.pages}
        tables = [e for e in elements(file.Root.StructTreeRoot) if e.S == "/Table"]
        return [
            [[text_of(cell, drawn) for cell in row.K] for row in elements(table) if row.S == "/TR"]
            for table in tables
        ]


def marked_texts(page):
    """The text of each mark of a page, lines parted by a space."""
    content = page.obj.Contents.read_bytes().decode("ascii")
    return {
        int(mark): " ".join(
            re.sub(r"\\(.)", r"\1", line) for line in re.findall(r"\(((?:\\.|[^\\()])*)\) Tj", code)
        )
        for mark, code in re.findall(r"/\w+<</MCID (\d+)>>BDC(.*?) EMC", content)
    }


def text_of(cell, drawn):
    if "/Pg" in cell:
        return drawn[cell.Pg.objgen][int(cell.K)]
    return " ".join(drawn[mark.Pg.objgen][int(mark.MCID)] for mark in cell.K)


def test_volume_is_freed_without_a_search_for_garbage():
    pack = pack_of(rows(300, name="Ada", agent=Redacted("TP")))
    rendered(pack)
    gc.collect()
    gc.disable()
    try:
        rendered(pack)
        circles = gc.collect()
    finally:
        gc.enable()

    assert circles < 300  # fewer objects than there were rows


def test_fonts_are_embedded(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        fonts = pdf.pages[0].obj.Resources.Font

        assert {"/FontFile2" in font.FontDescriptor for font in fonts.values()} == {True}


def test_text_taller_than_a_page_goes_on_and_stays_whole(report):
    pages = [text.count("after") for text in page_texts(report)]

    assert sum(pages) == 900
    assert len([count for count in pages if count]) > 1


def test_nothing_is_drawn_beyond_the_edges(report):
    with pypdfium2.PdfDocument(report) as pdf:
        for page in pdf:
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = [text.get_rect(number) for number in range(text.count_rects())]

            assert [
                b for b in boxes if b[0] < 40 or b[2] > width - 40 or b[1] < 20 or b[3] > height - 20
            ] == []


def test_bookmarks_lead_to_the_chapters(report):
    with pypdfium2.PdfDocument(report) as pdf:
        titles = [(mark.level, mark.get_title()) for mark in pdf.get_toc()]

    assert titles[:3] == [(0, "Contents"), (0, "How your personal data is used"), (1, "Customer desk")]


def test_record_with_endless_field_names_and_values_is_printed_whole():
    data = {f"{number} " + "name " * 600: "pebble " * 600 for number in range(3)}
    records = [PackRecord("crm", "odd", "Odd", number, data) for number in range(1, 3)]

    files, _ = rendered(pack_of(records))

    assert pdf_text(files["02-report.pdf"]).lower().count("pebble") == 3 * 2 * 600


def test_title_with_controls_leaves_valid_metadata():
    letter = replace(LETTER, title="Your <data>\x00 & more\ud800")

    with pikepdf.open(io.BytesIO(render_letter(letter))) as pdf, pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == "Your <data> & more[U+D800] – K7QF-2M9D/A"


def test_letter_reads_as_a_letter():
    read = (
        "Harbour Telecom 1 Quay Street · Leeds LS1 4AP Luís Gonçalves Rua Nova 7 Lisboa "
        "Our reference K7QF-2M9D/A Date 1 December 2026 Your request for your data Dear Luís Gonçalves, "
        "We enclose a copy of your personal data. Yours sincerely Ada Example Privacy team "
        "Enclosed: Report; Data Reference K7QF-2M9D/A Page 1 of 1"
    )

    assert page_texts(render_letter(LETTER)) == [read]


def test_characters_of_many_scripts_in_one_file_are_all_read_back():
    # More than one subset of 256 glyphs is needed for these.
    scripts = "".join(chr(code) for code in [*range(0xC0, 0x180), *range(0x391, 0x3A2), *range(0x410, 0x450)])

    files, _ = rendered(pack_of(rows(1, text=scripts), field_labels={"text": "Scripts"}))

    assert "".join(pdf_text(files["02-report.pdf"]).split()).count(scripts) == 1


def test_fonts_shared_with_earlier_files_hold_what_this_one_uses():
    texts = ["é – €", "€ – é", "ø é – €", "é – €"]

    pages = [page_texts(render_letter(replace(LETTER, paragraphs=(text,)))) for text in texts]

    said = [
        f"Your request for your data {text} Yours sincerely" in page
        for text, (page,) in zip(texts, pages, strict=True)
    ]
    assert said == [True] * len(texts)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\tb\x00c\x1b[0m", "a bc[0m"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("e\u0301", "é"),
        ("soft\u00adhyphen\u202e\ufeff", "softhyphen"),
        ("\ue000 \ud800 😀", "[U+E000] [U+D800] [U+1F600]"),
    ],
)
def test_clean_leaves_what_can_be_printed(text, clean):
    assert face("regular").clean(text) == clean


def test_wrap_keeps_every_word_and_fits():
    font = face("regular")
    text = "A sentence with a-very-long-compound/word_that@breaks.somewhere and Donaudampfschifffahrtsgesellschaft"

    lines = font.wrap(text, 9_000)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert [line for line in lines if font.width(line) > 9_000] == []


@pytest.mark.parametrize("name", ["regular", "bold"])
@given(text=st.text(st.characters(codec="ascii")) | st.text(), room=st.integers(0, 9_000))
def test_text_that_is_plain_needs_neither_cleaning_nor_breaking(name, text, room):
    font = face(name)

    plain = font.is_plain(text, room)

    assert not plain or (font.clean(text), font.wrap(text, room), font.width(text) <= room) == (
        text,
        [text],
        True,
    )


@pytest.mark.parametrize("colour", ["#ffcc00", "#ffffff", "1f4e79", "not a colour", "#000000"])
def test_accent_is_readable_on_white(colour):
    parts = tuple(round(float(part) * 255) for part in accent(colour).split())

    assert contrast(parts, WHITE) >= 4.49


def test_row_that_is_low_moves_to_the_next_page_with_the_head(book):
    book.new_page()
    grid = book.grid(book.document, (56, 200, 500), ("Left", "Right"))
    shape = book.shape([(56, "TD", ""), (200, "TD", "")], CELL)
    while book.room > 60:
        book.row(grid, shape, [lines(book, 1), lines(book, 1)])
    book.row(grid, shape, [lines(book, 10), lines(book, 1)])

    pages = page_texts(book.finish())

    assert [text.count("Left") for text in pages] == [1, 1]
    assert pages[1].count("line") == 11


def lines(book, count):
    return book.ink("\n".join(["line"] * count), 100, CELL, CELL)
