"""Decides which references of a description are followed, in which direction, and what is never reached.

Three rules keep strangers out. Rows about somebody else (the employee who serves the customer) are an end:
whatever hangs on them hangs on other customers as well. A reference without a direction is followed away from
the person only. And a reference that leads back into a collection where people are found by their identity is
not followed, since it would arrive at other people there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cases.connectors.description import Collection, Edge, Problem

# A depth that no collection has, for those that nothing leads to.
NOWHERE = 1_000_000


@dataclass(frozen=True, slots=True)
class Tie:
    """A declared reference; ``directed`` is False when the description left its direction open."""

    edge: Edge
    directed: bool
    place: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Route:
    """How the collections are walked.

    Their order, the edges followed, what is never reached, and what to tell.
    """

    order: tuple[Collection, ...]
    edges: tuple[Edge, ...]
    unreachable: tuple[str, ...]
    warnings: tuple[Problem, ...]


def plan_route(collections: Sequence[Collection], ties: Sequence[Tie]) -> Route:
    """Plan the walk from the identities through the references."""
    known = {item.name: item for item in collections}
    usable = [tie for tie in ties if _is_usable(tie.edge, known)]
    depths = _measure_depths(known, usable)
    oriented, undecided = _orient(usable, depths)
    followed, refused = _judge_cycles(oriented, known)
    depths = _measure_depths(known, [_settle(edge) for edge in followed])
    order = tuple(sorted(collections, key=lambda item: (item.third_party, depths.get(item.name, NOWHERE))))
    lost = tuple(item.name for item in order if item.name not in depths and not item.skipped)
    warnings = (*undecided, *refused, *(_warn_of_cycle(edge) for edge in followed if edge.cyclic))
    return Route(order, tuple(followed), lost, (*warnings, *(_warn_of_loss(name) for name in lost)))


def _settle(edge: Edge) -> Tie:
    """Wrap an edge whose direction is settled."""
    return Tie(edge, directed=True, place=edge.target, line=None)


def _is_usable(edge: Edge, known: Mapping[str, Collection]) -> bool:
    return not known[edge.source].skipped and not known[edge.target].skipped


def _measure_depths(known: Mapping[str, Collection], ties: Sequence[Tie]) -> dict[str, int]:
    """Return how many references each reached collection is away from an identity."""
    depths = {name: 0 for name, item in known.items() if item.identities and not item.skipped}
    frontier = set(depths)
    while frontier:
        here = {name for name in frontier if not known[name].third_party}
        frontier = {name for name in _step(here, ties) if name not in depths}
        depths |= {name: 1 + max(depths.values(), default=0) for name in frontier}
    return depths


def _step(here: Iterable[str], ties: Sequence[Tie]) -> set[str]:
    there = {tie.edge.target for tie in ties if tie.edge.source in here}
    return there | {tie.edge.source for tie in ties if not tie.directed and tie.edge.target in here}


def _orient(ties: Sequence[Tie], depths: Mapping[str, int]) -> tuple[list[Edge], list[Problem]]:
    """Turn ties without a direction away from the identities; report those where neither end is nearer."""
    edges: list[Edge] = []
    undecided: list[Problem] = []
    for tie in ties:
        source, target = (depths.get(name, NOWHERE) for name in (tie.edge.source, tie.edge.target))
        if tie.directed or source < target:
            edges.append(tie.edge)
        elif target < source:
            edges.append(_reverse(tie.edge))
        elif source != NOWHERE:
            undecided.append(_warn_of_indecision(tie))
    return edges, undecided


def _reverse(edge: Edge) -> Edge:
    return Edge(edge.target, edge.target_field, edge.source, edge.source_field)


def _judge_cycles(edges: Sequence[Edge], known: Mapping[str, Collection]) -> tuple[list[Edge], list[Problem]]:
    """Drop what leaves rows about others, drop what leads back to people, and mark what goes round otherwise."""
    leaving = [edge for edge in dict.fromkeys(edges) if not known[edge.source].third_party]
    followed: list[Edge] = []
    refused: list[Problem] = []
    for edge in leaving:
        cyclic = edge.source in _reach(edge.target, leaving)
        if cyclic and known[edge.target].identities:
            refused.append(_warn_of_others(edge))
        else:
            followed.append(replace(edge, cyclic=cyclic))
    return [replace(edge, cyclic=edge.source in _reach(edge.target, followed)) for edge in followed], refused


def _reach(start: str, edges: Sequence[Edge]) -> set[str]:
    reached = {start}
    while more := {edge.target for edge in edges if edge.source in reached} - reached:
        reached |= more
    return reached


def _warn_of_indecision(tie: Tie) -> Problem:
    message = f"the reference {tie.edge} has no direction and both ends are as near to the person"
    return Problem(
        "no_direction",
        tie.place,
        tie.line,
        f"{message}: it is not followed; say “direction: from” or “direction: to”.",
    )


def _warn_of_others(edge: Edge) -> Problem:
    message = (
        f"the reference {edge} leads back to where people are found by their identity, so to other people"
    )
    return Problem("cycle_to_people", edge.target, None, f"{message}: it is not followed.")


def _warn_of_cycle(edge: Edge) -> Problem:
    message = f"the reference {edge} goes round in a circle: it is followed a limited number of times."
    return Problem("cycle", edge.target, None, message)


def _warn_of_loss(name: str) -> Problem:
    message = "no identity and no reference leads here from the person: it is not searched."
    return Problem("unreachable", name, None, message)
