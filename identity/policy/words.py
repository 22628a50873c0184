"""The closed vocabularies of a policy."""

from __future__ import annotations

from enum import StrEnum

from identity.providers.base import Level

# What is asked for. An objection to direct marketing is a word of its own, because the law asks nothing for it.
MARKETING = "marketing"
RIGHTS = (
    "access",
    "portability",
    "erasure",
    "rectification",
    "restriction",
    "objection",
    MARKETING,
    "automated",
    "complaint",
)


class DataKind(StrEnum):
    """What a source system holds, by what it would do to a person in the wrong hands."""

    LOW_RISK = "low_risk"  # an address for a newsletter, preferences
    ORDINARY = "ordinary"  # a customer's account; also what nobody has declared
    COMMUNICATIONS = "communications"  # recordings, chats, letters, traffic
    FINANCIAL = "financial"
    CHILDREN = "children"
    SPECIAL_CATEGORY = "special_category"  # Art 9 and 10: health, belief, biometrics, offences


class Requester(StrEnum):
    """Who asks."""

    SELF = "self"
    SOLICITOR = "solicitor"
    PARENT = "parent"
    ATTORNEY = "attorney"
    AGENT = "agent"
    ELECTED = "elected"
    EXECUTOR = "executor"
    OTHER = "other"


LEVEL_NAMES: dict[str, Level] = {level.name.lower(): level for level in Level}
