"""An external provider's method keeps the contract; its description and its messages are read without guessing."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from identity.providers.base import JSON, Level, Method, Person, Result, Step, Waits
from identity.providers.external import wire
from identity.providers.external.method import ExternalProvider
from identity.providers.external.simulator import description
from identity.providers.external.wire import Outcome, Unreadable, Untrue, Wire, signature
from tests.contracts.identity_method_contract import IdentityMethodContract

NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
KEY = "a key of the provider"


class TestExternalProvider(IdentityMethodContract):
    def method(self) -> type[Method]:
        return ExternalProvider

    def person(self) -> Person:
        return Person(name="Ada Example", email="ada@example.com", phone="+447700900123")

    def nobody(self) -> Person | None:
        return None

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"outcome": "high"}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"outcome": "refused"}]

    @pytest.mark.parametrize(
        ("given", "result"),
        [
            ({"outcome": "low"}, Result(Level.LOW, "provider_verified")),
            ({"outcome": "high", "holder": "other_person"}, Result(Level.NONE, "other_person")),
            ({"outcome": "expired"}, Result(Level.NONE, "provider_expired")),
            ({"outcome": "open"}, None),
            ({"outcome": "splendid"}, None),
            ({"outcome": 3}, None),
        ],
    )
    def test_its_word_in_ours(self, given: Mapping[str, JSON], result: Result | None) -> None:
        assert self.walk([given], self.begun()).result == result

    def test_it_waits_for_the_provider(self) -> None:
        assert self.begun().waits_for == Waits.EXTERNAL


# -- descriptions ------------------------------------------------------------------------------------


def described(**changes: Any) -> dict[str, Any]:
    return description.options("https://id.example") | {"allow_private": False} | changes


def test_the_simulators_description_is_sound() -> None:
    assert wire.parsed(described()).hosts == {"id.example"}


WRONG = {
    "no name to compare, and none sent": {"holder": "compared", "look": {"path": "/s/{session}"}},
    "holder sent without the name": {
        "holder": "sent",
        "start": {"path": "/s", "body": {"reference": "{reference}"}},
    },
    "no level is ever reached": {"outcomes": {"approved": "open"}},
    "http to the world": {"base_url": "http://id.example"},
    "an unknown place": {"start": {"path": "/s", "body": {"case": "{case_reference}"}}},
    "an unknown key": {"colour": "blue"},
    "a message without a time": {"webhook": {"signature_header": "X-S", "session": "id", "status": "s"}},
    "a body without a time": {
        "webhook": {"signature_header": "X-S", "signed": "body", "session": "id", "status": "s"}
    },
    "an endless tolerance": {"webhook": description.options("x")["webhook"] | {"tolerance_seconds": 999_999}},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_description_that_cannot_be_safe_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wire.parsed(described(**changes))


@given(st.text(max_size=40))
def test_what_is_filled_in_is_never_a_place_itself(name: str) -> None:
    body = {"who": ["{name}", {"again": "x{name}y"}], "number": 5}

    filled = wire.filled(body, {"name": name, "reference": "secret"})

    assert filled == {"who": [name, {"again": f"x{name}y"}], "number": 5}


def described_wire(**changes: Any) -> Wire:
    return wire.parsed(described(**changes))


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/check",
        "http://id.example/check",
        "javascript:alert(1)",
        "https://id.example@evil.example/",
        "https://id.example:8443/",
        "",
        None,
    ],
)
def test_customers_are_sent_to_the_provider_alone(address: str | None) -> None:
    with pytest.raises(Unreadable, match="no_address"):
        wire.opened(described_wire(), {"id": "1", "url": address})


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-03T10:00:00Z", NOW),
        ("2026-11-03T10:00:00", NOW),
        ("2026-11-03T12:00:00+02:00", NOW),
        (int(NOW.timestamp()), NOW),
        (str(int(NOW.timestamp()) * 1000), NOW),
        ("yesterday", None),
        (10**30, None),
        (True, None),
        ([], None),
    ],
)
def test_times_are_read_as_providers_write_them(said: object, moment: datetime | None) -> None:
    assert wire.moment(said) == moment


# -- messages ----------------------------------------------------------------------------------------

TOLD = {"id": "e1", "created": NOW.isoformat(), "session": {"id": "s1", "status": "approved"}}
BODY = json.dumps(TOLD).encode()
PLAIN = {
    "signature_header": "X-Signature",
    "timestamp_header": "X-Time",
    "prefix": "sha256=",
    "event": "id",
    "session": "session.id",
    "status": "session.status",
}


def pairs(key: str = KEY, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {"X-Simulator-Signature": f"t={stamp},v1={signature(key, stamp.encode() + b'.' + body).hex()}"}


def test_a_signed_message_is_believed() -> None:
    told = wire.believed(described_wire(), [KEY], pairs(), BODY, NOW)

    assert (told.event, told.session, told.outcome, told.at) == ("e1", "s1", Outcome.HIGH, NOW)


def test_two_signatures_and_two_keys_are_for_changing_keys() -> None:
    stamp = str(int(NOW.timestamp()))
    old, new = (signature(key, stamp.encode() + b"." + BODY).hex() for key in ("old", "new"))
    headers = {"X-Simulator-Signature": f"t={stamp},v1={new},v1={old}"}

    believed = [
        wire.believed(described_wire(), keys, headers, BODY, NOW).event
        for keys in (["old"], ["new"], ["new", "old"])
    ]

    assert believed == ["e1", "e1", "e1"]


def test_plain_headers_with_base64_and_a_prefix() -> None:
    stamp = str(int(NOW.timestamp()))
    signed = base64.b64encode(signature(KEY, stamp.encode() + b"." + BODY)).decode()
    headers = {"X-Signature": f"sha256={signed}", "X-Time": stamp}

    told = wire.believed(described_wire(webhook=PLAIN | {"encoding": "base64"}), [KEY], headers, BODY, NOW)

    assert told.event == "e1"


def test_a_body_signed_alone_is_as_old_as_it_says() -> None:
    about = described_wire(
        webhook={name: value for name, value in PLAIN.items() if name != "timestamp_header"}
        | {"signed": "body", "at": "created"}
    )
    headers = {"X-Signature": f"sha256={signature(KEY, BODY).hex()}"}

    assert wire.believed(about, [KEY], headers, BODY, NOW).event == "e1"
    with pytest.raises(Untrue, match="stale"):
        wire.believed(about, [KEY], headers, BODY, NOW + timedelta(minutes=6))


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    changed = bytes([*BODY[:place], BODY[place] ^ change, *BODY[place + 1 :]])

    with pytest.raises(Untrue, match="forged"):
        wire.believed(described_wire(), [KEY], pairs(), changed, NOW)


@given(st.text(max_size=80))
def test_any_nonsense_in_the_header_is_not_believed(nonsense: str) -> None:
    with pytest.raises(Untrue):
        wire.believed(described_wire(), [KEY], {"X-Simulator-Signature": nonsense}, BODY, NOW)


@pytest.mark.parametrize("keys", [[], ["another"]])
def test_without_the_right_key_nothing_is_believed(keys: list[str]) -> None:
    with pytest.raises(Untrue, match="forged"):
        wire.believed(described_wire(), keys, pairs(), BODY, NOW)


def test_the_time_of_the_header_is_signed_too() -> None:
    later = NOW + timedelta(hours=1)
    old = pairs()["X-Simulator-Signature"].partition(",")[2]
    headers = {"X-Simulator-Signature": f"t={int(later.timestamp())},{old}"}

    with pytest.raises(Untrue, match="forged"):
        wire.believed(described_wire(), [KEY], headers, BODY, later)


def test_a_message_without_an_id_is_known_by_its_body() -> None:
    about = described_wire(
        webhook={
            name: value for name, value in description.options("x")["webhook"].items() if name != "event"
        }
    )

    first, second = (wire.believed(about, [KEY], pairs(), BODY, NOW).event for _time in range(2))

    assert (first, len(first)) == (second, 64)


def test_news_of_the_future_are_news_of_now() -> None:
    body = json.dumps(TOLD | {"created": (NOW + timedelta(days=1)).isoformat()}).encode()

    assert wire.believed(described_wire(), [KEY], pairs(body=body), body, NOW).at == NOW
