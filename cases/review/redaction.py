"""Apply redactions to a record's data. Pure: what is withheld is not in the result."""

from collections.abc import Mapping, Sequence
from typing import Any

from cases.packs.content import Passages, Redacted


def redacted(data: Mapping[str, Any], redactions: Mapping[str, Any] | None) -> dict[str, Any]:
    """The data with withheld fields and passages replaced by their marks.

    ``redactions`` is ``{"fields": [{field, code}], "passages": [{field, start, end, code}]}``; positions are
    characters of the field's text. A passage of a field that is no text withholds the whole field.
    """
    if not redactions:
        return dict(data)
    result = dict(data)
    for name, passages in _by_field(redactions.get("passages", [])).items():
        if name in result:
            result[name] = _cut(result[name], passages)
    for entry in redactions.get("fields", []):
        if entry["field"] in result:
            result[entry["field"]] = Redacted(entry["code"])
    return result


def codes(redactions: Mapping[str, Any] | None) -> list[str]:
    """The exemption of each field and passage withheld."""
    if not redactions:
        return []
    return [entry["code"] for kind in ("fields", "passages") for entry in redactions.get(kind, [])]


def _by_field(passages: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    by_field: dict[str, list[Mapping[str, Any]]] = {}
    for passage in sorted(passages, key=lambda one: (one["start"], one["end"])):
        by_field.setdefault(passage["field"], []).append(passage)
    return by_field


def _cut(value: Any, passages: Sequence[Mapping[str, Any]]) -> Redacted | Passages:
    if not isinstance(value, str):
        return Redacted(passages[0]["code"])
    parts: list[str | Redacted] = []
    reached = 0
    for passage in passages:
        start, end = max(passage["start"], reached), min(passage["end"], len(value))
        if end <= reached:
            continue
        if start > reached:
            parts.append(value[reached:start])
        parts.append(Redacted(passage["code"]))
        reached = end
    if reached < len(value):
        parts.append(value[reached:])
    return Passages(tuple(parts))
