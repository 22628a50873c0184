"""The certificate says what was done, system by system, and holds nothing of what was erased."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pydantic import ValidationError

from cases.models import ChangePlan, Delivery, Leftover, LetterState, PlanPart, SourceSystem
from cases.packs.certificate import content
from cases.packs.certify import receipts_of
from cases.words import Right
from cases.workflow import aftermath, carry_out, certificate
from dsar.audit.models import AuditEvent
from dsar.vault import files, keyring
from tests.cases.packs.samples import pdf_text
from tests.cases.workflow.conftest import Desk, desk_with_crm
from tests.factories.carried_out import carried_out
from tests.factories.cases import in_state, run_jobs
from tests.factories.recipients import RecipientFactory
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")

PLANTED = ("Ada", "ada@example.com", "20 7946", "Called about the bill", "Pays by card", "Carla", "Bob")
SCHEMA = Path(__file__).parents[3] / "docs/certificate.schema.json"


@dataclass(frozen=True)
class World:
    """A desk, and an erasure that it carried out."""

    desk: Desk
    plan: ChangePlan


def build_world(_patch, _request):
    desk = desk_with_crm()
    SourceSystem.objects.update(backup_days=30)
    case = desk.in_review(Right.ERASURE)
    return World(desk, carried_out(case, desk.handler, desk.dpo, keep="notes"))


desk, plan = part("desk"), part("plan")


def made(plan, desk) -> tuple[bytes, bytes]:
    """The certificate's PDF and JSON."""
    aftermath.begin(plan, desk.handler, timezone.now())
    pack = certificate.of(plan.case)
    return tuple(b"".join(files.read(entry.file)) for entry in pack.files.select_related("file"))


def laid_open(pdf: bytes) -> bytes:
    """Every byte of a PDF, its streams decompressed."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.all, compress_streams=False)
    return out.getvalue()


def test_json_says_what_was_done_and_kept_and_why(plan, desk):
    RecipientFactory.create(controller=desk.controller, name="Adverts GmbH")

    _pdf, data = made(plan, desk)

    said = content.read(data)
    crm = said.systems[0]
    assert [(one.name, one.state) for one in said.recipients] == [("Adverts GmbH", "waiting")]
    assert [(one.record_type, one.what, one.records) for one in crm.done] == [("people", "delete", 1)]
    assert [(one.record_type, one.code, one.provision) for one in crm.kept] == [
        ("notes", "LEGAL_OBLIGATION_OR_PUBLIC_TASK", "Art 17(3)(b)")
    ]
    assert (said.ground.provision, crm.receipts.count, crm.backups_until) == (
        "Art 17(1)(b)",
        1,
        PlanPart.objects.get(plan=plan).backups_gone_on,
    )


def test_nothing_erased_is_in_any_byte(plan, desk):
    pdf, data = made(plan, desk)

    laid = laid_open(pdf) + data + pdf_text(pdf).encode()

    assert [word for word in PLANTED if word.encode() in laid] == []


def test_pdf_is_tagged_and_says_the_same(plan, desk):
    pdf, _data = made(plan, desk)

    text = " ".join(pdf_text(pdf).split())
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert (bool(opened.Root.MarkInfo.Marked), str(opened.Root.Lang)) == (True, "en")
    assert ("Certificate of erasure" in text, plan.case.reference in text, "Art 17(3)(b)" in text) == (
        True,
        True,
        True,
    )


def test_what_was_left_with_a_reason_is_not_called_gone(plan, desk):
    part = PlanPart.objects.get(plan=plan)
    left = Leftover(
        controller_id=plan.controller_id,
        part=part,
        where="contacts",
        remains="residual",
        found_at=timezone.now(),
        settled="accepted",
        proposed_by_id=desk.handler.person_id,
        settled_by_id=desk.dpo.person_id,
    )
    left.place, left.reason = {"ref": "people/1", "type": "people"}, "Ada Example keeps it."
    left.save()

    pdf, data = made(plan, desk)

    text = " ".join(pdf_text(pdf).split())
    assert (content.read(data).systems[0].left, "nothing that was to go is left" in text) == (1, False)
    assert "in 1 place something is left" in text


def test_silent_withholding_is_in_no_line(plan, desk):
    line = plan.lines.filter(treatment="keep").get()
    plan.case.items.filter(pk=line.item_id).update(is_silent=True)

    _pdf, data = made(plan, desk)

    assert content.read(data).systems[0].kept == []


def test_it_is_kept_under_the_cases_file_and_outlives_the_collected_data(plan, desk):
    aftermath.begin(plan, desk.handler, timezone.now())
    keyring.destroy(plan.case.collected_key_id, timezone.now())

    pack = certificate.of(plan.case)
    read = [b"".join(files.read(entry.file)) for entry in pack.files.select_related("file")]

    assert ([len(one) > 500 for one in read], pack.files.first().file.key_id) == (
        [True, True],
        plan.case.file_key_id,
    )


def test_made_twice_is_made_once(plan, desk):
    first, second = made(plan, desk), made(plan, desk)

    events = AuditEvent.objects.filter(action="certificate.made")
    assert (first == second, plan.case.packs.count(), events.count()) == (True, 1, 1)


def test_certificate_is_verified_against_the_trail(plan, desk, tmp_path, capsys):
    _pdf, data = made(plan, desk)
    whole, changed = tmp_path / "whole.json", tmp_path / "changed.json"
    whole.write_bytes(data)
    changed.write_bytes(data.replace(b'"records": 1', b'"records": 2'))

    with pytest.raises(CommandError, match="no certificate with this content"):
        call_command("verify_certificate", str(changed))
    call_command("verify_certificate", str(whole))

    assert "Verified" in capsys.readouterr().out


def test_certificate_of_another_chain_is_not_believed(plan, desk):
    _pdf, data = made(plan, desk)
    said = json.loads(data)
    said["trail"]["seq"] += 1

    found = certificate.problems(json.dumps(said).encode())

    assert (found, certificate.problems(b"{}")) == (
        ["the trail has no such entry."],
        ["the file is no certificate, or was changed."],
    )


def test_digest_of_receipts_can_be_made_again(plan, desk):
    part = PlanPart.objects.get(plan=plan)
    step = part.steps.get()
    line = f"{step.key}|delete|done|removed|204|00ff|{step.ended_at.isoformat()}\n"

    found = receipts_of(part)

    assert found.sha256 == hashlib.sha256(line.encode()).hexdigest()


def test_it_can_be_fetched_once_the_last_letter_is_out(plan, desk):
    case = in_state(plan.case, "fulfilling", proposed_outcome="fulfilled")
    aftermath.begin(plan, desk.handler, timezone.now())

    carry_out.changes_ended(case, plan.decision, [], desk.handler, timezone.now())
    before = Delivery.objects.get().sent_at
    run_jobs()

    letter = case.letters.get(kind="done")
    assert (before, letter.state, Delivery.objects.get().sent_at is not None) == (
        None,
        LetterState.SENT,
        True,
    )
    assert "certificate" in letter.body


def test_letter_says_until_when_backups_hold_it(plan, desk):
    case = in_state(plan.case, "fulfilling", proposed_outcome="fulfilled")
    aftermath.begin(plan, desk.handler, timezone.now())

    text = "\n".join(aftermath.paragraphs(case, "en-gb"))

    day = PlanPart.objects.get(plan=plan).backups_gone_on
    assert (f"- CRM: by {day.day} " in text, "beyond use" in text) == (True, True)


def test_where_nobody_knows_how_long_backups_last_no_date_is_made_up(plan, desk):
    SourceSystem.objects.update(backup_days=None)
    aftermath.begin(plan, desk.handler, timezone.now())

    text = "\n".join(aftermath.paragraphs(plan.case, "en-gb"))

    assert "- CRM: on the usual schedule" in text


def test_drill_is_certified_to_nobody(plan, desk):
    type(plan.case).objects.filter(pk=plan.case_id).update(is_drill=True)
    plan.case.refresh_from_db()

    aftermath.begin(plan, desk.handler, timezone.now())

    assert plan.case.packs.count() == 0


def test_documented_schema_is_that_of_the_code():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == content.schema()


def test_form_takes_nothing_beside_what_is_declared(plan, desk):
    _pdf, data = made(plan, desk)

    with pytest.raises(ValidationError):
        content.read(json.dumps({**json.loads(data), "name": "Ada Example"}).encode())
