import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.lib.crypto import (
    CHUNK_BYTES,
    DataKey,
    DecryptionError,
    MasterKeys,
    blind,
    derive,
    new_key,
    seal,
    seal_key,
    seal_stream,
    unseal,
    unseal_key,
    unseal_stream,
    wrapped_version,
)

KEY = DataKey(bytes(range(32)))
OTHER = DataKey(bytes(32))
HEADER = 40
FRAME = CHUNK_BYTES + 16


def encoded(byte: int) -> str:
    return b64encode(bytes([byte]) * 32).decode()


def flips(blob: bytes) -> Iterator[bytes]:
    """The blob with one bit turned, at each byte and each of its bits."""
    for place in range(len(blob)):
        for bit in range(8):
            yield blob[:place] + bytes([blob[place] ^ 1 << bit]) + blob[place + 1 :]


@pytest.fixture(scope="module")
def stream() -> bytes:
    """Three frames: two full ones and a rest."""
    return b"".join(seal_stream(KEY, [b"a" * CHUNK_BYTES, b"b" * CHUNK_BYTES, b"rest"], b"file|1"))


def opened(stream: bytes, aad: bytes = b"file|1", key: DataKey = KEY) -> bytes:
    return b"".join(unseal_stream(key, [stream], aad))


# Keys


def test_data_key_hides_its_bytes() -> None:
    shown = repr(DataKey(b"s" * 32)) + str(DataKey(b"s" * 32)) + repr(MasterKeys({1: DataKey(b"s" * 32)}))

    assert shown == "DataKey()DataKey()MasterKeys()"


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_data_key_refuses_another_size(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(bytes(size))


def test_new_key_differs_each_time() -> None:
    keys = {new_key().secret for _ in range(100)}

    assert len(keys) == 100


def test_derive_matches_an_independent_computation() -> None:
    extracted = hmac.digest(bytes(32), KEY.secret, "sha256")
    expected = hmac.new(extracted, b"dsar/derive/mail\x01", hashlib.sha256).digest()

    assert derive(KEY, "mail") == DataKey(expected)


def test_derive_differs_by_label_and_master() -> None:
    derived = {derive(KEY, "a"), derive(KEY, "b"), derive(OTHER, "a"), KEY, OTHER}

    assert len(derived) == 5


def test_blind_is_the_same_for_the_same_value_and_key() -> None:
    assert blind(KEY, "ann@example.org") == blind(KEY, "ann@example.org")


def test_blind_differs_by_value_and_key() -> None:
    hashes = {blind(KEY, "ann"), blind(KEY, "Ann"), blind(OTHER, "ann"), blind(KEY, "")}

    assert {len(hash_) for hash_ in hashes} == {32}
    assert len(hashes) == 4


# Values


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_unseal_gives_back_what_was_sealed(plaintext: bytes, aad: bytes) -> None:
    blob = seal(KEY, plaintext, aad)

    assert (unseal(KEY, blob, aad), len(blob)) == (plaintext, len(plaintext) + 29)


def test_seal_never_gives_the_same_ciphertext_twice() -> None:
    blobs = {seal(KEY, b"same", b"same") for _ in range(200)}

    assert len(blobs) == 200


def test_unseal_refuses_every_turned_bit() -> None:
    for damaged in flips(seal(KEY, b"text", b"row|1")):
        with pytest.raises(DecryptionError):
            unseal(KEY, damaged, b"row|1")


def test_unseal_refuses_every_shortened_or_lengthened_blob() -> None:
    blob = seal(KEY, b"text", b"row|1")

    for damaged in [*(blob[:size] for size in range(len(blob))), blob + b"\0", b"\x01" + blob]:
        with pytest.raises(DecryptionError):
            unseal(KEY, damaged, b"row|1")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_unseal_refuses_a_ciphertext_moved_elsewhere(here: bytes, there: bytes) -> None:
    blob = seal(KEY, b"text", here)

    if here != there:
        with pytest.raises(DecryptionError):
            unseal(KEY, blob, there)


def test_unseal_refuses_another_key() -> None:
    with pytest.raises(DecryptionError):
        unseal(OTHER, seal(KEY, b"text", b""), b"")


def test_decryption_error_says_nothing_of_the_content() -> None:
    with pytest.raises(DecryptionError) as caught:
        unseal(OTHER, seal(KEY, b"secret text", b"row"), b"row")

    assert (str(caught.value), caught.value.__cause__) == ("This ciphertext does not open.", None)


# Keys under keys


def test_unseal_key_gives_back_the_key() -> None:
    child = new_key()

    assert unseal_key(KEY, seal_key(KEY, child, b"file|1"), b"file|1") == child


def test_unseal_key_refuses_a_value_sealed_for_the_same_place() -> None:
    with pytest.raises(DecryptionError):
        unseal_key(KEY, seal(KEY, bytes(32), b"file|1"), b"file|1")


def test_unseal_refuses_a_key_sealed_for_the_same_place() -> None:
    with pytest.raises(DecryptionError):
        unseal(KEY, seal_key(KEY, OTHER, b"file|1"), b"file|1")


def test_master_keys_wrap_with_the_highest_version() -> None:
    masters = MasterKeys.parse(f"2:{encoded(2)}, 10:{encoded(10)},1:{encoded(1)}")

    blob = masters.wrap(KEY, b"case|1")

    assert (masters.current, wrapped_version(blob), len(blob)) == (10, 10, 65)
    assert masters.unwrap(blob, b"case|1") == KEY


def test_master_keys_unwrap_older_versions_and_rewrap_them() -> None:
    old = MasterKeys.parse(f"1:{encoded(1)}")
    both = MasterKeys.parse(f"1:{encoded(1)},2:{encoded(2)}")
    blob = old.wrap(KEY, b"case|1")

    renewed = both.rewrap(blob, b"case|1")

    assert (both.unwrap(blob, b"case|1"), wrapped_version(renewed)) == (KEY, 2)
    assert MasterKeys.parse(f"2:{encoded(2)}").unwrap(renewed, b"case|1") == KEY


def test_master_keys_refuse_a_key_whose_master_is_gone() -> None:
    blob = MasterKeys.parse(f"1:{encoded(1)}").wrap(KEY, b"")

    with pytest.raises(DecryptionError):
        MasterKeys.parse(f"2:{encoded(1)}").unwrap(blob, b"")


def test_master_keys_refuse_every_turned_bit() -> None:
    # Each version one turned bit away holds the same key, so that only authentication can refuse.
    masters = MasterKeys(dict.fromkeys((1, 2, 3, 5, 9, 17, 33, 65, 129), KEY))
    blob = MasterKeys({1: KEY}).wrap(OTHER, b"case|1")

    for damaged in flips(blob):
        with pytest.raises(DecryptionError):
            masters.unwrap(damaged, b"case|1")


def test_master_keys_refuse_every_truncation() -> None:
    masters = MasterKeys({1: KEY})
    blob = masters.wrap(OTHER, b"")

    for size in range(len(blob)):
        with pytest.raises(DecryptionError):
            masters.unwrap(blob[:size], b"")


def test_master_keys_refuse_a_key_moved_to_another_case() -> None:
    masters = MasterKeys({1: KEY})

    with pytest.raises(DecryptionError):
        masters.unwrap(masters.wrap(OTHER, b"case|1"), b"case|2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "At least one master key is needed."),
        (" , ", "At least one master key is needed."),
        (encoded(1), "A master key is written as version:base64."),
        (f"x:{encoded(1)}", "A master key is written as version:base64."),
        (f"-1:{encoded(1)}", "A master key is written as version:base64."),
        (f"0:{encoded(1)}", "Master key versions are whole numbers from 1 to 4294967295."),
        (f"4294967296:{encoded(1)}", "Master key versions are whole numbers from 1 to 4294967295."),
        (f"1:{encoded(1)},1:{encoded(2)}", "Master key version 1 is given twice."),
        ("3:c2hvcnQ=", "Master key version 3 is not 32 bytes in base64."),
        ("3:not*base64", "Master key version 3 is not 32 bytes in base64."),
    ],
)
def test_master_keys_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        MasterKeys.parse(text)


# Streams


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_unseal_stream_gives_back_every_size(size: int) -> None:
    plaintext = (b"0123456789" * (size // 10 + 1))[:size]

    sealed = b"".join(seal_stream(KEY, [plaintext], b"file|1"))

    frames = max(1, -(-size // CHUNK_BYTES))
    assert (opened(sealed), len(sealed)) == (plaintext, HEADER + size + 16 * frames)


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(min_value=1, max_value=60))
def test_unseal_stream_takes_chunks_of_any_size(chunks: list[bytes], step: int) -> None:
    sealed = b"".join(seal_stream(KEY, chunks, b""))
    pieces = [sealed[start : start + step] for start in range(0, len(sealed), step)]

    assert b"".join(unseal_stream(KEY, pieces, b"")) == b"".join(chunks)


def test_seal_stream_reads_only_what_it_needs() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            drawn.append(1)
            yield bytes(CHUNK_BYTES)

    sealed = seal_stream(KEY, endless(), b"")
    for _ in range(4):
        next(sealed)

    assert len(drawn) == 4


def test_unseal_stream_holds_no_more_than_two_frames(stream: bytes) -> None:
    drawn: list[int] = []

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(stream), 4096):
            drawn.append(4096)
            yield stream[start : start + 4096]

    first = next(unseal_stream(KEY, pieces(), b"file|1"))

    assert (first == b"a" * CHUNK_BYTES, sum(drawn) <= HEADER + 2 * FRAME + 3 * 4096) == (True, True)


def test_unseal_stream_refuses_every_turned_bit_of_a_short_file() -> None:
    for damaged in flips(b"".join(seal_stream(KEY, [b"text"], b"file|1"))):
        with pytest.raises(DecryptionError):
            opened(damaged)


def test_unseal_stream_refuses_every_truncation_of_a_short_file() -> None:
    sealed = b"".join(seal_stream(KEY, [b"text"], b"file|1"))

    for size in range(len(sealed)):
        with pytest.raises(DecryptionError):
            opened(sealed[:size])


def test_unseal_stream_refuses_changed_frames(stream: bytes) -> None:
    header, first, second, last = (
        stream[:HEADER],
        stream[HEADER : HEADER + FRAME],
        stream[HEADER + FRAME : HEADER + 2 * FRAME],
        stream[HEADER + 2 * FRAME :],
    )
    attacks = {
        "cut after the first frame": header + first,
        "cut after the second frame": header + first + second,
        "no frames": header,
        "no header": first + second + last,
        "first frame dropped": header + second + last,
        "second frame dropped": header + first + last,
        "reordered": header + second + first + last,
        "repeated": header + first + first + last,
        "trailing byte": stream + b"\0",
        "trailing frame": stream + last,
        "last frame cut": stream[:-1],
        "two streams": stream + stream,
    }

    survived = []
    for name, attack in attacks.items():
        try:
            opened(attack)
        except DecryptionError:
            continue
        survived.append(name)

    assert survived == []


def test_unseal_stream_refuses_frames_of_another_file_under_the_same_key() -> None:
    one = b"".join(seal_stream(KEY, [b"one"], b""))
    two = b"".join(seal_stream(KEY, [b"two"], b""))

    with pytest.raises(DecryptionError):
        opened(one[:HEADER] + two[HEADER:], b"")


def test_unseal_stream_refuses_another_place_and_another_key(stream: bytes) -> None:
    for aad, key in ((b"file|2", KEY), (b"", KEY), (b"file|1", OTHER)):
        with pytest.raises(DecryptionError):
            opened(stream, aad, key)


def test_formats_are_never_taken_for_one_another() -> None:
    value, streamed = seal(KEY, b"x" * 32, b""), b"".join(seal_stream(KEY, [b"x" * 32], b""))

    for attempt in (
        lambda: opened(value, b""),
        lambda: unseal(KEY, streamed, b""),
        lambda: MasterKeys({1: KEY}).unwrap(value, b""),
    ):
        with pytest.raises(DecryptionError):
            attempt()
