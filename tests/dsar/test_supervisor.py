"""The supervisor, with small programs in the place of the desk's."""

import argparse
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar import supervisor as module
from dsar.embedded import CHECKOUT, EmbeddedError, EmbeddedServers, processes_in, wait_until
from dsar.supervisor import LONGEST_PAUSE, PROVEN_SECONDS, Pause, Program, StartError, Supervisor
from tests import prepared

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


@dataclass
class StandIns:
    """Servers that only tell what was asked of them."""

    died: list[str] = field(default_factory=list)
    broken: bool = False
    running_at_stop: list[str] | None = None
    running: Callable[[], list[str]] = list

    def revive(self) -> list[str]:
        if self.broken:
            raise EmbeddedError("disk full")
        died, self.died = self.died, []
        return died

    def pids(self) -> set[int]:
        return set()

    def stop(self) -> None:
        self.running_at_stop = self.running()


@dataclass
class House:
    supervisor: Supervisor
    servers: StandIns
    said: list[str]
    log: Path

    def lines(self) -> list[str]:
        return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in self.log.read_text().splitlines()]

    def tick_until(self, true: Callable[[], bool]) -> None:
        def look() -> bool:
            self.supervisor.tick()
            return true()

        assert wait_until(look, 20.0)


Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    houses: list[House] = []

    def make(*programs: Program) -> House:
        said: list[str] = []
        servers = StandIns()
        supervisor = Supervisor(programs, servers, os.environ, tmp_path / "desk.log", said.append)
        servers.running = lambda: [name for name in supervisor.children if supervisor.is_running(name)]
        houses.append(House(supervisor, servers, said, tmp_path / "desk.log"))
        for program in programs:
            supervisor.start(program.name)
        return houses[-1]

    yield make
    for house in houses:
        if house.servers.running_at_stop is None:
            house.supervisor.stop()


def python(name: str, code: str, **options: float) -> Program:
    return Program(name, (sys.executable, "-c", code), **options)  # type: ignore[arg-type]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(arguments)


def test_killed_program_is_started_again(build: Build) -> None:
    house = build(python("web", SLEEP))
    first = house.supervisor.children["web"].process
    assert first is not None
    first.kill()

    house.tick_until(lambda: house.supervisor.children["web"].process not in {first, None})

    assert house.supervisor.is_running("web") is True
    assert house.said == ["  web was killed by SIGKILL; starting it again in 0.5 s"]


def test_program_that_keeps_failing_waits_longer_each_time(build: Build) -> None:
    house = build(python("web", "raise SystemExit(4)"))

    house.tick_until(lambda: len(house.said) >= 2)

    assert house.said == [
        "  web ended with code 4; starting it again in 0.5 s",
        "  web ended with code 4; starting it again in 1 s",
    ]


def test_output_is_logged_by_line_with_the_name(build: Build) -> None:
    house = build(python("web", "import sys; print('one'); sys.stdout.flush(); print('two', end='')"))

    house.tick_until(lambda: len(house.lines()) == 2)

    assert house.lines() == ["web       | one", "web       | two"]


def test_stop_ends_programs_before_servers(build: Build) -> None:
    house = build(python("web", SLEEP), python("worker", SLEEP))
    house.tick_until(lambda: len(house.lines()) == 2)

    house.supervisor.stop()

    assert house.servers.running_at_stop == []


def test_stop_reads_last_words_and_leaves_no_output_open(build: Build) -> None:
    last = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit('the last word')); "
    beside = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    house = build(python("web", last + SLEEP), python("worker", beside + SLEEP))
    house.tick_until(lambda: len(house.lines()) == 3)
    (left,) = (int(line.split()[-1]) for line in house.lines() if not line.endswith("up"))
    outputs = [child.process.stdout for child in house.supervisor.children.values() if child.process]

    house.supervisor.stop()
    os.kill(left, signal.SIGKILL)  # which holds the worker's output open

    assert house.lines()[-1] == "web       | the last word"
    assert [output.closed for output in outputs if output] == [True, True]


def test_stop_does_not_listen_for_ever_to_what_a_program_left_running(build: Build) -> None:
    house = build(python("worker", "import subprocess; subprocess.Popen(['yes']); " + SLEEP))
    house.tick_until(lambda: any(line.endswith("| y") for line in house.lines()))

    house.supervisor.stop()

    assert house.supervisor.is_running("worker") is False


def test_stop_kills_a_program_that_will_not_end(build: Build) -> None:
    house = build(python("web", STUBBORN, stop_seconds=0.2))
    house.tick_until(lambda: house.lines() == ["web       | up"])
    process = house.supervisor.children["web"].process

    house.supervisor.stop()

    assert process is not None
    assert process.returncode == -signal.SIGKILL


def test_hurry_kills_programs_at_once(build: Build) -> None:
    house = build(python("web", STUBBORN, stop_seconds=600.0))
    house.tick_until(lambda: house.lines() == ["web       | up"])

    house.supervisor.hurry()
    house.supervisor.stop()

    assert house.servers.running_at_stop == []


def test_revived_server_is_named(build: Build) -> None:
    house = build()
    house.servers.died = ["postgres"]

    house.supervisor.tick()

    assert house.said == ["  postgres had died and was started again"]


def test_broken_server_does_not_take_the_programs_along(build: Build) -> None:
    house = build(python("web", SLEEP))
    house.servers.broken = True

    house.supervisor.tick()
    house.supervisor.tick()

    assert house.said == ["  disk full\n  trying again in 0.5 s"]
    assert house.supervisor.is_running("web") is True


@given(st.lists(st.floats(0.0, 2 * PROVEN_SECONDS), min_size=1))
def test_pause_grows_to_a_limit_and_restarts_after_a_good_run(runs: list[float]) -> None:
    pause = Pause()
    seconds = []

    for ran in runs:
        pause.extend(now=100.0, ran_seconds=ran)
        seconds.append(pause.seconds)

    expected = [0.5]
    for ran in runs[1:]:
        expected.append(0.5 if ran > PROVEN_SECONDS else min(expected[-1] * 2, LONGEST_PAUSE))
    assert seconds == expected
    assert (pause.is_over(100.0), pause.is_over(100.0 + pause.seconds)) == (False, True)


def test_taken_port_is_refused_in_a_sentence() -> None:
    with socket.create_server((module.HOST, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(StartError, match=f"Port {port} is taken"):
            module.refuse_taken_port(port)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["web", "scheduler", "worker", "upkeep"]),
        (("--no-worker",), ["web", "scheduler"]),
        (("--no-worker", "--no-scheduler"), ["web"]),
        (("--no-worker", "--no-scheduler", "--demo"), ["web", "simulator", "crm"]),
    ],
)
def test_programs_follow_the_options(tmp_path: Path, arguments: tuple[str, ...], names: list[str]) -> None:
    assert [program.name for program in module.programs(options(*arguments), tmp_path)] == names


def test_given_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSAR_BASE_URL", "https://desk.example")
    monkeypatch.delenv("DSAR_DEMO", raising=False)
    (tmp_path / "dev").mkdir(mode=0o700)

    environment = module.environment_for(options("--demo"), EmbeddedServers(tmp_path / "dev"))

    assert (environment["DSAR_BASE_URL"], environment["DSAR_DEMO"]) == ("https://desk.example", "1")


def test_failed_management_command_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "log").touch()

    with pytest.raises(StartError, match=r"'manage.py no_such_command' failed with code 1"):
        module.manage(["no_such_command"], os.environ, tmp_path / "log")


def test_log_of_the_last_run_is_kept(tmp_path: Path) -> None:
    servers = EmbeddedServers(tmp_path)
    module.fresh_log(servers).write_text("yesterday")

    log = module.fresh_log(servers)

    assert (log.read_text(), log.with_suffix(".log.1").read_text()) == ("", "yesterday")


def test_web_that_is_not_there_does_not_answer() -> None:
    with socket.create_server((module.HOST, 0)) as server:
        port = server.getsockname()[1]

    assert module.web_answers(port) is False


def free_port() -> int:
    with socket.create_server((module.HOST, 0)) as server:
        return int(server.getsockname()[1])


def _not_the_last(line: str) -> bool:
    return line != "Ctrl-C stops everything.\n"


def migrated(servers: EmbeddedServers) -> None:
    """A database as a desk leaves it that has run before."""
    servers.wants_postgres = servers.wants_valkey = True  # Those of the test run itself are others.
    servers.start()
    environment = os.environ | servers.environment()
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    prepared.fill(
        environment["DATABASE_ADMIN_URL"],
        "dsar_app",
        lambda: subprocess.run(migrate, cwd=CHECKOUT, env=environment, check=True),
    )
    servers.stop()


def run_desk(data: Path, port: int) -> subprocess.Popen[str]:
    """Start the real desk and return once it has printed where it is."""
    without = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "REDIS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    argv = [sys.executable, "manage.py", "dev", "--data", str(data), "--port", str(port), "--no-scheduler"]
    process = subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [line.strip() for line in itertools.takewhile(_not_the_last, process.stdout)]
    assert said == ["", f"The DSAR desk is at http://localhost:{port}/   (log: {data}/logs/desk.log)", ""]
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_desk_answers_when_it_says_so_and_is_gone_when_it_is_killed_or_stopped(tmp_path: Path) -> None:
    port, servers = free_port(), EmbeddedServers(tmp_path / "dev")
    migrated(servers)
    homes = (servers._cluster, servers.data / "valkey")

    with run_desk(servers.data, port) as killed:
        answered = [module.web_answers(port)]
        killed.kill()
    gone = wait_until(lambda: not any(map(processes_in, homes)) and not listens(port), 30.0)
    with run_desk(servers.data, port) as stopped:
        answered.append(module.web_answers(port))
        stopped.terminate()
        stopped.communicate(timeout=60)  # What it says at the end needs somebody who listens.

    assert (answered, gone, stopped.returncode) == ([True, True], True, 0)
    assert [pid for home in homes for pid in processes_in(home)] == []
    assert listens(port) is False
    servers.destroy()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((module.HOST, port)) == 0
