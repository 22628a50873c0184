"""A letter speaks the language and keeps the calendar of whoever reads it, whoever has it written."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from cases.correspondence.compose import Kind, before_the_end
from cases.models import Case, Letter, SubjectRequest
from cases.permissions import BY_SYSTEM
from cases.words import Outcome, Right
from cases.workflow import decide, letters
from tests.factories.cases import SourceFactory, log
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db
# In Berlin the second of July has begun.
LATE = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


def request_in(language: str, **brand: str) -> SubjectRequest:
    controller = ControllerFactory.create(regime="EU-DE", time_zone="Europe/Berlin", language="de", **brand)
    return log(controller, Right.ACCESS, now=LATE, language=language)


def case_in(language: str) -> Case:
    case: Case = request_in(language).cases.get()
    return case


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en-gb", "We received your request on 2 Jul 2026."),
        ("de", "Ihre Anfrage ist am 2. Juli 2026 bei uns eingegangen."),
        ("fr", "Nous avons reçu votre demande le 2 juillet 2026."),
    ],
)
def test_acknowledgement_names_the_day_of_the_controller(language: str, sentence: str) -> None:
    with translation.override("en-gb"):
        request_in(language)

    told = Letter.objects.get(kind=Kind.ACKNOWLEDGEMENT).body.split("\n\n")[1]
    assert told[: len(sentence)] == sentence


def test_draft_speaks_the_requesters_language_whatever_the_handler_reads() -> None:
    case = case_in("fr")

    with translation.override("de"):
        title, body = decide.draft_letter(case, Outcome.REFUSED, "Motif", LATE, "UNFOUNDED")

    paragraphs = body.split("\n\n")
    assert title == f"Au sujet de votre demande {case.reference}"
    assert paragraphs[2] == "Nous ne donnons pas suite à votre demande, car elle est manifestement infondée."
    assert paragraphs[5].startswith(
        "- Vous pouvez introduire une réclamation auprès d’une autorité de contrôle"
    )


def test_notice_to_a_source_speaks_the_brands_language() -> None:
    request = request_in("fr")
    SourceFactory.create(
        controller=request.controller, name="Telefon", purged_after_days=30, owner_email="it@brand.example"
    )

    with translation.override("en-gb"):
        letters.ask_to_preserve(request, BY_SYSTEM, LATE)

    letter = Letter.objects.get(kind=Kind.PRESERVE)
    assert letter.language == "de"
    assert letter.title == f"Bitte Aufzeichnungen aufbewahren: Anfrage {request.reference}, Telefon"


def test_notice_to_the_controller_speaks_the_brands_language() -> None:
    case = case_in("fr")

    with translation.override("en-gb"):
        letter = letters.tell_controller(Kind.MISDIRECTED, case, BY_SYSTEM, LATE)

    assert letter.title == f"Mögliche Datenpanne: Die Antwort {case.reference} ging an die falsche Person"


@pytest.mark.parametrize(
    ("language", "ends_with"), [("en-gb", "If you do not agree"), ("de", "Wenn Sie nicht einverstanden")]
)
def test_paragraph_that_is_added_stands_before_the_end(language: str, ends_with: str) -> None:
    _title, body = decide.draft_letter(case_in(language), Outcome.REFUSED, "Why.", LATE, "UNFOUNDED")
    edited = body.replace("\n", "\r\n")  # as browsers send it

    paragraphs = before_the_end(edited, ["Added."], language).split("\n\n")

    at = paragraphs.index("Added.")
    assert paragraphs[:at] + paragraphs[at + 1 :] == body.split("\n\n")
    assert paragraphs[at + 1].startswith(ends_with)


def test_paragraph_is_added_last_where_the_end_was_rewritten() -> None:
    assert before_the_end("Hello.\n\nBye.", ["Added."], "en-gb") == "Hello.\n\nBye.\n\nAdded."
