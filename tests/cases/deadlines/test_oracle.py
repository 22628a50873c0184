"""The engine against the oracle that walks day by day, on random histories of every family of law."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.deadlines.calendars import DayKind, Override
from cases.deadlines.deadline import Deadline, Limit, Policy
from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts, ClockEvent, EventKind, ExtensionReason, FeeBasis, Right
from cases.deadlines.loader import calendar_for, default_catalogue
from cases.deadlines.notation import STATUS
from cases.deadlines.rules import ClockKind
from cases.deadlines.steps import replay
from tests.cases.deadlines import oracle
from tests.cases.deadlines.oracle import Fact, Tale

# Codes, and the days between which a request of the family is received.
FAMILIES: dict[str, tuple[tuple[str, ...], date, date]] = {
    "uk": (("UK-ENG", "UK-WLS", "UK-SCT", "UK-NIR"), date(2018, 6, 1), date(2031, 12, 31)),
    "eu": (
        (
            *(code for code in default_catalogue().codes() if code.startswith("EU-")),
            # Their calendars hold days that are doubted.
            *("EU-BG", "EU-FI", "EU-HU", "EU-LV") * 4,
            *("EU-DE/BY", "EU-DE/SN", "EU-ES/CT", "EU-IT/BZ", "EU-PT/30", "EU-AT/9"),
        ),
        date(2018, 7, 21),
        date(2031, 12, 31),
    ),
    "us": (("US-CA", "US-VA", "US-CO"), date(2023, 7, 2), date(2031, 12, 31)),
    "canada": (("CA", "CA-QC"), date(2023, 10, 1), date(2031, 12, 31)),
    "days": (("AU", "BR", "CH", "KR", "SG", "ZA"), date(2023, 10, 1), date(2031, 12, 31)),
    "new_zealand": (("NZ",), date(2021, 1, 1), date(2031, 12, 31)),
    "unfixed": (("JP", "IN"), date(2027, 6, 1), date(2031, 12, 31)),
}

# Some change to summer time at midnight, so that a day begins late or has an hour twice; some are far from Greenwich.
ZONES = (
    *("Asia/Beirut", "America/Havana", "Africa/Cairo", "America/Asuncion", "Atlantic/Azores"),
    *("Pacific/Kiritimati", "America/St_Johns", "Australia/Lord_Howe"),
)
TELLING = (
    *(date(2019, 8, 14), date(2019, 8, 15), date(2020, 10, 20), date(2020, 10, 21), date(2026, 2, 4)),
    *(date(2026, 2, 5), date(2026, 6, 18), date(2026, 6, 19), date(2027, 6, 1)),
    *(
        date(year, month, day)
        for year in range(2019, 2032)
        for month, day in ((1, 29), (1, 30), (1, 31), (2, 28))
    ),
    *(date(year, 11, 30) for year in range(2019, 2032)),
    *(date(year, 11, 24) for year in range(2019, 2032)),
    *(date(year, 12, 31) for year in range(2019, 2031)),
    *(date(2020, 2, 29), date(2024, 2, 29), date(2028, 2, 29)),
)
RIGHTS = ("access",) * 6 + tuple(right.value for right in Right)
TIMES = (time(0), time(0, 0, 1), time(0, 30), time(2, 30), time(9), time(12), time(22), time(23, 59, 59))
ANSWERED = {"fee": "fee_paid"}


# -- telling a random history --------------------------------------------------------------------------------


class Teller:
    """Makes up one history; nothing in it is impossible, and much of it is odd."""

    def __init__(self, chance: random.Random, code: str, first: date, last: date) -> None:
        self.chance = chance
        self.code = code
        place = default_catalogue().regime(code, last).place
        self.zone = place.zone if chance.random() < 0.8 else chance.choice(ZONES)
        self.received = self.arrival(first, last)
        self.number = 0

    def arrival(self, first: date, last: date) -> date:
        """Any day, and more often one at which the law changes or a month has no such day."""
        telling = [day for day in TELLING if first <= day <= last]
        if telling and self.chance.random() < 0.15:
            return self.chance.choice(telling)
        return first + timedelta(days=self.chance.randrange((last - first).days))

    def tale(self) -> Tale:
        """A tale, and often one thing more on the very day on which something of it ends, or beside it."""
        tale = self.first_tale()
        ends = sorted({found for found in oracle.dates(tale).values() if found[0].isdigit()})
        if not ends or self.chance.random() < 0.5:
            return tale
        on = date.fromisoformat(self.chance.choice(ends)) + timedelta(days=self.chance.choice((-1, 0, 0, 1)))
        more = self.question(on) if self.chance.random() < 0.6 else [self.extension(on)]
        now = max(tale.now, *(fact.at for fact in more))
        return replace(tale, facts=(*more, *tale.facts), now=now)

    def first_tale(self) -> Tale:
        chance = self.chance
        right = chance.choice(RIGHTS)
        own = right in ("complaint", "appeal") and chance.random() < 0.5
        facts = [self.fact(f"{right}_received" if own else "received", self.received)]
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 4))):
            facts += self.question()
        facts += [self.extension() for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))]
        facts += self.asides()
        last = max(fact.at for fact in facts)
        now = last if chance.random() < 0.8 else facts[0].at + (last - facts[0].at) * chance.random()
        suspension = chance.random() < 0.85
        chance.shuffle(facts)
        return Tale(self.code, right, self.zone, tuple(facts), now, self.local(), suspension)

    def fact(self, kind: str, day: date) -> Fact:
        """At some moment of the day as the wall has it, where it may not exist or come twice; no two at once."""
        self.number += 1
        wall = datetime.combine(day, self.chance.choice(TIMES), ZoneInfo(self.zone))
        wall = wall.replace(fold=self.chance.randrange(2))
        return Fact(kind, wall.astimezone(UTC) + timedelta(microseconds=self.number))

    def question(self, on: date | None = None) -> list[Fact]:
        chance = self.chance
        subject = chance.choice(("clarification",) * 3 + ("identity", "authority", "fee"))
        on = on or self.received + timedelta(days=int(chance.expovariate(1 / 14)))
        name = str(self.number) if chance.random() < 0.7 else None
        asked = replace(
            self.fact(f"{subject}_requested", on),
            question=name,
            reasonable=chance.random() < 0.9,
            prompt=chance.choice((None, None, None, None, True, False)),
            large=chance.random() < 0.8,
            basis=chance.choice(("unfounded", "excessive", "further_copies", "other")),
        )
        if chance.random() < 0.15:
            return [asked]
        answered = on + timedelta(days=int(chance.expovariate(1 / 12)))
        return [
            asked,
            replace(self.fact(ANSWERED.get(subject, f"{subject}_received"), answered), question=name),
        ]

    def extension(self, on: date | None = None) -> Fact:
        chance = self.chance
        on = on or self.received + timedelta(days=chance.randrange(80))
        named = on + timedelta(days=chance.randrange(-20, 120)) if chance.random() < 0.7 else None
        reason = chance.choice(("complexity", "number_of_requests", "complexity", "other"))
        return replace(self.fact("extension_notified", on), reason=reason, named=named)

    def asides(self) -> list[Fact]:
        """What moves the response by no day: arriving again, confirming, answering unasked, complaining."""
        kinds = (
            *("received", "identity_confirmed", "identity_received", "complaint_acknowledged"),
            *("complaint_received", "appeal_received") * 2,
        )
        days = [self.received + timedelta(days=self.chance.randrange(60)) for _ in kinds]
        return [
            self.fact(kind, day) for kind, day in zip(kinds, days, strict=True) if self.chance.random() < 0.15
        ]

    def local(self) -> tuple[tuple[date, str], ...]:
        """Days that a local file changes, near where the periods end."""
        if self.chance.random() > 0.2:
            return ()
        number = self.chance.choice((28, 29, 30, 31, 32, 33, 90, 91, 92, 93))
        kind = self.chance.choice([kind.value for kind in DayKind])
        return ((self.received + timedelta(days=number), kind),)


# -- telling it to the engine --------------------------------------------------------------------------------


def event(fact: Fact) -> ClockEvent:
    return ClockEvent(
        kind=EventKind(fact.kind),
        instant=fact.at,
        question=fact.question,
        reasonable=fact.reasonable,
        prompt=fact.prompt,
        large_quantity=fact.large,
        fee_basis=FeeBasis(fact.basis),
        extension_reason=ExtensionReason(fact.reason),
        new_due_on=fact.named,
    )


def engine(tale: Tale) -> Deadline:
    arrivals = {"received", f"{tale.right}_received"}
    received = min(fact.at for fact in tale.facts if fact.kind in arrivals)
    received_on = received.astimezone(ZoneInfo(tale.zone)).date()
    regime = default_catalogue().regime(tale.code, received_on)
    spec = calendar_for(regime).spec
    overrides = tuple(
        Override(on=day, kind=DayKind(kind), name="Local day", calendars=(spec.name,), source="test")
        for day, kind in tale.local
    )
    facts = CaseFacts(Right(tale.right), ZoneInfo(tale.zone), tuple(event(fact) for fact in tale.facts))
    policy = Policy(suspension=tale.suspension)
    return compute(facts, regime, calendar_for(regime, overrides), now=tale.now, policy=policy)


def shown(limit: Limit) -> str:
    return str(limit.due_on) if limit.due_on else STATUS[limit.state]


def dates(tale: Tale) -> dict[str, str]:
    deadline = engine(tale)
    kinds = [kind for kind in ClockKind if kind.value in (*oracle.MAIN, *oracle.SIDE)]
    found = {kind.value: shown(deadline.limit(kind)) for kind in kinds}
    own = tale.right in ("complaint", "appeal")
    found["shadow"] = "-" if own else str(deadline.shadow_due_on or "-")
    found["safe"] = "-" if own else str(deadline.safe_due_on or "-")
    return found


def unfaithful(tale: Tale) -> list[str]:
    """Limits whose steps alone do not lead to their date."""
    return [kind.value for kind, limit in engine(tale).limits.items() if replay(limit.steps) != limit.due_on]


def tales(family: str, how_many: int, seed: int) -> Iterator[Tale]:
    codes, first, last = FAMILIES[family]
    chance = random.Random(f"{family} {seed}")
    for _ in range(how_many):
        yield Teller(chance, chance.choice(codes), first, last).tale()


def disagreements(family: str, how_many: int, seed: int) -> list[str]:
    return [text for tale in tales(family, how_many, seed) if (text := disagreement(tale))]


def disagreement(tale: Tale) -> str:
    got, expected = dates(tale), oracle.dates(tale)
    wrong = {name: (got[name], expected[name]) for name in expected if got[name] != expected[name]}
    unfounded = unfaithful(tale)
    return f"{wrong} {unfounded} of {tale}" if wrong or unfounded else ""


# -- the tests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_engine_agrees_with_day_by_day_oracle_on_random_histories(family: str) -> None:
    assert disagreements(family, 2_000, seed=20261121) == []


@pytest.mark.soak
@pytest.mark.parametrize("family", FAMILIES)
def test_engine_agrees_with_day_by_day_oracle_on_many_histories(family: str) -> None:
    assert disagreements(family, 100_000, seed=1182_71) == []


def test_families_cover_every_place_that_ships() -> None:
    covered = {code.partition("/")[0] for codes, _first, _last in FAMILIES.values() for code in codes}

    assert covered == set(default_catalogue().codes())


def test_random_histories_meet_every_kind_of_fact_and_of_answer() -> None:
    met = list(tales("uk", 2_000, seed=20261121))

    kinds = {fact.kind for tale in met for fact in tale.facts}
    states = {oracle.dates(tale)["response"][:3] for tale in met}
    assert kinds == {kind.value for kind in EventKind}
    assert states == {"NOT", "PAU", "201", "202", "203"}
