"""A demo CRM that runs as long as a module's world (tests/worlds.py), with its records anew for each test."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from cases.connectors.demo_crm.system.api import Crm
from cases.connectors.demo_crm.system.server import Server
from cases.connectors.demo_crm.system.store import Store
from identity.models import Controller
from tests.cases.workflow.rectifying import Shop, shop


@dataclass(frozen=True)
class Lent:
    """A server, and the system as it stood behind it when the world was built."""

    server: Server
    built: Crm

    def __deepcopy__(self, _memo: object) -> "Lent":
        """The server is the same for every test; what is behind it is not."""
        return self

    @contextmanager
    def as_it_was(self) -> Iterator[Server]:
        """With a copy of all records; no switch is thrown, and no call was counted."""
        store = Store()
        self.built.store._db.backup(store._db)
        self.server.crm = Crm(store)
        try:
            yield self.server
        finally:
            self.server.crm = self.built
            store.close()


def shop_of_world(request: pytest.FixtureRequest, controller: Controller | None = None) -> tuple[Shop, Lent]:
    """For a world that is being built: a shop on a CRM of its own, which runs until the world ends."""
    lasting = ExitStack()
    request.addfinalizer(lasting.close)
    found = lasting.enter_context(shop(controller))
    return found, Lent(found.crm, found.crm.crm)
