"""A gateway for text messages that really listens, and a controller that is connected with it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from django.utils import timezone

from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, SmsGateway


@dataclass
class Listening:
    """What came in, and what is answered: the status and the body, the same until they are changed."""

    url: str = ""
    status: int = 202
    answer: Mapping[str, Any] = field(default_factory=lambda: {"status": "queued"})
    came: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _headers, body in self.came]


@contextmanager
def listening() -> Iterator[Listening]:
    heard = Listening()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            said = json.dumps(heard.answer).encode()
            self.send_response(heard.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/v1/messages"
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()


def options(address: str, **changes: Any) -> dict[str, Any]:
    """A description as an operator writes it."""
    body = {"to": "{number}", "text": "{text}", "from": "Acme"}
    return {"url": address, "body": body, "allow_private": True} | changes


def gateway_for(controller: Controller, url: str, **changes: Any) -> SmsGateway:
    """Connect the controller with the gateway at this address."""
    key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, timezone.now())
    return SmsGateway.objects.create(
        controller=controller, key=key, options=options(url, **changes), secrets={"token": "s3cr3t-token"}
    )
