"""One supervisor of the database, the broker, the web server, the workers and the scheduler. No Django here.

It is for development and the demonstration: in production the container platform does this work. It starts
everything as a direct child, restarts what dies, and leaves nothing running, however it ends itself.
"""

import argparse
import contextlib
import ctypes
import datetime
import http.client
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from dsar.embedded import CHECKOUT, EmbeddedError, EmbeddedServers, Process, spawn, tail

HOST = "127.0.0.1"
SIMULATOR_BESIDE = 90  # How far its port is from the site's,
CRM_BESIDE = 91  # and that of the demonstration's customer system.
DEMO_CRM = "crm"
PR_SET_CHILD_SUBREAPER = 36  # From linux/prctl.h.
TICK_SECONDS = 0.2
HEALTHY_SECONDS = 90.0  # A cold start on a slow machine; the demonstration's data is made before.
LONGEST_PAUSE = 30.0
LAST_WORDS_SECONDS = 1.0  # What a program left running may go on talking in its name.
PROVEN_SECONDS = 60.0  # A program that ran this long has earned a fresh start without a pause.
MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))


class Servers(Protocol):
    """What the supervisor asks of the database and the broker."""

    def revive(self) -> list[str]:
        """Start what is not running; return the names of what was started."""

    def stop(self) -> None:
        """Stop what runs."""

    def pids(self) -> set[int]:
        """Return the process ids of what runs."""


class StartError(RuntimeError):
    """The desk did not come up; the message says why, and where to read more."""


@dataclass(frozen=True)
class Program:
    """A program to keep running, and how it is asked to stop."""

    name: str
    argv: tuple[str, ...]
    stop_seconds: float = 10.0
    death_signal: int = signal.SIGTERM  # What the kernel sends it when the supervisor itself is killed.


@dataclass
class Pause:
    """A growing wait between restarts of one thing that keeps dying."""

    until: float = 0.0
    seconds: float = 0.0

    def is_over(self, now: float) -> bool:
        """Whether another attempt may be made."""
        return now >= self.until

    def extend(self, now: float, ran_seconds: float) -> None:
        """Wait twice as long as last time, up to a limit; at once after a long good run."""
        self.seconds = 0.5 if ran_seconds > PROVEN_SECONDS else min(max(self.seconds * 2, 0.5), LONGEST_PAUSE)
        self.until = now + self.seconds


@dataclass
class Child:
    """A running program, its output, and what is known of its failures."""

    program: Program
    process: Process | None = None
    started_at: float = 0.0  # On the monotonic clock.
    pause: Pause = field(default_factory=Pause)
    half_line: bytes = b""


def say(line: str) -> None:
    """Print one line to the console at once; a console that has gone away must not take the desk along."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class Supervisor:
    """Keeps programs and servers running. One thread, so that no lock is held when a child is forked."""

    def __init__(
        self,
        programs: Sequence[Program],
        servers: Servers,
        environment: Mapping[str, str],
        log: Path,
        say: Callable[[str], None] = say,
    ) -> None:
        """Take note of what to run; start nothing. ``log`` receives every program's lines, with its name."""
        self.children = {program.name: Child(program) for program in programs}
        self.servers = servers
        self.servers_pause = Pause()
        self.environment = environment
        self.say = say
        self.stopping: int | None = None
        self._log = log.open("ab", buffering=0)
        self._selector = selectors.DefaultSelector()

    def start(self, name: str) -> None:
        """Start one program and listen to its output."""
        child = self.children[name]
        child.process = spawn(
            child.program.argv,
            output=subprocess.PIPE,
            death_signal=child.program.death_signal,
            environment=self.environment,
            cwd=CHECKOUT,
        )
        child.started_at = time.monotonic()
        if output := child.process.stdout:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, name)

    def is_running(self, name: str) -> bool:
        """Whether the program lives; reaps it when it does not."""
        process = self.children[name].process
        return process is not None and process.poll() is None

    def tick(self) -> None:
        """Take in output, then restart what has died. The servers come first: the others need them."""
        self._read_output(TICK_SECONDS)
        self._revive_servers()
        for name, child in self.children.items():
            if child.process and not self.is_running(name):
                self._note_death(child, child.process)
            if child.process is None and child.started_at and child.pause.is_over(time.monotonic()):
                self.start(name)

    def stop(self) -> None:
        """Stop the programs, then the broker and the database, which they need until their last word."""
        for name, child in self.children.items():
            if child.process and self.is_running(name):
                child.process.terminate()
        for name, child in self.children.items():
            self._await_end(name, child)
        self.servers.stop()
        # What a program left running may hold its output open for ever.
        for key in [*self._selector.get_map().values()]:
            self._forget(key.fileobj)  # type: ignore[arg-type]
        self._log.close()
        self._selector.close()

    def pids(self) -> set[int]:
        """Return the process ids of everything that was started and is not yet known to have ended."""
        return self.servers.pids() | {child.process.pid for child in self.children.values() if child.process}

    def hurry(self) -> None:
        """Kill the programs; the database and the broker still stop in good order."""
        for name, child in self.children.items():
            if child.process and self.is_running(name):
                child.process.kill()

    def _note_death(self, child: Child, process: Process) -> None:
        now = time.monotonic()
        child.pause.extend(now, now - child.started_at)
        child.process = None
        code = process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self.say(f"  {child.program.name} {how}; starting it again in {child.pause.seconds:g} s")

    def _revive_servers(self) -> None:
        now = time.monotonic()
        if not self.servers_pause.is_over(now):
            return
        try:
            for name in self.servers.revive():
                self.say(f"  {name} had died and was started again")
        except EmbeddedError as error:
            self.servers_pause.extend(now, 0.0)
            self.say(f"  {error}\n  trying again in {self.servers_pause.seconds:g} s")

    def _await_end(self, name: str, child: Child) -> None:
        if child.process is None:
            return
        until = time.monotonic() + child.program.stop_seconds
        while self.is_running(name) and time.monotonic() < until:
            self._read_output(0.05)  # A program that cannot write its last words would not end.
        child.process.kill()
        child.process.wait()
        output, until = child.process.stdout, time.monotonic() + LAST_WORDS_SECONDS
        while output and not output.closed and time.monotonic() < until and self._copy_lines(output, name):
            pass

    def _read_output(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._copy_lines(key.fileobj, key.data)  # type: ignore[arg-type]

    def _copy_lines(self, output: IO[bytes], name: str) -> bool:
        """Whether there was anything; at its end the output is closed."""
        try:
            chunk = os.read(output.fileno(), 65536)
        except BlockingIOError:
            return False
        if not chunk:
            self._forget(output)
        self._write_lines(self.children[name], chunk or b"\n")
        return True

    def _forget(self, output: IO[bytes]) -> None:
        self._selector.unregister(output)
        output.close()

    def _write_lines(self, child: Child, chunk: bytes) -> None:
        *lines, child.half_line = (child.half_line + chunk).split(b"\n")
        stamp = datetime.datetime.now(datetime.UTC).strftime("%H:%M:%S")
        prefix = f"{stamp} {child.program.name:<9} | ".encode()
        self._log.write(b"".join(prefix + line + b"\n" for line in lines if line.strip()))


# ---- orphans ---------------------------------------------------------------------------------------


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind (Linux), so that it can be reaped and ended."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_adopted(own: set[int]) -> None:
    """Collect the exit codes of adopted processes; those of ``own`` are left to whoever started them."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in own:
                return
            os.waitpid(found.si_pid, 0)


def adopted() -> list[int]:
    """Return the processes whose parent we are (Linux; elsewhere none are seen)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(path.parent.name))
    return found


def end_adopted() -> None:
    """Kill and reap what is left once everything that we started has been waited for."""
    while pids := adopted():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


# ---- the desk --------------------------------------------------------------------------------------


def web(port: int, threads: int = 8) -> Program:
    """Return the web server: one process with threads, on this machine alone."""
    options = ["--worker-class", "gthread", "--threads", str(threads), "--bind", f"{HOST}:{port}"]
    options += ["--graceful-timeout", "5", "--no-control-socket", "--worker-tmp-dir", shared_memory()]
    return Program("web", (sys.executable, "-m", "gunicorn", *options, "dsar.wsgi:application"))


def shared_memory() -> str:
    """Return where gunicorn keeps its heartbeat file; on a busy disk it would take the worker for dead."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108


def celery(name: str, *arguments: str, stop_seconds: float) -> Program:
    """Return a Celery program. Should the supervisor be killed, it is killed too: its jobs live in PostgreSQL."""
    argv = (sys.executable, "-m", "celery", "-A", "dsar", *arguments)
    return Program(name, argv, stop_seconds, death_signal=signal.SIGKILL)


def simulator(port: int) -> Program:
    """Return the simulated provider of identity checks that the demonstration's customers are sent to."""
    return Program("simulator", (*MANAGE, "identity_simulator", "--port", str(port + SIMULATOR_BESIDE)), 5.0)


def demo_crm(port: int, data: Path) -> Program:
    """Return the demonstration's customer system, which is searched over HTTP."""
    module = "cases.connectors.demo_crm.system.server"
    place = ("--port", str(port + CRM_BESIDE), "--data", str(data / "demo-crm.sqlite"))
    return Program(DEMO_CRM, (sys.executable, "-m", module, *place), 5.0)


def programs(options: argparse.Namespace, data: Path) -> list[Program]:
    """Return what runs, in the order in which it is stopped."""
    worker = ("worker", "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    wanted = [web(options.port)]
    if not options.no_scheduler:
        schedule = str(data / "celerybeat-schedule")
        wanted.append(celery("scheduler", "beat", "--schedule", schedule, "--pidfile=", stop_seconds=5.0))
    if not options.no_worker:
        # The sweeper has a process of its own, or two long jobs would keep it from finding a third that was lost.
        jobs = ("--hostname", "jobs@%h", "--queues", "jobs", "--concurrency", "2")
        upkeep = ("--hostname", "upkeep@%h", "--queues", "upkeep", "--pool", "solo")
        wanted.append(celery("worker", *worker, *jobs, stop_seconds=25.0))
        wanted.append(celery("upkeep", *worker, *upkeep, stop_seconds=25.0))
    if options.demo:
        wanted += [simulator(options.port), demo_crm(options.port, data)]
    return wanted


def environment_for(options: argparse.Namespace, servers: EmbeddedServers) -> dict[str, str]:
    """Return the environment of every child: what is set already wins over what we suggest."""
    suggested = {
        "DJANGO_SETTINGS_MODULE": "dsar.settings",
        "DSAR_BASE_URL": f"http://localhost:{options.port}",
        "DSAR_OUTBOX": "1",
        "PYTHONUNBUFFERED": "1",
        "REMAP_SIGTERM": "SIGQUIT",  # Celery then puts a running task back instead of waiting for its end.
        "DSAR_SIMULATOR_URL": f"http://{HOST}:{options.port + SIMULATOR_BESIDE}",
        "DSAR_DEMO_CRM_URL": f"http://{HOST}:{options.port + CRM_BESIDE}",
        **({"DSAR_DEMO": "1"} if options.demo else {"DEBUG": "1"}),
    }
    return {**suggested, **os.environ, **servers.environment()}


def manage(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> str:
    """Run a management command to its end and return what it said; progress on stderr goes to the console."""
    done = subprocess.run(
        [*MANAGE, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    with log.open("a") as file:
        file.write(done.stdout)
    if done.returncode != 0:
        raise StartError(
            f"'manage.py {arguments[0]}' failed with code {done.returncode}.\n{done.stdout}".rstrip()
        )
    return done.stdout.strip()


def web_answers(port: int) -> bool:
    """Whether the site says that it is healthy: it serves a page, and its database answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def refuse_taken_port(port: int) -> None:
    """Raise StartError when something else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StartError(
                f"Port {port} is taken: choose another with --port. ({error.strerror})"
            ) from error


def fresh_log(servers: EmbeddedServers) -> Path:
    """Return the empty log of this run; the last run's is kept beside it."""
    log = servers.log_path("desk")
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    log.touch(mode=0o600)
    return log


def await_web(supervisor: Supervisor, port: int, log: Path) -> None:
    """Return when the web server answers, or a signal came; raise StartError when it does not come up."""
    until = time.monotonic() + HEALTHY_SECONDS
    while not (supervisor.stopping or web_answers(port)):
        if not supervisor.is_running("web") or time.monotonic() > until:
            supervisor.tick()
            raise StartError(f"The web server did not come up. The end of {log}:\n{tail(log, 15)}")
        supervisor.tick()


def bring_up(supervisor: Supervisor, options: argparse.Namespace, log: Path) -> str:
    """Start everything in an order that wastes no time; return the demonstration's sign-ins."""
    supervisor.start("web")  # It loads its code while the database is made ready; nobody is told of it yet.
    manage(["migrate", "--verbosity", "0"], supervisor.environment, log)
    if options.demo:
        supervisor.start(DEMO_CRM)  # What is made is put into it, and searched there.
    sign_ins = manage(["demo_data"], supervisor.environment, log) if options.demo else ""
    stop_on_signals(supervisor)
    await_web(supervisor, options.port, log)
    for name in supervisor.children:
        if not (supervisor.is_running(name) or supervisor.stopping):
            supervisor.start(name)
    return sign_ins


def announce(options: argparse.Namespace, sign_ins: str, log: Path) -> None:
    """Print the addresses and the sign-ins, last, where they are found."""
    say(f"\nThe DSAR desk is at http://localhost:{options.port}/   (log: {log})")
    if sign_ins:
        say(f"\n{sign_ins}")
    say("\nCtrl-C stops everything.")


def serve(options: argparse.Namespace, servers: EmbeddedServers) -> None:
    """Start everything, keep it running until a signal comes, and stop it in order."""
    log = fresh_log(servers)
    environment = environment_for(options, servers)
    supervisor = Supervisor(programs(options, servers.data), servers, environment, log)
    try:
        sign_ins = bring_up(supervisor, options, log)
        if not supervisor.stopping:
            announce(options, sign_ins, log)
        while not supervisor.stopping:
            supervisor.tick()
            reap_adopted(supervisor.pids())
        say("\nStopping ...")
    finally:
        supervisor.stop()


def stop_on_signals(supervisor: Supervisor) -> None:
    """Let the first signal ask for an orderly stop, and the second for a quick one."""

    def note(number: int, _frame: object) -> None:
        if supervisor.stopping:
            supervisor.hurry()
        supervisor.stopping = number

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)


def leave(number: int, _frame: object) -> None:
    """End by way of the ``finally`` clauses, so that what was started is stopped."""
    sys.exit(128 + number)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, for this module and for ``manage.py dev``."""
    parser.add_argument("--port", type=int, default=8000, help="port on localhost (default: 8000)")
    parser.add_argument("--data", type=Path, help="data directory (default: DSAR_DEV_DIR, else .dev)")
    parser.add_argument("--demo", action="store_true", help="make demonstration data first")
    parser.add_argument("--no-worker", action="store_true", help="run no workers")
    parser.add_argument("--no-scheduler", action="store_true", help="run no scheduler")


def main(arguments: Sequence[str]) -> int:
    """Run the desk until it is told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dsar.supervisor", description=__doc__.split("\n")[0])
    add_arguments(parser)
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    servers = EmbeddedServers(options.data)
    try:
        adopt_orphans()
        refuse_taken_port(options.port)
        servers.start(exclusive=True)
        serve(options, servers)
    except (EmbeddedError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        servers.stop()
        end_adopted()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
