"""A brand with a source, and its people."""

import json
from typing import Any

import pytest

from tests.cases.workflow.conftest import RECORDS, Desk, make_desk
from tests.factories.cases import SourceFactory
from tests.factories.identity import ControllerFactory


@pytest.fixture
def desk(serve: Any) -> Desk:
    controller = ControllerFactory.create()
    SourceFactory.create(
        controller=controller, slug="crm", name="CRM", options={"records": json.dumps(RECORDS)}
    )
    return make_desk(controller)
