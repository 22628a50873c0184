"""The gallery: every component in its states, and pages like those of the three surfaces, without a database."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.paginator import Paginator
from django.template.backends.django import DjangoTemplates
from django.test import RequestFactory
from django.utils import translation

from tests.design.forms import CodeForm, IntakeForm, SignInForm

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
PAGES = ("components", "queue", "case", "intake", "sign_in", "portal_form", "portal_case")
ERRORS = ("400", "403", "403_csrf", "404", "500")
TODAY = dt.date(2026, 12, 13)
NOON = dt.datetime(2026, 12, 13, 12, tzinfo=dt.UTC)
Item = dict[str, Any]


def engine() -> DjangoTemplates:
    """The project's templates and the gallery's, with the built-ins that the settings give."""
    options = {"builtins": ["template_partials.templatetags.partials", "django.templatetags.i18n"]}
    directories = [PROJECT / "templates", HERE / "templates"]
    parameters = {"NAME": "gallery", "DIRS": directories, "APP_DIRS": False, "OPTIONS": options}
    return DjangoTemplates(parameters)


def render(template: str, language: str = "en-gb", **extra: Any) -> str:
    """One page as it is sent to the browser."""
    request = RequestFactory().get("/")
    with translation.override(language):
        return engine().get_template(template).render(context() | extra, request)


def context() -> Item:
    """What the pages show."""
    return _shell() | _forms() | _cases() | _lists() | {"today": TODAY, "now": NOON}


def _shell() -> Item:
    nav = [
        {"label": "Log a request", "url": "#log", "shortcut": "n"},
        {"label": "Queue", "url": "#queue", "current": True, "count": 42, "shortcut": "g q"},
        {"label": "Approvals", "url": "#approvals", "count": 3, "shortcut": "g a"},
        {"label": "Sources", "url": "#sources", "shortcut": "g s"},
        {"label": "Evidence", "url": "#evidence"},
    ]
    person = {"is_authenticated": True, "get_full_name": "Amara Osei", "initials": "AO"}
    links = [{"label": "Complain", "url": "#complain"}, {"label": "Contact", "url": "#contact"}]
    urls = {"search_url": "/find", "account_url": "#account", "sign_out_url": "#out", "portal_links": links}
    return urls | {
        "nav": nav,
        "user": person,
        "brand_context": "Meridian Energy, Nordlicht Mobil",
        "brand": brand(),
    }


def brand(key: str = "meridian", name: str = "Meridian Energy") -> Item:
    """A demo brand as the portal knows it."""
    files = {"logo_url": f"/static/img/brands/{key}.svg", "stylesheet_url": f"/static/css/brands/{key}.css"}
    return files | {"name": name, "home_url": "#home", "privacy_url": "#privacy"}


def _forms() -> Item:
    wrong = IntakeForm({"secret": "x", "email": "amara@", "rights": ["access"], "amount": "ten"})
    right = IntakeForm(
        initial={"rights": ["access"], "channel": "call", "said_on": TODAY, "words": "I want my calls."}
    )
    codes = {"code_form": CodeForm(), "wrong_code": CodeForm({"code": ""}, prefix="wrong")}
    return codes | {
        "form": right,
        "wrong": wrong,
        "contact": [CodeForm(prefix="contact")["code"], SignInForm(prefix="contact")["email"]],
        "sign_in": SignInForm(),
    }


def _cases() -> Item:
    rows = [
        (
            "K7QF-2M9D/A",
            "Access",
            "Rosalind Achterberg",
            "Meridian Energy",
            "review",
            "Review",
            -3,
            "Amara Osei",
        ),
        (
            "P3XW-9T4C/E",
            "Erasure",
            "Jonas Lindqvist",
            "Nordlicht Mobil",
            "approval",
            "Approval",
            0,
            "Ben Farrow",
        ),
        ("H8RN-5K2V/A", "Access", "Siobhán Ní Dhuibhir", "Meridian Energy", "searching", "Searching", 2, ""),
        (
            "M4YC-7Q3J/R",
            "Correction",
            "Kerem Yıldız",
            "Nordlicht Mobil",
            "awaiting_identity",
            "Awaiting identity",
            9,
            "",
        ),
        ("T6DP-3W8H/A", "Access", "Beatrice Okonkwo-Lamb", "Meridian Energy", "received", "Received", 24, ""),
        (
            "C9VK-4R7X/O",
            "Objection",
            "Anneliese Brandt",
            "Nordlicht Mobil",
            "with_controller",
            "With controller",
            12,
            "",
        ),
        (
            "X2HM-8J5Q/P",
            "Portability",
            "Tom Adeyemi",
            "Meridian Energy",
            "fulfilling",
            "Fulfilling",
            15,
            "Amara Osei",
        ),
        ("R5TW-6N9K/A", "Access", "Ines Carvalho", "Meridian Energy", "closed", "Closed", 1, "Ben Farrow"),
    ]
    return {"cases": [_case(*row) for row in rows], "page_obj": Paginator(range(120), 25).page(2)}


def _case(
    reference: str, right: str, person: str, brand_name: str, state: str, label: str, days: int, owner: str
) -> Item:
    special = {"awaiting_identity": "paused", "closed": "done"}
    mark = "meridian" if brand_name.startswith("Meridian") else "nordlicht"
    names = {"reference": reference, "right": right, "person": person, "owner": owner}
    brands = {"brand": brand_name, "mark": f"/static/img/brands/{mark}-mark.svg"}
    clock = {"due_on": TODAY + dt.timedelta(days), "days": days, "due_state": special.get(state, "")}
    return names | brands | clock | {"state": state, "label": label}


def _lists() -> Item:
    return {
        "facts": [
            {"label": "Customer", "value": "Rosalind Achterberg", "href": "#person"},
            {"label": "Customer number", "value": "4 471 902"},
            {"label": "Asked", "value": "Friday 10 November 2026, by call"},
            {"label": "Date of birth", "value": "", "change_url": "#change"},
        ],
        "events": [
            {
                "title": "Search finished",
                "text": "46 records in 3 of 3 systems.",
                "at": NOON - dt.timedelta(hours=2),
                "icon": "database",
                "tone": "success",
            },
            {
                "title": "Identity confirmed",
                "actor": "Amara Osei",
                "at": NOON - dt.timedelta(days=1),
                "icon": "shield",
                "tone": "accent",
            },
            {
                "title": "Reminder not delivered",
                "text": "The mailbox is full.",
                "at": NOON - dt.timedelta(days=2),
                "icon": "mail",
                "tone": "warning",
            },
            {"title": "Request logged", "actor": "Ben Farrow", "at": NOON - dt.timedelta(days=33)},
        ],
        "tabs": [
            {"label": "Overview", "url": "#o", "current": True},
            {"label": "Items", "url": "#i", "count": 46},
            {"label": "Letters", "url": "#l", "count": 0},
            {"label": "History", "url": "#h"},
        ],
        "crumbs": [
            {"label": "Queue", "url": "#q"},
            {"label": "Meridian Energy", "url": "#m"},
            {"label": "K7QF-2M9D/A"},
        ],
        "steps": [
            {"label": "Your request", "state": "done"},
            {"label": "Your identity", "state": "current"},
            {"label": "We collect", "state": "todo"},
            {"label": "Your answer", "state": "todo"},
        ],
        "columns": [{"label": "Source"}, {"label": "Records", "numeric": True}, {"label": "Result"}],
        "rows": [
            ["Customer database", 46, "Complete"],
            ["Help desk", 12, "Complete"],
            ["Call archive", 0, "No data held"],
        ],
        "changes": [
            {"label": "Street", "before": "12 Old Mill Lane", "after": "4 Harbour View"},
            {"label": "Phone", "before": "", "after": "+44 20 7946 0018"},
        ],
        "files": [
            {
                "name": "01-letter.pdf",
                "url": "#1",
                "size": 84_213,
                "note": "What we found, and what we left out",
            },
            {"name": "02-report.pdf", "url": "#2", "size": 1_482_113},
            {"name": "data.json", "url": "#3", "size": 22_840},
        ],
    }
