"""What /proc says."""

import os
import subprocess
import sys

import pytest

from tests.bench import processes
from tests.bench.processes import Memory, Stat

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

STAT = "4242 (a (strange) name) S 17 4242 4242 0 -1 4194560 100 0 0 0 {ticks} 20 0 1 0 100 1000 10"
ROLLUP = """\
55d0-7ffe ---p 00000000 00:00 0                          [rollup]
Rss:              204800 kB
Pss:              102400 kB
Pss_Dirty:          1000 kB
"""


def test_parse_stat_counts_what_ended_children_used():
    ticks = " ".join(str(int(seconds * processes.TICKS)) for seconds in (1, 2, 3, 4))

    assert processes.parse_stat(STAT.format(ticks=ticks)) == Stat(parent=17, cpu_seconds=10.0)


def test_parse_rollup_reads_megabytes():
    assert processes.parse_rollup(ROLLUP) == Memory(rss=200.0, pss=100.0)


def test_parse_peak_of_a_process_without_memory():
    assert processes.parse_peak("Name:\tkthreadd\nState:\tS\n") == 0.0


def test_parse_peak_reads_megabytes():
    assert processes.parse_peak("Name:\tpython\nVmHWM:\t  307200 kB\n") == 300.0


def test_trees_holds_a_child_and_not_a_stranger():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        found = processes.trees([os.getpid()])

        assert {os.getpid(), child.pid} - found == set()
        assert os.getppid() not in found
    finally:
        child.communicate(b"\n")


def test_what_is_gone_uses_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert (processes.memory([child.pid]), processes.peak([child.pid]), processes.trees([child.pid])) == (
        Memory(),
        0.0,
        set(),
    )
