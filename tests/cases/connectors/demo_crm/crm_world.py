"""People of the demo CRM for tests: Ada, who is searched for, and Bob, whose data could leak."""

from __future__ import annotations

import hashlib
from typing import Any

from cases.connectors.demo_crm.system.store import Store

ADA, ADA_AGAIN, BOB = 1, 2, 3
RECORDING = b"RIFF" + bytes(range(256)) * 40
LETTER = b"%PDF-1.4 a letter of Ada's"

WORLD: dict[str, list[dict[str, Any]]] = {
    "contacts": [
        {
            "id": ADA,
            "number": "C-1001",
            "name": "Ada Example",
            "email": "Ada.Example@shop.test",
            "other_emails": ["ada@work.test"],
            "phone": "+44 20 7946 0001",
            "street": "Mill Lane 4",
            "city": "Leeds",
            "postcode": "LS1 9ZZ",
            "born_on": "1980-02-03",
            "language": "en",
            "marketing": True,
            "restricted": False,
            "archived": False,
            "note": "Prefers letters",
            "loyalty_score": 12,
        },
        {
            "id": ADA_AGAIN,
            "number": "C-2077",
            "name": "A. Example (old)",
            "email": "ada.example@shop.test",
            "other_emails": [],
            "phone": None,
            "street": "Harbour View 9",
            "city": "Derby",
            "postcode": "DE1 9ZZ",
            "born_on": None,
            "language": "en",
            "marketing": False,
            "restricted": False,
            "archived": True,
            "note": None,
            "loyalty_score": 3,
        },
        {
            "id": BOB,
            "number": "C-1002",
            "name": "Bob Sample",
            "email": "bob@shop.test",
            "other_emails": [],
            "phone": "+44 20 7946 0002",
            "street": "Elm Grove 1",
            "city": "Norwich",
            "postcode": "NR1 9ZZ",
            "born_on": "1975-05-06",
            "language": "en",
            "marketing": True,
            "restricted": False,
            "archived": False,
            "note": "Moved to Norwich",
            "loyalty_score": 40,
        },
    ],
    "subscriptions": [
        {"id": 5, "email": "ada.example@shop.test", "list": "Newsletter", "since": "2024-01-05"},
        {"id": 6, "email": "bob@shop.test", "list": "Newsletter", "since": "2023-07-01"},
    ],
    "tickets": [
        {
            "id": 11,
            "contact_id": ADA,
            "subject": "Parcel late",
            "status": "open",
            "agent": "Kim",
            "opened_on": "2026-03-01",
        },
        {
            "id": 12,
            "contact_id": ADA,
            "subject": "Wrong size",
            "status": "closed",
            "agent": "Lee",
            "opened_on": "2026-04-01",
        },
        {
            "id": 13,
            "contact_id": BOB,
            "subject": "Bob's heating",
            "status": "open",
            "agent": "Kim",
            "opened_on": "2026-04-02",
        },
    ],
    "messages": [
        {
            "id": 21,
            "contact_id": ADA,
            "ticket_id": 11,
            "author": "Ada Example",
            "from_customer": True,
            "text": "Where is my parcel?",
            "sent_at": "2026-03-01T10:00:00Z",
        },
        {
            "id": 22,
            "contact_id": ADA,
            "ticket_id": 11,
            "author": "Kim",
            "from_customer": False,
            "text": "It is on its way.",
            "sent_at": "2026-03-01T11:00:00Z",
        },
        {
            "id": 23,
            "contact_id": BOB,
            "ticket_id": 13,
            "author": "Bob Sample",
            "from_customer": True,
            "text": "My heating is cold.",
            "sent_at": "2026-04-02T11:00:00Z",
        },
    ],
    "calls": [
        {
            "id": 31,
            "contact_id": ADA,
            "agent": "Kim",
            "taken_at": "2026-05-01T09:00:00Z",
            "seconds": 80,
            "summary": "Asked for a bill",
        },
        {
            "id": 32,
            "contact_id": BOB,
            "agent": "Lee",
            "taken_at": "2026-05-02T09:00:00Z",
            "seconds": 20,
            "summary": "Bob moved out",
        },
    ],
    "invoices": [
        {
            "id": 41,
            "contact_id": ADA,
            "number": "I-1",
            "issued_on": "2026-01-31",
            "amount": "19.90",
            "status": "booked",
        },
        {
            "id": 42,
            "contact_id": ADA,
            "number": "I-2",
            "issued_on": "2026-02-28",
            "amount": "24.00",
            "status": "draft",
        },
    ],
    "history": [
        {"id": 61, "contact_id": ADA, "field": "city", "old": "York", "new": "Leeds", "changed_by": "Kim"},
        {
            "id": 62,
            "contact_id": BOB,
            "field": "city",
            "old": "Bobtown",
            "new": "Norwich",
            "changed_by": "Kim",
        },
    ],
}


def fill(store: Store) -> dict[str, str]:
    """Fill an empty store; return the SHA-256 of Ada's files by name."""
    for kind, rows in WORLD.items():
        store.add(kind, rows)
    recording = {
        "contact_id": ADA,
        "on_type": "calls",
        "on_id": 31,
        "name": "call.wav",
        "media_type": "audio/wav",
    }
    store.attach(recording, [RECORDING])
    store.attach({**recording, "on_type": "tickets", "on_id": 12, "name": "letter.pdf"}, [LETTER])
    store.attach({**recording, "contact_id": BOB, "on_id": 32, "name": "bob.wav"}, [b"Bob's voice"])
    return {"call.wav": _sha(RECORDING), "letter.pdf": _sha(LETTER)}


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
