"""The door for importers: a token of one brand, yes or no to each value, and nothing else."""

import json

import pytest
from django.utils import timezone

from cases.models import SuppressionOrigin
from cases.permissions import BY_OPERATOR
from cases.workflow import suppression
from identity.limits import NOT_BELIEVED
from identity.models import Attempt
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

URL = "/api/suppression/check"


@pytest.fixture
def brand(serve):
    made = ControllerFactory.create()
    suppression.add(made, ["ada@example.com"], SuppressionOrigin.OPERATOR, BY_OPERATOR, timezone.now())
    return made


@pytest.fixture
def token(brand):
    return suppression.make_token(brand, "import", BY_OPERATOR, timezone.now())


def ask(client, token, body):
    return client.post(
        URL,
        body if isinstance(body, bytes) else json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )


def test_answers_in_order(client, token):
    answer = ask(client, token, {"values": ["bob@example.com", "ADA@example.com", "?"]})

    assert (answer.status_code, answer.json()) == (
        200,
        {"purpose": "marketing", "suppressed": [False, True, None]},
    )


def test_token_of_another_brand_sees_its_own_list_alone(client, token):
    other = ControllerFactory.create()
    theirs = suppression.make_token(other, "import", BY_OPERATOR, timezone.now())

    answer = ask(client, theirs, {"values": ["ada@example.com"]})

    assert answer.json()["suppressed"] == [False]


@pytest.mark.parametrize("change", ["revoked", "cut", "foreign", "none"])
def test_without_a_living_token_nothing_is_said(client, brand, token, change):
    other = ControllerFactory.create()
    shown = {
        "revoked": token,
        "cut": token[:-1],
        "foreign": other.pk.hex + token[32:],
        "none": "",
    }[change]
    if change == "revoked":
        suppression.revoke_token(suppression.find_token(token, timezone.now()), BY_OPERATOR, timezone.now())

    answer = ask(client, shown, {"values": ["ada@example.com"]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_believed")


def test_guesses_end(client, brand):
    Attempt.objects.all().delete()
    for _ in range(NOT_BELIEVED.most):
        ask(client, f"{brand.pk.hex}.guess", {})

    answer = ask(client, f"{brand.pk.hex}.guess", {})

    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (429, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"[]", 400, "not_json"),
        ({"values": "ada@example.com"}, 400, "values"),
        ({"values": [1]}, 400, "values"),
        ({"values": [], "purpose": "fun"}, 400, "purpose"),
        ({"values": ["a@b.example"] * 1001}, 413, "too_much"),
        ({"values": ["a" * 321]}, 413, "too_much"),
    ],
)
def test_other_forms_are_refused_without_quoting_them(client, token, body, status, code):
    answer = ask(client, token, body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert b"example.com" not in answer.content


def test_log_tells_counts_alone(client, token, caplog):
    caplog.set_level("INFO")

    ask(client, token, {"values": ["ada@example.com", "bob@example.com"]})

    said = [one.getMessage() for one in caplog.records if one.name.startswith("cases.api")]
    assert (said, "ada" in caplog.text) == (["suppression: 2 asked, 1 on the list"], False)


def test_reading_is_no_way_in(client, token):
    answer = client.get(URL, headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 405


def test_session_of_staff_opens_nothing_here(brand):
    handler = signed_in(staff(Role.ADMINISTRATOR, brand))

    answer = handler.post(URL, "{}", content_type="application/json")

    assert answer.status_code == 401
