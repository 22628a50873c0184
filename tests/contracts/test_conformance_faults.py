"""A point of the kit fails for each fault planted in the tutorial's connector, which shows all of them.

CI tries each fault on its own point, as any run with ``--thorough`` does.
``make soak`` tries every point on every fault: no other may fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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


def tried(*arguments: str) -> Mapping[str, list[int]]:
    """The points that fail for each fault, as a Python tells that finds the tutorial's package and no settings."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DATABASE"))
    }
    done = subprocess.run(
        [sys.executable, "tests/contracts/try_faults.py", *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE / "tutorial")])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def failed() -> Mapping[str, list[int]]:
    return tried()


def test_every_point_has_a_fault() -> None:
    assert set(FAULTS.values()) == set(range(16))


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS)
def test_its_point_fails_for_a_fault(fault: str, failed: Mapping[str, list[int]]) -> None:
    assert failed[fault] == [FAULTS[fault]]


@pytest.mark.thorough
def test_no_fault_goes_untried(failed: Mapping[str, list[int]]) -> None:
    assert set(failed) == set(FAULTS)


@pytest.mark.soak
def test_exactly_its_own_point_fails_among_all() -> None:
    """Each point is untouched by the faults of others."""
    assert tried("--all") == {fault: [point] for fault, point in FAULTS.items()}
