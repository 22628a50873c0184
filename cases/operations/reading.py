"""Reads a YAML file and remembers the line of everything in it, so that a mistake can be pointed at."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: the file and line, the place in it by names, and a sentence."""

    file: str
    line: int | None
    place: str
    message: str

    def __str__(self) -> str:
        at_line = f":{self.line}" if self.line else ""
        return f"{self.file}{at_line}: {self.place}: {self.message}"


class FileWrong(Exception):
    """The file cannot be used; ``problems`` holds everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line or 0)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Document:
    """The plain data of a file, and the line of each place in it."""

    path: Path
    data: Any
    lines: Mapping[Place, int] = field(repr=False)

    def line(self, place: Place) -> int | None:
        """The line of this place, or of the nearest one round it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)

    def problem(self, place: Place, message: str) -> Problem:
        return Problem(self.path.name, self.line(place), dotted(place), message)


def dotted(place: Place) -> str:
    """The place as people write it, such as controllers[0].sources[1].options.host."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.lstrip(".") or "file"


def read(path: Path) -> Document:
    """Read one YAML file. Raises FileWrong for what is not YAML or names a key twice; OSError as it comes."""
    text = path.read_text(encoding="utf-8")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        twice: list[Problem] = []
        lines = dict(_walk(path, (), node, twice)) if node else {}
        if twice:
            raise FileWrong(twice)
        return Document(path, loader.construct_document(node) if node else None, lines)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or "it cannot be read"
        problem = Problem(path.name, mark.line + 1 if mark else None, "file", f"this is not YAML: {said}.")
        raise FileWrong([problem]) from None


def _walk(path: Path, place: Place, node: yaml.Node, twice: list[Problem]) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(path, (*place, index), item, twice)
    if isinstance(node, yaml.MappingNode):
        yield from _walk_pairs(path, place, node, twice)


def _walk_pairs(
    path: Path, place: Place, node: yaml.MappingNode, twice: list[Problem]
) -> Iterator[tuple[Place, int]]:
    seen: set[str] = set()
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            twice.append(Problem(path.name, line, dotted((*place, name)), "this key is given twice."))
        seen.add(name)
        for inner, inner_line in _walk(path, (*place, name), value, twice):
            # What a key holds may begin on the next line; the mistake is looked for at the key.
            yield inner, line if len(inner) == len(place) + 1 else inner_line


def suggestion(word: str, known: Iterable[str]) -> str:
    """The word that was probably meant, else what there is, else nothing."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f" Did you mean “{near[0]}”?"
    return f" There are {', '.join(words)}." if 0 < len(words) <= 20 else ""
