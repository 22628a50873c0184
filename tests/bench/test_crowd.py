"""The crowd's sources: how they count, and how they are found."""

import importlib.metadata

import pytest

from cases.connectors.base import EMAIL, Identifier, Limit, LinkKind, Setup, utc_now
from tests.bench import metered
from tests.bench.crowd import Source
from tests.bench.metered import Metered


class Gate:
    """Counts what is asked of it."""

    taken = 0

    def take(self, bucket=""):
        self.taken += 1

    def learn(self, **_):
        raise AssertionError


def connected(gate=None, **options):
    return Metered.create(
        Setup(options=options, secrets={}, dataset_yaml=None, clock=utc_now, gate=gate or Gate())
    )


def pages(connector, email="ada@example.com"):
    matches = connector.find([Identifier(EMAIL, email)])
    page = connector.collect(matches, None)
    found = [page]
    while page.next:
        page = connector.collect(matches, page.next)
        found.append(page)
    return found


@pytest.mark.parametrize(
    ("calls", "most"),
    [([], 0), ([1.0], 1), ([0.0, 0.5, 0.9, 1.0], 3), ([0.0, 2.0, 4.0], 1), ([1.0, 1.0, 1.0], 3)],
)
def test_most_within_a_second(calls, most):
    assert metered.most_within(calls, 1.0) == most


def test_source_says_by_how_much_it_was_overstepped():
    source = Source("shop", 2, 1)

    assert (source.beyond([0.0, 0.1, 1.1]), source.beyond([0.0, 0.1, 0.2, 0.3])) == (0, 2)


def test_least_seconds_are_those_after_the_first_window():
    assert (Source("shop", 100, 10).least_seconds(80), Source("shop", 100, 10).least_seconds(160)) == (
        0.0,
        10.0,
    )


def test_metered_gives_every_record_once_and_notes_each_call(tmp_path):
    gate, log = Gate(), tmp_path / "calls"

    found = pages(connected(gate, log=str(log), records=7, page_size=3))

    records = [record for page in found for record in page.records]
    assert ([len(page.records) for page in found], len({one.ref for one in records})) == ([3, 3, 1], 7)
    assert [one.link.kind for one in records] == [LinkKind.IDENTITY, *[LinkKind.REFERENCE] * 6]
    assert (gate.taken, len(metered.calls_in(log))) == (4, 4)


def test_metered_publishes_its_limit():
    assert connected(calls=60, seconds=2).capabilities().limits == (Limit(60, 2.0),)
    assert connected().capabilities().limits == ()


def test_metered_is_offered_as_any_package_offers_its_connector(tmp_path):
    folder = metered.offered_in(tmp_path)

    (found,) = importlib.metadata.distributions(path=[str(folder)])

    assert [(one.group, one.name, one.load()) for one in found.entry_points] == [
        ("dsar.connectors", metered.KEY, Metered)
    ]
