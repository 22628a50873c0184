import pytest

from cases.packs import spool
from cases.packs.spool import Spool
from dsar.lib.crypto import DecryptionError

PAGES = [
    [["crm", "note", {"text": "lone \ud800 and é", "n": 2**70, "f": 0.1, "nested": {"a": [None, True]}}]],
    [],
    [["crm", "note", {"text": "x" * 5_000}], ["by-hand", "scan", {}]],
]


@pytest.fixture
def filled():
    with Spool() as kept:
        for page in PAGES:
            kept.add(page)
        yield kept


def test_pages_read_twice_are_the_same(filled):
    first = list(filled.pages())

    assert (first, list(filled.pages())) == (PAGES, PAGES)


@pytest.fixture
def on_disk(monkeypatch):
    monkeypatch.setattr(spool, "IN_MEMORY", 1)
    with Spool() as kept:
        kept.add([["crm", "note", {"name": "Ada Example"}]])
        kept.add(PAGES[2])
        yield kept


def test_pages_on_disk_are_the_same_and_not_to_be_read_by_others(on_disk):
    file = on_disk._file
    file.seek(0)
    raw = file.read()

    assert isinstance(file.name, int)  # it has no name by which others could open it
    assert raw.count(b"Ada") == 0
    assert list(on_disk.pages()) == [[["crm", "note", {"name": "Ada Example"}]], PAGES[2]]


def test_pages_after_clearing_are_those_added_since(on_disk):
    on_disk.clear()
    on_disk.add(PAGES[0])

    assert list(on_disk.pages()) == [PAGES[0]]


def test_page_that_was_tampered_with_does_not_open(filled):
    filled._file.seek(40)
    filled._file.write(b"\x00\x00")

    with pytest.raises(DecryptionError):
        list(filled.pages())


def test_pages_that_changed_places_do_not_open():
    with Spool() as kept:
        kept.add([["a"]])
        end = kept._file.tell()
        kept.add([["b"]])
        kept._file.seek(0)
        first, second = kept._file.read(end), kept._file.read()
        kept._file.seek(0)
        kept._file.write(second + first)

        with pytest.raises(DecryptionError):
            list(kept.pages())
