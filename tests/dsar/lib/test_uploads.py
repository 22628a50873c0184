import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from dsar.lib import uploads
from dsar.lib.uploads import (
    CSV,
    DOCX,
    EML,
    HEIC,
    JPEG,
    M4A,
    MP3,
    MP4,
    ODT,
    OGG,
    PDF,
    PNG,
    TIFF,
    TXT,
    WAV,
    XLSX,
    Kind,
    inspect,
    safe_name,
)


def picture(format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(buffer, format_)
    return buffer.getvalue()


def document() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, "A letter")
    canvas.save()
    return buffer.getvalue()


def archive(entries: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in entries.items():
            made.writestr(name, text)
    return buffer.getvalue()


def container(brand: bytes) -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\0\0" + brand + b"mp42" + bytes(64)


WORD = {"[Content_Types].xml": "<Types/>", "word/document.xml": "<document/>"}
EXCEL = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}
WRITER = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"}
MAIL = b"Received: from a\r\n by b\r\nFrom: ann@example.org\r\nSubject: Hello\r\n\r\nGive me my data.\r\n"
PROGRAM = b"MZ\x90\0" + bytes(60) + b"\x0e\x1f\xba This program cannot be run in DOS mode.\r\r\n$" + bytes(64)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (document(), "letter.pdf", PDF),
        (picture("JPEG"), "photo.JPG", JPEG),
        (picture("PNG"), "photo.png", PNG),
        (picture("TIFF"), "scan.tiff", TIFF),
        (container(b"heic"), "photo.heic", HEIC),
        (archive(WORD), "letter.docx", DOCX),
        (archive(EXCEL), "table.xlsx", XLSX),
        (archive(WRITER), "letter.odt", ODT),
        (b"Give me my data.\n", "note.txt", TXT),
        (b"MZ is how this letter begins.\n", "note.txt", TXT),
        ("Größe 5 €".encode("cp1252"), "note.txt", TXT),
        ("\ufeffGröße".encode("utf-16-le"), "note.txt", TXT),
        (b"a;b\n1;2\n", "table.csv", CSV),
        (MAIL, "message.eml", EML),
        (b"ID3\x04\0\0" + bytes(100), "call.mp3", MP3),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "call.wav", WAV),
        (b"OggS" + bytes(60), "call.ogg", OGG),
        (container(b"M4A "), "call.m4a", M4A),
        (container(b"isom"), "call.m4a", M4A),
        (container(b"isom"), "video.mp4", MP4),
    ],
)
def test_inspect_takes_what_is_on_the_list(content: bytes, name: str, kind: Kind) -> None:
    verdict = inspect(content, name)

    assert (verdict.accepted, verdict.code, verdict.kind, verdict.size) == (True, "ok", kind, len(content))


def test_inspect_goes_by_content_and_corrects_the_name() -> None:
    verdict = inspect(container(b"heic"), "IMG_0001.jpg")

    assert (verdict.kind, verdict.name) == (HEIC, "IMG_0001.heic")


def test_inspect_leaves_the_file_at_its_beginning() -> None:
    file = io.BytesIO(document())

    inspect(file, "letter.pdf")

    assert file.tell() == 0


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "note.txt", "empty"),
        (PROGRAM, "photo.jpg", "executable"),
        (PROGRAM, "photo", "executable"),
        (b"\x7fELF\x02\x01\x01" + bytes(64), "call.mp3", "executable"),
        (b"#!/bin/sh\nrm -rf /\n", "note.txt", "executable"),
        (document(), "letter.exe", "executable"),
        (document(), "letter.html", "type"),
        (b"console.log(1)", "note.js", "executable"),
        (b"<!DOCTYPE html><p>Hello", "note.txt", "markup"),
        (b"  <svg onload=alert(1)>", "note.txt", "markup"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "note.csv", "markup"),
        (b"<?php phpinfo();", "note.txt", "markup"),
        (archive({"a.txt": "text"}), "letter.docx", "archive"),
        (archive({"a.txt": "text"}), "stuff.zip", "type"),
        (b"Rar!\x1a\x07\0" + bytes(64), "letter.pdf", "archive"),
        (b"\x1f\x8b\x08" + bytes(64), "table.csv", "archive"),
        (archive(WORD | {"word/vbaProject.bin": "x"}), "letter.docx", "macro"),
        (archive(WRITER | {"Basic/Standard/Module1.xml": "x"}), "letter.odt", "macro"),
        (archive(WORD | {"word/embeddings/run.exe": "x"}), "letter.docx", "executable"),
        (archive(WORD | {"word/media/image1.png": "0" * 9_000_000}), "letter.docx", "archive"),
        (archive(WORD)[:-30], "letter.docx", "damaged"),
        (picture("JPEG") + archive({"a.txt": "text"}), "photo.jpg", "polyglot"),
        (document() + archive({"a.txt": "text"}), "letter.pdf", "polyglot"),
        (document() + archive({"a.txt": "text"}) + b"\n%%EOF\n", "letter.pdf", "polyglot"),
        (picture("PNG") + b"Rar!\x1a\x07\0" + bytes(64), "photo.png", "polyglot"),
        (picture("PNG") + PROGRAM, "photo.png", "polyglot"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + document(), "photo.jpg", "polyglot"),
        (b"GIF89a" + bytes(64), "photo.png", "damaged"),
        (bytes(64), "note.txt", "damaged"),
        (b"\x1b[31m\x07bell", "note.txt", "damaged"),
        (bytes(64), "note", "type"),
        (document(), "letter.txt", "mismatch"),
        (b"only text", "photo.jpg", "mismatch"),
        (b"only text", "message.eml", "mismatch"),
        (b"To whom it may concern\n\nFrom: me\n", "message.eml", "mismatch"),
    ],
)
def test_inspect_refuses_what_is_not_on_the_list(content: bytes, name: str, code: str) -> None:
    verdict = inspect(content, name)

    assert (verdict.accepted, verdict.code, verdict.kind) == (False, code, None)


@pytest.mark.parametrize("cut", [1, 2, 20, 37])
def test_inspect_finds_a_program_across_the_borders_of_chunks(cut: int) -> None:
    image = picture("PNG")
    mark = PROGRAM.index(b"This program cannot be run in DOS mode")
    content = image + bytes(uploads._CHUNK - len(image) - mark - cut) + PROGRAM

    assert inspect(content, "photo.png").code == "polyglot"


def test_inspect_refuses_a_file_above_the_limit_of_its_kind() -> None:
    verdict = inspect(b"x" * (TXT.max_bytes + 1), "note.txt")

    assert (verdict.code, verdict.message) == (
        "too_large",
        "This file is too large: at most 10 MB can be taken.",
    )


def test_inspect_refuses_a_file_above_the_limit_of_the_caller() -> None:
    content = b"x" * (1024 * 1024)

    verdicts = [inspect(content + extra, "note.txt", max_bytes=1024 * 1024).code for extra in (b"", b"x")]

    assert verdicts == ["ok", "too_large"]


@given(st.binary(max_size=300), st.text(max_size=12) | st.sampled_from(["a.pdf", "a.docx", "a.txt", "a.eml"]))
def test_inspect_gives_a_verdict_on_anything(content: bytes, name: str) -> None:
    verdict = inspect(content, name)

    assert verdict.accepted == (verdict.kind is not None)
    assert verdict.message.endswith(".")


@given(st.binary(max_size=200))
def test_inspect_gives_a_verdict_on_broken_packages(content: bytes) -> None:
    verdict = inspect(b"PK\x03\x04" + content, "a.docx")

    assert verdict.accepted is False


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("letter.pdf", PDF, "letter.pdf"),
        ("../../etc/passwd", TXT, "passwd.txt"),
        ("C:\\Users\\Ann\\scan one.TIFF", TIFF, "scan_one.tiff"),
        ("evil.php.jpg", JPEG, "evil_php.jpg"),
        ("invoice\u202egpj.pdf", PDF, "invoicegpj.pdf"),
        ("a\r\nSet-Cookie: x.txt", TXT, "aSet-Cookie_x.txt"),
        ("con.txt", TXT, "_con.txt"),
        (".htaccess", TXT, "file.txt"),
        ("", PDF, "file.pdf"),
        ("Größe.docx", DOCX, "Größe.docx"),
        ("é" * 200 + ".pdf", PDF, "é" * 50 + ".pdf"),
        ("note.jpeg", JPEG, "note.jpeg"),
        ("run.exe", None, "run.exe"),
    ],
)
def test_safe_name_is_safe(name: str, kind: Kind | None, expected: str) -> None:
    assert safe_name(name, kind) == expected


@given(st.text(max_size=200))
def test_safe_name_is_idempotent_and_has_no_folder(name: str) -> None:
    safe = safe_name(name, PDF)

    assert safe_name(safe, PDF) == safe
    assert (safe.count("."), set('/\\\0\r\n"<>|?*:') & set(safe), safe.endswith(".pdf")) == (1, set(), True)
