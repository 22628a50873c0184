"""A MariaDB of the tests' own: in a directory that goes away, on a socket, under an ordinary account."""

from __future__ import annotations

import os
import pwd
import shutil
import socket as sockets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

# Debian keeps the server where an ordinary account's path does not lead.
PROGRAMS = ("mariadbd", "mariadb-install-db")  # Debian has them in packages of their own
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_START_SECONDS = 60.0

# Small and forgetful: nothing outlives the tests.
_SETTINGS = (
    "--no-defaults", "--skip-networking", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--performance-schema=OFF", "--skip-name-resolve",
    "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
)  # fmt: skip


def find(name: str) -> str | None:
    """Return the path of one of the server's programs, or None where it is not installed."""
    return shutil.which(name, path=_PATH)


class CannotStartError(Exception):
    """The server, or the program that makes its first tables, gave up; says so in its own words."""


@contextmanager
def running() -> Iterator[str]:
    """Run a server and give the path of its socket; its superuser is root, without a password.

    Raises CannotStartError.
    """
    with tempfile.TemporaryDirectory(prefix="dsar-mariadb-") as place:
        home = Path(place)
        account = _account(home)
        data, socket = home / "data", home / "socket"
        # The account writes its scratch files there too: where the run's own lead may be closed to it.
        environment = {**os.environ, "TMPDIR": place}
        _make(data, account, environment)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [_program("mariadbd"), *_SETTINGS, f"--datadir={data}", f"--socket={socket}", *account],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            _await(process, socket, home / "log")
            yield str(socket)
        finally:
            process.terminate()
            process.wait(30)


def connect(socket: str, database: str | None = None, user: str = "root") -> pymysql.Connection:
    """Connect as an administrator, able to send several statements at once."""
    several = pymysql.constants.CLIENT.MULTI_STATEMENTS
    return pymysql.connect(
        unix_socket=socket,
        user=user,
        database=database,
        autocommit=True,
        client_flag=several,
        charset="utf8mb4",
    )


def _account(home: Path) -> list[str]:
    """The server refuses to run as the superuser: give its directory to the account that Debian made for it."""
    if os.geteuid():
        return []
    name = next(name for name in ("mysql", "nobody") if _exists(name))
    shutil.chown(home, name)
    return [f"--user={name}"]


def _exists(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _make(data: Path, account: list[str], environment: dict[str, str]) -> None:
    # A host whose own name leads nowhere has no part in it: the server listens on a socket alone.
    made = subprocess.run(
        [
            _program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--force", "--skip-test-db",
            "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M", *account,
        ],
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )  # fmt: skip
    if made.returncode:
        raise CannotStartError(made.stdout[:2000])


def _program(name: str) -> str:
    found = find(name)
    assert found, f"{name} is not installed"
    return found


def _await(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        # The driver forgets to close a socket that leads nowhere, so another asks first.
        with sockets.socket(sockets.AF_UNIX) as trial:
            if trial.connect_ex(str(socket)) == 0:
                return
        time.sleep(0.05)
    raise CannotStartError(log.read_text(errors="replace")[-2000:])
