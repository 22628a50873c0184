"""Values as a visitor reads and types them."""

import pytest
from django.conf import settings
from django.utils import translation

from cases.portal.words import as_typed
from dsar.lib import normalise


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_day_is_shown_in_a_form_that_is_taken(language: str) -> None:
    with translation.override(language):
        shown = as_typed("1980-02-03")

    assert shown != "1980-02-03"
    assert normalise.birth_date(shown) == "1980-02-03"


@pytest.mark.parametrize("value", ["2026-W47-7", "20261122", "1980-02-31", "C-1001", ""])
def test_what_is_no_day_stays_as_it_is(value: str) -> None:
    assert as_typed(value) == value
