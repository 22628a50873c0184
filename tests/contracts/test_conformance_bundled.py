"""Every connector that comes with the desk is tried by the kit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from cases.connectors import registry

WORLDS = Path(__file__).parents[1] / "cases" / "connectors"
# A person answers, at their own pace; there is no system that a program could find anything in.
NOT_ASKED_BY_A_PROGRAM = {"manual"}


def keys_tried() -> Iterator[str]:
    """What the classes of the connectors' tests name as the connector that they try."""
    for file in WORLDS.rglob("*.py"):
        for kit in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(kit, ast.ClassDef) and kit.name.startswith("Test"):
                yield from filter(None, map(_connector, kit.body))


def _connector(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name("connector")], value=ast.Constant(str(key))):
            return key
        case ast.AnnAssign(target=ast.Name("connector"), value=ast.Constant(str(key))):
            return key
    return ""


def test_each_bundled_connector_has_a_world() -> None:
    assert set(keys_tried()) == set(registry.BUILT_IN) - NOT_ASKED_BY_A_PROGRAM
