"""Old values that Odoo keeps of what it tracks: they outlive a correction and an anonymised contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cases.connectors.base import JSON, ContractBroken
from cases.connectors.changes import Action, Verb
from cases.connectors.odoo.client import Domain, all_of, any_of
from cases.connectors.odoo.wanted import FORGET, id_of

_TEXT_FIELDS: Final = ("old_value_char", "old_value_text", "new_value_char", "new_value_text")


def forgetting(verb: Verb, values: Mapping[str, JSON], expected: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return which old values go after a change: of a correction what was wrong, of a contact without a person all."""
    if verb is Verb.ANONYMISE:
        return dict.fromkeys(values)
    return {name: expected[name] for name in values if isinstance(expected.get(name), str)}


def tracked(action: Action) -> Domain:
    """Describe the old values that an action is to delete. Raises ContractBroken for an action that deletes none."""
    fields = action.payload.get(FORGET)
    if not isinstance(fields, Mapping):
        raise ContractBroken(what="an action that does not say which old values it deletes")
    return history(str(action.payload.get("of")), id_of(action), fields)


def history(model: str, number: int, fields: Mapping[str, JSON]) -> Domain:
    """Describe what is tracked of fields of a record: every value, or one where it is named."""
    of_record: Domain = [["mail_message_id.model", "=", model], ["mail_message_id.res_id", "=", number]]
    return all_of([of_record, any_of(_of_field(name, value) for name, value in fields.items())])


def _of_field(name: str, value: JSON) -> Domain:
    here: Domain = [["field_id.name", "=", name]]
    if value is None:
        return here
    return all_of([here, any_of([[one, "=", value]] for one in _TEXT_FIELDS)])
