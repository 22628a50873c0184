import pytest

from dsar.guards import tenant_models
from identity.roles import Role
from tests.factories.identity import ControllerFactory, enrolled, staff

pytestmark = pytest.mark.django_db


def test_enrolled_secret_round_trips(serve):
    controller = ControllerFactory.create()
    user = staff(Role.AGENT, controller)

    device = enrolled(user)
    device.refresh_from_db()

    assert device.secret.startswith("3132")
    assert user.access.controllers("log_request") == [controller.id]
    assert len(tenant_models()) > 20
