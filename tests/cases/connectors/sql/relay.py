"""Stands between a connector and a database: counts what is written, and loses the answer to a commit when told to."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from threading import Lock, Thread

# A statement begins a message of the protocol, after its name's end (PostgreSQL) or its kind (MariaDB).
_WRITES = re.compile(rb"[\x00\x03](?:UPDATE|DELETE FROM|INSERT INTO) ")
_COMMIT = re.compile(rb"[\x00\x03]COMMIT")
_CHUNK = 65536


class Relay:
    """A socket at ``path`` that leads to the server's at ``target``."""

    def __init__(self, path: Path, target: str) -> None:
        self.path = path
        self.writes = 0
        self.loses_commit = False
        self._target = target
        self._lock = Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(32)
        self._ends: list[socket.socket] = []
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Listen no longer, and break what connections there are."""
        for end in (self._listener, *self._ends):
            _shut(end)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._ends):
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._ends += [client, server]
            for work, ends in ((self._up, (client, server)), (self._down, (client, server))):
                self._threads.append(Thread(target=work, args=ends, daemon=True))
                self._threads[-1].start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        wrote = False
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                count = len(_WRITES.findall(data))
                with self._lock:
                    self.writes += count
                wrote = wrote or bool(count)
                if self.loses_commit and wrote and _COMMIT.search(data):
                    self._lose(client, server, data)
                    return
                server.sendall(data)
        _shut(server)

    def _lose(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        """Let the server commit, and break the connection before its answer arrives."""
        self.loses_commit = False
        _shut(client)
        server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _down(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                with contextlib.suppress(OSError):
                    client.sendall(data)
        _shut(client)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
