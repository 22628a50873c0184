"""No page of the site opens without both factors, unless it is listed here."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from identity.middleware import HALF_WAY, is_public
from tests.identity.signing_in import give_password, member

pytestmark = pytest.mark.django_db

PUBLIC = (
    "/healthz",
    "/static/",
    "/p/",
    "/staff/sign-in/",
    "/staff/sign-on/",
    "/staff/sign-out/",
    "/staff/invitation/",
    "/calendar/",
    "/api/suppression/",
)
HALF_WAY_PATHS = {
    "/staff/second-factor/",
    "/staff/second-factor/passkey/",
    "/staff/recovery-code/",
    "/staff/enrolment/",
    "/staff/enrolment/passkey/",
}
SAMPLES = {"int": "1", "uuid": "00000000-0000-7000-8000-000000000000", "path": "a/b"}


def paths(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    """An address for each route of the site, with made-up values for its parameters."""
    for pattern in patterns:
        route = prefix + re.sub(
            r"<(?:(\w+):)?\w+>", lambda match: SAMPLES.get(match[1], "x"), str(pattern.pattern)
        )
        if isinstance(pattern, URLResolver):
            yield from paths(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def closed_paths() -> list[str]:
    every = paths(get_resolver().url_patterns)
    return [path for path in every if path not in PUBLIC and not path.startswith(PUBLIC[1:])]


def test_public_paths_are_these_and_no_others():
    assert settings.PUBLIC_PATHS == PUBLIC


def test_half_way_pages_are_these_and_no_others():
    assert {reverse(name) for name in HALF_WAY} == HALF_WAY_PATHS


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head", "options"])
def test_stranger_is_sent_to_the_sign_in_from_everywhere_else(client, method):
    answers = {path: getattr(client, method)(path) for path in closed_paths()}

    opened = {
        path
        for path, answer in answers.items()
        if not answer.headers.get("Location", "").startswith("/staff/sign-in/")
    }
    assert (opened, len(answers) >= 7) == (set(), True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_password_alone_is_sent_to_the_second_factor_from_everywhere_else(client, method):
    give_password(client, member().email)

    answers = {path: getattr(client, method)(path) for path in closed_paths() if path not in HALF_WAY_PATHS}

    opened = {
        path for path, answer in answers.items() if answer.headers.get("Location") != "/staff/second-factor/"
    }
    assert opened == set()


def test_enrolment_does_not_replace_the_app_of_who_gave_the_password_alone(client):
    give_password(client, member().email)

    answer = client.get("/staff/enrolment/")

    assert answer.headers["Location"] == "/staff/second-factor/"


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("/p/", True),
        ("/p/brand/", True),
        ("/p", False),
        ("/patients/", False),
        ("/healthz", True),
        ("/healthz/all", False),
        ("/staff/sign-in/", True),
        ("/staff/sign-inside/", False),
        ("//p/", False),
        ("/staff/account/../sign-in/", False),
    ],
)
def test_public_is_what_the_list_says_to_the_letter(path, public):
    assert is_public(path) == public
