"""What Odoo itself does when something is changed there, as its code and trials of it show.

A connector that took Odoo at its word would delete other people's subtasks, write a customer's new address over that of
their employer, and archive a bank account with a note of its number. What is known of this stands here, as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cases.connectors.base import Ability, Effect, FieldForm, RecordType
from cases.connectors.changes import Obstacle
from cases.connectors.odoo.description import DESCRIPTION
from cases.connectors.odoo.schema import MESSAGE, PARTNER, TRACKING

LEAD, MAILING_CONTACT = "crm.lead", "mailing.contact"

# --- What is offered --------------------------------------------------------------------------------------------

# Of these an ``unlink`` removes the record and what belongs to it, and nothing else. Not among them: projects (their
# tasks, whosesoever, go along), accounts of users, online payments, and the blacklist (an objection that counts).
DELETABLE: Final = frozenset({
    PARTNER, "account.move", "account.move.line", "account.payment", "calendar.attendee", "calendar.event", LEAD,
    "discuss.channel", "discuss.channel.member", "ir.attachment", "mail.activity", "mail.followers", "mail.guest",
    "mail.mail", MESSAGE, "mail.message.reaction", "mail.notification", "mail.scheduled.message", TRACKING,
    MAILING_CONTACT, "mailing.subscription", "mailing.trace", "project.task", "project.task.stage.personal",
    "rating.rating", "res.partner.bank", "sale.order", "sale.order.line", "sms.sms", "snailmail.letter",
})  # fmt: skip
ANONYMISABLE: Final = frozenset({PARTNER})
_ADDRESS: Final = ("street", "street2", "zip", "city")
# Plain texts that Odoo keeps as they are given; it writes web addresses and tax numbers in a way of its own.
CORRECTABLE: Final[Mapping[str, tuple[str, ...]]] = {
    PARTNER: ("name", "email", "phone", "function", "company_name", *_ADDRESS),
    LEAD: ("contact_name", "partner_name", "email_from", "phone", "function", *_ADDRESS),
    MAILING_CONTACT: ("name", "first_name", "last_name", "email", "company_name"),
}


def described(name: str) -> RecordType:
    """Say what is held of a model, and what can be done to it; any record may hang on any other, by message or file."""
    correctable = CORRECTABLE.get(name, ())
    abilities = {
        Ability.DELETE: name in DELETABLE,
        Ability.ANONYMISE: name in ANONYMISABLE,
        Ability.RECTIFY: bool(correctable),
    }
    return RecordType(
        name,
        frozenset({*DESCRIPTION.models.get(name, ()), *correctable}),
        parents=DESCRIPTION.standard,
        abilities=frozenset(one for one, yes in abilities.items() if yes),
        delete_effect=Effect.REMOVED if name in DELETABLE else Effect.UNKNOWN,
        rectifiable=frozenset(correctable),
        forms={
            one: FieldForm(DESCRIPTION.categories(name, one, "char", ""), "string") for one in correctable
        },
    )


# --- What it refuses ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """A state in which Odoo refuses to delete: records of a model for which this path holds one of these values."""

    path: str
    states: frozenset[str]
    obstacle: Obstacle
    remedy: str


_KEPT: Final = "A posted entry is kept by the law on accounts; it can go when its time of retention is over."
_ORDER: Final = "Cancel the order in Odoo first, where it may be cancelled; then plan again."
_POSTED: Final = frozenset({"posted"})
_CONFIRMED: Final = frozenset({"sale", "done"})
RULES: Final[Mapping[str, Rule]] = {
    "account.move": Rule("state", _POSTED, Obstacle.LEGAL_RETENTION, _KEPT),
    "account.move.line": Rule("parent_state", _POSTED, Obstacle.LEGAL_RETENTION, _KEPT),
    "account.payment": Rule("state", frozenset({"in_process", "paid"}), Obstacle.LEGAL_RETENTION, _KEPT),
    "sale.order": Rule("state", _CONFIRMED, Obstacle.STATE, _ORDER),
    "sale.order.line": Rule("state", _CONFIRMED, Obstacle.STATE, _ORDER),
}

# --- What goes along ----------------------------------------------------------------------------------------------

# These go with what the field names, and only so: a line alone would change the sums of what it is a line of, a mail or
# a rating takes its message along, a payment its entry, and a bank account is merely archived, its number noted down.
INSEPARABLE: Final[Mapping[str, tuple[str, str]]] = {
    "account.move.line": ("move_id", "account.move"),
    "account.payment": ("move_id", "account.move"),
    "mail.mail": ("mail_message_id", MESSAGE),
    "project.task.stage.personal": ("task_id", "project.task"),
    "rating.rating": ("message_id", MESSAGE),
    "res.partner.bank": ("partner_id", PARTNER),
    "sale.order.line": ("order_id", "sale.order"),
}
# Beside what the database deletes along or refuses for, by fields that say nothing of it themselves. An invoice that
# stays would lose the address to which was delivered.
HELD_BY_CODE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    PARTNER: (
        ("account.move", "partner_id"),
        ("account.move", "partner_shipping_id"),
        (PARTNER, "parent_id"),
    ),
    "project.task": (("project.task", "parent_id"),),
}
# What hangs on any record by model and number, and is deleted with it.
SWEPT: Final = ("ir.attachment", "mail.activity", MESSAGE, "mail.scheduled.message", "rating.rating")
# Links and marks that are nothing without what they belong to: nobody has to decide about them.
BOOKKEEPING: Final = frozenset({
    "calendar.attendee", "chatbot.message", "discuss.call.history", "discuss.channel.member",
    "discuss.channel.rtc.session", "im_livechat.channel.member.history", "mail.followers", "mail.message.link.preview",
    "mail.message.reaction", "mail.message.schedule", "mail.message.translation", "mail.notification", "mail.presence",
    "project.task.stage.personal", TRACKING,
})  # fmt: skip
# Partners who are there for the house, although no user of it: a robot that answers, whoever was rated.
OF_THE_HOUSE: Final = frozenset(
    {"livechat_agent_partner_ids", "livechat_bot_partner_ids", "rated_partner_id"}
)

# --- What it writes elsewhere ---------------------------------------------------------------------------------------

# A contact under another hands its address and tax number up, and down to the contacts under it.
SHARED_ADDRESS: Final = frozenset({*_ADDRESS, "state_id", "country_id"})
SHARED_UPWARDS: Final = frozenset({"vat"})
SHARED_DOWNWARDS: Final = frozenset({"vat", "company_registry", "industry_id"})

# --- A contact without a person -----------------------------------------------------------------------------------

NOBODY: Final = "Anonymised contact"
# Settings of the invoices that stay, and nothing that leads to anybody.
NOT_TELLING: Final = frozenset({"lang", "invoice_edi_format_store"})
