"""Judges an uploaded file by its content; what the browser says about it is not even looked at.

The list of kinds is closed. A file must begin as its kind begins, be nothing else besides (an archive at
the end of a picture, a PDF inside one), and bring no programs. The judgement reads in constant memory.
It is no virus scan: files are kept encrypted, never run, and served as downloads alone.
"""

import codecs
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

import filetype

_MEGABYTE = 1024 * 1024
_CHUNK = 256 * 1024
_HEAD = 8192
# An archive's directory ends within 64 KiB of comment, after a record of 22 bytes.
_TAIL = 65535 + 22
_ZIP_END = b"PK\x05\x06"
_ZIP_DIRECTORY = b"PK\x01\x02"
_MAX_UNPACKED = 500 * _MEGABYTE
_MAX_RATIO = 200
_MAX_ENTRIES = 10_000
_MAX_NAME = 100

Code = Literal[
    "ok",
    "empty",
    "too_large",
    "type",
    "mismatch",
    "executable",
    "archive",
    "polyglot",
    "macro",
    "markup",
    "damaged",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file that we take; the first extension is the one that we give."""

    media_type: str
    extensions: tuple[str, ...]
    max_bytes: int


def _kind(media_type: str, extensions: str, megabytes: int) -> Kind:
    return Kind(media_type, tuple(extensions.split()), megabytes * _MEGABYTE)


PDF = _kind("application/pdf", "pdf", 50)
JPEG = _kind("image/jpeg", "jpg jpeg jpe", 25)
PNG = _kind("image/png", "png", 25)
HEIC = _kind("image/heic", "heic heif", 25)
WEBP = _kind("image/webp", "webp", 25)
TIFF = _kind("image/tiff", "tif tiff", 50)
DOCX = _kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", 25)
XLSX = _kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", 25)
ODT = _kind("application/vnd.oasis.opendocument.text", "odt", 25)
TXT = _kind("text/plain", "txt", 10)
CSV = _kind("text/csv", "csv", 25)
EML = _kind("message/rfc822", "eml", 50)
MP3 = _kind("audio/mpeg", "mp3", 200)
WAV = _kind("audio/wav", "wav", 200)
OGG = _kind("audio/ogg", "ogg oga opus", 200)
M4A = _kind("audio/mp4", "m4a", 200)
MP4 = _kind("video/mp4", "mp4 m4v", 500)

KINDS = (PDF, JPEG, PNG, HEIC, WEBP, TIFF, DOCX, XLSX, ODT, TXT, CSV, EML, MP3, WAV, OGG, M4A, MP4)

_BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}

# What the filetype library calls the kinds that it tells apart by their first bytes.
_BY_GUESS = {
    "application/pdf": PDF,
    "image/jpeg": JPEG,
    "image/png": PNG,
    "image/apng": PNG,
    "image/heic": HEIC,
    "image/webp": WEBP,
    "image/tiff": TIFF,
    "audio/mpeg": MP3,
    "audio/x-wav": WAV,
    "audio/ogg": OGG,
    "audio/mp4": M4A,
    "video/mp4": MP4,
    "video/x-m4v": MP4,
}

_EXECUTABLES = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"\0asm", b"dex\n",
)  # fmt: skip
_ARCHIVES = (
    b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"MSCF",
    b"!<arch>", b"PK\x05\x06",
)  # fmt: skip
# Long enough that none of them stands in a photograph by chance.
_FOREIGN = (
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"This program cannot be run in DOS mode",
    b"This program must be run under Win32",
)
_OVERLAP = max(map(len, _FOREIGN)) - 1

_MARKUP = re.compile(r"\s*(?:<!doctype|<html|<head|<body|<script|<svg|<\?xml|<\?php|<%)", re.IGNORECASE)
_HEADER_LINE = re.compile(r"[!-9;-~]+:|[ \t]")
_MAIL_HEADER = re.compile(
    r"^(?:from|date|message-id|received|return-path|subject):", re.IGNORECASE | re.MULTILINE
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_PROGRAM_ENTRY = re.compile(r"\.(?:exe|dll|scr|com|bat|cmd|js|vbs|ps1|jar|msi|class|so|sh)$", re.IGNORECASE)
_RESERVED_NAME = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)

_SENTENCES: dict[Code, str] = {
    "ok": "This file can be taken.",
    "empty": "This file is empty.",
    "too_large": "This file is too large: at most {limit} MB can be taken.",
    "type": "This kind of file cannot be taken. Please send it as PDF, picture, text or sound recording.",
    "mismatch": "The content of this file does not fit the end of its name.",
    "executable": "This file is or holds a program, which cannot be taken.",
    "archive": "This file is or holds an archive. Please send the files in it one by one.",
    "polyglot": "This file is two kinds of file at once, which cannot be taken.",
    "macro": "This document holds macros. Please send it without them, or as PDF.",
    "markup": "This file is a web page or program text. Please send it as PDF or plain text.",
    "damaged": "This file is damaged and cannot be opened.",
}


@dataclass(frozen=True, slots=True)
class UploadVerdict:
    """Whether a file is taken; if so as which kind and under which safe name. Size is in bytes."""

    code: Code
    message: str
    name: str
    size: int
    kind: Kind | None = None

    @property
    def accepted(self) -> bool:
        return self.code == "ok"


class _Refused(Exception):
    def __init__(self, code: Code, limit: int = 0) -> None:
        super().__init__(code)
        self.code: Code = code
        self.message = _SENTENCES[code].format(limit=limit // _MEGABYTE)


def inspect(file: BinaryIO | bytes, name: str, max_bytes: int | None = None) -> UploadVerdict:
    """Judge a seekable file by its content and give the verdict; the file is left at its beginning.

    ``max_bytes`` lowers the limit of the kind.
    """
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    size = stream.seek(0, io.SEEK_END)
    try:
        kind = _judge(stream, size, _extension(name), max_bytes)
    except _Refused as refused:
        return UploadVerdict(refused.code, refused.message, safe_name(name), size)
    finally:
        stream.seek(0)
    return UploadVerdict("ok", _SENTENCES["ok"], safe_name(name, kind), size, kind)


def safe_name(name: str, kind: Kind | None = None) -> str:
    """Make a file name that no file system or mail program misreads; the extension follows the kind.

    Folders, control and direction signs go, inner dots become underscores, the stem has at most 100 bytes.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    visible = "".join(sign for sign in base if unicodedata.category(sign)[0] != "C")
    stem, extension = _split(unicodedata.normalize("NFC", visible))
    return f"{_safe_stem(stem)}.{_given_extension(extension, kind)}".rstrip(".")


def _safe_stem(stem: str) -> str:
    plain = re.sub(r'[<>:"|?*.;%\s]+', "_", stem).strip("_-")
    # Cutting can lay bare another separator at the end, hence the second strip.
    short = plain.encode()[:_MAX_NAME].decode(errors="ignore").strip("_-") or "file"
    return f"_{short}" if _RESERVED_NAME.match(short) else short


def _given_extension(extension: str, kind: Kind | None) -> str:
    if kind is None:
        return re.sub(r"[^a-z0-9]", "", extension)[:10]
    return extension if extension in kind.extensions else kind.extensions[0]


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.strip().rpartition(".")
    return (stem, extension.strip().lower()) if dot else (name, "")


def _extension(name: str) -> str:
    return _split(name.replace("\\", "/").rpartition("/")[2])[1]


def _judge(stream: BinaryIO, size: int, extension: str, max_bytes: int | None) -> Kind:
    if size == 0:
        raise _Refused("empty")
    if extension and extension not in _BY_EXTENSION:
        raise _Refused("executable" if _PROGRAM_ENTRY.match(f".{extension}") else "type")
    _refuse_too_large(size, max(kind.max_bytes for kind in KINDS), max_bytes)
    kind = _recognise(stream, extension)
    _refuse_too_large(size, kind.max_bytes, max_bytes)
    _refuse_polyglots(stream, size, kind)
    return kind


def _refuse_too_large(size: int, kind_limit: int, max_bytes: int | None) -> None:
    limit = kind_limit if max_bytes is None else min(kind_limit, max_bytes)
    if size > limit:
        raise _Refused("too_large", limit)


def _recognise(stream: BinaryIO, extension: str) -> Kind:
    head = _read_at(stream, 0, _HEAD)
    if head.startswith(b"PK\x03\x04"):
        return _office_kind(stream)
    guess = filetype.guess(head)
    if guess is not None and guess.mime in _BY_GUESS:
        return _media_kind(_BY_GUESS[guess.mime], extension)
    return _text_kind(stream, head, extension)


def _media_kind(kind: Kind, extension: str) -> Kind:
    # Recorders write sound into either kind of MP4 container; there the name may decide.
    if kind is MP4 and extension in M4A.extensions:
        return M4A
    if _BY_EXTENSION.get(extension, kind) in {TXT, CSV, EML}:
        raise _Refused("mismatch")
    return kind


def _text_kind(stream: BinaryIO, head: bytes, extension: str) -> Kind:
    encoding = _text_encoding(stream)
    if encoding is None:
        raise _Refused(_binary_fault(head, extension))
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if text.startswith("#!"):
        raise _Refused("executable")
    if _MARKUP.match(text):
        raise _Refused("markup")
    kind = _BY_EXTENSION.get(extension, TXT)
    if kind not in {TXT, CSV, EML} or (kind is EML and not _is_mail(text)):
        raise _Refused("mismatch")
    return kind


def _binary_fault(head: bytes, extension: str) -> Code:
    if head.startswith(_EXECUTABLES):
        return "executable"
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        return "archive"
    return "damaged" if extension else "type"


def _is_mail(text: str) -> bool:
    """Tell whether a text begins with the header lines of a message (RFC 5322)."""
    header = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    lines = header.splitlines()[:-1] or header.splitlines()
    return all(map(_HEADER_LINE.match, lines)) and _MAIL_HEADER.search(header) is not None


def _text_encoding(stream: BinaryIO) -> str | None:
    """Tell in which encoding the whole file is text without control signs; None: in none."""
    marks = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = marks.get(_read_at(stream, 0, 2))
    candidates = (marked,) if marked else ("utf-8", "cp1252")
    return next((encoding for encoding in candidates if _is_text(stream, encoding)), None)


def _is_text(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        if any(_CONTROL.search(decoder.decode(chunk)) for chunk in _chunks(stream)):
            return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _office_kind(stream: BinaryIO) -> Kind:
    try:
        with zipfile.ZipFile(stream) as package:
            entries = package.infolist()
            _refuse_bombs(entries)
            kind = _package_kind(package, {entry.filename for entry in entries})
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        UnicodeDecodeError,
        ValueError,
        OSError,
    ):
        # The library raises all of these on damaged, encrypted or exotic archives.
        raise _Refused("damaged") from None
    _refuse_programs([entry.filename for entry in entries])
    return kind


def _refuse_bombs(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or unpacked > _MAX_UNPACKED or unpacked > _MAX_RATIO * max(packed, 4096):
        raise _Refused("archive")


def _package_kind(package: zipfile.ZipFile, names: set[str]) -> Kind:
    if "mimetype" in names and package.getinfo("mimetype").file_size < 200:
        declared = package.read("mimetype").decode("ascii").strip()
        if declared == ODT.media_type and "content.xml" in names:
            return ODT
    if "[Content_Types].xml" in names:
        for part, kind in (("word/document.xml", DOCX), ("xl/workbook.xml", XLSX)):
            if part in names:
                return kind
    raise _Refused("archive")


def _refuse_programs(names: list[str]) -> None:
    if any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names):
        raise _Refused("macro")
    if any(_PROGRAM_ENTRY.search(name) for name in names):
        raise _Refused("executable")


def _refuse_polyglots(stream: BinaryIO, size: int, kind: Kind) -> None:
    if kind in {TXT, CSV, EML}:
        return
    if kind is not PDF and b"%PDF-" in _read_at(stream, 0, 1024):
        # Readers accept a PDF that begins within the first 1024 bytes.
        raise _Refused("polyglot")
    if kind not in {DOCX, XLSX, ODT} and _ends_as_archive(stream, size):
        raise _Refused("polyglot")
    _refuse_foreign_parts(stream)


def _ends_as_archive(stream: BinaryIO, size: int) -> bool:
    """Tell whether the tail holds the end of a ZIP whose directory lies right before it."""
    start = max(0, size - _TAIL)
    tail = _read_at(stream, start, _TAIL)
    place = tail.rfind(_ZIP_END)
    while place >= 0:
        if _is_zip_end(stream, start + place, tail[place : place + 22]):
            return True
        place = tail.rfind(_ZIP_END, 0, place)
    return False


def _is_zip_end(stream: BinaryIO, place: int, record: bytes) -> bool:
    length = int.from_bytes(record[12:16], "little")
    if len(record) < 22 or length > place:
        return False
    return _read_at(stream, place - length, 4) in {_ZIP_DIRECTORY, _ZIP_END}


def _refuse_foreign_parts(stream: BinaryIO) -> None:
    before = b""
    for chunk in _chunks(stream):
        window = before + chunk
        if any(mark in window for mark in _FOREIGN):
            raise _Refused("polyglot")
        before = window[-_OVERLAP:]


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        yield chunk


def _read_at(stream: BinaryIO, place: int, size: int) -> bytes:
    stream.seek(place)
    return stream.read(size)
