from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from cases.connectors import registry
from cases.connectors.base import ConfigurationError
from cases.connectors.demo.connector import DemoConnector
from cases.connectors.sql.postgresql import PostgreSQLConnector


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let a package offer connectors by entry point, as an installed one would."""

    def make(**offered: str) -> None:
        points = [EntryPoint(name, value, registry.ENTRY_POINT_GROUP) for name, value in offered.items()]
        monkeypatch.setattr(
            registry, "entry_points", lambda group: points if group == registry.ENTRY_POINT_GROUP else []
        )
        registry._offered.cache_clear()

    yield make
    registry._offered.cache_clear()


def test_get_returns_bundled_connectors() -> None:
    assert [registry.get(key) for key in ("demo", "postgresql")] == [DemoConnector, PostgreSQLConnector]


def test_available_lists_offered_connectors_too(offer: Any) -> None:
    offer(helpdesk="cases.connectors.demo.connector:DemoConnector")

    assert registry.available() == tuple(sorted(["helpdesk", *registry.BUILT_IN]))
    assert registry.get("helpdesk") is DemoConnector


def test_get_keeps_bundled_connector_when_package_offers_its_key(offer: Any) -> None:
    offer(postgresql="cases.connectors.demo.connector:DemoConnector")

    assert registry.get("postgresql") is PostgreSQLConnector


@pytest.mark.parametrize(
    ("offered", "problem"),
    [
        ("no_such_package.module:Thing", "the package that offers the connector “x” cannot be loaded."),
        ("cases.connectors.base:Nothing", "the package that offers the connector “x” cannot be loaded."),
        ("cases.connectors.base:Record", "what is offered as the connector “x” does not keep the contract."),
    ],
)
def test_get_refuses_what_cannot_serve(offer: Any, offered: str, problem: str) -> None:
    offer(x=offered)

    with pytest.raises(ConfigurationError) as caught:
        registry.get("x")

    assert caught.value.params == {"problem": problem}


def test_get_refuses_package_that_breaks_while_it_is_imported(
    offer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaks_on_import.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    offer(x="breaks_on_import:Thing")

    with pytest.raises(ConfigurationError) as caught:
        registry.get("x")

    assert caught.value.params == {"problem": "the package that offers the connector “x” cannot be loaded."}


def test_load_takes_a_key_or_a_place() -> None:
    found = [registry.load(name) for name in ("demo", "cases.connectors.demo.connector:DemoConnector")]

    assert found == [DemoConnector, DemoConnector]


@pytest.mark.parametrize("name", ["no_such_module:Thing", "cases.connectors.base:Nothing"])
def test_load_refuses_what_is_not_there(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        registry.load(name)

    assert caught.value.params == {"problem": f"“{name}” cannot be imported."}


def test_place_is_no_key_for_what_an_operator_states() -> None:
    with pytest.raises(ConfigurationError):
        registry.get("cases.connectors.demo.connector:DemoConnector")


def test_get_names_connectors_when_there_is_none(offer: Any) -> None:
    offer()

    with pytest.raises(ConfigurationError) as caught:
        registry.get("y")

    known = ", ".join(sorted(registry.BUILT_IN))
    assert caught.value.params == {"problem": f"there is no connector “y”; there are {known}."}


def test_build_refuses_source_without_description() -> None:
    with pytest.raises(ConfigurationError) as caught:
        registry.build("postgresql", {"host": "h", "database": "d", "user": "u"}, {}, "  ")

    assert caught.value.params == {"problem": "this kind of source needs a dataset description."}
