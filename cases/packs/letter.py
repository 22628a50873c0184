"""Letters to print or to send: a window for the address, the reference, the text and who signed it."""

from __future__ import annotations

from cases.packs.content import Brand, LetterInput
from cases.packs.pdf.book import GREY, MARGIN, Book, Running, Style
from cases.packs.pdf.colours import accent
from cases.packs.pdf.tags import Element, Facts
from cases.packs.wording import Wording, wording

_MM = 72 / 25.4
# The window of a DL envelope (DIN 5008, form B): 20 mm from the left, from 45 to 90 mm from the top.
WINDOW_TOP = 841.89 - 47 * _MM
TEXT_TOP = 841.89 - 98 * _MM
_NAME = 17.0
_ADDRESS = Style(10.5, 14.0)
_TEXT = Style(10.5, 15.5)


def render_letter(letter: LetterInput) -> bytes:
    """The letter as a tagged PDF."""
    words = wording(letter.language)
    book = _book(letter, words)
    book.new_page(running=False)
    _brand_head(book, letter.brand)
    _address(book, letter)
    _particulars(book, letter, words)
    _text(book, letter, words)
    return book.finish()


def _book(letter: LetterInput, words: Wording) -> Book:
    facts = Facts(f"{letter.title} – {letter.reference}", letter.brand.name, letter.language)
    running = Running(letter.brand.name, f"{words.reference} {letter.reference}", words.page_of)
    return Book(facts, running, accent(letter.brand.accent))


def _brand_head(book: Book, brand: Brand) -> None:
    book.box(0, book.page.height - 6, book.page.width, 6, book.accent)
    book.y = book.page.height - 40
    book.flow(book.document.add("P"), brand.name, Style(_NAME, 22, bold=True, colour=book.accent))
    line = " · ".join(brand.address)
    if line:
        book.flow(book.document.add("P"), line, Style(8.5, 12, colour=GREY))


def _address(book: Book, letter: LetterInput) -> None:
    book.y = min(book.y - 12, WINDOW_TOP)
    for line in (letter.addressee.name, *letter.addressee.lines):
        book.flow(book.document.add("P"), line, _ADDRESS, MARGIN, 240)


def _particulars(book: Book, letter: LetterInput, words: Wording) -> None:
    """Reference and date, beside the address."""
    below, book.y = book.y, WINDOW_TOP
    for label, value in ((words.your_reference, letter.reference), (words.dated, words.day(letter.dated_on))):
        paragraph = book.document.add("P")
        book.flow(paragraph.add("Span"), label, Style(8.5, 12, colour=GREY), 370, 170)
        book.flow(paragraph.add("Span"), value, Style(10.5, 14, bold=True), 370, 170)
        book.gap(5)
    book.y = min(below - 24, book.y - 10, TEXT_TOP)


def _text(book: Book, letter: LetterInput, words: Wording) -> None:
    title = Style(13, 18, bold=True)
    book.flow(book.document.add("H1"), letter.title, title)
    book.gap(10)
    for paragraph in letter.paragraphs:
        book.paragraph(book.document, paragraph, _TEXT, after=8)
    _signature(book, letter)
    if letter.enclosures:
        book.gap(12)
        text = f"{words.enclosures}: {'; '.join(letter.enclosures)}"
        book.paragraph(book.document, text, Style(9, 13, colour=GREY))


def _signature(book: Book, letter: LetterInput) -> None:
    """Closing and names, kept on one page."""
    lines = len(letter.signatory) + bool(letter.closing)
    book.need(lines * _TEXT.leading + 30)
    if letter.closing:
        book.gap(6)
        book.paragraph(book.document, letter.closing, _TEXT, after=22)
    for number, line in enumerate(letter.signatory):
        _signed(book.document, book, line, bold=number == 0)


def _signed(parent: Element, book: Book, line: str, bold: bool) -> None:
    book.paragraph(parent, line, Style(10.5, 15, bold=bold), after=0)
