# A table of cases reads best with one case a line.
# ruff: noqa: E501
from __future__ import annotations

import string
from dataclasses import replace
from datetime import date

import pytest

from cases.deadlines.steps import (
    SENTENCES,
    WARNINGS,
    WORDS,
    ReplayError,
    Step,
    StepCode,
    Tongue,
    cited_sentence,
    replay,
    sentence,
)
from tests.cases.deadlines.case import deadline, limit, row

PAUSED = row("UK-ENG", "2026-06-05", "clarification_requested=2026-06-10;clarification_received=2026-06-11")


def sentences(
    events: str, regime: str = "UK-ENG", received_on: str = "2026-09-01", right: str = "access"
) -> list[str]:
    return [sentence(step) for step in deadline(row(regime, received_on, events, right)).steps]


def test_steps_tell_the_order_of_the_law() -> None:
    codes = [step.code for step in limit(PAUSED).steps]

    assert codes == [StepCode.RECEIVED, StepCode.MONTHS, StepCode.PAUSED_DAYS]


def test_pause_is_added_before_the_roll() -> None:
    found = limit(
        replace(PAUSED, events="clarification_requested=2026-06-10;clarification_received=2026-06-15")
    )

    assert [(step.code, str(step.on)) for step in found.steps] == [
        (StepCode.RECEIVED, "2026-06-05"),
        (StepCode.MONTHS, "2026-07-05"),
        (StepCode.PAUSED_DAYS, "2026-07-11"),
        (StepCode.ROLLED, "2026-07-13"),
    ]


def test_step_is_cited_with_article_calendar_and_rules() -> None:
    rolled = limit(row("EU-DE", "2026-03-03")).steps[-1]

    assert cited_sentence(rolled) == (
        "2026-04-03 is a day off (Good Friday): the period ends on the next working day, 2026-04-07. "
        f"[Reg 1182/71 Art 3(4); calendar {rolled.calendar_version}; rules eu-gdpr 2018-05-25]"
    )
    assert rolled.calendar_version.endswith(" DE")


def test_sentences_say_why_the_date_is_so() -> None:
    assert sentences("identity_requested=2026-09-02;identity_received=2026-09-11") == [
        "Received on 2026-09-01. The day of receipt counts, by any channel, working day or not.",
        "What was asked for about identity on 2026-09-02 came in on 2026-09-11: the clock starts that day.",
        "The period is 1 month: it ends on 2026-10-11.",
        "2026-10-11 is a day off (Sunday): the period ends on the next working day, 2026-10-12.",
    ]


@pytest.mark.parametrize(
    ("regime", "events", "told"),
    [
        ("UK-ENG", "extended=2026-10-02",
         "The late extension of 2026-10-02 has no effect: notice had to be out by 2026-10-01."),
        ("UK-ENG", "extended=2026-09-20;extension_reason=holidays",
         "The extension of 2026-09-20 has no effect: only complexity or the number of requests is a reason."),
        ("UK-ENG", "clarification_requested=2026-10-05;clarification_received=2026-10-09",
         "The question about clarification of 2026-10-05 was asked too late, after the period had ended on 2026-10-01: it has no effect."),
        ("UK-ENG", "identity_requested=2026-10-05;identity_received=2026-10-09",
         "The question about identity of 2026-10-05 was asked too late, after the period had ended on 2026-10-01: it has no effect."),
        ("UK-ENG", "identity_requested=2026-09-02;identity_received=2026-09-03;identity_reasonable=no",
         "The question about identity of 2026-09-02 was asked without sufficient ground: it has no effect."),
        ("UK-ENG", "identity_requested=2026-09-25;identity_received=2026-09-26",
         "The question about identity of 2026-09-25 was asked late. The letter of the law moves the date, but this is hard to defend: keep to the cautious date."),
        ("UK-ENG", "fee_requested=2026-09-02;fee_basis=further_copies",
         "The fee asked for on 2026-09-02 rests on another ground than an unfounded or excessive request: it does not move the start."),
        ("UK-ENG", "clarification_received=2026-09-02",
         "What came in about clarification on 2026-09-02 was not asked for: it has no effect."),
        ("EU-DE", "identity_requested=2026-09-25;identity_received=2026-09-26",
         "The question about identity of 2026-09-25 was not asked without undue delay: it does not suspend the period."),
        ("CH", "extended=2026-09-20",
         "The extension of 2026-09-20 has no effect: the notice named no new date."),
        ("BR", "extended=2026-09-10",
         "The extension of 2026-09-10 has no effect: these rules know none."),
    ],
)  # fmt: skip
def test_fact_without_effect_is_a_warning(regime: str, events: str, told: str) -> None:
    warnings = deadline(row(regime, "2026-09-01", events)).warnings

    assert [sentence(step) for step in warnings] == [told]


def test_plain_case_has_no_warning() -> None:
    assert deadline(row("UK-ENG", "2026-09-01")).warnings == ()


def test_waiting_case_tells_the_shadow_date() -> None:
    assert sentences("identity_requested=2026-09-02")[-1] == (
        "The question about identity of 2026-09-02 is not answered: the clock has not started. "
        "Counted from receipt, the date would be 2026-10-01."
    )


def test_paused_case_tells_since_when() -> None:
    assert sentences("clarification_requested=2026-09-07")[-1] == (
        "The period stands still from 2026-09-07, until the answer comes. "
        "Without the pause, the date would be 2026-10-01."
    )


def test_pauses_are_cited_by_their_own_article() -> None:
    events = (
        "identity_requested=2026-09-02;identity_received=2026-09-04;"
        "clarification_requested=2026-09-08;clarification_received=2026-09-10"
    )
    steps = deadline(row("EU-DE", "2026-09-01", events)).steps

    assert [step.article for step in steps if step.code is StepCode.PAUSED_DAYS] == [
        "Art 12(6) GDPR; EDPB Guidelines 01/2022 section 5.3",
        "Art 15 and Recital 63 GDPR; EDPB Guidelines 01/2022 section 5.3",
    ]


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(StepCode)


def test_warnings_never_move_a_date() -> None:
    step = Step(StepCode.RECEIVED, "", date(2026, 9, 1), {}, "", "")
    warnings = [Step(code, "", None, {}, "", "") for code in sorted(WARNINGS)]

    assert replay([step, *warnings]) == date(2026, 9, 1)


def test_sentence_is_translated_with_its_words_and_dates() -> None:
    german: dict[object, str] = {
        SENTENCES[StepCode.QUESTION_WITHOUT_EFFECT]: "Frage nach {subject} vom {asked_on}: ohne Wirkung.",
        WORDS["authority"]: "Vollmacht",
    }
    events = "authority_requested=2026-09-03"
    step = deadline(row("EU-DE", "2026-09-01", events)).steps[1]

    tongue = Tongue(lambda text: german.get(text, text), show_date=lambda day: f"{day:%d.%m.%Y}")

    told = sentence(step, tongue)

    assert told == "Frage nach Vollmacht vom 03.09.2026: ohne Wirkung."


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        (
            "2026-06-10",
            "1 day, 2026-06-10, does not count, since an answer was awaited: the period ends on 2026-07-06.",
        ),
        (
            "2026-06-11",
            "2 days, from 2026-06-10 to 2026-06-11, do not count, since an answer was awaited: the period ends on 2026-07-07.",
        ),
    ],
)
def test_one_and_many_are_said_apart(answered: str, told: str) -> None:
    events = f"clarification_requested=2026-06-10;clarification_received={answered}"

    assert sentences(events, received_on="2026-06-05")[2] == told


def test_language_decides_what_is_one_and_what_is_many() -> None:
    """French says nought in the singular, and others know more than two forms: the number goes along."""
    asked: list[int] = []

    def choose(one: str, more: str, number: int) -> str:
        asked.append(number)
        return more

    tongue = Tongue(choose=choose)
    steps = deadline(row("US-CA", "2026-09-01", right="opt_out")).steps

    for step in steps:
        sentence(step, tongue)

    assert asked == [15]


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_placeholders_are_plain_names(code: StepCode) -> None:
    words = SENTENCES[code]
    texts = [words] if isinstance(words, str) else [words.one, words.more]
    fields = [name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None]

    assert [name for name in fields if not name.isidentifier()] == []


@pytest.mark.parametrize("values", [{"count": 3}, {"count": "three"}])
def test_replay_refuses_steps_without_start_or_count(values: dict[str, int | str]) -> None:
    received = Step(StepCode.RECEIVED, "", date(2026, 9, 1), {}, "", "")
    days = Step(StepCode.DAYS, "", None, values, "", "")
    steps = [days] if values["count"] == 3 else [received, days]

    with pytest.raises(ReplayError):
        replay(steps)


def test_replay_does_not_trust_the_dates_of_later_steps() -> None:
    honest = limit(row("UK-ENG", "2026-09-05")).steps
    forged = tuple(
        step._replace(on=date(2030, 1, 1)) if step.code is StepCode.MONTHS else step for step in honest
    )

    assert replay(forged) == replay(honest)
