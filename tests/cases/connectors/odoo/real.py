"""The test's own way into a real Odoo: it makes and removes people there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2

from cases.connectors.base import OPEN_GATE, Gate, Setup
from cases.connectors.odoo.connector import OdooConnector

HOME = Path.home() / ".cache" / "dsar-crm"
SEEDED = "maria.lindqvist@subject.example"


@dataclass(frozen=True)
class Place:
    """Where an Odoo is, and a key to it."""

    url: str
    key: str = field(repr=False)

    def setup(self, *, url: str = "", key: str = "", page_size: int = 1000, gate: Gate = OPEN_GATE) -> Setup:
        options = {"base_url": url or self.url, "network": "private", "page_size": page_size}
        return Setup(options, {"api_key": key or self.key}, gate=gate)

    def connect(self, *, page_size: int = 1000) -> OdooConnector:
        return OdooConnector.create(self.setup(page_size=page_size))


class Odoo:
    """Calls methods of models; raises AssertionError for what goes wrong."""

    def __init__(self, place: Place) -> None:
        self._client = httpx2.Client(
            base_url=place.url, timeout=60, trust_env=False, headers={"Authorization": f"bearer {place.key}"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def __call__(self, model: str, method: str, **arguments: Any) -> Any:
        answer = self._client.post(f"/json/2/{model}/{method}", json=arguments)
        assert answer.status_code == 200, f"{model}.{method}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def create(self, model: str, /, **values: Any) -> int:
        [made] = self(model, "create", vals_list=[values])
        return int(made)

    def remove(self, model: str, ids: list[int]) -> None:
        if ids:
            self(model, "unlink", ids=ids)

    def try_to_remove(self, model: str, number: int) -> bool:
        """Say whether it could be removed."""
        return self._client.post(f"/json/2/{model}/unlink", json={"ids": [number]}).status_code == 200

    def found(self, model: str, *domain: Any, **context: Any) -> list[int]:
        hidden: Mapping[str, Any] = {"active_test": False, **context}
        return list(self(model, "search", domain=[*domain], context=hidden))
