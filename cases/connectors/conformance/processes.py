"""Starts, reads and kills the processes in which a source is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from cases.connectors.base import Cursor, Match, Setup


class Child:
    """A process that reads a source; use it in a with statement, at whose end it is killed with SIGKILL."""

    def __init__(
        self,
        connector: str,
        setup: Setup,
        task: str,
        matches: Sequence[Match],
        cursor: Cursor | None = None,
    ) -> None:
        self._told = {
            "connector": connector,
            "options": setup.options,
            "secrets": setup.secrets,
            "dataset_yaml": setup.dataset_yaml,
            "task": task,
            "matches": [match.to_json() for match in matches],
            "cursor": cursor.to_json() if cursor else None,
        }

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cases.connectors.conformance.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # What can be imported here can be imported there.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        )
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        assert self._stdin
        self._stdin.write(json.dumps(self._told) + "\n")
        self._stdin.flush()
        return self

    def answer(self) -> Mapping[str, Any]:
        """Wait for the next line. Raises RuntimeError when the process ended without one."""
        assert self._stdout
        line = self._stdout.readline()
        if not line:
            raise RuntimeError("the process that read the source ended early; its words are above")
        told: Mapping[str, Any] = json.loads(line)
        return told

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        for stream in (self._stdin, self._stdout):
            if stream:
                stream.close()
        self._process.wait()
