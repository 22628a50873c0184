"""A real OpenID provider for tests, on a port of localhost; what it says can be bent for attacks."""

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import werkzeug.serving
import werkzeug.wrappers
from joserfc import jwt
from joserfc.jwk import RSAKey

with warnings.catch_warnings():
    # It still imports a part of its library that is being replaced.
    warnings.simplefilter("ignore")
    import oidc_provider_mock
    from oidc_provider_mock import User as Account

# How the provider calls its own library.
OF_THE_PROVIDER = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")

Bend = Callable[[dict[str, Any]], None]


class OpenIdProvider:
    """The provider, its accounts, and what was asked of it."""

    def __init__(self) -> None:
        self.app = oidc_provider_mock.app(require_nonce=True)
        self.issuer = ""
        self.straighten()

    def straighten(self) -> None:
        """Honest again, with nothing asked of it yet."""
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.bend: Bend | None = None
        self.forge: Callable[[str], str] | None = None
        self.signs_with: RSAKey | None = None
        self.answers: dict[str, Any] = {}
        self.bodies: list[tuple[dict[str, str], str]] = []

    @property
    def storage(self) -> Any:
        with self.app.test_request_context():
            self.app.preprocess_request()
            from flask import g

            return g.oidc_provider_mock_storage

    def account(self, sub: str, **claims: Any) -> None:
        """Somebody who can sign in here."""
        self.storage.store_user(Account(sub=sub, claims=claims))

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.storage.jwk = type(self.storage.jwk).generate_key(is_private=True)

    def sign_in(self, address: str, sub: str) -> str:
        """What the browser does at the provider; gives the address that it is sent back to."""
        response = httpx2.post(address, data={"sub": sub}, follow_redirects=False)
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path in self.answers:
            return self._instead(self.answers[path], start_response)
        self.seen.append((path, _query(environ["QUERY_STRING"])))
        if path != "/oauth2/token":
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.bodies.append((_query(body.decode()), environ.get("HTTP_AUTHORIZATION", "")))
        return self._bent(environ | {"wsgi.input": BytesIO(body)}, start_response)

    def _bent(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The token's answer with other claims, or signed by somebody else."""
        if not (self.bend or self.signs_with or self.forge):
            return self.app(environ, start_response)
        response = werkzeug.wrappers.Response.from_app(self.app, environ)
        data = json.loads(response.get_data())
        data["id_token"] = (self.forge or self._signed_anew)(data["id_token"])
        return self._instead(data, start_response)

    def _signed_anew(self, token: str) -> str:
        own = RSAKey.import_key(self.storage.jwk.as_dict(is_private=True))
        decoded = jwt.decode(token, own)
        if self.bend:
            self.bend(decoded.claims)
        return jwt.encode({"alg": "RS256"}, decoded.claims, self.signs_with or own)

    @staticmethod
    def _instead(data: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(data).encode()]


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


@contextmanager
def running() -> Iterator[OpenIdProvider]:
    """The provider, served by threads of this process."""
    provider = OpenIdProvider()
    server = werkzeug.serving.make_server("localhost", 0, provider, threaded=True)
    provider.issuer = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def openid_server() -> Iterator[OpenIdProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def openid(openid_server: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> OpenIdProvider:
    """The provider, with nothing bent, and with nothing remembered of it here."""
    from identity.openid.provider import memory

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    memory.forget()
    openid_server.straighten()
    return openid_server


def path_of(address: str) -> str:
    """Path and query of an address, for Django's test client."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"
