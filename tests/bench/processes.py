"""What processes use, read from /proc: CPU seconds, memory, and what everybody else does meanwhile (Linux)."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.bench.figures import Before

T = TypeVar("T")

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MB = 1024 * 1024
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Stat:
    """What /proc/PID/stat says: the parent, and CPU seconds with those of children that were waited for."""

    parent: int
    cpu_seconds: float


@dataclass(frozen=True)
class Memory:
    """Resident megabytes, and the proportional share in which a page used by n processes counts 1/n."""

    rss: float = 0.0
    pss: float = 0.0

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.pss + other.pss)


GONE = Stat(0, 0.0)


def parse_stat(text: str) -> Stat:
    """Read one line of stat; the program's name may hold blanks and brackets."""
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / TICKS)


def parse_rollup(text: str) -> Memory:
    """Read smaps_rollup, whose sizes are in kB."""
    sizes = {line.split(":")[0]: line.split()[1] for line in text.splitlines() if line.endswith(" kB")}
    return Memory(int(sizes["Rss"]) * 1024 / MB, int(sizes["Pss"]) * 1024 / MB)


def parse_peak(text: str) -> float:
    """The most that was ever resident, in megabytes, from status; 0 for a process without memory."""
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0.0)


def trees(roots: Iterable[int]) -> set[int]:
    """The processes with these ids and all that descend from them."""
    stats = _stats()
    found = set(roots) & stats.keys()
    while more := {pid for pid, stat in stats.items() if stat.parent in found} - found:
        found |= more
    return found


def descendants(root: int) -> set[int]:
    """Everything below a process, without itself."""
    return trees([root]) - {root}


def cpu_seconds(roots: Iterable[int]) -> float:
    """What the trees of these processes have used since they began, those that ended included."""
    stats = _stats()
    return sum(stats[pid].cpu_seconds for pid in trees(roots) if pid in stats)


def memory(pids: Iterable[int]) -> Memory:
    """What these processes hold now, together; those that are gone hold nothing."""
    total = Memory()
    for pid in pids:
        total += _read(pid, "smaps_rollup", parse_rollup, Memory())
    return total


def peak(pids: Iterable[int]) -> float:
    """The most that any one of these processes ever held, in megabytes."""
    return max((_read(pid, "status", parse_peak, 0.0) for pid in pids), default=0.0)


def before() -> Before:
    """Look at the machine while our own processes rest: whatever is busy is somebody else."""
    busy, began = _busy_seconds(), time.monotonic()
    time.sleep(LOOK_SECONDS)
    return Before(os.getloadavg()[0], (_busy_seconds() - busy) / (time.monotonic() - began))


def _busy_seconds() -> float:
    user, nice, system, _idle, _wait, irq, soft = (int(n) for n in (PROC / "stat").read_text().split()[1:8])
    return (user + nice + system + irq + soft) / TICKS


def _stats() -> dict[int, Stat]:
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    found = {pid: _read(pid, "stat", parse_stat, GONE) for pid in pids}
    return {pid: stat for pid, stat in found.items() if stat is not GONE}


def _read(pid: int, name: str, parse: Callable[[str], T], missing: T) -> T:
    """Parse a file of a process that may end at any moment, and then is ``missing``."""
    try:
        return parse((PROC / str(pid) / name).read_text())
    except (FileNotFoundError, ProcessLookupError, PermissionError, KeyError):
        return missing
