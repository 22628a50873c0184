"""From where a visitor comes, told coarsely, and by nobody who is not trusted to tell it."""

from typing import Any

import pytest
from django.test import RequestFactory

from identity.whereabouts import country_of, language_of


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB", "en"),
        ("fr;q=0.2,ru;q=0.9", "ru"),
        ("*", ""),
        ("", ""),
        ("not a language at all", ""),
        ("x" * 5000, ""),
    ],
)
def test_language_is_the_first_that_the_browser_asks_for(
    rf: RequestFactory, said: str, language: str
) -> None:
    assert language_of(rf.get("/", headers={"accept-language": said})) == language


@pytest.mark.parametrize(
    ("header", "proxies", "said", "country"),
    [
        ("CF-IPCountry", 1, "de", "DE"),
        ("CF-IPCountry", 1, "XX", ""),
        ("CF-IPCountry", 1, "T1", ""),
        ("CF-IPCountry", 1, "Deutschland", ""),
        ("CF-IPCountry", 1, "1!", ""),
        ("CF-IPCountry", 0, "DE", ""),
        ("", 1, "DE", ""),
    ],
)
def test_country_is_what_a_trusted_proxy_tells(
    rf: RequestFactory, settings: Any, header: str, proxies: int, said: str, country: str
) -> None:
    settings.COUNTRY_HEADER, settings.TRUSTED_PROXIES = header, proxies

    assert country_of(rf.get("/", headers={"cf-ipcountry": said})) == country
