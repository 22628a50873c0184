"""A source that may be asked about, and what to answer."""

import json
from typing import Any

from cases.models import SourceSystem
from identity.models import Controller
from tests.factories.cases import SourceFactory

QUESTIONS = [
    {
        "field": "customer_since",
        "kind": "month",
        "question": {"en": "When did you join us?", "de": "Seit wann?"},
    },
    {"field": "last_bill", "kind": "amount", "question": {"en": "How much was your last bill?"}},
    {"field": "postcode", "kind": "postcode", "question": {"en": "What is your postcode?"}},
]
ADA = {
    "id": 1,
    "email": "ada@example.com",
    "name": "Ada Example",
    "phone_number": "+44 7700 900123",
    "customer_since": "2021-03-14",
    "last_bill": "54.70",
    "postcode": "BS1 9ZZ",
}
BOB = {
    "id": 2,
    "email": "bob@example.com",
    "name": "Bob Stranger",
    "phone_number": "+44 7700 900124",
    "customer_since": "2019-11-02",
    "last_bill": "31.00",
    "postcode": "M1 1AA",
}
RIGHT = {"customer_since": "03/2021", "last_bill": "54", "postcode": "bs1 9zz"}
BOBS = {"customer_since": "11/2019", "last_bill": "31", "postcode": "m1 1aa"}
WRONG = {"customer_since": "04/2020", "last_bill": "12", "postcode": "zz9 9zz"}
# What must not be found where it does not belong.
SECRETS = ("2021-03", "03/2021", "54.70", "BS1 9ZZ", "bs1 9zz", "BS19ZZ")


def askable_source(controller: Controller, *people: dict[str, Any], **fields: Any) -> SourceSystem:
    """A source that knows these people (Ada and Bob unless stated), in the slug ``crm``."""
    records = {"people": list(people or (ADA, BOB)), "notes": [], "questions": QUESTIONS}
    fields.setdefault("slug", "crm")
    return SourceFactory.create(controller=controller, options={"records": json.dumps(records)}, **fields)


def said(answers: dict[str, str], names: list[str]) -> dict[str, str]:
    """These answers, by the names of the questions."""
    return {name: answers[name.rpartition(".")[2]] for name in names}
