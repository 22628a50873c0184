"""A gateway is described without guessing, spoken with over real HTTP, and its answers are taken for what they mean."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from identity.sms import description
from identity.sms.base import Text, Trouble
from identity.sms.gateway import HttpGateway
from tests.factories.sms import Listening, listening, options

TEXT = Text("+447700900123", "Acme: 123456 is your code {number}", "key-1")


@pytest.fixture
def heard() -> Iterator[Listening]:
    with listening() as found:
        yield found


def send(heard: Listening, text: Text = TEXT, **changes: Any) -> None:
    HttpGateway(description.parsed(options(heard.url, **changes)), "s3cr3t-token").send(text)


def test_a_message_is_handed_over(heard: Listening) -> None:
    send(heard, headers={"X-Account": "acme"})

    [(headers, _body)] = heard.came
    assert heard.bodies() == [{"to": "+447700900123", "text": TEXT.text, "from": "Acme"}]
    assert (headers["authorization"], headers["x-account"]) == ("Bearer s3cr3t-token", "acme")


def test_the_same_message_bears_the_same_key(heard: Listening) -> None:
    send(heard)
    send(heard)

    assert [headers["idempotency-key"] for headers, _body in heard.came] == ["key-1", "key-1"]


@pytest.mark.parametrize(
    ("form", "written"), [("e164", "+447700900123"), ("digits", "447700900123"), ("zeros", "00447700900123")]
)
def test_numbers_are_written_as_the_gateway_wants_them(heard: Listening, form: str, written: str) -> None:
    send(heard, number=form)

    assert heard.bodies()[0]["to"] == written


def test_a_form_is_sent_as_a_form(heard: Listening) -> None:
    send(heard, form="form")

    assert parse_qs(heard.came[0][1])["to"] == ["+447700900123"]


@pytest.mark.parametrize(
    ("status", "code", "may_heal"),
    [
        (429, "http_429", True),
        (503, "http_503", True),
        (409, "http_409", True),
        (400, "http_400", False),
        (401, "http_401", False),
        (302, "http_302", False),
    ],
)
def test_answers_are_taken_for_what_they_mean(
    heard: Listening, status: int, code: str, may_heal: bool
) -> None:
    heard.status = status

    with pytest.raises(Trouble) as trouble:
        send(heard, busy=[409])

    assert (trouble.value.code, trouble.value.may_heal) == (code, may_heal)


def test_what_the_body_refuses_is_refused_though_the_status_is_friendly(heard: Listening) -> None:
    heard.status, heard.answer = 200, {"result": {"state": "blocked"}}

    with pytest.raises(Trouble) as trouble:
        send(heard, said={"at": "result.state", "taken": ["queued"]})

    assert (trouble.value.code, trouble.value.may_heal) == ("not_taken", False)


def test_a_gateway_that_is_away_may_come_back() -> None:
    with listening() as heard:
        pass

    with pytest.raises(Trouble) as trouble:
        send(heard)

    assert (trouble.value.code, trouble.value.may_heal) == ("no_connection", True)


def test_a_private_address_is_not_reached_unless_it_was_allowed(heard: Listening) -> None:
    https = heard.url.replace("http://", "https://")

    with pytest.raises(Trouble) as trouble:
        send(Listening(https), allow_private=False)

    assert (trouble.value.code, heard.came) == ("forbidden_destination", [])


def test_nothing_of_a_message_is_shown() -> None:
    about = description.parsed(options("https://sms.example/send"))

    assert "7700" not in repr(TEXT)
    assert "123456" not in repr(TEXT)
    assert "s3cr3t" not in repr(HttpGateway(about, "s3cr3t-token"))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "not encrypted": ({"allow_private": False, "url": "http://sms.example"}, "must be https"),
    "no number": ({"body": {"text": "{text}"}}, "where {number} goes"),
    "no text": ({"body": {"to": "{number}"}}, "where {text} goes"),
    "unknown place": ({"body": {"to": "{number}", "text": "{text}", "x": "{name}"}}, "nothing to fill in"),
    "nested form": ({"form": "form", "body": {"a": {"b": "{number}{text}"}}}, "nothing nested"),
    "unknown key": ({"retries": 3}, "Extra inputs"),
    "header within a header": ({"headers": {"X-A": "a\r\nX-B: b"}}, "pattern"),
    "nothing is taken": ({"taken": []}, "at least 1"),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_description_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        description.parsed(options("https://sms.example/send", **changes))
