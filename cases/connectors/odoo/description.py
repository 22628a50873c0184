"""What the fields of Odoo's models hold; read from description.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

# Kinds of field that are no value of the record's own: the other side of a reference, or a file.
NO_VALUES: Final = frozenset({"one2many", "binary", "properties_definition", "serialized"})
STAFF: Final = "res.users"
Categories = tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """The lines of description.toml."""

    left_out: frozenset[str]
    not_addresses: frozenset[str]
    modules: frozenset[str]
    secrets: Sequence[str]
    names: Mapping[str, Categories]
    relations: Mapping[str, Categories]
    kinds: Mapping[str, Categories]
    models: Mapping[str, Mapping[str, Categories]]
    standard: tuple[str, ...]

    def is_secret(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.secrets)

    def categories(self, model: str, name: str, kind: str, relation: str) -> Categories:
        """Return the categories of a field of Odoo's own; nothing where no line speaks of it."""
        said = self.models.get(model, {}).get(name) or self._by_name(name)
        if said:
            return said
        if relation:
            return self.relations.get(relation, self.relations["*"])
        return self.kinds.get(kind, ())

    def _by_name(self, name: str) -> Categories:
        return next((held for pattern, held in self.names.items() if fnmatchcase(name, pattern)), ())


@lru_cache(maxsize=1)
def _read() -> Description:
    said: dict[str, Any] = tomllib.loads(files(__package__).joinpath("description.toml").read_text("utf-8"))
    return Description(
        left_out=frozenset(said["left_out"]),
        not_addresses=frozenset(said["not_addresses"]),
        modules=frozenset(said["modules"]),
        secrets=tuple(said["secrets"]),
        names=_lines(said["names"]),
        relations=_lines(said["relations"]),
        kinds=_lines(said["kinds"]),
        models={name: _lines(held) for name, held in said["models"].items()},
        standard=tuple(said["standard"]["models"]),
    )


def _lines(said: Mapping[str, Sequence[str]]) -> dict[str, Categories]:
    return {name: tuple(held) for name, held in said.items()}


DESCRIPTION: Final = _read()
