"""Reads a dataset description in the fideslang YAML format. The only module that knows the fideslang package.

fideslang checks the form. What it lets pass is checked here: that data categories and data subjects exist,
that no key is misspelt or given twice, that references lead somewhere, and that the person can be found at
all. Both ``fides_meta`` and the older ``fidesops_meta`` are read.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, TypeAlias

import yaml
from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from fideslang.models import CollectionMeta, DatasetCollection, DatasetField, DatasetMetadata, FidesMeta
from fideslang.models import Dataset as FidesDataset
from pydantic import BaseModel, ValidationError

from cases.connectors.askable import Neighbours, askable_of
from cases.connectors.base import ConfigurationError, canonical_kind
from cases.connectors.description import (
    Askable,
    Collection,
    Dataset,
    Edge,
    Field,
    Problem,
    Reference,
    is_personal,
)
from cases.connectors.traversal import Tie, plan_route

Path: TypeAlias = tuple[str | int, ...]

# Larger or deeper files are a mistake or an attack: aliases can make a few lines unfold into billions.
MAX_CHARACTERS = 2_000_000
MAX_NODES = 200_000
MAX_DEPTH = 30

# Keys of older releases of the format, which say nothing that matters here.
LEGACY_KEYS = frozenset(
    {"data_qualifier", "retention", "third_country_transfers", "joint_controller", "created_at", "updated_at"}
)
META_KEYS = ("fides_meta", "fidesops_meta")
# Our own words beside the format's, on a field.
OWN_KEYS = frozenset({"desk_meta"})


class DatasetError(ConfigurationError):
    """The description cannot be used. ``problems`` holds all that is wrong, each with its place and line."""

    code = "dataset"
    sentence = "The dataset description is not right: {problem}"
    remedy = "Correct the description at the places named, then try again."

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - 3
        said = " · ".join(str(problem) for problem in problems[:3])
        super().__init__(said + (f" · and {more} more" if more > 0 else ""))


@lru_cache(maxsize=32)
def parse_dataset(text: str) -> Dataset:
    """Read and check one description. Raises DatasetError with everything that is wrong.

    What was read is remembered, because a source is connected to anew for every page that is collected.
    """
    source = _Source.read(text)
    source.raise_problems()
    _check_keys(source)
    if any(problem.code == "form" for problem in source.problems):
        source.raise_problems()
    model = _validate(source)
    _check_vocabulary(source, model)
    dataset = _compile(source, model)
    source.raise_problems()
    return dataset


# --- YAML, with the line of everything ----------------------------------------------------------------------


@dataclass
class _Source:
    """The plain data of the file, the line of each place in it, and the problems found so far."""

    data: Mapping[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    positions: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> _Source:
        source = cls()
        if len(text) > MAX_CHARACTERS:
            raise DatasetError([Problem("too_large", "file", None, "it is too large to be a description.")])
        document, lines = _load(text, source.problems)
        source.lines = lines
        source.data, start = _pick_dataset(document)
        source.lines = {
            path[len(start) :]: line for path, line in lines.items() if path[: len(start)] == start
        }
        source.positions = dict(_name_positions(source.data))
        return source

    def line(self, path: Path) -> int | None:
        """Return the line of this place, or of the nearest place round it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def report(self, code: str, path: Path, message: str) -> None:
        self.problems.append(Problem(code, self.place(path), self.line(path), message))

    def place(self, path: Path) -> str:
        """Return the names of the collection and field round this place, joined by dots."""
        names: list[str] = []
        for size in range(1, len(path) + 1):
            held = _at(self.data, path[:size])
            if isinstance(path[size - 1], int) and isinstance(held, Mapping) and "name" in held:
                names.append(str(held["name"]))
        return ".".join(names) or "dataset"

    def raise_problems(self) -> None:
        if self.problems:
            raise DatasetError(_in_order(self.problems))


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def _load(text: str, problems: list[Problem]) -> tuple[Any, dict[Path, int]]:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        lines = dict(_walk_nodes(node, problems)) if node else {}
        return (loader.construct_document(node) if node else None), lines
    except RecursionError:
        raise DatasetError([Problem("too_large", "file", None, "it is nested too deeply.")]) from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        message = f"this is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}."
        raise DatasetError([Problem("yaml", "file", line, message)]) from None


def _walk_nodes(root: yaml.Node, problems: list[Problem]) -> Iterator[tuple[Path, int]]:
    """Yield each place and its line, refusing files that unfold without end and keys given twice."""
    stack: list[tuple[Path, yaml.Node]] = [((), root)]
    count = 0
    while stack:
        path, node = stack.pop()
        count += 1
        if count > MAX_NODES or len(path) > MAX_DEPTH:
            raise DatasetError(
                [Problem("too_large", "file", None, "it unfolds to too many or too deep entries.")]
            )
        yield path, node.start_mark.line + 1
        stack.extend(_children(path, node, problems))


def _children(path: Path, node: yaml.Node, problems: list[Problem]) -> Iterator[tuple[Path, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        yield from (((*path, index), item) for index, item in enumerate(node.value))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                problems.append(Problem("twice", name, key.start_mark.line + 1, f"“{name}” is given twice."))
            seen.add(name)
            yield (*path, name), value


def _pick_dataset(document: Any) -> tuple[Mapping[str, Any], Path]:
    found = document.get("dataset") if isinstance(document, Mapping) else None
    if isinstance(found, Mapping):
        return found, ("dataset",)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], Mapping):
        return found[0], ("dataset", 0)
    count = len(found) if isinstance(found, list) else 0
    message = f"it must hold “dataset:” with exactly one dataset, and holds {count}."
    raise DatasetError([Problem("no_dataset", "file", 1, message)])


def _at(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _name_positions(data: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the place of each collection and field by its dotted name.

    Fideslang sorts them and forgets where.
    """
    for index, collection in _entries(data.get("collections")):
        path: Path = ("collections", index)
        yield str(collection.get("name")), path
        yield from _field_positions(str(collection.get("name")), path, collection)


def _field_positions(prefix: str, path: Path, holder: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for index, item in _entries(holder.get("fields")):
        name, place = f"{prefix}.{item.get('name')}", (*path, "fields", index)
        yield name, place
        yield from _field_positions(name, place, item)


def _entries(held: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if isinstance(held, list):
        yield from ((index, item) for index, item in enumerate(held) if isinstance(item, Mapping))


# --- Form ---------------------------------------------------------------------------------------------------


def _validate(source: _Source) -> FidesDataset:
    try:
        return FidesDataset(**source.data)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            message = found["msg"].removeprefix("Value error, ").rstrip(".")
            source.report("form", tuple(found["loc"]), f"{_last_key(found['loc'])}{message}.")
        raise DatasetError(_in_order(source.problems)) from None


def _last_key(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return f"{names[-1]}: " if names else ""


def _check_keys(source: _Source) -> None:
    """Report keys that the format does not have: fideslang passes over them, and a misspelt identity is lost."""
    _check_level(source, (), source.data, FidesDataset, DatasetMetadata)
    for index, collection in _entries(source.data.get("collections")):
        path: Path = ("collections", index)
        _check_level(source, path, collection, DatasetCollection, CollectionMeta)
        _check_fields(source, path, collection)


def _check_fields(source: _Source, path: Path, holder: Mapping[str, Any]) -> None:
    for index, item in _entries(holder.get("fields")):
        place = (*path, "fields", index)
        _check_level(source, place, item, DatasetField, FidesMeta, OWN_KEYS)
        _check_fields(source, place, item)


def _check_level(
    source: _Source,
    path: Path,
    held: Mapping[str, Any],
    model: type[BaseModel],
    meta: type[BaseModel],
    own: frozenset[str] = frozenset(),
) -> None:
    _check_names(source, path, held, {*model.model_fields, *META_KEYS, *LEGACY_KEYS, *own})
    for key in META_KEYS:
        inner = held.get(key)
        if isinstance(inner, Mapping):
            _check_names(source, (*path, key), inner, {*meta.model_fields})


def _check_names(source: _Source, path: Path, held: Mapping[Any, Any], allowed: set[str]) -> None:
    for name in held:
        if not isinstance(name, str):
            source.report("form", path, f"the key {name!r} is not text; put it in quotation marks.")
        elif name not in allowed:
            message = f"there is no key “{name}” here.{_suggest(str(name), allowed)}"
            source.report("unknown_key", (*path, name), message)


def _suggest(word: str, among: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(among), n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


# --- Vocabulary ---------------------------------------------------------------------------------------------


@cache
def known_categories() -> frozenset[str]:
    """Return the data categories of the taxonomy."""
    return frozenset(str(item.fides_key) for item in DEFAULT_TAXONOMY.data_category)


@cache
def known_subjects() -> frozenset[str]:
    """Return the data subjects of the taxonomy."""
    return frozenset(str(item.fides_key) for item in DEFAULT_TAXONOMY.data_subject)


def _check_vocabulary(source: _Source, model: FidesDataset) -> None:
    _check_words(source, (), model)
    for collection in model.collections:
        _check_words(source, source.positions.get(collection.name, ()), collection)
        for name, item in _model_fields(collection.name, collection.fields):
            _check_words(source, source.positions.get(name, ()), item)


def _model_fields(prefix: str, fields: Sequence[DatasetField]) -> Iterator[tuple[str, DatasetField]]:
    for item in fields:
        name = f"{prefix}.{item.name}"
        yield name, item
        yield from _model_fields(name, item.fields or [])


def _check_words(source: _Source, path: Path, held: FidesDataset | DatasetCollection | DatasetField) -> None:
    for key, words, known, what in (
        ("data_categories", held.data_categories, known_categories(), "data category"),
        ("data_subjects", held.data_subjects, known_subjects(), "data subject"),
    ):
        for index, word in enumerate(words or []):
            if word not in known:
                message = f"there is no {what} “{word}”.{_suggest(word, known)}"
                source.report("unknown_word", (*path, key, index), message)


# --- Meaning ------------------------------------------------------------------------------------------------


def _compile(source: _Source, model: FidesDataset) -> Dataset:
    subjects = _subjects(model)
    ordered = sorted(model.collections, key=lambda item: source.positions[item.name])
    collections = [_compile_collection(source, model, item, subjects) for item in ordered]
    ties = list(_compile_ties(source, str(model.fides_key), collections))
    # A mistake elsewhere (a misspelt key) is often why there is no identity, and is the better thing to say.
    if not source.problems and not any(item.identities for item in collections if not item.skipped):
        message = (
            "no field is marked with an identity, so nobody can be found; mark one with “identity: email”."
        )
        source.report("no_identity", (), message)
    route = plan_route(collections, ties)
    return Dataset(
        key=str(model.fides_key),
        name=model.name or str(model.fides_key),
        subjects=tuple(sorted(subjects)),
        collections=route.order,
        edges=route.edges,
        unreachable=route.unreachable,
        warnings=(*_place_warnings(source, route.warnings), *_warn_of_gaps(source, collections)),
    )


def _subjects(model: FidesDataset) -> frozenset[str]:
    """Return whom the dataset is about: as it says, or as its collections with an identity say, or customers."""
    if model.data_subjects:
        return frozenset(model.data_subjects)
    said = [str(one) for item in model.collections if _has_identity(item) for one in item.data_subjects or []]
    return frozenset(said or ["customer"])


def _has_identity(collection: DatasetCollection) -> bool:
    return any(item.fides_meta and item.fides_meta.identity for item in collection.fields)


def _compile_collection(
    source: _Source, model: FidesDataset, item: DatasetCollection, subjects: frozenset[str]
) -> Collection:
    about = frozenset(item.data_subjects or subjects)
    inherited = item.data_categories or model.data_categories or []
    meta = item.fides_meta or CollectionMeta()
    ordered = sorted(item.fields, key=lambda one: source.positions[f"{item.name}.{one.name}"])
    scope = _Scope(source, item.name, about, subjects)
    return Collection(
        name=item.name,
        fields=tuple(_compile_field(scope, "", one, inherited) for one in ordered),
        subjects=tuple(sorted(about)),
        third_party=not about & subjects,
        skipped=bool(meta.skip_processing),
        erase_after=tuple(meta.erase_after or ()),
    )


@dataclass(frozen=True)
class _Scope:
    """What a field inherits from round it."""

    source: _Source
    collection: str
    about: frozenset[str]
    subjects: frozenset[str]


def _compile_field(scope: _Scope, prefix: str, item: DatasetField, inherited: Sequence[str]) -> Field:
    meta = item.fides_meta or FidesMeta()
    path = f"{prefix}{item.name}"
    categories = item.data_categories or inherited
    if prefix and (meta.identity or meta.primary_key or meta.references):
        message = (
            "identity, primary_key and references are understood on fields of the collection itself only."
        )
        scope.source.report("nested", scope.source.positions.get(f"{scope.collection}.{path}", ()), message)
    return Field(
        name=item.name,
        path=path,
        categories=tuple(str(one) for one in categories),
        identity=canonical_kind(meta.identity) if meta.identity else None,
        primary_key=bool(meta.primary_key),
        references=tuple(_compile_references(scope, path, meta)),
        data_type=meta.data_type,
        length=meta.length,
        read_only=bool(meta.read_only),
        third_party=bool(item.data_subjects) and not frozenset(item.data_subjects or ()) & scope.subjects,
        fields=tuple(_compile_field(scope, f"{path}.", one, categories) for one in item.fields or []),
        askable=read_askable(scope.source, f"{scope.collection}.{path}", item, is_inner=bool(prefix)),
        contact_changed=_says(scope.source, f"{scope.collection}.{path}", "contact_changed"),
        takes_statements=_says(scope.source, f"{scope.collection}.{path}", "takes_statements"),
    )


def read_askable(source: _Source, name: str, item: DatasetField, *, is_inner: bool) -> Askable | None:
    """What our own words say of a field; a mistake in them is reported with its place."""
    place = source.positions.get(name, ())
    meta = _at(source.data, (*place, "desk_meta")) if place else None
    if meta is None:
        return None
    problem, askable = askable_of(meta, item, _neighbours(source, place), is_inner=is_inner)
    if problem:
        source.report("askable", (*place, "desk_meta"), problem)
    return askable


def _says(source: _Source, name: str, word: str) -> bool:
    """Whether our own words say so of a field; mistakes in them are reported above."""
    meta = _at(source.data, (*source.positions.get(name, ()), "desk_meta"))
    return isinstance(meta, Mapping) and meta.get(word) is True


def _neighbours(source: _Source, place: Path) -> Neighbours:
    """The fields beside this one, and whether a person is found by one of them."""
    beside = [one for _, one in _entries(_at(source.data, place[:-1]))]
    marks = [one.get(key) for one in beside for key in META_KEYS]
    is_found = any(isinstance(mark, Mapping) and mark.get("identity") for mark in marks)
    return Neighbours(frozenset(str(one.get("name")) for one in beside), is_found)


def _compile_references(scope: _Scope, path: str, meta: FidesMeta) -> Iterator[Reference]:
    own = str(scope.source.data.get("fides_key"))
    for reference in meta.references or []:
        place = scope.source.positions.get(f"{scope.collection}.{path}", ())
        collection, _, name = reference.field.partition(".")
        if str(reference.dataset) != own:
            message = (
                f"it references the dataset “{reference.dataset}”; references lead within one dataset only."
            )
            scope.source.report("other_dataset", place, message)
        elif f"{collection}.{name}" not in scope.source.positions or "." in name:
            message = f"it references “{reference.field}”, which is not a field of a collection here."
            scope.source.report(
                "dangling", place, message + _suggest(reference.field, scope.source.positions)
            )
        else:
            yield Reference(collection, name, reference.direction.value if reference.direction else None)


def _compile_ties(source: _Source, key: str, collections: Sequence[Collection]) -> Iterator[Tie]:
    for collection in collections:
        for item in collection.fields:
            place = f"{collection.name}.{item.name}"
            line = source.line(source.positions[place])
            for reference in item.references:
                edge = Edge(reference.collection, reference.field, collection.name, item.name)
                if reference.direction == "to":
                    edge = Edge(collection.name, item.name, reference.collection, reference.field)
                yield Tie(edge, reference.direction is not None, place, line)


def _place_warnings(source: _Source, warnings: Sequence[Problem]) -> Iterator[Problem]:
    for found in warnings:
        line = found.line or source.line(source.positions.get(found.place, ()))
        yield Problem(found.code, found.place, line, found.message)


def _warn_of_gaps(source: _Source, collections: Sequence[Collection]) -> Iterator[Problem]:
    for collection in collections:
        line = source.line(source.positions[collection.name])
        if collection.skipped:
            yield Problem(
                "skipped", collection.name, line, "the description says to leave it out: it is not searched."
            )
        elif not collection.primary_key:
            message = "no field is a primary key: rows are told apart by their whole content, which is slow."
            yield Problem("no_primary_key", collection.name, line, message)
        bare = [path for path, held in collection.categories.items() if not held]
        if bare:
            message = f"no data category is given for {', '.join(bare)}."
            yield Problem("no_category", collection.name, line, message)


__all__ = [
    "Collection",
    "Dataset",
    "DatasetError",
    "Field",
    "Problem",
    "is_personal",
    "known_categories",
    "known_subjects",
    "parse_dataset",
]
