import pytest
from django.db import OperationalError, connection

from dsar.lib import tenancy


@pytest.fixture
def visitor(client):
    client.raise_request_exception = False
    return client


def failing(error: Exception):
    def refuse(execute, sql, params, many, context):
        raise error

    return connection.execute_wrapper(refuse)


@pytest.mark.django_db
def test_database_away_is_said_plainly(visitor):
    with failing(OperationalError("gone")):
        answer = visitor.get("/p/brand/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "cannot reach its database" in answer.text


@pytest.mark.django_db
def test_other_error_is_an_error(visitor, monkeypatch):
    def broken(*args):
        raise RuntimeError("a secret")

    monkeypatch.setattr(tenancy, "serve", broken)

    answer = visitor.get("/staff/sign-in/")

    assert answer.status_code == 500
    assert "a secret" not in answer.text
