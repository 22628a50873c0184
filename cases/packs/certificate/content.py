"""What a certificate says. Its JSON is this, and docs/certificate.schema.json is made from here.

There is no field for anything that was erased: places, codes, counts, dates and digests only.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Said(BaseModel):
    """A part of a certificate; nothing may be in it that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Done(Said):
    """Records of one type that were dealt with in one way."""

    record_type: str
    what: Literal["delete", "anonymise", "block", "correct", "supplement", "restrict", "lift"]
    records: int = Field(ge=0)
    by_hand: bool = Field(default=False, description="done by a member of staff in the system itself")


class Kept(Said):
    """Records of one type that stay, or that the system did not let go of, and why."""

    record_type: str
    what: Literal["keep", "refer", "refuse", "not_done"]
    records: int = Field(ge=0)
    code: str = Field(description="of the exception, or of the obstacle")
    provision: str = Field(default="", description="the provision of the law")
    words: str = Field(default="", description="the reason in words")


class Receipts(Said):
    """What the system answered, call by call, as a count and one digest of all of it."""

    count: int = Field(ge=0)
    sha256: str = Field(description="of the receipts in their order, one a line: docs/certificate.md")
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None


class System(Said):
    """One system in which something was done or kept."""

    code: str
    name: str
    done: list[Done]
    kept: list[Kept]
    receipts: Receipts
    verified_at: AwareDatetime | None = Field(default=None, description="when it was searched again")
    left: int = Field(
        default=0, ge=0, description="places where something is left, which two people accepted with a reason"
    )
    backups_until: date | None = Field(
        default=None, description="when its backups are overwritten; empty: not known"
    )


class Told(Said):
    """Somebody to whom data had gone, and what became of telling them (Article 19)."""

    name: str
    kind: str
    state: Literal["waiting", "sent", "answered", "failed", "impossible", "disproportionate"]
    on: date | None
    answer: str = ""


class Ground(Said):
    """Why the data had to go."""

    code: str
    provision: str
    words: str


class Trail(Said):
    """Where the case's trail stood when this was made: the event of this number has this hash, for ever."""

    chain: str
    seq: int
    sha256: str


class Controller(Said):
    """Who answers for it."""

    name: str
    legal_name: str
    address: list[str]


class Certificate(Said):
    """The whole certificate."""

    format: Literal["dsar-certificate/1"] = "dsar-certificate/1"
    reference: str
    right: str
    regime: str
    controller: Controller
    received_at: AwareDatetime
    decided_at: AwareDatetime | None = Field(description="when a second person approved it")
    made_at: AwareDatetime
    ground: Ground | None = None
    systems: list[System]
    recipients: list[Told]
    suppressed: bool = Field(
        description="whether the person's addresses are on the list of who is not advertised to"
    )
    trail: Trail


def schema() -> dict[str, Any]:
    """The JSON Schema of a certificate."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Certificate.model_json_schema()}


def encoded(certificate: Certificate) -> bytes:
    """The certificate as its file has it."""
    return certificate.model_dump_json(indent=2).encode() + b"\n"


def read(data: bytes) -> Certificate:
    """The certificate of a file. Raises pydantic's ValidationError, which is a ValueError."""
    return Certificate.model_validate_json(data)
