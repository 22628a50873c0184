"""Tries a connector: ``python -m cases.connectors.conformance WORLD``.

WORLD is a file, or the name of a module, with a class that derives from ConnectorContract. It needs pytest, and neither
Django nor a database.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from pathlib import Path

from cases.connectors.conformance.points import POINTS


def main(arguments: list[str]) -> int:
    """Run the kit and print the report.

    Returns 0 when nothing failed, 1 when something did, 2 when nothing was tried.
    """
    try:
        import pytest
    except ImportError:
        print("The kit needs pytest: install it beside the connector.", file=sys.stderr)
        return 2
    from cases.connectors.conformance.plugin import ReportPlugin

    told = _parser().parse_args(arguments)
    plugin = ReportPlugin(told.connector, frozenset(told.point))
    output = io.StringIO()
    with contextlib.nullcontext() if told.verbose else contextlib.redirect_stdout(output):
        pytest.main([*_place(told.world), *_flags()], plugins=[plugin])
    if not plugin.report.results:
        nothing = (
            f"no test of the kit was found in {told.world}; is there a class derived from ConnectorContract?"
        )
        print(f"{output.getvalue()}Nothing was tried: {plugin.problem or nothing}", file=sys.stderr)
        return 2
    print(json.dumps(plugin.report.to_json()) if told.json else "\n".join(plugin.report.lines()))
    return 0 if plugin.report.is_sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cases.connectors.conformance",
        description="Try a connector on the fifteen points that every connector keeps.",
    )
    parser.add_argument("world", help="file or module with a class that derives from ConnectorContract")
    parser.add_argument("--connector", default="", help="try another: a key, or package.module:Class")
    parser.add_argument(
        "--point",
        type=int,
        action="append",
        default=[],
        choices=POINTS,
        help="try this point only; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--verbose", action="store_true", help="show what pytest says, tracebacks too")
    return parser


def _place(world: str) -> list[str]:
    """A file is tried with the fixtures of its own folder, and with none of a project that happens to be round it."""
    if Path(world).exists():
        return [world, f"--confcutdir={Path(world).resolve().parent}"]
    return ["--pyargs", world]


def _flags() -> list[str]:
    settings = ["-c", os.devnull, "--rootdir", os.curdir, "--import-mode=importlib"]
    return [*settings, "-p", "no:cacheprovider", "-p", "no:django", "-q", "-rN"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
