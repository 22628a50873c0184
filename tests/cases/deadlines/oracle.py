"""A second engine, written to be slow and obvious: it walks the calendar one day at a time.

It is told what happened as the engine is, and shares nothing else with it: no event types, no month arithmetic, no
merging of pauses, no calendars and no rule files. The law is written out here once more, by family, from the page of
rules. It asks the holidays package itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

DAY = timedelta(days=1)
IN_LAW = ("complexity", "number_of_requests")


@dataclass(frozen=True)
class Fact:
    """One thing that happened, at an instant of universal time."""

    kind: str
    at: datetime
    question: str | None = None
    reasonable: bool = True
    prompt: bool | None = None
    large: bool = True
    basis: str = "excessive"
    reason: str = "complexity"
    named: date | None = None


@dataclass(frozen=True)
class Tale:
    """A case as both engines are told it: ``local`` days are (day, kind) of the calendar of ``code`` alone."""

    code: str
    right: str
    zone: str
    facts: tuple[Fact, ...]
    now: datetime
    local: tuple[tuple[date, str], ...] = ()
    suspension: bool = True


@dataclass
class Asked:
    """One question, by days as the controller's wall has them."""

    subject: str
    on: date
    fact: Fact
    answered: date | None = None


@dataclass
class Story:
    """The tale read up to its now, in order."""

    tale: Tale
    received: date
    asked: list[Asked] = field(default_factory=list)
    extended: list[tuple[date, Fact]] = field(default_factory=list)
    complaint: date | None = None
    acknowledged: bool = False
    appeal: date | None = None
    carefully: bool = False

    @property
    def right(self) -> str:
        return self.tale.right


# -- reading what happened -------------------------------------------------------------------------------


def day_of(fact: Fact, tale: Tale) -> date:
    return fact.at.astimezone(ZoneInfo(tale.zone)).date()


def story_of(tale: Tale) -> Story:
    facts = sorted((fact for fact in tale.facts if fact.at <= tale.now), key=lambda fact: fact.at)
    arrivals = (
        {"received", f"{tale.right}_received"} if tale.right in ("complaint", "appeal") else {"received"}
    )
    story = Story(tale, next(day_of(fact, tale) for fact in facts if fact.kind in arrivals))
    for fact in facts:
        take(story, fact, day_of(fact, tale))
    return story


def take(story: Story, fact: Fact, on: date) -> None:
    subject, _, what = fact.kind.partition("_")
    if fact.kind == "extension_notified":
        story.extended.append((on, fact))
    elif fact.kind == "complaint_received":
        story.complaint = story.complaint or on
    elif fact.kind == "complaint_acknowledged":
        story.acknowledged = True
    elif fact.kind == "appeal_received":
        story.appeal = story.appeal or on
    elif what == "requested":
        story.asked.append(Asked(subject, on, fact))
    elif what in ("received", "paid"):
        waiting = [a for a in story.asked if a.subject == subject and a.answered is None]
        meant = [a for a in waiting if fact.question in (None, a.fact.question)]
        grounded = [a for a in meant if a.fact.reasonable]
        if meant:
            (grounded or meant)[0].answered = on


# -- the calendar ----------------------------------------------------------------------------------------

NATIONS = {"ENG", "WLS", "SCT", "NIR"}
COUNTRIES = {"US-CA": "US", "US-VA": "US", "US-CO": "US", "CA-QC": "CA"}
# Listed by the package, and no public holidays; and those that are doubted, where care is taken.
NOT_PUBLIC = {"NL": ("Good Friday",)}
DOUBTED = {
    "BG": ("Non-working day",),
    "HU": ("Day off",),
    "LV": ("Day off",),
    "FI": ("Midsummer Eve", "Christmas Eve"),
}


@cache
def listed(country: str, subdivision: str, year: int) -> dict[date, str]:
    found = holidays.country_holidays(
        country, subdiv=subdivision or None, years=year, language="en_US", expand=False
    )
    return dict(found.items())


def place(code: str) -> tuple[str, str]:
    """Country and part of it, as the package names them."""
    base, _, region = code.partition("/")
    if base in COUNTRIES:
        return COUNTRIES[base], "QC" if base == "CA-QC" else region
    law, _, rest = base.partition("-")
    return ("GB", rest) if rest in NATIONS else (rest or law, region)


def day_off(story: Story, day: date) -> bool:
    if day.weekday() > 4:
        return True
    return holiday(story.tale, day, story.carefully)


def holiday(tale: Tale, day: date, carefully: bool) -> bool:
    country, part = place(tale.code)
    whole = country == "GB" or not carefully
    ours = dict(tale.local) if whole or not part else {}
    if ours.get(day) in ("holiday", "working"):
        return ours[day] == "holiday"
    if (country == "NZ" and (day.month, day.day) >= (12, 25)) or (
        country == "NZ" and (day.month, day.day) <= (1, 15)
    ):
        return True
    name = listed(country, part if whole else "", day.year).get(day)
    left_out = NOT_PUBLIC.get(country, ()) + (DOUBTED.get(country, ()) if carefully else ())
    return name is not None and not all(one.startswith(left_out) for one in name.split("; "))


def roll(story: Story, day: date) -> date:
    while day_off(story, day):
        day += DAY
    return day


# -- counting --------------------------------------------------------------------------------------------


@cache
def months_on(start: date, months: int) -> date:
    """Walk until the month has changed so often and the day number, or the month's last day, is met."""
    day, left = start, months
    while True:
        day += DAY
        left -= day.day == 1
        last_of_month = (day + DAY).day == 1
        if left == 0 and (day.day == start.day or (last_of_month and day.day < start.day)):
            return day


Idle = list[tuple[date, date | None]]


def count(start: date, end: date, idle: Idle) -> date | None:
    """Use up the days from ``start`` to ``end`` one by one, passing over idle ones; None where idleness has no end."""
    day, days = start, (end - start).days
    while days:
        day += DAY
        covering = [last for first, last in idle if first <= day and (last is None or day <= last)]
        if None in covering:
            return None
        days -= not covering
    return day


def working(story: Story, start: date, days: int) -> date:
    day = start
    while days:
        day += DAY
        days -= not day_off(story, day)
    return day


# -- the United Kingdom ----------------------------------------------------------------------------------

NEXT_DAY_UNTIL = date(2019, 8, 14)
CLARIFYING_SINCE = date(2020, 10, 21)
ACT_SINCE = date(2026, 2, 5)
COMPLAINTS_SINCE = date(2026, 6, 19)


def uk(story: Story) -> dict[str, str]:
    first = story.received + DAY if story.received <= NEXT_DAY_UNTIL else story.received
    act = story.received >= ACT_SINCE
    start, found = uk_start(story, first), {}
    end = uk_end(story, start, first) if start is not None else None
    found["response"] = "NOT_STARTED" if start is None else "PAUSED" if end is None else str(roll(story, end))
    found["shadow"] = str(roll(story, uk_alone(story, first)))
    found["safe"] = uk_safe(story, start, first, found["response"])
    month = str(roll(story, months_on(first, 1)))
    found["extension_notice"] = uk_notice(story, start, found["response"]) if act else month
    found["refusal_notice"] = found["response"] if act else month
    return found | uk_complaint(story)


def uk_start(story: Story, first: date) -> date | None:
    """U2: the latest of receipt, what was asked for, and payment; None while something asked for is awaited."""
    start, seen = first, list[str]()
    for asked in story.asked:
        if not uk_moves_start(story, asked):
            continue
        is_first = asked.subject not in seen
        seen.append(asked.subject)
        if story.carefully and not uk_is_safe(story, asked, is_first):
            continue
        end = uk_end(story, start, first)
        if end is not None and asked.on > end:
            continue
        if asked.answered is None:
            return None
        start = max(start, asked.answered)
    return start


def uk_moves_start(story: Story, asked: Asked) -> bool:
    subjects = {"identity", "authority", "fee"} if story.received >= ACT_SINCE else {"identity"}
    charged = asked.subject != "fee" or asked.fact.basis in ("unfounded", "excessive")
    return asked.subject in subjects and asked.fact.reasonable and charged


def uk_is_safe(story: Story, asked: Asked, is_first: bool) -> bool:
    if story.received < ACT_SINCE or asked.subject == "authority":
        return False
    return asked.subject == "fee" or (is_first and is_prompt(story, asked))


def uk_idle(story: Story, start: date) -> Idle:
    """U5: from the day asked to the day answered, both of them; access alone."""
    act = story.received >= ACT_SINCE
    if story.right != "access" or story.received < CLARIFYING_SINCE or not (act or story.tale.suspension):
        return []
    asked = [a for a in story.asked if a.subject == "clarification" and a.fact.reasonable]
    if not story.carefully:
        return [(a.on, a.answered) for a in asked]
    if not act:
        return []
    less = [(a.on, a.answered - DAY if a.on > start else a.answered) for a in asked if a.answered]
    return [(begun, last) for begun, last in less if begun <= last]


def uk_end(story: Story, start: date, first: date) -> date | None:
    idle = uk_idle(story, start)
    one = count(start, months_on(start, 1), idle)
    limit = one if story.received >= ACT_SINCE else months_on(first, 1)
    if limit is not None and not story.carefully:
        limit = roll(story, limit)
    if not in_time(story, limit):
        return one
    return count(start, months_on(start, 3), idle)


def in_time(story: Story, limit: date | None, reasons: tuple[str, ...] = IN_LAW) -> bool:
    return any(fact.reason in reasons and (limit is None or on <= limit) for on, fact in story.extended)


def uk_alone(story: Story, first: date) -> date:
    """As if nothing had been asked; the notice's day is rolled."""
    limit = roll(story, months_on(first, 1))
    return months_on(first, 3 if in_time(story, limit) else 1)


def uk_safe(story: Story, start: date | None, first: date, due: str) -> str:
    careful = replace(story, carefully=True)
    safe_start = uk_start(careful, first) if start is not None else None
    if safe_start is None:
        end = uk_alone(story, first)
    else:
        found = uk_end(careful, safe_start, first)
        assert found is not None
        end = found
    return earlier(str(roll(careful, end)), due)


def earlier(safe: str, due: str) -> str:
    """A cautious day that comes out later is none."""
    return min(safe, due) if due[0].isdigit() else safe


def uk_notice(story: Story, start: date | None, response: str) -> str:
    if start is None or not response[0].isdigit():
        return response
    one = count(start, months_on(start, 1), uk_idle(story, start))
    assert one is not None
    return str(roll(story, one))


def uk_complaint(story: Story) -> dict[str, str]:
    """s.164A: thirty days, the first being the day after, rolled; for complaints from 19 June 2026.

    What is acknowledged is due no more.
    """
    begun = story.received if story.right == "complaint" else story.complaint
    if begun is None or begun < COMPLAINTS_SINCE or story.acknowledged:
        return {}
    return {"complaint_ack": str(roll(story, begun + 30 * DAY))}


# -- the European Union ----------------------------------------------------------------------------------


def eu(story: Story) -> dict[str, str]:
    month = months_on(story.received, 1)
    limit = str(roll(story, month))
    idle = [(a.on + DAY, a.answered) for a in story.asked if suspends(story, a)]
    idle = [(first, last) for first, last in idle if last is None or first <= last]
    end = count(story.received, month, idle)
    longer = months_on(story.received, 3)
    extended = in_time(story, roll(story, month))
    response = "PAUSED" if end is None else str(roll(story, longer if extended else end))
    careful = replace(story, carefully=True)
    safe = roll(careful, longer if in_time(story, month) else month)
    return {
        "response": response,
        "shadow": str(roll(story, longer if extended else month)),
        "safe": earlier(str(safe), response),
        "extension_notice": limit,
        "refusal_notice": limit,
    }


def suspends(story: Story, asked: Asked) -> bool:
    """E5: guidance, not statute; on reasonable ground, and asked without undue delay."""
    if not story.tale.suspension or not asked.fact.reasonable or not is_prompt(story, asked):
        return False
    if asked.subject == "clarification":
        return story.right == "access" and asked.fact.large
    return asked.subject == "identity"


def is_prompt(story: Story, asked: Asked) -> bool:
    if asked.fact.prompt is not None:
        return asked.fact.prompt
    return asked.on <= story.received + 14 * DAY


# -- everywhere else -------------------------------------------------------------------------------------

ANY_REASON = (*IN_LAW, "other")


def plain(story: Story, end: date, longer: date | None = None, *, named: bool = False) -> dict[str, str]:
    """A period from receipt that no question moves and no day off; longer by notice within it."""
    response = end
    for on, fact in story.extended:
        if on <= end and (longer is not None or (named and fact.named is not None)):
            response = longer if longer is not None else max(end, fact.named or end)
            break
    found = {name: str(response) for name in ("response", "shadow", "safe")}
    return found | ({"extension_notice": str(end)} if longer is not None or named else {})


def days(number: int, longer: int | None = None, *, named: bool = False) -> Law:
    def law(story: Story) -> dict[str, str]:
        at_most = story.received + longer * DAY if longer is not None else None
        return plain(story, story.received + number * DAY, at_most, named=named)

    return law


def california(story: Story) -> dict[str, str]:
    if story.right == "opt_out":
        return plain(story, working(story, story.received, 15))
    may = story.right in ("access", "erasure", "rectification", "portability", "restriction")
    found = days(45, 90 if may else None)(story)
    if story.right in ("access", "erasure", "rectification"):
        found["acknowledgement"] = str(working(story, story.received, 10))
    return found


def new_zealand(story: Story) -> dict[str, str]:
    return plain(story, working(story, story.received, 20), named=True)


def unfixed(story: Story) -> dict[str, str]:
    return {}


def with_appeal(law: Law, number: int) -> Law:
    def wider(story: Story) -> dict[str, str]:
        begun = story.received if story.right == "appeal" else story.appeal
        return law(story) | ({"appeal": str(begun + number * DAY)} if begun else {})

    return wider


def india(story: Story) -> dict[str, str]:
    begun = story.received if story.right == "complaint" else story.complaint
    return {"complaint_response": str(begun + 90 * DAY)} if begun else {}


Law = Callable[[Story], dict[str, str]]

LAWS: dict[str, Law] = {
    "US-CA": california,
    "US-VA": with_appeal(days(45, 90), 60),
    "US-CO": with_appeal(days(45, 90), 45),
    "CA": days(30, 60),
    "CA-QC": days(30),
    "AU": days(30),
    "BR": days(15),
    "CH": days(30, named=True),
    "KR": days(10, named=True),
    "SG": days(30, named=True),
    "ZA": days(30, 60),
    "NZ": new_zealand,
    "JP": unfixed,
    "IN": india,
}

SIDE = ("acknowledgement", "complaint_ack", "complaint_response", "appeal")
MAIN = ("response", "shadow", "safe", "extension_notice", "refusal_notice")


def dates(tale: Tale) -> dict[str, str]:
    """Every date of the case: a day, or how its clock stands."""
    story = story_of(tale)
    base = tale.code.partition("/")[0]
    law = LAWS.get(base) or (uk if base.startswith("UK-") else eu)
    found = law(story)
    if tale.right in ("complaint", "appeal"):
        # Answered on clocks of their own: nothing of the response is counted.
        found = {name: day for name, day in found.items() if name in SIDE[1:]}
        found["shadow"] = found["safe"] = "-"
    return {
        name: found.get(name, "-" if name in ("shadow", "safe") else "NOT_APPLICABLE")
        for name in (*MAIN, *SIDE)
    }
