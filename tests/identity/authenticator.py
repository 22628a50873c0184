"""An authenticator in software (WebAuthn level 3, sections 6 and 8.7), for attacks that no browser would make."""

import hashlib
import json
import struct
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN, HOST = "http://localhost:8000", "localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One key pair; what it says of its use can be bent for attacks."""

    origin: str = ORIGIN
    host: str = HOST
    verifies: bool = True
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> str:
        """Answer to a challenge of the enrolment, as the page's script sends it."""
        attested = (
            bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + self._public_key()
        )
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._said(ATTESTED) + attested}
        response = {
            "attestationObject": base64url(cbor2.dumps(attestation)),
            "clientDataJSON": base64url(self._client("webauthn.create", options)),
            "transports": ["internal"],
        }
        return self._answer(response, clientExtensionResults={"credProps": {"rk": True}})

    def use(self, options: dict[str, Any], **bent: Any) -> str:
        """Answer to a challenge of the sign-in."""
        self.counter += 1
        client, said = self._client("webauthn.get", options | bent), self._said(0)
        signed = said + hashlib.sha256(client).digest()
        response = {
            "authenticatorData": base64url(said),
            "clientDataJSON": base64url(client),
            "signature": base64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": None,
        }
        return self._answer(response)

    def _answer(self, response: dict[str, Any], **more: Any) -> str:
        name = base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response} | more)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        data = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()

    def _said(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _public_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
