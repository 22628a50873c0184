"""A case in which the search could settle nothing alone: for tests of the pages that ask about it."""

from typing import Any

from cases.models import Case
from tests.cases.desk_cases import in_review
from tests.factories.cases import SourceFactory

ADA = {"id": 1, "email": "ada@example.com", "name": "Ada Example", "external_id": "4711", "mood": "cheerful"}
BOB = {"id": 2, "email": "bob@example.com", "name": "Bob <b>Stranger</b>"}
KNOWN = ["id", "email", "name", "external_id", "person_id", "text", "phone_number"]


def source(brand: Any, name: str, **options: Any) -> Any:
    return SourceFactory.create(controller=brand, name=name, connector="planted", options=options, dataset="")


def doubtful_case(brand: Any, handler: Any, strangers: int = 1, matches: int = 1) -> Case:
    """One source gives everybody, another is not sure, one has a file that cannot be had; one needs a number."""
    others = [
        BOB | {"id": 100 + number, "email": f"s{number}@example.com"} for number in range(strangers - 1)
    ]
    source(
        brand, "Shop", people=[ADA, BOB, *others], ignores_filter=True, reveals=["external_id"], known=KNOWN
    )
    likely = [
        {"id": number, "email": "ada@example.com", "name": f"A. Example {number}"}
        for number in range(matches)
    ]
    source(brand, "Mailing list", people=likely, confidence="probable")
    called = {"id": 7, "external_id": "4711", "files": [{"name": "call.wav"}]}
    source(brand, "Recordings", people=[called], kinds=["external_id"], bites={"call.wav": "refused"})
    return in_review(brand, handler)
