"""Looks for what is left after changes, as the account that reads sees it: records, fields, old values, the person.

Messages and files that outlived their record cannot be looked for: Odoo hides them from everybody. That is why they are
deleted, and read back, before the record on which they hang.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cases.connectors.base import JSON, Identifier, PermissionDenied, is_searchable
from cases.connectors.changes import Action, Finding, Remains, Verb
from cases.connectors.odoo.people import KINDS, Finder
from cases.connectors.odoo.records import MOST_AT_ONCE, Reader, batched
from cases.connectors.odoo.schema import TRACKING
from cases.connectors.odoo.tracking import forgetting, history
from cases.connectors.odoo.wanted import FORGET, id_of, missing, pictures

# Shorter texts stand in too much else to mean somebody.
_SHORTEST: Final = 5


@dataclass(frozen=True)
class Verifier:
    """A look at an Odoo that saw nothing of how it was changed."""

    reader: Reader

    def look(self, identifiers: Sequence[Identifier], actions: Sequence[Action]) -> list[Finding]:
        """Return everything that is still there, each once."""
        known = [
            one for one in actions if FORGET not in one.payload and one.type in self.reader.schema.models
        ]
        found: dict[tuple[str, str], Finding] = {}
        for finding in (*self._by_record(known), *self._searched(identifiers, known)):
            found[finding.ref, finding.where] = finding
        return list(found.values())

    def _by_record(self, actions: Sequence[Action]) -> Iterator[Finding]:
        kinds: dict[str, list[Action]] = defaultdict(list)
        for action in actions:
            kinds[action.type].append(action)
        for model, some in kinds.items():
            deleted = {id_of(one): one for one in some if one.verb is Verb.DELETE}
            yield from self._still_there(model, deleted)
            yield from self._held(model, {id_of(one): one for one in some if one.verb is not Verb.DELETE})

    # --- What was deleted -----------------------------------------------------------------------------------------

    def _still_there(self, model: str, deleted: Mapping[int, Action]) -> Iterator[Finding]:
        for some in batched(sorted(deleted), MOST_AT_ONCE):
            for number in self.reader.odoo.ids(model, [["id", "in", [*some]]]):
                if number in deleted:
                    yield Finding(deleted[number].ref, model, f"{model}, by id", Remains.RESIDUAL)

    def _found(self, model: str, domain: list[object], where: str) -> Iterator[Finding]:
        for number in self.reader.odoo.ids(model, domain):
            yield Finding(f"{model}/{number}", model, where, Remains.RESIDUAL)

    # --- What was changed -------------------------------------------------------------------------------------------

    def _held(self, model: str, written: Mapping[int, Action]) -> Iterator[Finding]:
        rows = self.reader.data(model, list(written)) if written else {}
        for number, row in rows.items():
            action = written[number]
            names = {*missing(action.payload, row), *self._pictures(action)}
            names |= _copies(action, row) if action.verb is Verb.ANONYMISE else set()
            for name in sorted(names):
                yield Finding(action.ref, model, f"{model}.{name}", Remains.RESIDUAL)
            yield from self._tracked(action)

    def _pictures(self, action: Action) -> Iterator[str]:
        for name in pictures(action.payload, self.reader.fields(action.type)):
            if self.reader.odoo.count(action.type, [["id", "=", id_of(action)], [name, "!=", False]]):
                yield name

    def _tracked(self, action: Action) -> Iterator[Finding]:
        fields = forgetting(action.verb, action.payload, action.expected)
        if not fields:
            return
        try:
            yield from self._found(
                TRACKING, history(action.type, id_of(action), fields), "values before the change"
            )
        except PermissionDenied:
            yield Finding(action.ref, action.type, TRACKING, Remains.CANNOT_CHECK)

    # --- Searching ----------------------------------------------------------------------------------------------------

    def _searched(self, identifiers: Sequence[Identifier], actions: Sequence[Action]) -> Iterator[Finding]:
        """Search as for anybody: what was erased must not come up."""
        usable = [one for one in identifiers if one.kind in KINDS and is_searchable(one)]
        erased = {action.ref for action in actions if action.verb is not Verb.SET}
        if usable and erased:
            for match in Finder(self.reader.odoo, self.reader.schema, usable).find():
                if match.ref in erased:
                    where = f"search of {match.type} by {', '.join(match.matched_on)}"
                    yield Finding(match.ref, match.type, where, Remains.RESIDUAL)


def _copies(action: Action, row: Mapping[str, JSON]) -> set[str]:
    """Fields that Odoo fills by itself, and in which an old value still stands."""
    old = [
        value.casefold()
        for name, value in action.expected.items()
        if name in action.payload and isinstance(value, str) and len(value) >= _SHORTEST
        if action.payload[name] != value
    ]
    texts = {name: value.casefold() for name, value in row.items() if isinstance(value, str)}
    return {
        name for name, text in texts.items() if name not in action.payload and any(one in text for one in old)
    }
