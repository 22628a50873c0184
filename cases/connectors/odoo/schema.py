"""Asks an Odoo what it can hold about a person: what refers to a partner, bears an address, or hangs on either."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cases.connectors.base import ContractBroken
from cases.connectors.odoo.client import Odoo, Row
from cases.connectors.odoo.description import DESCRIPTION, STAFF

PARTNER, MESSAGE, ATTACHMENT, TRACKING = "res.partner", "mail.message", "ir.attachment", "mail.tracking.value"
CORE: Final = (PARTNER, MESSAGE, ATTACHMENT)
# The field that says whose a record is, by Odoo's own custom. What hangs on such a record is the person's too.
WHOSE = "partner_id"
# In a conversation by live chat the customer is one of several partners.
WHOSE_MANY = frozenset({("discuss.channel", "livechat_customer_partner_ids")})
KEPT_FOR: Final = timedelta(minutes=10)
_EMAIL_FIELD: Final = re.compile(r"(^|_)email(_|$)")

_ASKED = ("model", "name", "ttype", "relation", "state", "modules", "on_delete")


@dataclass(frozen=True, slots=True)
class ModelField:
    """A stored field, as Odoo describes it. ``modules`` are the parts of Odoo that brought it."""

    name: str
    kind: str
    relation: str
    is_custom: bool
    modules: tuple[str, ...]
    cascades: bool


@dataclass(frozen=True)
class Model:
    """A kind of record, and how it can belong to a person.

    ``ones`` and ``many`` are fields that refer to partners, ``emails`` hold addresses, ``parts_of`` are fields whose
    record takes this one along when it is deleted, and ``resource`` names the two fields that refer to any record.
    """

    name: str
    fields: Mapping[str, ModelField]
    ones: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    parts_of: tuple[tuple[str, str], ...] = ()
    resource: tuple[str, str] | None = None

    @property
    def is_owned(self) -> bool:
        """Whether a record says whose it is, so that what hangs on it may be followed."""
        return self.name == PARTNER or WHOSE in self.ones or bool(self.emails) or bool(self.owned_by_many)

    @property
    def owned_by_many(self) -> tuple[str, ...]:
        return tuple(name for name in self.many if (self.name, name) in WHOSE_MANY)


@dataclass(frozen=True)
class Schema:
    """The models of an Odoo that can hold something about a person, by name.

    ``described`` is what Odoo says of the fields that the account may read, as far as it was asked.
    """

    models: Mapping[str, Model]
    read_at: datetime = field(repr=False)
    described: dict[str, Mapping[str, Row]] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Model:
        return self.models[name]


_KEPT: dict[tuple[str, str, int], Schema] = {}
_LOCK = threading.Lock()


def schema_of(odoo: Odoo, account: int, now: datetime, *, fresh: bool = False) -> Schema:
    """Return the schema, read anew when it is older than ten minutes."""
    place = (odoo.address, odoo.database, account)
    with _LOCK:
        known = _KEPT.get(place)
    if known is None or fresh or not timedelta(0) <= now - known.read_at < KEPT_FOR:
        known = _read(odoo, now)
        with _LOCK:
            _KEPT[place] = known
    return known


def _read(odoo: Odoo, now: datetime) -> Schema:
    tables = _tables(odoo)
    rows = odoo.rows("ir.model.fields", [["store", "=", True], ["model", "in", sorted(tables)]], _ASKED)
    fields: dict[str, dict[str, ModelField]] = defaultdict(dict)
    for row in rows:
        fields[str(row["model"])][str(row["name"])] = _field(row)
    if missing := [name for name in CORE if name not in fields]:
        raise ContractBroken(what=f"an Odoo without {', '.join(missing)}")
    return Schema(_related({name: held for name, held in fields.items() if not _is_view(name, held)}), now)


def _tables(odoo: Odoo) -> set[str]:
    """The models that keep something: neither the steps of a dialogue nor mere behaviour."""
    rows = odoo.rows("ir.model", [["transient", "=", False], ["abstract", "=", False]], ["model"])
    return {str(row["model"]) for row in rows} - DESCRIPTION.left_out


def _is_view(name: str, fields: Mapping[str, ModelField]) -> bool:
    """Reports are views of the database upon records that are found anyway; nobody has made their rows."""
    return "create_uid" not in fields and "report" in name.split(".")


def _field(row: Row) -> ModelField:
    return ModelField(
        name=str(row["name"]),
        kind=str(row["ttype"]),
        relation=str(row["relation"] or ""),
        is_custom=row["state"] == "manual",
        modules=tuple(one.strip() for one in str(row["modules"] or "").split(",") if one.strip()),
        cascades=row["on_delete"] == "cascade",
    )


def _related(fields: Mapping[str, Mapping[str, ModelField]]) -> dict[str, Model]:
    """Keep the models that lead to a person, and those that hang on a model that says whose it is."""
    direct = {name: _model(name, held) for name, held in fields.items()}
    owned = {name for name, model in direct.items() if model.is_owned}
    found = {}
    for name, model in direct.items():
        parts = _parts(fields[name].values(), owned)
        whole = Model(name, model.fields, model.ones, model.many, model.emails, parts, model.resource)
        if name == PARTNER or any([model.ones, model.many, model.emails, parts, model.resource]):
            found[name] = whole
    return found


def _model(name: str, fields: Mapping[str, ModelField]) -> Model:
    return Model(
        name=name,
        fields=fields,
        ones=_refer(fields, "many2one"),
        many=_refer(fields, "many2many"),
        emails=tuple(sorted(one.name for one in fields.values() if _is_address(one))),
        resource=_resource(fields),
    )


def _refer(fields: Mapping[str, ModelField], kind: str) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in fields.values() if one.kind == kind and one.relation == PARTNER))


def _is_address(one: ModelField) -> bool:
    named = bool(_EMAIL_FIELD.search(one.name)) and one.name not in DESCRIPTION.not_addresses
    return named and one.kind in {"char", "text"}


def _resource(fields: Mapping[str, ModelField]) -> tuple[str, str] | None:
    """The two fields by which a message or file names the record that it hangs on."""
    if "res_id" not in fields or fields["res_id"].kind not in {"many2one_reference", "integer"}:
        return None
    model = next(
        (name for name in ("res_model", "model") if name in fields and fields[name].kind == "char"), None
    )
    return (model, "res_id") if model else None


def _parts(fields: Iterable[ModelField], owned: set[str]) -> tuple[tuple[str, str], ...]:
    """The fields by which a record belongs to another, so that it is deleted with it; an account is no such whole."""
    whole = owned - {PARTNER, STAFF}
    return tuple(
        sorted(
            (one.name, one.relation)
            for one in fields
            if one.kind == "many2one" and one.cascades and one.relation in whole
        )
    )
