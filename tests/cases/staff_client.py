"""A browser in which a member of staff is signed in, without the cost of doing it through the forms."""

import time

from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from playwright.sync_api import Page

from dsar.lib.tenancy import unit_of_work
from identity import sessions
from identity.models import TotpDevice, User
from tests.factories.identity import enrolled


def signed_in(user: User) -> Client:
    """Both factors passed, as the session would say after the real forms."""
    client = Client()
    sign_in_quickly(client, user)
    return client


def sign_in_quickly(client: Client, user: User) -> None:
    client.force_login(user, backend="identity.signin.PasswordBackend")
    device = TotpDevice.objects.filter(user=user).first() or enrolled(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session[sessions.STARTED] = session[sessions.SEEN] = session[sessions.FACTOR_AT] = int(time.time())
    session.save()


def enter(page: Page, site: str, user: User) -> None:
    """The browser goes on with such a session of a member of staff."""
    with unit_of_work([]):
        session = signed_in(user).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
