"""Give all staff an authenticator app with a known secret: ``python -m tests.journeys.enrol``."""

import django

django.setup()

from dsar.lib.tenancy import unit_of_work  # noqa: E402
from identity.access import all_controllers  # noqa: E402
from identity.models import User  # noqa: E402
from tests.factories.identity import enrolled  # noqa: E402

with unit_of_work(all_controllers()):
    for person in User.objects.all():
        enrolled(person)
