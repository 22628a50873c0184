"""Which sources feed others: what comes first, and orders that lead in a circle. Pure."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def circle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The slugs of a circle, the first of them again at its end; empty where every source can have its turn."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        return [str(slug) for slug in reversed(error.args[1])]
    return []


def in_order(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The slugs, each behind those that feed it, else as they were given. Slugs of no source are left out.

    A source that is filled from another has to be erased after it, or what was erased comes back.
    """
    sorter = TopologicalSorter(
        {slug: [one for one in first if one in after] for slug, first in after.items()}
    )
    sorter.prepare()
    place = {slug: number for number, slug in enumerate(after)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered
