"""The kit shows all fifteen points of the tutorial's connector, and exactly one fails for each planted fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# Each fault of faults.py with its point; written out, as that file needs the tutorial's package.
FAULTS = {
    "KnowsNoProof": 0,
    "HangsOnNothing": 0,
    "MindsCase": 1,
    "MindsBlanksInTelephones": 1,
    "CountsPage": 2,
    "NamesOneFileTwice": 2,
    "RemembersPlaces": 3,
    "TrustsFilter": 4,
    "PagesByOffset": 5,
    "TakesLimitForRefusal": 6,
    "TakesErrorForAnswer": 6,
    "RepeatsBlindly": 7,
    "PlansByTrying": 8,
    "PassesRefusalOn": 9,
    "WritesAgain": 10,
    "VerifiesByNumber": 11,
    "BelievesAnswers": 12,
    "TriesOnWithRevokedKey": 13,
    "ReadsEverything": 14,
    "ReadsFileWhole": 14,
    "LogsAddress": 15,
    "QuotesSecret": 15,
    "NamesPersonInReceipt": 15,
}


def python(*arguments: str) -> str:
    """What a Python of its own prints that can import the project and the tutorial's package, and no settings."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DATABASE"))
    }
    path = os.pathsep.join([str(ROOT), str(HERE / "tutorial")])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def kit(*arguments: str) -> Any:
    """The report on the tutorial's connector."""
    return json.loads(
        python("-m", "cases.connectors.conformance", "helpdesk.test_conformance", "--json", *arguments)
    )


def tried(*arguments: str) -> Mapping[str, list[int]]:
    """The points that fail for each fault."""
    output = python("tests/contracts/try_faults.py", *arguments)
    return dict(json.loads(line) for line in output.splitlines())


@pytest.fixture(scope="module")
def failed() -> Mapping[str, list[int]]:
    return tried()


def test_sound_connector_shows_all_points() -> None:
    report = kit()

    verdicts = {int(point): one["verdict"] for point, one in report["points"].items()}
    claims = {int(point): one["not_claimed"] for point, one in report["points"].items()}
    assert report["connector"] == "helpdesk.changing:HelpDesk"
    assert verdicts == dict.fromkeys(range(16), "passed")
    assert claims == {point: [] for point in range(16)}


def test_every_point_has_a_fault() -> None:
    assert set(FAULTS.values()) == set(range(16))


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_its_own_point_fails_for_a_fault(fault: str, failed: Mapping[str, list[int]]) -> None:
    assert failed[fault] == [FAULTS[fault]]


def test_no_fault_goes_untried(failed: Mapping[str, list[int]]) -> None:
    assert set(failed) == set(FAULTS)


def test_connector_that_only_reads_claims_no_changes() -> None:
    report = kit("--connector", "helpdesk.reading:ReadingHelpDesk", "--point", "7", "--point", "10")

    shown = {
        point: (report["points"][point]["verdict"], report["points"][point]["not_claimed"])
        for point in ("7", "10")
    }
    assert shown == dict.fromkeys(("7", "10"), ("not claimed", ["This connector only reads."]))
    assert report["sound"] is True


@pytest.mark.soak
def test_exactly_its_own_point_fails_among_all() -> None:
    """The points that start processes, too, are untouched by the faults of others."""
    assert tried("--all") == {fault: [point] for fault, point in FAULTS.items()}
