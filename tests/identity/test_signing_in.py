"""From the sign-in page to the console, as a browser goes."""

import pytest
from django.test import Client
from django.urls import reverse

from dsar.audit.models import AuditEvent
from tests.factories.identity import UserFactory, enrolled
from tests.identity.signing_in import code_now, give_code, give_password

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


def test_sign_in_with_both_factors_opens_the_desk():
    person = UserFactory.create(with_password=True)
    enrolled(person)
    client = Client()

    first = give_password(client, person.email.upper())
    second = give_code(client, code_now())

    assert (first.status_code, first.url) == (302, reverse("identity:second-factor"))
    assert (second.status_code, second.url) == (302, "/")
    assert client.get(reverse("identity:account")).status_code == 200
    assert actions() == ["staff.signed_in"]
