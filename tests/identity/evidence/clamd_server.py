"""A small daemon that speaks ClamAV's INSTREAM protocol over a real socket and knows one virus: EICAR's test file."""

import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Written in two parts, so that no scanner takes this source for the test file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):  # whoever asked may have stopped waiting
            self._serve()

    def _serve(self) -> None:
        command = self._until_zero()
        if command == b"zPING":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM":
            self.wfile.write(self.server.judged(self._stream()))  # type: ignore[attr-defined]

    def _until_zero(self) -> bytes:
        read = b""
        while (sign := self.rfile.read(1)) not in (b"\0", b""):
            read += sign
        return read

    def _stream(self) -> bytes:
        whole = b""
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            whole += self.rfile.read(length)
        return whole


class _Mixin:
    daemon_threads = True
    behaviour = "well"
    seen: list[bytes]

    def judged(self, whole: bytes) -> bytes:
        self.seen.append(whole)
        if self.behaviour == "slow":
            time.sleep(2)
        if self.behaviour == "silent":
            return b""
        if self.behaviour == "full":
            return b"INSTREAM size limit exceeded. ERROR\0"
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in whole else b"stream: OK\0"


class UnixDaemon(_Mixin, socketserver.ThreadingUnixStreamServer):
    pass


class TcpDaemon(_Mixin, socketserver.ThreadingTCPServer):
    pass


@contextmanager
def running(where: Path | None, behaviour: str = "well") -> Iterator[tuple[str, list[bytes]]]:
    """A daemon at a socket in this folder, or on a port where there is none; gives its address and what it saw."""
    server = UnixDaemon(str(where / "c.sock"), _Handler) if where else TcpDaemon(("127.0.0.1", 0), _Handler)
    server.behaviour, server.seen = behaviour, []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        address = f"unix:{where / 'c.sock'}" if where else f"tcp:127.0.0.1:{server.server_address[1]}"
        yield address, server.seen
    finally:
        server.shutdown()
        server.server_close()
