"""Files of records: each fetched once, under a key of its own; what fails, fails alone."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Case, CollectedFile, Item, PackFile
from cases.words import State
from cases.workflow import decide, review
from cases.workflow import doubts as verbs
from dsar.jobs.models import Job
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from dsar.vault.keyring import KeyDestroyed
from dsar.vault.models import StoredFile
from tests.cases.collection.planted import planted
from tests.cases.collection.test_doubts import desk, searched
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import SourceFactory, run_jobs

__all__ = ["desk", "planted"]

pytestmark = pytest.mark.django_db

NAMES = ("call.wav", "contract.pdf", "scan.png")


def source(desk: Desk, **options: Any) -> Any:
    attached = [{"name": name, "size": len(f"first {name}")} for name in NAMES]
    ada = {"id": 1, "email": "ada@example.com", "name": "Ada", "files": attached}
    return SourceFactory.create(
        controller=desk.controller, connector="planted", options={"people": [ada]} | options, dataset=""
    )


def states() -> dict[str, str]:
    kept = CollectedFile.objects.select_related("item__case")
    return {one.item.content["data"]["name"]: one.state for one in kept}


def file_of(name: str) -> CollectedFile:
    kept = CollectedFile.objects.select_related("case", "item__case", "item__file")
    return next(one for one in kept if one.item.content["data"]["name"] == name)


def retry() -> None:
    Job.objects.filter(kind="fetch_files").update(not_before=timezone.now())
    run_jobs()


def test_files_are_items_with_their_bytes_and_hash(desk: Desk) -> None:
    source(desk)

    case = searched(desk)

    assert (case.state, states()) == (State.REVIEW, dict.fromkeys(NAMES, "fetched"))
    one = file_of("call.wav").item
    content = b"first call.wav"
    assert (one.collection, one.decision) == ("files of people", "undecided")
    assert one.content["data"] == {
        "name": "call.wav",
        "media_type": "text/plain",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert b"".join(files.read(one.file)) == content
    assert content not in files.path(one.file.pk).read_bytes()
    assert len({bytes(stored.sealed_key) for stored in StoredFile.objects.all()}) == 3


def test_file_that_fails_fails_alone_and_holds_the_answer_up(desk: Desk, planted: Any) -> None:
    source(desk, bites={"contract.pdf": "refused"})

    case = searched(desk)

    assert (case.state, states()) == (
        State.REVIEW,
        {"call.wav": "fetched", "contract.pdf": "failed", "scan.png": "fetched"},
    )
    assert file_of("contract.pdf").error_text.startswith(
        "The source refused the request: it is in quarantine"
    )
    review.decide_by_rules(case, desk.handler, timezone.now())
    with pytest.raises(Refused) as refusal:
        desk.submitted(Case.objects.get(pk=case.pk))
    assert refusal.value.code == "files_missing"


def test_what_is_here_is_not_fetched_again(desk: Desk, planted: Any) -> None:
    """One breaks off each time: it is tried three times, and the others once."""
    source(desk, bites={"contract.pdf": "transient"})

    searched(desk)
    retry()
    retry()

    assert sorted(planted.opened) == ["call.wav", *["contract.pdf"] * 3, "scan.png"]
    assert states() == {"call.wav": "fetched", "contract.pdf": "failed", "scan.png": "fetched"}
    assert StoredFile.objects.count() == 2


def test_file_that_ends_too_soon_is_not_taken(desk: Desk) -> None:
    ada = {"id": 1, "email": "ada@example.com", "files": [{"name": "call.wav", "size": 1000}]}
    source(desk, people=[ada])

    searched(desk)
    retry()
    retry()

    assert (states(), file_of("call.wav").error_code) == ({"call.wav": "failed"}, "cut_short")
    assert (StoredFile.objects.count(), file_of("call.wav").item.file) == (0, None)


def test_patience_that_a_file_asks_for_is_kept_and_nothing_is_asked_meanwhile(
    desk: Desk, planted: Any
) -> None:
    made, now = source(desk, bites={"contract.pdf": "patience"}), timezone.now()

    searched(desk)
    retry()
    made.refresh_from_db()

    assert now + timedelta(minutes=9) < made.held_until < now + timedelta(minutes=11)
    assert planted.opened.count("contract.pdf") == 1
    assert states()["contract.pdf"] == "waiting"
    made.options, made.held_until = made.options | {"bites": {}}, None
    made.save()
    retry()
    assert states() == dict.fromkeys(NAMES, "fetched")


def test_failed_file_is_fetched_again(desk: Desk) -> None:
    made = source(desk, bites={"contract.pdf": "refused"})
    searched(desk)
    made.options = made.options | {"bites": {}}
    made.save()

    verbs.fetch_again(file_of("contract.pdf"), desk.handler, timezone.now())
    run_jobs()

    assert states() == dict.fromkeys(NAMES, "fetched")


def test_waived_file_leaves_a_word_in_the_answer(desk: Desk) -> None:
    source(desk, bites={"contract.pdf": "refused"})
    case = searched(desk)

    verbs.waive_file(file_of("contract.pdf"), "The archive lost it.", desk.handler, timezone.now())
    pack = answered(desk, case)

    data = json.loads(pack["data.json"])
    (told,) = next(
        one["records"] for one in data["sources"][0]["collections"] if one["collection"] == "files of people"
    )
    assert (told["data"]["name"], told["data"]["could_not_be_fetched"]) == ("contract.pdf", True)
    assert "archive lost it" not in "".join(pack.values())


def answered(desk: Desk, case: Case) -> dict[str, str]:
    desk.allow()
    review.decide_by_rules(case, desk.handler, timezone.now())
    case = desk.submitted(Case.objects.get(pk=case.pk))
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()
    found = PackFile.objects.filter(pack__case=case).select_related("file")
    return {one.file.name: b"".join(files.read(one.file)).decode("latin-1") for one in found}


def test_disclosed_files_go_out_with_their_hash_and_withheld_ones_do_not(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    Item.objects.filter(pk=file_of("scan.png").item.pk).update(decision="withhold", exemption="LPP")

    pack = answered(desk, case)

    listed = {one["name"]: one["sha256"] for one in json.loads(pack["manifest.json"])["files"]}
    attached = {name: text for name, text in pack.items() if name.startswith("attachments/")}
    assert attached == {
        "attachments/call.wav": "first call.wav",
        "attachments/contract.pdf": "first contract.pdf",
    }
    assert [listed[name] for name in attached] == [
        hashlib.sha256(text.encode()).hexdigest() for text in attached.values()
    ]
    assert "first scan.png" not in "".join(pack.values())


def test_file_goes_with_the_case_key(desk: Desk) -> None:
    source(desk)
    case = searched(desk)
    stored = StoredFile.objects.first()

    keyring.destroy(case.collected_key_id, timezone.now())

    with pytest.raises(KeyDestroyed):
        b"".join(files.read(stored))


def test_file_is_not_redacted(desk: Desk) -> None:
    source(desk)
    searched(desk)
    one = file_of("scan.png").item
    marks = {"fields": [{"field": "name", "code": "TP"}], "passages": []}

    with pytest.raises(Refused) as refusal:
        review.redact(one, marks, desk.handler, timezone.now())

    assert (refusal.value.code, Item.objects.get(pk=one.pk).decision) == ("file_is_whole", "undecided")


def test_files_of_a_stranger_are_not_fetched(desk: Desk, planted: Any) -> None:
    bob = {"id": 2, "email": "bob@example.com", "files": [{"name": "bobs.pdf"}]}
    ada = {"id": 1, "email": "ada@example.com"}
    source(desk, people=[ada, bob], ignores_filter=True)

    searched(desk)

    assert (planted.opened, CollectedFile.objects.count()) == ([], 0)
