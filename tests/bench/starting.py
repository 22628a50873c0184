"""Starting the desk as ``make dev`` does, embedded servers included, on an empty directory and again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import processes
from tests.bench.figures import Result
from tests.bench.options import Options
from tests.bench.site import free_port, quiet, scratch_folder
from tests.bench.watch import Lap
from tests.kills.desk import CHECKOUT, SERVER_SETTINGS

ROWS = ("start-empty", "start-again")
SERVES = "The DSAR desk is at"
STOP_SECONDS = 60.0


def measure(options: Options) -> list[Result]:
    """Start on nothing, stop, start again; each run in a folder of its own."""
    empty, again = [], []
    before = quiet()
    for _ in range(options.runs(3)):
        with scratch_folder() as folder:
            try:
                empty.append(_start_and_stop(folder))
                again.append(_start_and_stop(folder))
            finally:
                _destroy(folder)
    return [
        Result(
            name,
            tuple(lap.seconds for lap in laps),
            max(lap.cpu_seconds for lap in laps),
            before,
            "embedded PostgreSQL and Valkey, migrations, web server; until the site serves",
        )
        for name, laps in zip(ROWS, (empty, again), strict=True)
    ]


def _start_and_stop(folder: Path) -> Lap:
    """From the command to the line that says where the desk is; CPU seconds of the whole tree."""
    began = time.monotonic()
    desk = _desk(folder)
    try:
        _read_until(desk, SERVES)
        return Lap(time.monotonic() - began, processes.cpu_seconds([desk.pid]))
    finally:
        desk.send_signal(signal.SIGTERM)
        _end(desk)


def _desk(folder: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name not in SERVER_SETTINGS}
    return subprocess.Popen(
        [sys.executable, "-m", "dsar.supervisor", "--port", str(free_port()), "--data", str(folder / "desk")],
        cwd=CHECKOUT,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _read_until(desk: "subprocess.Popen[str]", words: str) -> None:
    """Read what it says. The supervisor itself gives up in time, so that a line or the end comes."""
    assert desk.stdout is not None
    said = []
    for line in iter(desk.stdout.readline, ""):
        if words in line:
            return
        said.append(line)
    raise RuntimeError(f"the desk did not start:\n{''.join(said)}")


def _end(desk: "subprocess.Popen[str]") -> None:
    try:
        desk.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        desk.kill()
        desk.communicate()


def _destroy(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "dsar.embedded", "destroy", "--data", str(folder / "desk")],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
        timeout=STOP_SECONDS,
    )
