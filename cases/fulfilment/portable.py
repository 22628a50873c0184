"""What of a source a person can take along (Art 20(1)): provided or observed, on consent or contract, automated.

Pure: reads what an operator states of a source, and says for each record type and field what it does not reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Art 20(1)(a): on which bases data can be taken along.
BASES = ("consent", "contract")
OTHER = "other"
# What the person gave, and what came from their use of a service (WP 242 rev.01); what is worked out from it is not.
PROVIDED = ("provided", "observed")
DERIVED = ("derived", "inferred")

# Codes of the picklist "portability_limit".
NOT_PROVIDED = "DERIVED"
OTHER_BASIS = "OTHER_BASIS"
NOT_AUTOMATED = "NOT_AUTOMATED"


@dataclass(frozen=True)
class Reach:
    """What portability does not reach of one record type: all of it under a code, or some fields each under one."""

    code: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """All of it can be taken along."""
        return not self.code and not self.fields

    @property
    def marks(self) -> dict[str, Any]:
        """The fields left out, as the redactions of a record say it."""
        return {
            "fields": [{"field": name, "code": code} for name, code in sorted(self.fields.items())],
            "passages": [],
        }


def reach(stated: Mapping[str, Any], collection: str) -> Reach | None:
    """What is stated of this record type; None where nothing is, and somebody has to decide.

    A collection says it anew for itself, and a field for itself: what it leaves open holds as stated above it.
    """
    own = {**stated, **stated.get("collections", {}).get(collection, {})}
    if not own.get("basis") and not own.get("origin"):
        return None
    return Reach(_code(own), dict(_fields(own)))


def _code(stated: Mapping[str, Any]) -> str:
    if stated.get("basis", BASES[0]) not in BASES:
        return OTHER_BASIS
    if stated.get("automated") is False:
        return NOT_AUTOMATED
    return NOT_PROVIDED if stated.get("origin") in DERIVED else ""


def _fields(stated: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = stated.get("fields", {})
    return [(name, NOT_PROVIDED) for name, origin in named.items() if origin in DERIVED]
