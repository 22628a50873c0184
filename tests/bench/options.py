"""What a run of the benchmark is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.site import SHARED_CRM, options_of


@dataclass(frozen=True)
class Options:
    """``quick`` shows that a measurement works; its figures are not for comparing."""

    quick: bool = False
    crm_url: str = ""
    names: frozenset[str] = frozenset()

    def wants(self, *rows: str) -> bool:
        """Whether any of these rows is asked for."""
        return not self.names or bool(self.names & set(rows))

    def runs(self, full: int, quick: int = 1) -> int:
        """How often something is measured."""
        return quick if self.quick else full

    @property
    def crm_script(self) -> Path:
        return SHARED_CRM / "crm.sql"

    @property
    def no_crm(self) -> str:
        """Why nothing can be collected; empty where it can."""
        if (SHARED_CRM / "crm_dataset.yml").exists():
            return ""
        return "the benchmark's CRM and its description (shared/data/crm_bench) are not beside the project"

    @property
    def dataset(self) -> str:
        return (SHARED_CRM / "crm_dataset.yml").read_text()

    def crm_options(self) -> dict[str, Any] | None:
        """How to reach a CRM that is there already; None where it is to be made."""
        return options_of(self.crm_url) if self.crm_url else None
