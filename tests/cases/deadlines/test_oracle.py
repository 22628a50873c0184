"""The engine against the oracle that walks day by day, on random histories."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts, ClockEvent, EventKind, Right
from cases.deadlines.loader import calendar_for, default_catalogue
from cases.deadlines.notation import STATUS
from cases.deadlines.steps import replay
from tests.cases.deadlines import oracle
from tests.cases.deadlines.oracle import Asked, Story

LATER = datetime(2040, 1, 1, tzinfo=UTC)
FIRST = date(2026, 2, 5)

UK = {"UK-ENG": "ENG", "UK-WLS": "WLS", "UK-SCT": "SCT", "UK-NIR": "NIR"}
# Countries whose calendar is the package's own, without days that we leave out.
EU = {"EU-DE": "DE", "EU-IE": "IE", "EU-FR": "FR", "EU-ES": "ES", "EU-PL": "PL", "EU-RO": "RO", "EU-NO": "NO"}

ANSWER = {"fee": "paid"}


def story_of(chance: random.Random, country: str, subdivision: str) -> Story:
    received = FIRST + timedelta(days=chance.randrange(4 * 365))
    asked = tuple(question(chance, received) for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 4))))
    extended = received + timedelta(days=chance.randrange(80)) if chance.random() < 0.4 else None
    right = chance.choice(("access", "access", "erasure", "objection"))
    return Story(received, right, asked, extended, subdivision, country)


def question(chance: random.Random, received: date) -> Asked:
    on = received + timedelta(days=int(chance.expovariate(1 / 14)))
    answered = on + timedelta(days=int(chance.expovariate(1 / 12))) if chance.random() < 0.85 else None
    subject = chance.choice(
        ("clarification", "clarification", "clarification", "identity", "authority", "fee")
    )
    return Asked(subject, on, answered, chance.random() < 0.9, chance.random() < 0.8)


def facts_of(story: Story, zone: ZoneInfo) -> CaseFacts:
    """Tell the story to the engine in a shuffled order, since facts may be learned in any."""
    events = [ClockEvent(EventKind.RECEIVED, instant(story.received, 0, zone))]
    for number, asked in enumerate(story.asked):
        events += told(asked, number, zone)
    if story.extended is not None:
        events.append(ClockEvent(EventKind.EXTENSION_NOTIFIED, instant(story.extended, 20, zone)))
    random.Random(len(events)).shuffle(events)
    return CaseFacts(Right(story.right), zone, tuple(events))


def told(asked: Asked, number: int, zone: ZoneInfo) -> list[ClockEvent]:
    name = str(number)
    kind = EventKind(f"{asked.subject}_requested")
    at = instant(asked.on, number, zone)
    events = [ClockEvent(kind, at, name, asked.reasonable, large_quantity=asked.large)]
    if asked.answered is not None:
        answer = EventKind(f"{asked.subject}_{ANSWER.get(asked.subject, 'received')}")
        events.append(ClockEvent(answer, instant(asked.answered, 12 + number, zone), name))
    return events


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(12, minute), zone)


def disagreements(family: dict[str, str], count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    found = (disagreement(chance, *chance.choice(sorted(family.items()))) for _ in range(count))
    return [text for text in found if text]


def disagreement(chance: random.Random, code: str, place: str) -> str:
    british = code.startswith("UK")
    story = story_of(chance, "GB" if british else place, place if british else "")
    regime = default_catalogue().regime(code, story.received)
    deadline = compute(facts_of(story, regime.zone), regime, calendar_for(regime), now=LATER)
    expected = oracle.uk(story) if british else oracle.eu(story)
    got = str(deadline.due_on) if deadline.due_on else STATUS[deadline.state]
    agreed = got == expected and replay(deadline.steps) == deadline.due_on
    return "" if agreed else f"{code} {story}: engine {got}, oracle {expected}"


@pytest.mark.parametrize("family", [UK, EU], ids=["uk", "eu"])
def test_engine_agrees_with_day_by_day_oracle_on_random_histories(family: dict[str, str]) -> None:
    assert disagreements(family, 2_000, seed=20261121) == []


@pytest.mark.soak
@pytest.mark.parametrize("family", [UK, EU], ids=["uk", "eu"])
def test_engine_agrees_with_day_by_day_oracle_on_many_histories(family: dict[str, str]) -> None:
    assert disagreements(family, 100_000, seed=1182_71) == []
