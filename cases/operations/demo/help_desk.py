"""The demonstration's help desk: tickets, messages and recorded calls, put into the demo CRM by its interface."""

import math
import struct
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import httpx2

from cases.connectors.demo_crm.system.api import READ_KEY, WRITE_KEY
from cases.connectors.demo_crm.system.server import running
from cases.operations.demo.people import Customer
from dsar import env
from dsar.lib.http import client

KEY = READ_KEY
PATIENCE_SECONDS = 30.0  # until a CRM that is being started answers
RECORDED = 20
RATE = 8000

SUBJECTS = (
    "Meter reading refused by the app",
    "Bill twice as high",
    "Moving house",
    "Direct debit",
    "Tariff ends in May",
)
SAID = (
    "I cannot send the reading, the app says it is too low.",
    "Why is the bill so high?",
    "We are moving next month.",
)
ANSWERED = (
    "Thank you, I have entered it for you.",
    "There were two estimated readings; I have put it right.",
)


@contextmanager
def help_desk() -> Iterator[str]:
    """The address of the demo CRM; where none is served beside us, one runs for as long as the making takes."""
    stated = env.text("DSAR_DEMO_CRM_URL", "")
    if stated:
        yield stated
        return
    with running() as server:
        yield server.url


def fill(address: str, people: Sequence[Customer], agent: str, today: date) -> None:
    """Put these people in where there is nobody yet; twice is once."""
    with client(PATIENCE_SECONDS, allow_private=True) as http:
        _await(http, address)
        if _told(http.get(f"{address}/v1/contacts?limit=0&archived=include", headers=_HEADERS))["total"]:
            return
        _told(http.post(f"{address}/v1/import", json=_records(people, agent, today), headers=_HEADERS))
        for number, person in enumerate(people[:RECORDED]):
            params, tone = _recording(person), _tone(number)
            _told(http.post(f"{address}/v1/files", params=params, content=tone, headers=_HEADERS))


def _recording(person: Customer) -> dict[str, str | int]:
    of_call: dict[str, str | int] = {"contact_id": person.id, "on_type": "calls", "on_id": person.id}
    return {**of_call, "name": f"call-{person.id}.wav", "media_type": "audio/wav"}


_HEADERS = {"Authorization": f"Bearer {WRITE_KEY}"}


def _await(http: httpx2.Client, address: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _told(http.get(f"{address}/v1/account", headers=_HEADERS))
        except httpx2.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _told(answer: httpx2.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def _records(people: Sequence[Customer], agent: str, today: date) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {
        kind: [] for kind in ("contacts", "tickets", "messages", "calls")
    }
    for number, one in enumerate(people):
        day = today - timedelta(days=20 + number)
        found["contacts"].append(_contact(one))
        subject = SUBJECTS[number % len(SUBJECTS)]
        ticket = {"id": one.id, "contact_id": one.id, "subject": subject, "status": "closed", "agent": agent}
        found["tickets"].append({**ticket, "opened_on": day.isoformat()})
        found["messages"] += _messages(one, number, agent, day)
        call = {
            "id": one.id,
            "contact_id": one.id,
            "agent": agent,
            "taken_at": f"{day}T09:12:00Z",
            "seconds": 140,
        }
        found["calls"].append({**call, "summary": f"{subject}: explained, and confirmed by e-mail."})
    return found


def _contact(one: Customer) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.account,
        "name": one.name,
        "email": one.email,
        "other_emails": [],
        "phone": one.phone,
        "street": one.street,
        "city": one.town,
        "postcode": one.postcode,
        "born_on": one.born_on.isoformat(),
        "language": "en",
        "marketing": one.marketing,
        "restricted": False,
        "archived": False,
        "note": None,
    }


def _messages(one: Customer, number: int, agent: str, day: date) -> list[dict[str, Any]]:
    shared = {"contact_id": one.id, "ticket_id": one.id}
    asked = {
        "author": one.name,
        "from_customer": True,
        "text": SAID[number % len(SAID)],
        "sent_at": f"{day}T09:00:00Z",
    }
    answer = ANSWERED[number % len(ANSWERED)]
    told = {"author": agent, "from_customer": False, "text": answer, "sent_at": f"{day}T09:30:00Z"}
    return [{**shared, **asked}, {**shared, **told}]


def _tone(number: int) -> bytes:
    """A second of a tone, in place of a voice."""
    kept = BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        pitch = 220 + 20 * number
        samples = (int(8000 * math.sin(2 * math.pi * pitch * step / RATE)) for step in range(RATE))
        file.writeframes(b"".join(struct.pack("<h", one) for one in samples))
    return kept.getvalue()
