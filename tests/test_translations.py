"""Every sentence speaks German and French, and the compiled catalogues say what the written ones say."""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation.template import templatize

from cases.correspondence.compose import Kind, compose
from cases.law.loader import remedies
from cases.words import Right

ROOT = Path(__file__).resolve().parent.parent
APPS = ("cases", "dsar", "identity")
LANGUAGES = ("de", "fr")
SPOKEN = pytest.mark.parametrize("language", LANGUAGES)
MARKS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop"})
PLURAL_MARKS = frozenset({"ngettext", "ngettext_lazy"})
PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|\{\w+\}|</?\w+>")


@dataclass(frozen=True)
class Entry:
    """One sentence of a catalogue: its singular and plural in English, and its forms in the language."""

    msgid: str
    plural: str
    forms: tuple[str, ...]
    is_fuzzy: bool

    @property
    def key(self) -> str:
        return f"{self.msgid}\0{self.plural}" if self.plural else self.msgid


@cache
def entries(language: str) -> tuple[Entry, ...]:
    """All entries of the written catalogue, its header first."""
    text = _catalogue(language, "po").read_text(encoding="utf-8")
    return tuple(_entry(block) for block in text.split("\n\n") if "\nmsgid " in f"\n{block}")


def _catalogue(language: str, suffix: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / f"django.{suffix}"


def _entry(block: str) -> Entry:
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line.startswith("msg"):
            name, _, line = line.partition(" ")  # noqa: PLW2901
        if line.startswith('"'):
            fields[name] = fields.get(name, "") + ast.literal_eval(line)
    forms = tuple(text for key, text in sorted(fields.items()) if key.startswith("msgstr"))
    return Entry(fields["msgid"], fields.get("msgid_plural", ""), forms, "#, fuzzy" in block)


def compiled(language: str) -> dict[str, str]:
    """The compiled catalogue, read by the format's own description: two tables of lengths and offsets."""
    data = _catalogue(language, "mo").read_bytes()
    count, originals, translations = struct.unpack_from("<3I", data, 8)

    def text(table: int, place: int) -> str:
        length, offset = struct.unpack_from("<2I", data, table + 8 * place)
        return data[offset : offset + length].decode()

    return {text(originals, place): text(translations, place) for place in range(count)}


def in_source() -> Iterator[tuple[str, str]]:
    """Every marked sentence of the code and the templates, with its plural or an empty text."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield from _marked(ast.parse(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"}:
            yield from in_template(path)


def _marked(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant)]
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in MARKS and texts:
                yield str(texts[0]), ""
            if name in PLURAL_MARKS and len(texts) == 2:
                yield str(texts[0]), str(texts[1])


def in_template(path: Path) -> Iterator[tuple[str, str]]:
    """Django turns a template into something like Python for the translators' tools; we read its calls."""
    text = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    calls = re.compile(rf" (?:n?gettext|_)\({text}(?:, {text}, count)?\) ")
    for singular, plural in calls.findall(templatize(path.read_text(encoding="utf-8"))):
        yield ast.literal_eval(singular), ast.literal_eval(plural) if plural else ""


@SPOKEN
def test_sentences_of_the_source_are_in_the_catalogue(language: str) -> None:
    known = {(entry.msgid, entry.plural) for entry in entries(language)}
    singulars = {msgid for msgid, _ in known}

    missing = [
        one for one in dict.fromkeys(in_source()) if one not in known and (one[1] or one[0] not in singulars)
    ]

    assert missing == [], "Run: make messages, and translate what is new (docs/translating.md)"


def test_no_sentence_stands_inside_an_f_string() -> None:
    """There the translators' tools do not look, so that ``make messages`` would leave it out."""
    hidden = [
        (path.relative_to(ROOT).as_posix(), sentence)
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for sentence, _plural in _marked(node)
    ]

    assert hidden == []


@SPOKEN
def test_entries_are_translated(language: str) -> None:
    open_ = [entry.msgid for entry in entries(language) if entry.is_fuzzy or not all(entry.forms)]

    assert open_ == []


@SPOKEN
def test_plurals_have_each_form(language: str) -> None:
    wrong = [entry.msgid for entry in entries(language) if len(entry.forms) != (2 if entry.plural else 1)]

    assert wrong == []


@SPOKEN
def test_placeholders_are_those_of_the_source(language: str) -> None:
    wrong = [
        form
        for entry in entries(language)[1:]
        for form, origin in zip(entry.forms, (entry.msgid, entry.plural), strict=False)
        if sorted(PLACEHOLDER.findall(form)) != sorted(PLACEHOLDER.findall(origin))
    ]

    assert wrong == []


@SPOKEN
def test_compiled_catalogue_is_up_to_date(language: str) -> None:
    written = {entry.key: "\0".join(entry.forms) for entry in entries(language)}
    header = "".join(
        line for line in written[""].splitlines(True) if not line.startswith("POT-Creation-Date")
    )

    assert compiled(language) == written | {"": header}, "Run: make messages"


def _case(right: Right, reference: str) -> Any:
    return SimpleNamespace(
        right=right,
        reference=reference,
        get_right_display=lambda: right.label,
        required_level=1,
        identity_level=0,
    )


def letter(kind: Kind, language: str, **facts: Any) -> str:
    """A letter with every fact that a template may ask for."""
    known = {
        "controller": SimpleNamespace(
            name="Nordlicht", privacy_email="p@nordlicht.example", privacy_phone=""
        ),
        "request": SimpleNamespace(received_at=datetime(2026, 7, 1, 9, tzinfo=UTC)),
        "case": _case(Right.ERASURE, "K7QF-2M9D/E"),
        "cases": [_case(Right.ACCESS, "K7QF-2M9D/A"), _case(Right.ERASURE, "K7QF-2M9D/E")],
        "source": SimpleNamespace(name="Telefon", purged_after_days=30),
        "name": "Ada O'Neill",
        "reference": "K7QF-2M9D",
        "due_on": date(2026, 8, 3),
        "code": "123456",
        "code_minutes": 15,
        "pack_days": 30,
        "follow_url": "https://desk.example/f",
        "amount": "20 €",
        "question": "1 + 1?",
        "reason": "123",
        "reasons": "123",
        "text": "123",
    }
    return "\n".join(compose(kind, language, known | facts))


FACTS: tuple[dict[str, Any], ...] = (
    {},
    {"name": "", "identity_outstanding": True, "partly": True, "withheld": ["1"]},
    {"no_data": True, "case": _case(Right.RECTIFICATION, "1")},
    *(
        {"case": _case(right, "1")}
        for right in (Right.OBJECTION, Right.RESTRICTION, Right.COMPLAINT, Right.AUTOMATED)
    ),
)


def _pieces(sentence: str) -> list[str]:
    """What stands between the placeholders, as a letter would show it."""
    return [
        piece.strip() for piece in PLACEHOLDER.split(" ".join(sentence.split())) if len(piece.strip()) > 3
    ]


@SPOKEN
@pytest.mark.parametrize("kind", list(Kind))
def test_letter_has_no_english_left(language: str, kind: Kind) -> None:
    mail = ROOT / "templates" / "mail"
    sentences = [one for path in sorted(mail.glob("*.txt")) for one, _ in in_template(path)]

    shown = [" ".join(letter(kind, language, **facts).split()) for facts in FACTS]

    assert [
        piece for text in sentences for piece in _pieces(text) if any(piece in one for one in shown)
    ] == []


@pytest.mark.parametrize(
    ("language", "day", "due"),
    [
        ("en-gb", "1 Jul 2026", "3 Aug 2026"),
        ("de", "1. Juli 2026", "3. August 2026"),
        ("fr", "1 juillet 2026", "3 août 2026"),
    ],
)
def test_letter_has_dates_of_its_language(language: str, day: str, due: str) -> None:
    shown = letter(Kind.ACKNOWLEDGEMENT, language)

    assert [day in shown, due in shown] == [True, True]


def test_letter_is_plain_text() -> None:
    shown = letter(Kind.MESSAGE, "en-gb", text="Jeanne d'Arc & <co>\r\nsecond line\r\n\r\nnew paragraph")

    assert shown.split("\n")[1:7] == [
        "Dear Ada O'Neill,",
        "",
        "Jeanne d'Arc & <co>",
        "second line",
        "",
        "new paragraph",
    ]


@SPOKEN
def test_ways_to_complain_are_translated(language: str) -> None:
    english = remedies("EU-FR", date(2026, 7, 1))
    with translation.override(language):
        spoken = remedies("EU-FR", date(2026, 7, 1), translation.gettext)

    assert [one == other for one, other in zip(english, spoken, strict=True)] == [False, False]
    assert "CNIL" in spoken[0] or "https://www.cnil.fr" in spoken[0]
