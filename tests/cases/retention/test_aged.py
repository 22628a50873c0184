"""What goes by its age alone, and what is nobody's: the day before it stays, the day after it is gone."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.correspondence import outbox
from cases.models import CollectionStop, ContactNote, SourceCheck, SourceSystem
from cases.models.reerasure import ErasedPlace
from cases.retention import rules
from cases.retention.rules import Rule
from cases.words import Channel
from cases.workflow import retention
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose, VaultKey
from identity.models import (
    AccessToken,
    Attempt,
    Emergency,
    Invitation,
    OneTimeCode,
    RecoveryCode,
    Session,
    TextMessage,
    TotpDevice,
    User,
)
from identity.models.sms import TextState
from identity.roles import Role
from tests.cases.retention.kept import carried_out, is_due
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import one_case
from tests.factories.identity import UserFactory, enrolled, staff

pytestmark = pytest.mark.django_db

Make = Callable[[Desk, datetime], Any]


def token(desk: Desk, at: datetime) -> Any:
    asked = one_case(desk.controller).subject_request
    AccessToken.objects.all().delete()
    AccessToken.objects.create(
        controller=desk.controller,
        purpose="follow",
        token_hash=b"t",
        subject_request=asked,
        created_at=at,
        expires_at=at,
    )
    return AccessToken


def code(desk: Desk, at: datetime) -> Any:
    check = one_case(desk.controller).subject_request.verifications.get()
    OneTimeCode.objects.create(
        controller=desk.controller,
        verification=check,
        code_hash=b"c",
        purpose="verify",
        sent_at=at,
        expires_at=at,
    )
    return OneTimeCode


def contact(desk: Desk, at: datetime) -> Any:
    key = keyring.new_key(KeyPurpose.REQUEST, desk.controller.pk, at)
    ContactNote.objects.create(
        controller=desk.controller,
        key=key,
        channel=Channel.CALL,
        summary="Ada asked for her bill.",
        said_at=at,
        submission=uuid7(),
        noted_at=at,
    )
    return ContactNote


def check(desk: Desk, at: datetime) -> Any:
    source = SourceSystem.objects.get()
    SourceCheck.objects.create(
        controller=desk.controller, source=source, key_id=source.key_id, asked_at=at, account="reader"
    )
    return SourceCheck


def stop(desk: Desk, at: datetime) -> Any:
    key = keyring.shared_key(KeyPurpose.CONTROLLER, desk.controller.pk, at)
    CollectionStop.objects.create(
        controller=desk.controller, key=key, reason="Incident.", stopped_at=at, lifted_at=at
    )
    return CollectionStop


def emergency(desk: Desk, at: datetime) -> Any:
    key = keyring.shared_key(KeyPurpose.CONTROLLER, desk.controller.pk, at)
    user = staff(Role.BREAK_GLASS, desk.controller)
    Emergency.objects.create(
        controller=desk.controller, user=user, key=key, reason="Fire.", started_at=at, ends_at=at
    )
    return Emergency


def work(desk: Desk, at: datetime) -> Any:
    Job.objects.all().delete()
    Job.objects.create(
        controller_id=desk.controller.pk,
        kind="x",
        key="x",
        state="done",
        not_before=at,
        created_at=at,
        ended_at=at,
    )
    return Job


def erased(desk: Desk, at: datetime) -> Any:
    ErasedPlace.objects.create(
        controller=desk.controller,
        source=SourceSystem.objects.get(),
        erasure=uuid7(),
        kind="email",
        value_hash=b"h",
        erased_at=at,
    )
    return ErasedPlace


AGED: list[tuple[Rule, Make, int]] = [
    (rules.TOKEN, token, 7),
    (rules.CODE, code, 7),
    (rules.CONTACT, contact, 365),
    (rules.CHECK, check, 30),
    (rules.STOP, stop, 365),
    (rules.EMERGENCY, emergency, 3 * 365),
    (rules.JOB, work, 30),
    (rules.ERASED, erased, 365),
]


@pytest.mark.parametrize(("rule", "make", "days"), AGED, ids=lambda given: getattr(given, "code", None))
def test_what_is_old_enough_goes(desk, rule, make, days):
    now = timezone.now()
    model = make(desk, now - timedelta(days=days))

    early = carried_out(rule, desk, now - timedelta(days=1))
    kept, counted = model.objects.count(), is_due(rule, desk, now + timedelta(days=2)).due
    done = carried_out(rule, desk, now + timedelta(days=2))

    assert (early.of, kept, counted, done.of, model.objects.count()) == (0, 1, 1, 1, 0)
    told = AuditEvent.objects.get(action=Action.RETENTION_APPLIED)
    assert (told.controller_id, told.data["rule"], told.data["of"]) == (desk.controller.pk, rule.code, 1)


def test_note_of_plain_business_takes_its_key_along(desk):
    contact(desk, timezone.now() - timedelta(days=400))
    key = ContactNote.objects.get().key_id

    carried_out(rules.CONTACT, desk, timezone.now())

    assert VaultKey.objects.filter(pk=key).count() == 0


def test_code_that_was_used_stays_with_the_file(desk):
    code(desk, timezone.now() - timedelta(days=30))
    OneTimeCode.objects.update(used_at=timezone.now())

    assert carried_out(rules.CODE, desk, timezone.now()).of == 0


def test_erased_places_follow_the_age_of_the_source_s_backups(desk):
    erased(desk, timezone.now() - timedelta(days=40))
    SourceSystem.objects.update(backup_days=35)

    done = carried_out(rules.ERASED, desk, timezone.now())

    assert (done.of, ErasedPlace.objects.count()) == (1, 0)


def test_erased_places_outlast_the_usual_where_backups_do(desk):
    erased(desk, timezone.now() - timedelta(days=400))
    SourceSystem.objects.update(backup_days=700)

    assert carried_out(rules.ERASED, desk, timezone.now()).of == 0


def test_number_of_a_text_message_is_forgotten_and_its_state_stays(desk):
    long_ago = timezone.now() - timedelta(days=31)
    request = one_case(desk.controller).subject_request
    TextMessage.objects.create(
        controller=desk.controller,
        verification=request.verifications.get(),
        purpose="verify",
        number_hash=b"number",
        state=TextState.SENT,
        asked_at=long_ago,
        expires_at=long_ago,
        ended_at=long_ago,
    )

    done = carried_out(rules.TEXT, desk, timezone.now())

    message = TextMessage.objects.get()
    assert (done.of, bytes(message.number_hash), message.state) == (1, b"", TextState.SENT)
    assert carried_out(rules.TEXT, desk, timezone.now()).of == 0


# -- what is nobody's ------------------------------------------------------------------------------------


def site(now: datetime) -> dict[str, int]:
    return {rule.code: done.rows + done.files for rule, done in retention.purge_site(now)}


def test_tries_sessions_and_invitations_go(db):
    now = timezone.now()
    person = UserFactory.create()
    for age in (timedelta(hours=2), timedelta(days=40)):
        Attempt.objects.create(what="x", who=b"x", at=now - age)
        Session.objects.create(
            session_key=str(age), session_data="x", expire_date=now - age + timedelta(days=1)
        )
        Invitation.objects.create(
            user=person, token_hash=str(age).encode(), made_at=now, expires_at=now - age
        )

    done = site(now)

    assert (done["attempts"], done["sessions"], done["invitations"]) == (1, 1, 1)
    assert (Attempt.objects.count(), Session.objects.count(), Invitation.objects.count()) == (1, 1, 1)


def test_demonstration_s_mailbox_is_emptied(db):
    outbox.folder().mkdir(parents=True)
    old, new = outbox.folder() / "1.eml", outbox.folder() / "2.sms"
    old.write_text("x")
    new.write_text("x")
    then = (timezone.now() - timedelta(days=31)).timestamp()
    os.utime(old, (then, then))

    assert site(timezone.now())["outbox"] == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_staff_who_left_lose_their_keys_and_then_their_name(db):
    gone, here = UserFactory.create(is_active=False), UserFactory.create()
    for person in (gone, here):
        enrolled(person)
        RecoveryCode.objects.create(user=person, code_hash=person.pk.bytes)
    now = timezone.now()

    site(now)
    after_a_month = site(now + timedelta(days=31))
    named = User.objects.get(pk=gone.pk).full_name
    after_years = site(now + timedelta(days=7 * 366))

    gone.refresh_from_db()
    here.refresh_from_db()
    assert (after_a_month["staff_access"], after_a_month["staff"], after_years["staff"]) == (2, 0, 1)
    assert (TotpDevice.objects.get().user, RecoveryCode.objects.get().user) == (here, here)
    assert named.startswith("Person")
    assert (gone.full_name, gone.email) == ("Former member of staff", f"{gone.pk.hex}@former.invalid")
    assert here.full_name.startswith("Person")
    assert site(now + timedelta(days=7 * 366))["staff"] == 0


def test_time_of_whoever_comes_back_starts_anew(db):
    person = UserFactory.create(is_active=False)
    enrolled(person)
    now = timezone.now()
    site(now)
    User.objects.update(is_active=True)
    site(now + timedelta(days=20))
    User.objects.update(is_active=False)

    early = site(now + timedelta(days=40))

    assert (early["staff_access"], TotpDevice.objects.count()) == (0, 1)
