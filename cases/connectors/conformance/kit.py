"""The class that a connector's tests derive from. Importing it needs pytest.

A class named Test… that derives from ConnectorContract and gives ``connector``, ``way_in`` and ``world`` is all there
is to write; its hooks make the source misbehave, and whatever a source cannot do is named in ``not_claimed``, with the
reason. What is neither shown nor disclaimed fails.
"""

from __future__ import annotations

import pytest

# Before the tests are imported: a failed assertion then shows what it compared.
for _name in ("bench", "form", "reading", "trouble", "changing", "silence"):
    pytest.register_assert_rewrite(f"cases.connectors.conformance.{_name}")

from cases.connectors.conformance.bench import NOT_CLAIMED  # noqa: E402
from cases.connectors.conformance.changing import ChangingPoints  # noqa: E402
from cases.connectors.conformance.form import FormPoints  # noqa: E402
from cases.connectors.conformance.reading import ReadingPoints  # noqa: E402
from cases.connectors.conformance.silence import SilencePoints  # noqa: E402
from cases.connectors.conformance.trouble import TroublePoints  # noqa: E402
from cases.connectors.conformance.world import (  # noqa: E402
    MIB,
    WAIT,
    Aspect,
    Change,
    NotClaimed,
    Trouble,
    World,
)

__all__ = [
    "MIB",
    "NOT_CLAIMED",
    "WAIT",
    "Aspect",
    "Change",
    "ConnectorContract",
    "NotClaimed",
    "Trouble",
    "World",
]


class ConnectorContract(FormPoints, ReadingPoints, TroublePoints, ChangingPoints, SilencePoints):
    """All points. Derive from this and name the class Test…; see Bench for what to give."""
