"""What an unanswered question asks of us, day by day. Asked on 3 November; the law's day is 2 December."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from identity.policy.pursuit import GRACE, Due, due, planned, propose_on
from identity.policy.rules import Policy

ASKED, LAW = date(2026, 11, 3), date(2026, 12, 2)
FIRST, SECOND, END = date(2026, 11, 10), date(2026, 11, 17), date(2026, 11, 29)
PATIENCE = Policy((), give_up_after_days=60).patience(ASKED, LAW)


class TestDue:
    def test_nothing_before_the_first_day(self) -> None:
        assert due(PATIENCE, {}, FIRST - timedelta(days=1)) == Due()

    def test_each_reminder_on_its_day(self) -> None:
        assert due(PATIENCE, {}, FIRST) == Due((1,))
        assert due(PATIENCE, {1: FIRST}, SECOND) == Due((2,))

    def test_what_was_said_is_not_said_again(self) -> None:
        assert due(PATIENCE, {1: FIRST}, FIRST) == Due()

    def test_what_was_missed_is_said_with_the_latest(self) -> None:
        assert due(PATIENCE, {}, SECOND + timedelta(days=1)) == Due((1, 2))

    def test_the_end_is_proposed_on_its_day(self) -> None:
        said = {1: FIRST, 2: SECOND}

        assert due(PATIENCE, said, END - timedelta(days=1)) == Due()
        assert due(PATIENCE, said, END) == Due(propose=True)

    def test_nobody_is_given_up_who_was_reminded_just_now(self) -> None:
        late = END - timedelta(days=1)

        assert due(PATIENCE, {1: FIRST, 2: late}, END) == Due()
        assert due(PATIENCE, {1: FIRST, 2: late}, late + GRACE) == Due(propose=True)

    def test_whoever_was_never_reminded_is_reminded_first(self) -> None:
        assert due(PATIENCE, {}, END) == Due((1, 2))

    def test_the_laws_day_waits_for_nobody(self) -> None:
        assert due(PATIENCE, {}, LAW) == Due(propose=True)
        assert due(PATIENCE, {1: FIRST, 2: LAW - timedelta(days=1)}, LAW) == Due(propose=True)

    def test_a_policy_without_reminders_only_gives_up(self) -> None:
        found = Policy((), remind_after_days=(), give_up_after_days=10).patience(ASKED, None)

        assert due(found, {}, date(2026, 11, 12)) == Due()
        assert due(found, {}, date(2026, 11, 13)) == Due(propose=True)

    def test_without_a_day_of_the_law_whoever_was_never_reminded_is_reminded_first(self) -> None:
        found = Policy((), give_up_after_days=20).patience(ASKED, None)

        assert due(found, {}, date(2027, 1, 1)) == Due((1, 2))


@given(
    days=st.lists(st.integers(1, 40), max_size=2, unique=True).map(sorted),
    give_up=st.integers(1, 90),
    law=st.none() | st.integers(0, 60),
    runs=st.lists(st.integers(0, 120), unique=True).map(sorted),
)
def test_whenever_it_runs_each_is_said_once_and_the_end_comes_last(
    days: list[int], give_up: int, law: int | None, runs: list[int]
) -> None:
    reasons_by = ASKED + timedelta(days=law) if law is not None else None
    found = Policy((), remind_after_days=tuple(days), give_up_after_days=give_up).patience(ASKED, reasons_by)
    reminded: dict[int, date] = {}
    ended: date | None = None

    for run in [*runs, 121, 125, 129, 133]:
        today = ASKED + timedelta(days=run)
        what = due(found, reminded, today)
        assert not (what.reminders and what.propose)
        assert not set(what.reminders) & set(reminded)
        reminded |= dict.fromkeys(what.reminders, today)
        if what.propose:
            ended = today
            break

    assert ended is not None
    assert ended >= propose_on(found, {})
    assert all(day <= ended for day in reminded.values())
    is_last = reasons_by is not None and ended >= reasons_by
    assert is_last or all(ended - day >= GRACE for day in reminded.values())


def test_what_is_planned_is_what_was_not_said() -> None:
    assert planned(PATIENCE, {1: FIRST}) == (SECOND,)
