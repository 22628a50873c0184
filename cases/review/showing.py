"""How an item reads on a page: its fields as text, with what is withheld marked, or left out for good."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE
from cases.models import Item, ItemDecision
from cases.packs.content import Passages, Redacted
from cases.review.redaction import redacted

GLANCE = 3
GLANCE_CHARACTERS = 140


@dataclass(frozen=True)
class Part:
    """A piece of a field's text. ``code`` is the exemption under which it is withheld; empty where it goes out."""

    text: str
    code: str = ""


@dataclass(frozen=True)
class Field:
    """One field of a record. ``code`` is set where all of it is withheld."""

    name: str
    label: str
    parts: tuple[Part, ...]
    code: str = ""
    is_text: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Shown:
    """An item with what a list needs of it."""

    item: Item
    fields: tuple[Field, ...]
    reference: str
    via: str

    @property
    def glance(self) -> str:
        """The first values that say something, enough to tell one record from the next; keys where there is no more."""
        filled = [field for field in self.fields if field.text]
        telling = [field for field in filled if not _is_key(field.name)] or filled
        return " · ".join(field.text for field in telling[:GLANCE])[:GLANCE_CHARACTERS]


def _is_key(name: str) -> bool:
    """Whether a field is named as databases name their keys."""
    return name.lower() == "id" or name.lower().endswith("_id")


def whole(item: Item) -> Shown:
    """For whoever decides: every value, with the marks over what is withheld."""
    content = item.content or {}
    data = content.get("data", {})
    marks = item.redactions if item.decision == ItemDecision.REDACT else None
    return Shown(item, tuple(_marked(data, marks or {})), str(content.get("ref", "")), _via(content))


def going_out(item: Item) -> Shown:
    """For whoever approves: what leaves the house and nothing else."""
    content = item.content or {}
    marks = item.redactions if item.decision == ItemDecision.REDACT else None
    fields = tuple(_field(name, value) for name, value in redacted(content.get("data", {}), marks).items())
    return Shown(item, fields, str(content.get("ref", "")), _via(content))


def _via(content: Mapping[str, Any]) -> str:
    return ", ".join(str(step) for step in content.get("via", []))


def _field(name: str, value: Any) -> Field:
    if isinstance(value, Redacted):
        return Field(name, label(name), (Part("", value.code),), value.code)
    if isinstance(value, Passages):
        parts = tuple(
            Part("", part.code) if isinstance(part, Redacted) else Part(part) for part in value.parts
        )
        return Field(name, label(name), parts)
    return Field(name, label(name), (Part(text_of(value)),), is_text=isinstance(value, str))


def _marked(data: Mapping[str, Any], marks: Mapping[str, Any]) -> Iterator[Field]:
    whole_fields = {mark["field"]: mark["code"] for mark in marks.get("fields", [])}
    for name, value in data.items():
        passages = [mark for mark in marks.get("passages", []) if mark["field"] == name]
        code = whole_fields.get(name, "")
        parts = tuple(_cut(text_of(value), passages)) if not code else (Part(text_of(value), code),)
        yield Field(name, label(name), parts, code, isinstance(value, str))


def _cut(text: str, passages: list[Mapping[str, Any]]) -> Iterator[Part]:
    reached = 0
    for passage in sorted(passages, key=lambda one: (one["start"], one["end"])):
        start, end = max(passage["start"], reached), min(passage["end"], len(text))
        if end <= reached:
            continue
        yield Part(text[reached:start])
        yield Part(text[start:end], passage["code"])
        reached = end
    yield Part(text[reached:])


def text_of(value: Any) -> str:
    """A value as a person reads it; what is nested as indented JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def label(name: str) -> str:
    """A field's or a collection's name without its underscores."""
    return name.replace("_", " ").capitalize()


def kind_of_identifier(kind: str) -> str:
    """A kind of identifier as a person says it."""
    known = {EMAIL: _("e-mail address"), PHONE: _("telephone number"), EXTERNAL_ID: _("customer number")}
    return known.get(kind, label(kind).lower())


def places(text: str, passage: str) -> list[tuple[int, int]]:
    """Where a passage stands in a text, each time; line ends as a browser sends them are put right first."""
    wanted = passage.replace("\r\n", "\n").replace("\n", "\r\n" if "\r\n" in text else "\n")
    found: list[tuple[int, int]] = []
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        found.append((start, start + len(wanted)))
        start = text.find(wanted, start + len(wanted))
    return found
