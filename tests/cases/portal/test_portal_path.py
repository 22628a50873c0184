"""A customer's way from the question to the files, in the portal alone."""

import io
import json
import zipfile

import pytest

from cases.models import SubjectRequest
from cases.words import Channel, State
from tests.cases.portal.conftest import answer_it, newest_code, tokens
from tests.factories.cases import run_jobs

pytestmark = pytest.mark.django_db

FORM = {
    "submission": "0192d9b0-0000-7000-8000-000000000001",
    "wishes": ["access"],
    "words": "Everything since 2024, please. My card is 4111 1111 1111 1111.",
    "for_whom": "me",
    "name": "Ada Example",
    "email": "ada@example.com",
    "answer_by": "portal",
    "language": "en-gb",
}


def test_customer_asks_proves_reads_and_fetches(visitor):
    sent = visitor.post(visitor.at("ask"), FORM)
    assert sent.status_code == 303
    request = SubjectRequest.objects.get()
    assert request.channel == Channel.PORTAL
    assert "4111 1111" not in request.words
    confirmation = visitor.get(sent["Location"])
    assert request.reference in confirmation.content.decode()
    run_jobs()

    to_code = visitor.post(sent["Location"])
    assert to_code["Location"] == visitor.at("code")
    run_jobs()
    entered = visitor.send("code", code=newest_code())
    assert entered["Location"] == visitor.at("mine") + "?done=welcome"
    mine = visitor.get(entered["Location"])
    assert "We are looking for your data" in mine.content.decode()

    delivery = answer_it(request.cases.get())
    page = visitor.step_up(delivery)
    fetched = visitor.send("pack-fetch", delivery.pk, token=tokens(page)[0])
    content = b"".join(fetched.streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data = json.dumps(json.loads(archive.read("data.json")))
    assert ("Called about the bill." in data, "Bob" in data) == (True, False)
    delivery.refresh_from_db()
    assert delivery.downloads == 1
    assert request.cases.get().state == State.CLOSED
