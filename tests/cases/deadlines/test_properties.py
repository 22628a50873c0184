"""What holds for every case, whatever its facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cases.deadlines.deadline import Deadline, State, StretchKind
from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts
from cases.deadlines.loader import calendar_for, default_catalogue
from cases.deadlines.steps import replay
from tests.cases.deadlines.oracle import Asked, Story
from tests.cases.deadlines.test_oracle import facts_of

LATER = datetime(2045, 1, 1, tzinfo=UTC)
CODES = [code for code in default_catalogue().codes() if code != "IN"]
EUROPE = [code for code in CODES if code.startswith(("UK-", "EU-"))]

days = st.dates(date(2026, 2, 5), date(2031, 12, 31))
codes = st.sampled_from(CODES)
european = st.sampled_from(EUROPE)


@st.composite
def questions(draw: st.DrawFn, received: date) -> Asked:
    on = received + timedelta(days=draw(st.integers(0, 70)))
    answered = draw(st.none() | st.integers(0, 40).map(lambda n: on + timedelta(days=n)))
    subject = draw(st.sampled_from(("clarification", "identity", "authority", "fee")))
    return Asked(subject, on, answered, draw(st.booleans()), draw(st.booleans()))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    received = draw(days)
    asked = tuple(draw(st.lists(questions(received), max_size=4)))
    extended = draw(st.none() | st.integers(0, 100).map(lambda n: received + timedelta(days=n)))
    return Story(received, draw(st.sampled_from(("access", "erasure", "portability"))), asked, extended)


def told(code: str, story: Story) -> Deadline:
    regime = default_catalogue().regime(code, story.received)
    return compute(facts_of(story, regime.zone), regime, calendar_for(regime), now=LATER)


def rolls(code: str, story: Story) -> bool:
    return default_catalogue().regime(code, story.received).version.roll.rolls


@given(codes, stories())
def test_limit_falls_on_working_day_where_regime_rolls(code: str, story: Story) -> None:
    regime = default_catalogue().regime(code, story.received)

    deadline = told(code, story)

    due = [limit.due_on for limit in deadline.limits.values() if limit.due_on is not None]
    off = [day for day in due if not calendar_for(regime).is_working(day)]
    assert off == [] or not rolls(code, story)


@given(codes, stories())
def test_safe_date_and_target_are_never_later(code: str, story: Story) -> None:
    deadline = told(code, story)

    pairs = [(limit.safe_due_on, limit.due_on) for limit in deadline.limits.values() if limit.due_on]
    later = [pair for pair in pairs if pair[0] is None or pair[0] > pair[1]]
    assert later == []
    assert deadline.safe_due_on is None or (deadline.target_on or date.max) <= deadline.safe_due_on


@given(codes, stories())
def test_steps_alone_replay_every_limit(code: str, story: Story) -> None:
    deadline = told(code, story)

    replayed = {kind: replay(limit.steps) for kind, limit in deadline.limits.items()}
    assert replayed == {kind: limit.due_on for kind, limit in deadline.limits.items()}


@given(codes, days, st.integers(1, 400))
def test_later_receipt_never_gives_earlier_date_without_pauses(code: str, received: date, gap: int) -> None:
    earlier = told(code, Story(received, "access"))
    later = told(code, Story(received + timedelta(days=gap), "access"))

    assert earlier.due_on is None or (later.due_on or date.min) >= earlier.due_on


@given(european, stories(), st.data())
def test_added_pause_never_gives_earlier_date(code: str, story: Story, data: st.DataObject) -> None:
    pause = replace(data.draw(questions(story.received)), subject="clarification")

    before = told(code, story)
    after = told(code, replace(story, asked=(*story.asked, pause)))

    assert before.due_on is None or after.due_on is None or after.due_on >= before.due_on


@given(codes, days, st.integers(0, 100))
def test_extension_never_shortens_without_suspension(code: str, received: date, notified: int) -> None:
    plain = told(code, Story(received, "access"))
    extended = told(code, Story(received, "access", (), received + timedelta(days=notified)))

    assert plain.due_on is None or (extended.due_on or date.min) >= plain.due_on


@given(european, stories())
def test_stretches_cover_every_day_from_receipt_to_the_end(code: str, story: Story) -> None:
    deadline = told(code, story)

    starts = [stretch.from_on for stretch in deadline.stretches]
    ends = [stretch.to_on for stretch in deadline.stretches]
    assert starts[0] == story.received
    assert starts[1:] == [end + timedelta(days=1) for end in ends[:-1] if end is not None]
    assert ends[-1] == deadline.due_on


@given(european, stories())
def test_open_stretch_says_how_the_clock_stands(code: str, story: Story) -> None:
    deadline = told(code, story)

    last = deadline.stretches[-1].kind
    expected = {State.NOT_STARTED: {StretchKind.WAITING}, State.PAUSED: {StretchKind.PAUSED}}
    moving = {StretchKind.RUNNING, StretchKind.EXTENDED, StretchKind.PAUSED}
    assert last in expected.get(deadline.state, moving)


@given(european, stories())
def test_order_of_telling_does_not_matter(code: str, story: Story) -> None:
    regime = default_catalogue().regime(code, story.received)
    facts = facts_of(story, regime.zone)
    turned = CaseFacts(facts.right, facts.zone, tuple(reversed(facts.events)))

    found = compute(turned, regime, calendar_for(regime), now=LATER)

    assert found == compute(facts, regime, calendar_for(regime), now=LATER)


@settings(max_examples=60)
@given(european, stories(), st.integers(0, 120))
def test_facts_after_now_are_left_aside(code: str, story: Story, passed: int) -> None:
    regime = default_catalogue().regime(code, story.received)
    facts = facts_of(story, regime.zone)
    now = min(event.instant for event in facts.events) + timedelta(days=passed)
    known = CaseFacts(facts.right, facts.zone, tuple(e for e in facts.events if e.instant <= now))

    early = compute(facts, regime, calendar_for(regime), now=now)

    assert early.limits.keys() == compute(known, regime, calendar_for(regime), now=now).limits.keys()
    assert early.due_on == compute(known, regime, calendar_for(regime), now=now).due_on
