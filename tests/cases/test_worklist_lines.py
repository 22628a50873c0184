"""Lines of the queue, beside the components that other pages show them with."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from cases import worklist
from cases.models import Case
from cases.words import State
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.usefixtures("world")

LANGUAGES = ("en-gb", "de", "fr")


def build_world(_patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> Case:
    return one_case(ControllerFactory.create())


@pytest.fixture
def case(world: Case) -> Case:
    return world


def lines(template: str, context: dict[str, Any], language: str) -> str:
    """What a template writes, without the breaks between the parts that it includes."""
    with translation.override(language):
        return re.sub(r"\n\s*", "", render_to_string(template, context))


def cell(case: Case, label: str, now: datetime, language: str) -> str:
    """One cell of the case's line."""
    row = worklist.row(case, now, worklist.Blocked.US)
    table = lines("components/case_rows.html", {"rows": [row], "caption": "Cases"}, language)
    with translation.override(language):
        found = re.search(f'<td data-label="{translation.gettext(label)}">(.*?)</td>', table)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("clock_state", ["running", "paused", "not_started"])
@pytest.mark.parametrize("days", [-12, -1, 0, 1, 2, 5, 6, 40])
def test_due_date_of_a_line_is_as_its_component_writes_it(case, days, clock_state, language):
    now = timezone.now()
    case.due_on, case.clock_state = worklist.today(case.controller, now) + timedelta(days=days), clock_state
    case.letter_on = None

    row = worklist.row(case, now, worklist.Blocked.US)
    component = lines("components/case_due.html", {"row": row, "href": ""}, language)

    assert cell(case, "Due", now, language) == component


def test_case_without_a_date_says_so(case):
    case.due_on = case.letter_on = None

    assert cell(case, "Due", timezone.now(), "en-gb") == '<span class="muted">no fixed date</span>'


@pytest.mark.parametrize(
    ("clock_state", "days", "shown"),
    [
        ("not_started", 3, "in 3 days"),
        ("paused", -1, "1 day late"),
        ("running", 3, ""),
        ("not_started", 31, ""),
    ],
)
def test_line_says_when_a_letter_with_reasons_is_due_before_the_answer(case, clock_state, days, shown):
    now = timezone.now()
    on = worklist.today(case.controller, now)
    case.due_on, case.letter_on, case.clock_state = (
        on + timedelta(days=30),
        on + timedelta(days=days),
        clock_state,
    )

    row = worklist.row(case, now, worklist.Blocked.US)

    assert (row.letter.left if row.letter else "") == shown
    assert ("letter with reasons by" in cell(case, "Due", now, "en-gb")) == bool(shown)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", list(State))
def test_state_of_a_line_is_as_its_component_writes_it(case, state, language):
    vars(case)["state"] = state.value
    row = worklist.row(case, timezone.now(), worklist.Blocked.US)

    with translation.override(language):
        words = str(state.label)
    component = lines("components/state.html", {"state": state.value, "label": words}, language)

    assert row.case.state == state
    assert cell(case, "State", timezone.now(), language) == component
