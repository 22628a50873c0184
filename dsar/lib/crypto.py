"""Encryption at rest: AES-256-GCM under data keys, which are wrapped under versioned master keys.

Every ciphertext is bound to its place by additional authenticated data (``aad``): the caller names table,
column, row and case, and a ciphertext moved elsewhere no longer opens. Formats begin with a version byte.

==============  ================================================================================
sealed value    version (1) · nonce (12) · ciphertext and tag (16)
wrapped key     version (1) · master key version (4) · nonce (12) · key (32) and tag (16)
sealed stream   version (1) · salt (32) · nonce prefix (7) · frames of 1 MiB and a tag (16)
==============  ================================================================================

Nonces are random, so a data key is good for 2**32 values (NIST SP 800-38D, 8.3): far beyond one case.
"""

import binascii
import hmac
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
CHUNK_BYTES = 1024 * 1024

_NONCE_BYTES = 12
_TAG_BYTES = 16
_SALT_BYTES = 32
_PREFIX_BYTES = 7
_FRAME_BYTES = CHUNK_BYTES + _TAG_BYTES

# Each format has a version byte of its own, so that none is ever taken for another.
_VALUE = b"\x01"
_WRAPPED = b"\x11"
_STREAM = b"\x21"


class DecryptionError(Exception):
    """The ciphertext is damaged, was moved, or belongs to another key. Which of these is not said."""

    def __init__(self) -> None:
        super().__init__("This ciphertext does not open.")


@dataclass(frozen=True, slots=True)
class DataKey:
    """A 256-bit key. Its bytes stay out of logs and tracebacks."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"A key has {KEY_BYTES} bytes.")


def new_key() -> DataKey:
    """Make a key from the operating system's randomness."""
    return DataKey(secrets.token_bytes(KEY_BYTES))


def derive(master: DataKey, label: str) -> DataKey:
    """Derive an independent key for one named purpose (HKDF-SHA-256, RFC 5869)."""
    return _expand(master, b"dsar/derive/" + label.encode(), salt=None)


def blind(key: DataKey, value: str) -> bytes:
    """Give the keyed hash by which a normalised value is looked up (HMAC-SHA-256, 32 bytes).

    The HMAC runs under a key derived from ``key``, which may therefore also seal values.
    """
    return blinder(key)(value)


def blinder(key: DataKey) -> Callable[[str], bytes]:
    """Give blind() for many values of one key, which derives its key once."""
    secret = derive(key, "blind index").secret
    return lambda value: hmac.digest(secret, value.encode(), "sha256")


def seal(key: DataKey, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt a value for the place that ``aad`` names. Adds 29 bytes."""
    return sealer(key)(plaintext, aad)


def sealer(key: DataKey) -> Callable[[bytes, bytes], bytes]:
    """Give seal() for many values of one key, whose schedule is computed once."""
    encrypt = AESGCM(key.secret).encrypt

    def seal_one(plaintext: bytes, aad: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VALUE + nonce + encrypt(nonce, plaintext, _VALUE + aad)

    return seal_one


def unseal(key: DataKey, blob: bytes, aad: bytes) -> bytes:
    """Decrypt what seal() made for the same place; raises DecryptionError."""
    return unsealer(key)(blob, aad)


def unsealer(key: DataKey) -> Callable[[bytes, bytes], bytes]:
    """Give unseal() for many values of one key, whose schedule is computed once."""
    cipher = AESGCM(key.secret)

    def unseal_one(blob: bytes, aad: bytes) -> bytes:
        if blob[:1] != _VALUE:
            raise DecryptionError
        return _open(cipher, blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :], _VALUE + aad)

    return unseal_one


def seal_key(parent: DataKey, child: DataKey, aad: bytes) -> bytes:
    """Encrypt a key, such as that of one file, under the data key above it."""
    return seal(parent, child.secret, b"key|" + aad)


def unseal_key(parent: DataKey, blob: bytes, aad: bytes) -> DataKey:
    """Decrypt what seal_key() made for the same place; raises DecryptionError."""
    return _as_key(unseal(parent, blob, b"key|" + aad))


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The key-encryption keys by version. The highest version wraps; all of them unwrap."""

    by_version: dict[int, DataKey] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.by_version:
            raise ValueError("At least one master key is needed.")
        if not all(0 < version < 2**32 for version in self.by_version):
            raise ValueError("Master key versions are whole numbers from 1 to 4294967295.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1:<base64>,2:<base64>``; raises ValueError, which names a version but never a key."""
        keys: dict[int, DataKey] = {}
        for entry in filter(None, map(str.strip, text.split(","))):
            version, key = _parse_entry(entry)
            if version in keys:
                raise ValueError(f"Master key version {version} is given twice.")
            keys[version] = key
        return cls(keys)

    @property
    def current(self) -> int:
        """The version that wraps new keys."""
        return max(self.by_version)

    def wrap(self, key: DataKey, aad: bytes) -> bytes:
        """Encrypt a data key under the current master key."""
        header = _WRAPPED + self.current.to_bytes(4)
        return header + _encrypt(self.by_version[self.current], key.secret, header + aad)

    def unwrap(self, blob: bytes, aad: bytes) -> DataKey:
        """Decrypt a wrapped data key; raises DecryptionError, also when its master key is gone."""
        master = self.by_version.get(wrapped_version(blob))
        if master is None:
            raise DecryptionError
        return _as_key(_decrypt(master, blob[5:], blob[:5] + aad))

    def rewrap(self, blob: bytes, aad: bytes) -> bytes:
        """Wrap a data key anew under the current master key; what it encrypts stays as it is."""
        return self.wrap(self.unwrap(blob, aad), aad)


def wrapped_version(blob: bytes) -> int:
    """Tell which master key wrapped this blob (not yet authenticated); raises DecryptionError."""
    if blob[:1] != _WRAPPED or len(blob) < 5:
        raise DecryptionError
    return int.from_bytes(blob[1:5])


def seal_stream(key: DataKey, chunks: Iterable[bytes], aad: bytes) -> Iterator[bytes]:
    """Encrypt a file of any size in constant memory (the STREAM construction, Hoang et al. 2015).

    Each file has a key of its own, derived with a random salt. Each frame's nonce holds a random prefix,
    the frame's number and whether it is the last, so that no frame can be moved, dropped or added.
    """
    header = _STREAM + secrets.token_bytes(_SALT_BYTES + _PREFIX_BYTES)
    cipher = _stream_cipher(key, header)
    yield header
    for number, chunk, last in _numbered(chunks, CHUNK_BYTES):
        yield cipher.encrypt(_stream_nonce(header, number, last), chunk, header + aad)


def unseal_stream(key: DataKey, chunks: Iterable[bytes], aad: bytes) -> Iterator[bytes]:
    """Decrypt what seal_stream() made; raises DecryptionError, at the latest when the input ends.

    Each piece given is authentic and in its place, but only a stream read to its end is known to be
    complete: do not act on the pieces before.
    """
    source = _Reader(chunks)
    header = source.read(1 + _SALT_BYTES + _PREFIX_BYTES)
    if header[:1] != _STREAM or len(header) != 1 + _SALT_BYTES + _PREFIX_BYTES:
        raise DecryptionError
    cipher = _stream_cipher(key, header)
    for number, frame, last in _numbered(source.rest(), _FRAME_BYTES):
        yield _open(cipher, _stream_nonce(header, number, last), frame, header + aad)


def _stream_cipher(key: DataKey, header: bytes) -> AESGCM:
    salt = header[1 : 1 + _SALT_BYTES]
    return AESGCM(_expand(key, b"dsar/stream", salt).secret)


def _stream_nonce(header: bytes, number: int, last: bool) -> bytes:
    # Four bytes of counter allow 4 PiB; to_bytes() raises OverflowError beyond.
    return header[-_PREFIX_BYTES:] + number.to_bytes(4) + bytes([last])


class _Reader:
    """Reads a fixed number of bytes from chunks of any size."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()

    def read(self, size: int) -> bytes:
        """Give the next ``size`` bytes, fewer only at the end."""
        while len(self._held) < size and (chunk := next(self._chunks, None)) is not None:
            self._held += chunk
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def rest(self) -> Iterator[bytes]:
        """Give everything not read yet."""
        yield bytes(self._held)
        yield from self._chunks


def _numbered(chunks: Iterable[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Cut into pieces of ``size`` bytes, each with its number and whether it is the last.

    There is always a last piece; it is empty only when the whole input is.
    """
    source = _Reader(chunks)
    number, piece = 0, source.read(size)
    while following := source.read(size):
        yield number, piece, False
        number, piece = number + 1, following
    yield number, piece, True


def _parse_entry(entry: str) -> tuple[int, DataKey]:
    number, _, encoded = entry.partition(":")
    if not (number.isascii() and number.isdigit()):
        raise ValueError("A master key is written as version:base64.")
    try:
        return int(number), DataKey(b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        # The cause is cut off: its message could quote the key.
        raise ValueError(f"Master key version {number} is not 32 bytes in base64.") from None


def _as_key(secret: bytes) -> DataKey:
    if len(secret) != KEY_BYTES:
        raise DecryptionError
    return DataKey(secret)


def _expand(key: DataKey, info: bytes, salt: bytes | None) -> DataKey:
    return DataKey(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(key.secret))


def _encrypt(key: DataKey, plaintext: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key.secret).encrypt(nonce, plaintext, aad)


def _decrypt(key: DataKey, blob: bytes, aad: bytes) -> bytes:
    return _open(AESGCM(key.secret), blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], aad)


def _open(cipher: AESGCM, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    if len(nonce) != _NONCE_BYTES or len(ciphertext) < _TAG_BYTES:
        raise DecryptionError
    try:
        return cipher.decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise DecryptionError from None
