"""The state machine, read from its declarations: for the documentation and for tests."""

from collections.abc import Iterator
from dataclasses import dataclass

from cases.models import Case
from cases.words import State
from dsar.lib.fsm import targets, transitions
from identity.roles import USUAL, Role


@dataclass(frozen=True)
class Arrow:
    """One transition from one state."""

    name: str
    source: str
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    conditions: tuple[str, ...]
    meaning: str


def arrows() -> list[Arrow]:
    """Every declared transition, one per source, in a stable order."""
    return [
        Arrow(
            name=found.name,
            source=str(found.source),
            targets=tuple(targets(found)),
            roles=tuple(_roles(found.permission)),
            conditions=tuple(condition.__name__ for condition in found.conditions),
            meaning=" ".join((found.method.__doc__ or "").split()),
        )
        for found in transitions(Case)
    ]


def _roles(permission: object) -> Iterator[str]:
    """Whom the permission lets through: roles with their usual permissions, the system, the customer."""
    wanted = getattr(permission, "permissions", ())
    for role in Role:
        if any(one in USUAL[role] for one in wanted):
            yield role.value
    for other in ("system", "customer"):
        if getattr(permission, other, False):
            yield other


def as_markdown() -> str:
    """docs/states.md: the diagram and the table."""
    return "\n".join([*_head(), *_diagram(), "", *_table(), ""])


def _head() -> Iterator[str]:
    yield "# How a case lives"
    yield ""
    yield "Made by `manage.py state_diagram` from the transitions declared in `cases/models/case.py`; a test fails"
    yield "when it is stale. PostgreSQL holds the same list in a trigger: no other change of a state is possible."
    yield ""


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.RECEIVED.value}"
    for arrow in arrows():
        for target in arrow.targets:
            yield f"    {arrow.source} --> {target}: {arrow.name}"
    yield f"    {State.CLOSED.value} --> [*]"
    yield "```"


def _table() -> Iterator[str]:
    yield "| from | transition | to | who (usual roles) | conditions | meaning |"
    yield "|---|---|---|---|---|---|"
    for arrow in arrows():
        yield (
            f"| {arrow.source} | `{arrow.name}` | {', '.join(arrow.targets)} | {', '.join(arrow.roles)}"
            f" | {', '.join(arrow.conditions)} | {arrow.meaning} |"
        )
