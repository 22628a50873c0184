from __future__ import annotations

from typing import Any

import pytest

from cases.connectors.base import ConfigurationError, Option, OptionKind, Setup
from cases.connectors.options import read_settings

DECLARED = (
    Option("host", "Host", required=True),
    Option("port", "Port", kind=OptionKind.NUMBER, default=5432, minimum=1, maximum=65535),
    Option("mode", "Mode", kind=OptionKind.CHOICE, choices=("fast", "safe"), default="safe"),
    Option("note", "Note"),
    Option("password", "Password", secret=True, required=True),
    Option("token", "Token", secret=True),
)


def test_read_settings_fills_in_defaults() -> None:
    settings = read_settings(DECLARED, Setup({"host": " db "}, {"password": "x"}))

    assert dict(settings.values) == {"host": "db", "port": 5432, "mode": "safe", "note": None}
    assert (settings.text("note"), settings.number("port"), settings.secret("token")) == ("", 5432, None)


def test_read_settings_takes_numbers_from_forms() -> None:
    settings = read_settings(DECLARED, Setup({"host": "db", "port": "6432"}, {"password": "x"}))

    assert settings.number("port") == 6432


@pytest.mark.parametrize(
    ("options", "secrets", "problem"),
    [
        ({}, {"password": "x"}, "“Host” (host) is missing."),
        ({"host": "db"}, {}, "“Password” (password) is missing."),
        ({"host": "db"}, {"password": ""}, "“Password” (password) is missing."),
        ({"host": 7}, {"password": "x"}, "“Host” (host) must be text."),
        ({"host": "db", "port": "many"}, {"password": "x"}, "“Port” (port) must be a whole number."),
        ({"host": "db", "port": True}, {"password": "x"}, "“Port” (port) must be a whole number."),
        ({"host": "db", "port": 0}, {"password": "x"}, "“Port” (port) must be between 1 and 65535."),
        ({"host": "db", "mode": "slow"}, {"password": "x"}, "“Mode” (mode) must be one of fast, safe."),
        ({"hots": "db"}, {"password": "x"}, "there is no option “hots”; there are host, port, mode, note."),
        ({"password": "x"}, {}, "“password” is a secret and was given among the open options."),
        ({"host": "db"}, {"pasword": "x"}, "there is no secret “pasword”; there are password, token."),
    ],
)
def test_read_settings_names_what_is_wrong(options: Any, secrets: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(DECLARED, Setup(options, secrets))

    assert caught.value.params == {"problem": problem}


def test_settings_keep_secrets_out_of_their_repr() -> None:
    settings = read_settings(DECLARED, Setup({"host": "db"}, {"password": "s3cret"}))

    assert "s3cret" not in repr(settings)
