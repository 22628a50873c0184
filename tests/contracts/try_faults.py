"""Runs the kit on planted faults, and prints which points failed: one line of JSON each.

Each fault is tried at its own point, and with ``--all`` at every one.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from cases.connectors.conformance.__main__ import main
from cases.connectors.conformance.points import POINTS
from tests.contracts.faults import FAULTS

WORLD = "helpdesk.test_conformance"


def failed(connector: str, points: set[int]) -> list[int]:
    """The points that fail, of those that are tried."""
    output = io.StringIO()
    chosen = [argument for point in sorted(points) for argument in ("--point", str(point))]
    with contextlib.redirect_stdout(output):
        main([WORLD, "--connector", connector, "--json", *chosen])
    shown = json.loads(output.getvalue().splitlines()[-1])["points"]
    return [int(point) for point, one in shown.items() if one["verdict"] == "failed"]


if __name__ == "__main__":
    for fault, point in FAULTS.items():
        points = {*POINTS} if "--all" in sys.argv else {point}
        name = fault.__name__
        print(json.dumps([name, failed(f"tests.contracts.faults:{name}", points)]), flush=True)
