"""Runs the kit on planted faults, and prints which points failed: one line of JSON each.

Points that start processes of their own are tried where the fault is theirs, and on every fault with ``--all``.
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
WITH_PROCESSES = {3, 14}


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
        left_out = set() if "--all" in sys.argv else WITH_PROCESSES - {point}
        name = fault.__name__
        print(json.dumps([name, failed(f"tests.contracts.faults:{name}", {*POINTS} - left_out)]), flush=True)
