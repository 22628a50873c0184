"""Finds connectors: those of this package, and those that other packages offer by an entry point.

A package of a third party names its connector class in the entry-point group ``dsar.connectors``; the name of
the entry point is the key of the connector. A bundled connector cannot be replaced by such a package, so that
installing a library never changes how an existing source is searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from cases.connectors.base import (
    JSON,
    OPEN_GATE,
    Clock,
    ConfigurationError,
    Connector,
    Gate,
    Setup,
    utc_now,
)

ENTRY_POINT_GROUP = "dsar.connectors"

BUILT_IN: Mapping[str, str] = {
    "postgresql": "cases.connectors.sql.postgresql:PostgreSQLConnector",
    "manual": "cases.connectors.manual.connector:ManualConnector",
    "mariadb": "cases.connectors.sql.mariadb:MariaDBConnector",
    "demo": "cases.connectors.demo.connector:DemoConnector",
    "demo_crm": "cases.connectors.demo_crm.connector:DemoCrmConnector",
    "odoo": "cases.connectors.odoo.connector:OdooConnector",
}


def available() -> tuple[str, ...]:
    """Return the keys of all connectors, in order, without importing them."""
    return tuple(sorted({*BUILT_IN, *_offered()}))


def get(key: str) -> type[Connector]:
    """Return the connector class of this key.

    Raises ConfigurationError when there is none or it cannot be loaded.
    """
    if key in BUILT_IN:
        module, _, name = BUILT_IN[key].partition(":")
        return _checked(key, getattr(import_module(module), name))
    return _checked(key, _load_offered(key))


def load(name: str) -> type[Connector]:
    """Return the connector class of this key, or the one at ``package.module:Class``.

    For trying a connector; what an operator states is looked up by ``get``.

    Raises ConfigurationError when there is none or it cannot be loaded.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return get(name)
    try:
        return _checked(name, getattr(import_module(module), attribute))
    except (ImportError, AttributeError):
        raise ConfigurationError(f"“{name}” cannot be imported.") from None


def build(
    key: str,
    options: Mapping[str, JSON],
    secrets: Mapping[str, str],
    dataset_yaml: str | None = None,
    *,
    clock: Clock = utc_now,
    gate: Gate = OPEN_GATE,
) -> Connector:
    """Make a connector ready for use; nothing is contacted yet.

    Raises ConfigurationError (or DatasetError, its kind).
    """
    connector = get(key)
    if connector.needs_dataset and not (dataset_yaml or "").strip():
        raise ConfigurationError("this kind of source needs a dataset description.")
    return connector.create(
        Setup(options=options, secrets=secrets, dataset_yaml=dataset_yaml, clock=clock, gate=gate)
    )


@cache
def _offered() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load_offered(key: str) -> object:
    point = _offered().get(key)
    if point is None:
        raise ConfigurationError(f"there is no connector “{key}”; there are {', '.join(available())}.")
    try:
        return point.load()
    except Exception:  # noqa: BLE001 - A stranger's module may fail in any way while it is imported.
        raise ConfigurationError(f"the package that offers the connector “{key}” cannot be loaded.") from None


def _checked(key: str, found: object) -> type[Connector]:
    if not isinstance(found, type) or not all(hasattr(found, name) for name in _REQUIRED):
        raise ConfigurationError(f"what is offered as the connector “{key}” does not keep the contract.")
    return found


_REQUIRED = (
    "key", "label", "version", "needs_dataset", "options", "create",
    "capabilities", "check", "holds", "find", "collect", "close",
)  # fmt: skip
