"""The virus scanner's answers, and its silences. A real daemon is asked as well where one runs here."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsar.lib.clamd import Address, ScannerAway, infection, is_there
from tests.identity.evidence.clamd_server import EICAR, running

SYSTEM = Path("/run/clamav/clamd.ctl")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a socket has at most 108 signs."""
    with tempfile.TemporaryDirectory(prefix="clamd") as made:
        yield Path(made)


@pytest.mark.parametrize("by_socket", [True, False])
def test_a_clean_file_is_clean_and_arrives_whole(folder: Path, by_socket: bool) -> None:
    chunks = [b"a" * 100_000, b"", b"b" * 7]

    with running(folder if by_socket else None) as (address, seen):
        found = infection(chunks, Address.parse(address), 5)

    assert (found, seen) == (None, [b"".join(chunks)])


@pytest.mark.parametrize("by_socket", [True, False])
def test_an_infected_file_is_named(folder: Path, by_socket: bool) -> None:
    with running(folder if by_socket else None) as (address, _):
        found = infection([EICAR[:20], EICAR[20:]], Address.parse(address), 5)

    assert found == "Eicar-Test-Signature"


@pytest.mark.parametrize("behaviour", ["silent", "full", "slow"])
def test_anything_but_a_clear_answer_is_an_error(folder: Path, behaviour: str) -> None:
    with running(folder, behaviour) as (address, _), pytest.raises(ScannerAway):
        infection([b"clean"], Address.parse(address), 0.3)


@pytest.mark.parametrize("address", ["unix:/nowhere/clamd.ctl", "tcp:127.0.0.1:1"])
def test_a_daemon_that_is_not_there_is_an_error(address: str) -> None:
    with pytest.raises(ScannerAway):
        infection([b"clean"], Address.parse(address), 1)


def test_a_daemon_says_that_it_is_there(folder: Path) -> None:
    with running(folder) as (address, _):
        answers = [is_there(Address.parse(one), 1) for one in (address, "unix:/nowhere/clamd.ctl")]

    assert answers == [True, False]


@pytest.mark.parametrize(
    "text", ["", "clamd", "unix:", "unix:relative", "tcp:3310", "tcp:host:port", "http://host:1"]
)
def test_an_address_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write the address"):
        Address.parse(text)


@pytest.mark.skipif(not SYSTEM.is_socket(), reason="no clamd runs here")
def test_the_real_daemon_finds_the_test_file() -> None:
    address = Address(path=str(SYSTEM))

    found = [infection([content], address, 20) for content in (EICAR, b"clean")]

    assert [name is not None and "eicar" in name.lower() for name in found] == [True, False]
