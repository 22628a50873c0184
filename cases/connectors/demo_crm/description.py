"""What the fields of the demo CRM hold, and what hangs on what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, Ability, Effect, FieldForm, RecordType

CONTACTS, SUBSCRIPTIONS, TICKETS, MESSAGES = "contacts", "subscriptions", "tickets", "messages"
CALLS, INVOICES, FILES, HISTORY = "calls", "invoices", "files", "history"

_OWN: Final = {"id": ("user.unique_id",), "version": ("system.operations",)}
_OF_CONTACT: Final = {**_OWN, "contact_id": ("user.unique_id",)}

# In the order in which they are collected: what others refer to comes first.
CATEGORIES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    CONTACTS: {
        **_OWN,
        "number": ("user.unique_id",),
        "name": ("user.name",),
        "email": ("user.contact.email",),
        "other_emails": ("user.contact.email",),
        "phone": ("user.contact.phone_number",),
        "street": ("user.contact.address.street",),
        "city": ("user.contact.address.city",),
        "postcode": ("user.contact.address.postal_code",),
        "born_on": ("user.demographic.date_of_birth",),
        "language": ("user.demographic.language",),
        "marketing": ("user.privacy_preferences",),
        "restricted": ("user.privacy_preferences",),
        "archived": ("system.operations",),
        "note": ("user.content.private",),
    },
    SUBSCRIPTIONS: {
        **_OWN,
        "email": ("user.contact.email",),
        "list": ("user.privacy_preferences",),
        "since": ("system.operations",),
    },
    TICKETS: {
        **_OF_CONTACT,
        "subject": ("user.content",),
        "status": ("system.operations",),
        "agent": ("user.name",),
        "opened_on": ("system.operations",),
    },
    MESSAGES: {
        **_OF_CONTACT,
        "ticket_id": ("system.operations",),
        "author": ("user.name",),
        "from_customer": ("system.operations",),
        "text": ("user.content",),
        "sent_at": ("system.operations",),
    },
    CALLS: {
        **_OF_CONTACT,
        "agent": ("user.name",),
        "taken_at": ("system.operations",),
        "seconds": ("system.operations",),
        "summary": ("user.content",),
    },
    INVOICES: {
        **_OF_CONTACT,
        "number": ("system.operations",),
        "issued_on": ("system.operations",),
        "amount": ("user.payment",),
        "status": ("user.payment",),
    },
    FILES: {
        **_OF_CONTACT,
        "on_type": ("system.operations",),
        "on_id": ("system.operations",),
        "name": ("user.content",),
        "media_type": ("system.operations",),
        "size": ("system.operations",),
    },
    HISTORY: {
        **_OF_CONTACT,
        "field": ("system.operations",),
        "old": ("user.content",),
        "new": ("user.content",),
        "changed_by": ("user.name",),
    },
}
THIRD_PARTY: Final[Mapping[str, tuple[str, ...]]] = {
    TICKETS: ("agent",),
    CALLS: ("agent",),
    HISTORY: ("changed_by",),
}
# What a contact can be found by, and the fields that hold it.
IDENTITIES: Final[Mapping[str, str]] = {EMAIL: "email", PHONE: "phone", EXTERNAL_ID: "number"}
# Where people write down what has no field of its own.
NOTE: Final = "note"
# What the system itself sets.
SET_BY_SYSTEM: Final = frozenset({"id", "version", "deletion_job"})
# What a contact without a person is left with.
ANONYMOUS: Final[Mapping[str, None | str | bool | list[str]]] = {
    "name": "Anonymised contact",
    "email": None,
    "other_emails": [],
    "phone": None,
    "street": None,
    "city": None,
    "postcode": None,
    "born_on": None,
    "marketing": False,
    "note": None,
}

_DELETES: Final = frozenset({Ability.DELETE})
_ALL: Final = frozenset(Ability)


def types() -> dict[str, RecordType]:
    """Describe each kind of record."""
    return {name: _type(name) for name in CATEGORIES}


def _type(name: str) -> RecordType:
    fields = frozenset(CATEGORIES[name])
    by_contact = (CONTACTS,) if "contact_id" in fields else ()
    return RecordType(
        name=name,
        personal_fields=frozenset(one for one in fields if CATEGORIES[name][one] != ("system.operations",)),
        parents=by_contact,
        abilities=_ALL if name == CONTACTS else _DELETES,
        delete_effect=Effect.REMOVED,
        rectifiable=fields - SET_BY_SYSTEM if name == CONTACTS else frozenset(),
        forms={one: _form(name, one) for one in CATEGORIES[name]},
        statement_field=NOTE if name == CONTACTS else "",
    )


def _form(kind: str, name: str) -> FieldForm:
    return FieldForm(CATEGORIES[kind][name], third_party=name in THIRD_PARTY.get(kind, ()))
