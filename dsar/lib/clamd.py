"""Asks ClamAV's daemon whether a file is infected, over its socket.

Speaks the INSTREAM command of its protocol: the file in chunks, each after its length in four bytes, and an
empty chunk at the end. Every wait has an end. A daemon that does not answer clearly is an error, never a yes.
"""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

CHUNK = 64 * 1024
_LONGEST_ANSWER = 4096


class ScannerAway(Exception):
    """The daemon cannot be reached, takes too long, or does not say clearly. The message holds nothing of the file."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the daemon listens: a socket's path, or host and port."""

    path: str = ""
    host: str = ""
    port: int = 3310

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read ``unix:/run/clamav/clamd.ctl`` or ``tcp:host:port``. Raises ValueError."""
        kind, _, rest = text.partition(":")
        if kind == "unix" and rest.startswith("/"):
            return cls(path=rest)
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isdecimal():
            return cls(host=host.strip("[]"), port=int(port))
        raise ValueError("Write the address of clamd as unix:/path/to/socket or tcp:host:port.")


def infection(chunks: Iterable[bytes], address: Address, seconds: float) -> str | None:
    """The name of what was found in the file; None where it is clean. Raises ScannerAway."""
    answer = _talk(address, seconds, b"zINSTREAM\0", _framed(chunks))
    if answer == "stream: OK":
        return None
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerAway("no clear answer")


def is_there(address: Address, seconds: float) -> bool:
    """Whether the daemon answers."""
    try:
        return _talk(address, seconds, b"zPING\0", ()) == "PONG"
    except ScannerAway:
        return False


def _framed(chunks: Iterable[bytes]) -> Iterable[bytes]:
    for chunk in chunks:
        for place in range(0, len(chunk), CHUNK):
            part = chunk[place : place + CHUNK]
            yield struct.pack(">I", len(part)) + part
    yield struct.pack(">I", 0)


def _talk(address: Address, seconds: float, command: bytes, parts: Iterable[bytes]) -> str:
    try:
        with _connected(address, seconds) as daemon:
            daemon.sendall(command)
            for part in parts:
                daemon.sendall(part)
            return _answer(daemon)
    except OSError as error:
        # The class tells enough; the message might name a path.
        raise ScannerAway(type(error).__name__) from None


def _connected(address: Address, seconds: float) -> socket.socket:
    if not address.path:
        return socket.create_connection((address.host, address.port), seconds)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(seconds)
    try:
        made.connect(address.path)
    except OSError:
        made.close()
        raise
    return made


def _answer(daemon: socket.socket) -> str:
    """What the daemon says up to the zero byte that ends it."""
    said = b""
    while not said.endswith(b"\0") and len(said) < _LONGEST_ANSWER:
        part = daemon.recv(_LONGEST_ANSWER)
        if not part:
            break
        said += part
    return said.rstrip(b"\0").decode(errors="replace").strip()
