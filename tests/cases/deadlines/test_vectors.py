"""Every row of the shared sample, where it lies beside the project."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cases.deadlines.notation import row_of
from cases.deadlines.steps import replay
from tests.cases.deadlines.case import limit, shown

VECTORS = Path(__file__).parents[4] / "shared" / "reference" / "deadline_vectors.csv"


def rows() -> list[dict[str, str]]:
    if not VECTORS.exists():
        return []
    with VECTORS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors file is not beside the project")
@pytest.mark.parametrize("cells", rows(), ids=lambda cells: cells["id"])
def test_vector_gives_expected_and_safe_date(cells: dict[str, str]) -> None:
    found = limit(row_of(cells))

    expected = cells["expected_due_on"]
    assert shown(found) == expected
    assert replay(found.steps) == found.due_on
    if found.due_on is not None:
        assert str(found.safe_due_on) == (cells["safe_due_on"] or expected)
