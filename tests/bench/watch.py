"""A stopwatch that counts the CPU seconds of all our processes beside the seconds on the wall."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import processes


@dataclass
class Lap:
    """One run: wall seconds, and CPU seconds of the processes watched."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def lap(roots: Callable[[], Iterable[int]]) -> Iterator[Lap]:
    """Measure what happens inside; ``roots`` names the processes whose trees are ours, then and now."""
    measured = Lap()
    cpu, began = processes.cpu_seconds(roots()), time.monotonic()
    yield measured
    measured.seconds = time.monotonic() - began
    measured.cpu_seconds = processes.cpu_seconds(roots()) - cpu


def wait(true: Callable[[], bool], what: str, seconds: float, pause: float = 0.02) -> float:
    """Wait until something holds; return how long that took. Raises TimeoutError, so that nothing hangs."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(pause)
    return time.monotonic() - began
