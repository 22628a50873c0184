"""Points 7 to 12: planning, applying and verifying changes."""

from __future__ import annotations

from cases.connectors.conformance.bench import Bench


class ChangingPoints(Bench):
    """A change is planned by reading, made once, and looked after."""
