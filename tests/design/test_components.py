"""What components say, and that sheets and sprite hold together. No browser is needed here."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import Context
from django.template.backends.django import Template
from django.utils import translation

from tests.design.forms import IntakeForm
from tests.design.gallery import PROJECT, TODAY, engine, render

COMPONENTS = sorted((PROJECT / "templates" / "components").glob("*.html"))
SHEETS = sorted((PROJECT / "static" / "css").glob("*.css"))
TEMPLATES = sorted((PROJECT / "templates").rglob("*.html"))


def component(name: str, language: str = "en-gb", **context: Any) -> str:
    """One component as markup."""
    template = engine().get_template(f"components/{name}.html")
    assert isinstance(template, Template)
    with translation.override(language):
        return str(template.template.render(Context(context)))


def words(html: str) -> str:
    """What is left when the tags are gone."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace(" ,", ",").split()).replace(" ,", ",")


@pytest.mark.parametrize(
    ("days", "state", "said"),
    [
        (-3, "", "Sun 13 Dec, 3 days late"),
        (-1, "", "Sun 13 Dec, 1 day late"),
        (0, "", "Sun 13 Dec, today"),
        (1, "", "Sun 13 Dec, tomorrow"),
        (2, "", "Sun 13 Dec, in 2 days"),
        (9, "", "Sun 13 Dec, in 9 days"),
        (9, "paused", "Sun 13 Dec, clock paused"),
        (-9, "done", "Sun 13 Dec, answered"),
    ],
)
def test_due_says_how_long_is_left(days: int, state: str, said: str) -> None:
    html = component("due", date=TODAY, days_left=days, state=state)

    assert words(html) == said


@pytest.mark.parametrize(("days", "tone"), [(-1, "late"), (0, "soon"), (5, "soon"), (6, "ok")])
def test_due_tone_follows_days_left(days: int, tone: str) -> None:
    html = component("due", date=TODAY, days_left=days)

    assert re.findall(r"due--(\w+)", html) == [tone]


def test_due_keeps_the_exact_date_at_hand() -> None:
    html = component("due", date=TODAY, days_left=9)

    assert re.findall(r'datetime="([^"]+)" title="([^"]+)"', html) == [("2026-12-13", "13 Dec 2026")]


def test_error_summary_links_lead_to_elements_of_the_form() -> None:
    form = IntakeForm({})

    links = re.findall(r'href="#([^"]+)"', component("error_summary", form=form))
    ids = set(re.findall(r' id="([^"]+)"', component("fields", form=form)))

    assert links == ["id_brand", "id_name", "id_rights_0", "id_channel_0", "id_words", "id_said_on"]
    assert [link for link in links if link not in ids] == []


def test_error_summary_is_empty_when_nothing_is_wrong() -> None:
    assert component("error_summary", form=IntakeForm()) == "\n"


@pytest.mark.parametrize("data", [None, {}])
def test_field_descriptions_point_at_elements_that_exist(data: dict[str, str] | None) -> None:
    html = component("fields", form=IntakeForm(data))

    described = {name for names in re.findall(r'aria-describedby="([^"]+)"', html) for name in names.split()}
    ids = set(re.findall(r' id="([^"]+)"', html))

    assert described - ids == set()
    assert "id_name_helptext" in described


def test_field_label_escapes_what_it_is_given() -> None:
    html = component("field", field=IntakeForm()["name"], label="<script>")

    assert "<script>" not in html


def test_field_says_optional_only_where_it_is() -> None:
    form = IntakeForm()

    said = [field.name for field in form.visible_fields() if "(optional)" in component("field", field=field)]

    assert said == ["email", "amount", "attachment"]


def test_nav_leaves_out_count_of_nothing() -> None:
    items = [{"label": "Queue", "url": "/q", "count": 3}, {"label": "Approvals", "url": "/a", "count": 0}]

    html = component("nav", items=items)

    assert re.findall(r'class="count">(\d+)', html) == ["3"]


def test_console_page_stands_without_context() -> None:
    html = render("gallery/sign_in.html", user=None, nav=None, brand=None)

    assert re.findall(r"<h1>(.*?)</h1>", html) == ["Sign in"]


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_component_begins_with_its_parameters(path: Path) -> None:
    assert path.read_text().startswith("{% comment %}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    markup = path.read_text()

    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]* src=)", markup) == []


def test_every_component_is_in_the_gallery() -> None:
    sources = [*TEMPLATES, *(PROJECT / "tests" / "design" / "templates").rglob("*.html")]
    used = {
        name for path in sources for name in re.findall(r'include "components/(\w+)\.html"', path.read_text())
    }

    assert {path.stem for path in COMPONENTS} - used == set()


def test_every_icon_named_is_in_the_sprite() -> None:
    sprite = (PROJECT / "static" / "img" / "icons.svg").read_text()
    there = set(re.findall(r'symbol id="([^"]+)"', sprite))

    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'icon\.html" with name="([^"]+)"', path.read_text())
    }

    assert named - there == set()


def test_every_token_used_is_defined() -> None:
    sheets = "\n".join(path.read_text() for path in SHEETS)

    used = set(re.findall(r"var\((--[\w-]+)", sheets))
    defined = set(re.findall(r"(--[\w-]+):", sheets))

    assert used - defined == set()


@pytest.mark.parametrize(
    "path", [path for path in SHEETS if path.name != "tokens.css"], ids=lambda path: path.stem
)
def test_colours_are_decided_in_tokens_alone(path: Path) -> None:
    rules = re.sub(r"/\*.*?\*/|@media print \{.*", "", path.read_text(), flags=re.DOTALL)

    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)) - {"#fff", "#0d5c6b"} == set()
