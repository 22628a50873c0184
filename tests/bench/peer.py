"""What is measured, what the peer needs for it, and what we aim at.

The peer is Fides 2.86.2, measured in November 2026 on two shared cores with 24 GiB, PostgreSQL 15 and
Redis 7 on the same machine, one web process and one worker of two processes; medians.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table. ``peer`` is None where the peer never gets there at all; ``note`` says so.

    ``within`` marks an aim that is met by being no larger (or, where higher is better, no smaller).
    """

    name: str
    work: str
    unit: str
    peer: float | None
    aim: float
    higher_is_better: bool = False
    note: str = ""

    def is_met(self, value: float) -> bool:
        """Whether our own aim is reached."""
        return value >= self.aim if self.higher_is_better else value <= self.aim

    def ratio(self, value: float) -> float | None:
        """How many times better than the peer; None where that cannot be said as a number."""
        if self.peer is None or not value or not self.peer:
            return None
        return value / self.peer if self.higher_is_better else self.peer / value


ROWS = (
    Row("start-empty", "start on an empty database until it serves", "s", 16.9, 6.0),
    Row("start-again", "restart until it serves", "s", 10.4, 3.0),
    Row("memory-web", "memory: web at rest", "MB", 400, 120),
    Row(
        "memory-worker",
        "memory: worker of two processes at rest",
        "MB",
        830,
        300,
        note="peer, shared pages once: 470",
    ),
    Row("intake-1", "intake, 1 client", "/s", 23, 100, higher_is_better=True),
    Row("intake-1-p95", "intake, 1 client, 95th percentile", "ms", 55, 30),
    Row("intake-8", "intake, 8 clients", "/s", 27.5, 200, higher_is_better=True),
    Row("intake-8-p95", "intake, 8 clients, 95th percentile", "ms", 384, 80),
    Row(
        "access",
        "one access, 9 rows, logged to package",
        "s",
        0.52,
        0.25,
        note="the peer makes JSON, we the PDF as well",
    ),
    Row(
        "batch",
        "200 accesses queued together",
        "/s",
        3.0,
        13,
        higher_is_better=True,
        note="the peer makes JSON, and asks nobody to decide",
    ),
    Row(
        "batch-whole",
        "… with logging and deciding in the same time",
        "/s",
        3.0,
        13,
        higher_is_better=True,
        note="two pairs of eyes decide each, which the peer does not know",
    ),
    Row(
        "erasure",
        "one erasure of 9 rows, approved to closed",
        "s",
        0.72,
        0.3,
        note="ours read back and proven",
    ),
    Row("subject-10k", "subject with 10,000 rows", "s", 2.8, 2.5, note="the peer makes JSON"),
    Row("subject-10k-memory", "… peak memory of a worker process", "MB", 352, 150),
    Row(
        "subject-100k",
        "subject with 100,000 rows",
        "s",
        29.4,
        40,
        note="the peer's HTML pack; its JSON alone: 17–19.5 s, 872 MB",
    ),
    Row("subject-100k-memory", "… peak memory of a worker process", "MB", 1867, 300),
    Row("crowd", "1,000 cases at once over three sources with limits", "s", None, 150),
    Row("crowd-beyond", "… calls beyond what a source allows", "", None, 0),
    Row(
        "per-record",
        "the engine: records found, proved and stored",
        "/s",
        None,
        10_000,
        higher_is_better=True,
    ),
    Row("per-record-ms", "… beyond reading them, a record", "ms", None, 0.1),
    Row("queue-10k", "list of 10,000 cases, p50", "ms", 28, 25),
    Row("queue-100k", "list of 100,000 cases, p50", "ms", 189, 25),
    Row("clock", "whole deadlines with their steps, one core", "/s", None, 20_000, higher_is_better=True),
    Row("recompute-moved", "100,000 open cases computed anew, all dates move", "s", None, 60),
    Row("recompute", "… none moves", "s", None, 60),
    Row("recompute-memory", "… peak memory of the process", "MB", None, 200),
    Row(
        "kill-worker",
        "worker killed with -9 in mid-run: until it is worked on again",
        "s",
        245,
        30,
        note="peer: 245–298",
    ),
    Row(
        "redis-down",
        "Redis down while a request is logged: until it is answered",
        "s",
        9,
        0.5,
        note="the peer then says failed",
    ),
    Row("redis-empty-lost", "Redis back empty with 4 requests queued: lost", "", 4, 0),
    Row("redis-empty-found", "… until all are done", "s", None, 60, note="the peer never"),
    Row("postgres-gone", "PostgreSQL gone for 10 s: run in flight done, after its return", "s", 280, 60),
)

BY_NAME = {row.name: row for row in ROWS}
