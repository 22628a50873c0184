"""A process that has loaded the workflow and does what it is told: one JSON line each way."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


class DriverError(RuntimeError):
    """What the driver was asked for failed; the message is its own."""


class Driver:
    """The process, as whoever tells it what to do sees it. ``module`` is what it runs, which ends in ``answer``."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=CHECKOUT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, act: str, **arguments: Any) -> Any:
        """Have one act done, and return what it says. Raises DriverError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([act, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        said = json.loads(line) if line else {"error": f"the driver has ended; see {self._log.name}"}
        if "error" in said:
            raise DriverError(f"{act}: {said['error']}")
        return said["said"]

    def close(self) -> None:
        """Let it end by itself, and make sure of it."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._log.close()


def answer(*acts: Callable[..., Any]) -> None:
    """In the process itself: do what each line asks for, ``["name", {arguments}]``, until there are no more."""
    known = {act.__name__: act for act in acts}
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(_done(known[name], arguments)), flush=True)


def _done(act: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"said": act(**arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
