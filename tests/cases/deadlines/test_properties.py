"""What holds for every case, whatever its facts: hypothesis chooses them, and shrinks what fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cases.deadlines.deadline import Deadline, State, StretchKind
from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts, Right
from cases.deadlines.loader import Regime, calendar_for, default_catalogue
from cases.deadlines.rules import ClockKind
from cases.deadlines.steps import StepCode, replay, sentence
from tests.cases.deadlines.oracle import Fact, Tale
from tests.cases.deadlines.test_oracle import event

LATER = datetime(2045, 1, 1, tzinfo=UTC)
CODES = default_catalogue().codes()
EUROPE = [code for code in CODES if code.startswith(("UK-", "EU-"))]
# The last of the laws begins on 13 May 2027; where one began earlier, its own days are tried as well.
IN_FORCE = date(2027, 6, 1)
SINCE = {code: date(2018, 7, 21) for code in EUROPE}

RIGHTS = st.sampled_from([right.value for right in Right])
QUESTIONS = ("clarification", "identity", "authority", "fee")
ANSWERED = {"fee": "fee_paid"}


def code_and_day(codes: list[str] | tuple[str, ...]) -> st.SearchStrategy[tuple[str, date]]:
    """A law, and a day on which it was in force."""
    return st.sampled_from(codes).flatmap(
        lambda code: st.tuples(st.just(code), st.dates(SINCE.get(code, IN_FORCE), date(2033, 12, 31)))
    )


anywhere, in_europe = code_and_day(CODES), code_and_day(EUROPE)


def fact(kind: str, day: date, minute: int, code: str) -> Fact:
    """Around noon, where every day has one, in the order of the minutes."""
    zone = ZoneInfo(default_catalogue().regime(code, max(day, IN_FORCE)).place.zone)
    return Fact(kind, datetime.combine(day, time(11, minute), zone).astimezone(UTC))


@st.composite
def questions(draw: st.DrawFn, code: str, received: date, number: int, subject: str = "") -> list[Fact]:
    on = received + timedelta(days=draw(st.integers(0, 100)))
    subject = subject or draw(st.sampled_from(QUESTIONS))
    asked = replace(
        fact(f"{subject}_requested", on, 2 * number + 1, code),
        question=str(number),
        reasonable=draw(st.booleans()),
        prompt=draw(st.none() | st.booleans()),
        large=draw(st.booleans()),
        basis=draw(st.sampled_from(("unfounded", "excessive", "further_copies", "other"))),
    )
    days = draw(st.none() | st.integers(0, 60))
    if days is None:
        return [asked]
    name = ANSWERED.get(subject, f"{subject}_received")
    answer = fact(name, on + timedelta(days=days), 2 * number + 2, code)
    return [asked, replace(answer, question=str(number))]


def extension(received: date, days: int, code: str, reason: str = "complexity") -> Fact:
    named = received + timedelta(days=days + 30)
    on = received + timedelta(days=days)
    return replace(fact("extension_notified", on, 40, code), reason=reason, named=named)


@st.composite
def tales(draw: st.DrawFn, laws: st.SearchStrategy[tuple[str, date]] = anywhere) -> Tale:
    code, received = draw(laws)
    facts = [fact("received", received, 0, code)]
    for number in range(draw(st.integers(0, 4))):
        facts += draw(questions(code, received, number))
    if draw(st.booleans()):
        reason = draw(st.sampled_from(("complexity", "number_of_requests", "other")))
        facts.append(extension(received, draw(st.integers(0, 100)), code, reason))
    return Tale(code, draw(RIGHTS), "UTC", tuple(facts), LATER)


def told(tale: Tale, now: datetime = LATER) -> Deadline:
    regime = regime_of(tale)
    facts = CaseFacts(Right(tale.right), regime.zone, tuple(event(one) for one in tale.facts))
    return compute(facts, regime, calendar_for(regime), now=now)


def regime_of(tale: Tale) -> Regime:
    return default_catalogue().regime(tale.code, tale.facts[0].at.date())


def without(tale: Tale, *kinds: str) -> Tale:
    return replace(tale, facts=tuple(one for one in tale.facts if one.kind not in kinds))


# -- where the regime rolls --------------------------------------------------------------------------------


@given(tales())
def test_limit_falls_on_working_day_where_regime_rolls(tale: Tale) -> None:
    regime = regime_of(tale)
    rolling = {clock.kind for clock in regime.clocks if clock.rolls}
    calendar = calendar_for(regime)

    limits = told(tale).limits.values()

    of_the_request = {ClockKind.RESPONSE, ClockKind.EXTENSION_NOTICE, ClockKind.REFUSAL_NOTICE}
    rolled = [
        limit for limit in limits if limit.kind in (of_the_request if regime.version.roll.rolls else ())
    ]
    rolled += [limit for limit in limits if limit.kind in rolling]
    assert [limit.due_on for limit in rolled if limit.due_on and not calendar.is_working(limit.due_on)] == []


@given(in_europe)
def test_roll_never_passes_over_a_working_day(law: tuple[str, date]) -> None:
    code, received = law
    calendar = calendar_for(default_catalogue().regime(code, received))

    deadline = told(Tale(code, "access", "UTC", (fact("received", received, 0, code),), LATER))

    last = [step.on for step in deadline.steps if step.code is not StepCode.ROLLED][-1]
    assert isinstance(last, date)
    between = [last + timedelta(days=n) for n in range(((deadline.due_on or date.max) - last).days)]
    assert [day for day in between if calendar.is_working(day)] == []


# -- earlier and later -------------------------------------------------------------------------------------


@given(tales())
def test_safe_date_and_target_are_never_later(tale: Tale) -> None:
    deadline = told(tale)

    pairs = [(limit.safe_due_on, limit.due_on) for limit in deadline.limits.values() if limit.due_on]
    later = [pair for pair in pairs if pair[0] is None or pair[0] > pair[1]]
    assert later == []
    assert deadline.safe_due_on is None or (deadline.target_on or date.max) <= deadline.safe_due_on


@given(anywhere, RIGHTS, st.integers(1, 400))
def test_later_receipt_never_gives_earlier_date_without_pauses(
    law: tuple[str, date], right: str, gap: int
) -> None:
    """Within one version of the law: a new version may well give a shorter time."""
    code, received = law
    later = received + timedelta(days=gap)
    pair = [Tale(code, right, "UTC", (fact("received", day, 0, code),), LATER) for day in (received, later)]
    versions = {regime_of(tale).version.version for tale in pair}

    first, second = (told(tale).due_on for tale in pair)

    assert len(versions) == 2 or first is None or (second or date.min) >= first


@given(anywhere, RIGHTS)
def test_next_day_never_gives_earlier_date_without_pauses(law: tuple[str, date], right: str) -> None:
    """Neighbouring days are where a clamp or a roll would break it."""
    code, received = law
    days = (received, received + timedelta(days=1))
    pair = [Tale(code, right, "UTC", (fact("received", day, 0, code),), LATER) for day in days]
    versions = {regime_of(tale).version.version for tale in pair}

    first, second = (told(tale).due_on for tale in pair)

    assert len(versions) == 2 or first is None or (second or date.min) >= first


@given(tales(in_europe), st.data())
def test_added_pause_never_gives_earlier_date(tale: Tale, data: st.DataObject) -> None:
    """A question that pauses: the days of UK Art 12A(5) and of the guidance in the EU."""
    received = tale.facts[0].at.date()
    subject = data.draw(
        st.sampled_from(("clarification", "identity") if tale.code[:2] == "EU" else ("clarification",))
    )
    pause = data.draw(questions(tale.code, received, 9, subject))

    before = told(tale)
    after = told(replace(tale, facts=(*tale.facts, *pause)))

    assert before.due_on is None or after.due_on is None or after.due_on >= before.due_on


@given(tales(in_europe), st.integers(1, 20))
def test_longer_pause_never_gives_earlier_date(tale: Tale, more: int) -> None:
    """An answer that came later lets fewer days count."""
    later = tuple(
        replace(one, at=one.at + timedelta(days=more)) if one.kind == "clarification_received" else one
        for one in tale.facts
    )

    before, after = told(tale), told(replace(tale, facts=later))

    assert before.due_on is None or after.due_on is None or after.due_on >= before.due_on


PAUSING = ("clarification_requested", "identity_requested")


@given(tales(), st.integers(0, 120), st.sampled_from(("complexity", "number_of_requests", "other")))
def test_extension_never_shortens_where_no_suspension_is_at_play(tale: Tale, days: int, reason: str) -> None:
    """Under UK law the days of a pause are added to the longer period too, so there it holds with them."""
    plain = without(tale, "extension_notified")
    plain = plain if tale.code.startswith("UK-") else without(plain, *PAUSING)
    notice = extension(tale.facts[0].at.date(), days, tale.code, reason)

    before, after = told(plain), told(replace(plain, facts=(*plain.facts, notice)))

    assert before.due_on is None or after.due_on is None or after.due_on >= before.due_on


# -- told and replayed -------------------------------------------------------------------------------------


@given(tales())
def test_steps_alone_replay_every_limit(tale: Tale) -> None:
    deadline = told(tale)

    replayed = {kind: replay(limit.steps) for kind, limit in deadline.limits.items()}
    assert replayed == {kind: limit.due_on for kind, limit in deadline.limits.items()}


@given(tales())
def test_every_step_says_its_date_and_cites_its_law(tale: Tale) -> None:
    deadline = told(tale)

    steps = [step for limit in deadline.limits.values() for step in limit.steps]
    bare = [step.code for step in steps if not (step.article and step.rule_version and step.calendar_version)]
    open_places = [step.code for step in steps if "{" in sentence(step)]
    assert (bare, open_places) == ([], [])


@given(tales(in_europe))
def test_stretches_cover_every_day_from_receipt_to_the_end(tale: Tale) -> None:
    deadline = told(replace(tale, right="access"))

    starts = [stretch.from_on for stretch in deadline.stretches]
    ends = [stretch.to_on for stretch in deadline.stretches]
    assert starts[0] == deadline.received_on
    assert starts[1:] == [end + timedelta(days=1) for end in ends[:-1] if end is not None]
    assert ends[-1] == deadline.due_on


@given(tales(in_europe))
def test_open_stretch_says_how_the_clock_stands(tale: Tale) -> None:
    deadline = told(replace(tale, right="access"))

    last = deadline.stretches[-1].kind
    expected = {State.NOT_STARTED: {StretchKind.WAITING}, State.PAUSED: {StretchKind.PAUSED}}
    moving = {StretchKind.RUNNING, StretchKind.EXTENDED, StretchKind.PAUSED}
    assert last in expected.get(deadline.state, moving)


@given(tales())
def test_waiting_clock_says_since_when(tale: Tale) -> None:
    deadline = told(tale)

    waits = deadline.state in (State.PAUSED, State.NOT_STARTED)
    assert (deadline.paused_on is not None) == waits
    assert deadline.paused_on is None or deadline.paused_on >= deadline.received_on


# -- order and time ----------------------------------------------------------------------------------------


@given(tales(), st.randoms())
def test_order_of_telling_does_not_matter(tale: Tale, chance: Random) -> None:
    shuffled = list(tale.facts)
    chance.shuffle(shuffled)
    regime = regime_of(tale)
    turned = CaseFacts(Right(tale.right), regime.zone, tuple(event(one) for one in shuffled))

    assert compute(turned, regime, calendar_for(regime), now=LATER) == told(tale)


@settings(max_examples=60)
@given(tales(), st.integers(0, 120))
def test_facts_after_now_are_left_aside(tale: Tale, passed: int) -> None:
    now = tale.facts[0].at + timedelta(days=passed)
    known = replace(tale, facts=tuple(one for one in tale.facts if one.at <= now))

    early, alone = told(tale, now), told(known, now)

    assert {kind: limit.due_on for kind, limit in early.limits.items()} == {
        kind: limit.due_on for kind, limit in alone.limits.items()
    }


@given(in_europe, st.integers(-90, 90))
def test_midnight_of_the_place_decides_the_day(law: tuple[str, date], minutes: int) -> None:
    """Received so many minutes round a midnight of the controller's wall, told in universal time."""
    code, received = law
    regime = default_catalogue().regime(code, received)
    midnight = datetime.combine(received + timedelta(days=1), time(), regime.zone).astimezone(UTC)
    at = midnight + timedelta(minutes=minutes)

    deadline = told(Tale(code, "access", "UTC", (Fact("received", at),), LATER))

    assert deadline.received_on == received + timedelta(days=0 if minutes < 0 else 1)
