"""Text messages of a controller: by which way they leave, how often, and whether a number can have one at all."""

import json
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db import connection

from dsar.lib import crypto, normalise
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, SmsGateway, TextMessage, TextState, Verification
from identity.models.sms import SPENT
from identity.sms import description
from identity.sms.base import Backend
from identity.sms.description import Gateway
from identity.sms.gateway import HttpGateway
from identity.sms.outbox import Outbox

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# To one number, and for one person, whoever asks and under however many requests: it costs money and annoys.
PER_HOUR = 5
PER_DAY = 10
# Of a whole brand within an hour, where its gateway's description says nothing else.
BRAND_PER_HOUR = 300

_Type = phonenumbers.PhoneNumberType
_DEAF = frozenset(
    {
        *(_Type.FIXED_LINE, _Type.TOLL_FREE, _Type.PREMIUM_RATE, _Type.SHARED_COST),
        *(_Type.PAGER, _Type.UAN, _Type.VOICEMAIL),
    }
)


def outbox() -> Path:
    """Where the demonstration keeps what it sends."""
    return Path(settings.DATA_DIR) / "outbox"


def can_text(controller_id: UUID) -> bool:
    """Whether text messages of this controller leave at all."""
    return _own(controller_id) is not None or bool(settings.SMS_GATEWAY) or settings.SMS_OUTBOX


def backend_of(controller_id: UUID) -> Backend | None:
    """The controller's own gateway, else the site's, else the demonstration's outbox. Its credentials are open."""
    if own := _own(controller_id):
        return HttpGateway(own.about, own.token)
    if settings.SMS_GATEWAY:
        return HttpGateway(site_gateway(settings.SMS_GATEWAY), settings.SMS_TOKEN)
    return Outbox(outbox()) if settings.SMS_OUTBOX else None


@lru_cache(maxsize=4)
def site_gateway(written: str) -> Gateway:
    """The gateway of the whole site. Raises ValueError for a description that cannot work."""
    found = json.loads(written)
    if not isinstance(found, dict):
        raise ValueError("DSAR_SMS_GATEWAY must be a JSON object.")  # noqa: TRY004
    return description.parsed(found)


def _own(controller_id: UUID) -> SmsGateway | None:
    found: SmsGateway | None = SmsGateway.objects.filter(controller_id=controller_id, is_active=True).first()
    return found


# -- numbers -----------------------------------------------------------------------------------------


def textable(number: str, region: str) -> str:
    """The number in E.164; empty where no text message could arrive there.

    Fixed lines get none; numbers that cost who calls them are how such a service is robbed. What the tables of
    numbers do not know yet is left to the gateway.
    """
    plain = normalise.phone(number, region)
    try:
        parsed = phonenumbers.parse(plain, None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed) or phonenumbers.number_type(parsed) in _DEAF:
        return ""
    return plain


def writings(number: str, region: str) -> tuple[str, ...]:
    """The number in E.164, and as it is dialled at home where that is the brand's too: sources have it either way."""
    plain = textable(number, region)
    if not plain:
        return ()
    parsed = phonenumbers.parse(plain, None)
    at_home = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return (plain, at_home) if parsed.country_code == _country_code(region) else (plain,)


def _country_code(region: str) -> int:
    return int(phonenumbers.country_code_for_region(region.upper()))


def number_hash(controller: Controller, number: str, now: datetime) -> bytes:
    """A keyed hash of a number in E.164, of this controller alone."""
    key = keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, controller.pk, now).pk)
    return crypto.blind(key, f"text|{number}")


# -- counting ----------------------------------------------------------------------------------------


def count(
    message_id: UUID,
    verification: Verification,
    purpose: str,
    blind: bytes,
    same_person: set[UUID],
    now: datetime,
) -> TextMessage:
    """Count one message for good before anything is written; withheld where there were too many.

    Messages of one controller take turns. Asked again with the same id it is the message that was counted.
    """
    controller = verification.subject_request.controller
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"text|{controller.pk}"])
    reason = _too_many(controller, blind, same_person, now)
    made: TextMessage = TextMessage.objects.get_or_create(
        pk=message_id,
        defaults={
            "controller": controller,
            "verification": verification,
            "purpose": purpose,
            "number_hash": blind,
            "state": TextState.WITHHELD if reason else TextState.COUNTED,
            "reason": reason,
            "asked_at": now,
            "expires_at": now + timedelta(minutes=controller.code_minutes),
            "ended_at": now if reason else None,
        },
    )[0]
    return made


def withhold(
    message_id: UUID, verification: Verification, purpose: str, reason: str, now: datetime
) -> TextMessage:
    """Note that a message was asked for and not written; ``reason`` is a code."""
    made: TextMessage = TextMessage.objects.get_or_create(
        pk=message_id,
        defaults={
            "controller_id": verification.controller_id,
            "verification": verification,
            "purpose": purpose,
            "number_hash": b"",
            "state": TextState.WITHHELD,
            "reason": reason,
            "asked_at": now,
            "expires_at": now,
            "ended_at": now,
        },
    )[0]
    return made


def _too_many(controller: Controller, blind: bytes, same_person: set[UUID], now: datetime) -> str:
    spent = TextMessage.objects.filter(controller=controller, state__in=SPENT)
    to_number = spent.filter(number_hash=blind)
    for_person = spent.filter(verification__subject_id__in=same_person)
    for found in (to_number, for_person):
        if found.filter(asked_at__gt=now - HOUR).count() >= PER_HOUR:
            return "hour"
        if found.filter(asked_at__gt=now - DAY).count() >= PER_DAY:
            return "day"
    return "brand" if spent.filter(asked_at__gt=now - HOUR).count() >= _brand_limit(controller.pk) else ""


def _brand_limit(controller_id: UUID) -> int:
    if own := _own(controller_id):
        return own.about.most_per_hour
    return site_gateway(settings.SMS_GATEWAY).most_per_hour if settings.SMS_GATEWAY else BRAND_PER_HOUR


# -- what becomes of it ------------------------------------------------------------------------------


def end(message_id: UUID, state: TextState, reason: str, now: datetime) -> None:
    """It is sent or given up: number and text, which open a door, are gone."""
    message = TextMessage.objects.select_for_update().get(pk=message_id)
    if message.ended_at is not None:
        return
    message.state, message.reason, message.ended_at = state, reason[:40], now
    message.number = message.text = ""
    message.save(update_fields=["state", "reason", "ended_at", "number", "text"])


def end_overdue(controller_id: UUID, now: datetime) -> int:
    """End what never left; returns how many. Part of upkeep."""
    overdue = TextMessage.objects.filter(
        controller_id=controller_id, ended_at=None, expires_at__lt=now - HOUR
    )
    ids = list(overdue.values_list("pk", flat=True)[:500])
    for message_id in ids:
        end(message_id, TextState.FAILED, "overdue", now)
    return len(ids)
