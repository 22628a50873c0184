from __future__ import annotations

from cases.connectors.conformance.points import POINTS, point_of
from cases.connectors.conformance.report import Report, Result, Verdict

PASSED = Result(1, "test_01_a", Verdict.PASSED)
FAILED = Result(1, "test_01_b", Verdict.FAILED, "AssertionError: assert 1 == 2")
NOT_CLAIMED = Result(1, "test_01_c", Verdict.NOT_CLAIMED, "It has no archive.")


def verdict_of(*results: Result) -> Verdict:
    return Report("x", list(results)).summaries()[1].verdict


def test_verdict_of_a_point_is_its_worst_test() -> None:
    verdicts = [
        verdict_of(),
        verdict_of(PASSED),
        verdict_of(PASSED, NOT_CLAIMED),
        verdict_of(NOT_CLAIMED),
        verdict_of(PASSED, NOT_CLAIMED, FAILED),
    ]

    assert verdicts == [
        Verdict.NOT_TRIED,
        Verdict.PASSED,
        Verdict.IN_PART,
        Verdict.NOT_CLAIMED,
        Verdict.FAILED,
    ]


def test_report_is_sound_when_something_was_tried_and_nothing_failed() -> None:
    sound = [Report("x", results).is_sound for results in ([], [PASSED], [NOT_CLAIMED], [PASSED, FAILED])]

    assert sound == [False, True, True, False]


def test_lines_say_what_failed_and_what_was_not_claimed() -> None:
    lines = Report("helpdesk", [PASSED, FAILED, NOT_CLAIMED]).lines()

    assert lines[0] == "helpdesk: 0 of 15 points shown, 0 in part, 1 failed"
    assert lines[3:6] == [
        "  1  Finds a person however they are written      FAILED       1 test",
        "       test_01_b: AssertionError: assert 1 == 2",
        "       Not claimed: It has no archive.",
    ]
    assert lines[-1] == "Add --verbose for what was compared."


def test_lines_name_every_point_once() -> None:
    lines = Report("x", [PASSED]).lines()

    assert [line[5:50].strip() for line in lines[2:]] == list(POINTS.values())


def test_json_holds_the_same() -> None:
    told = Report("x", [PASSED, FAILED, NOT_CLAIMED]).to_json()

    assert told["sound"] is False
    assert told["points"]["1"] == {  # type: ignore[index]
        "verdict": "failed",
        "passed": 1,
        "failures": {"test_01_b": "AssertionError: assert 1 == 2"},
        "not_claimed": ["It has no archive."],
    }


def test_point_stands_in_the_name_of_a_test() -> None:
    names = ["test_04_takes_nobody", "test_15_logs[x]", "test_16_more", "test_my_own", "test_004_x"]

    assert [point_of(name) for name in names] == [4, 15, None, None, None]
