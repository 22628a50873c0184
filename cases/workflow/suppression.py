"""The suppression list: who must not be written to for a purpose, known by keyed hashes alone (Article 21(3)).

An address that somebody had erased must not come back by the next import. The hashes are made with the controller's
look-up key, which outlives every case, and of the normalised value, so that other ways of writing it are found.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.models import (
    Case,
    SuppressionEntry,
    SuppressionKind,
    SuppressionOrigin,
    SuppressionPurpose,
    SuppressionToken,
)
from cases.permissions import By
from cases.words import Right
from cases.workflow import standing
from cases.workflow.perform import act, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record
from dsar.lib import crypto, normalise
from dsar.lib.errors import Refused
from identity.models import Controller
from identity.roles import Permission
from identity.services import TOKEN_BYTES, token_hash

# What a list can be asked for, and how a value is told to be one of them.
PURPOSE = SuppressionPurpose.MARKETING
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """A value as it is looked for: of which kind, and its keyed hash."""

    kind: SuppressionKind
    value_hash: bytes


def address(
    controller: Controller, value: str, now: datetime, *, purpose: SuppressionPurpose = PURPOSE
) -> Address | None:
    """What a value is on the list, whether written as an e-mail address or a telephone number; None for nonsense."""
    kind = SuppressionKind.EMAIL if "@" in value else SuppressionKind.PHONE
    plain = _plain(kind, value, controller.phone_region)
    if not plain:
        return None
    key = queries.lookup_key(controller.pk, now)
    return Address(kind, crypto.blind(key, f"suppressed|{purpose.value}|{kind.value}|{plain}"))


def _plain(kind: SuppressionKind, value: str, region: str) -> str:
    """The normalised value; empty for what cannot be an address at all."""
    if kind is SuppressionKind.EMAIL:
        plain = normalise.email(value)
        local, _at, domain = plain.partition("@")
        return plain if local and domain and " " not in plain else ""
    plain = normalise.phone(value, region)
    return plain if len(plain) >= 6 else ""


def check(
    controller: Controller,
    values: Sequence[str],
    now: datetime,
    *,
    purpose: SuppressionPurpose = PURPOSE,
) -> list[bool | None]:
    """Say of each value, in order, whether it is on the list; None for what cannot be read. One query."""
    asked = [address(controller, value, now, purpose=purpose) for value in values]
    wanted = {one.value_hash for one in asked if one}
    found = SuppressionEntry.objects.filter(controller=controller, purpose=purpose, value_hash__in=wanted)
    held = {(kind, bytes(digest)) for kind, digest in found.values_list("kind", "value_hash")}
    return [None if one is None else (one.kind.value, one.value_hash) in held for one in asked]


def add(
    controller: Controller,
    values: Iterable[str],
    origin: SuppressionOrigin,
    by: By,
    now: datetime,
    *,
    case_id: UUID | None = None,
    purpose: SuppressionPurpose = PURPOSE,
) -> int:
    """Put values on the list, on record by count alone; returns how many were new. What is there already stays."""
    wanted = {one for value in values if (one := address(controller, value, now, purpose=purpose))}
    with transaction.atomic():
        before = _count(controller, wanted, purpose)
        SuppressionEntry.objects.bulk_create(
            [
                SuppressionEntry(
                    controller=controller,
                    purpose=purpose,
                    kind=one.kind,
                    value_hash=one.value_hash,
                    origin=origin,
                    added_at=now,
                )
                for one in wanted
            ],
            ignore_conflicts=True,
        )
        added = _count(controller, wanted, purpose) - before
        if added:
            _on_record("added", added, origin.value, controller.pk, case_id, by, now)
    return added


def _count(controller: Controller, wanted: Iterable[Address], purpose: SuppressionPurpose) -> int:
    hashes = [one.value_hash for one in wanted]
    return SuppressionEntry.objects.filter(
        controller=controller, purpose=purpose, value_hash__in=hashes
    ).count()


def remove(
    controller: Controller,
    values: Iterable[str],
    by: By,
    now: datetime,
    *,
    purpose: SuppressionPurpose = PURPOSE,
) -> int:
    """Take values off the list, because the person wants to hear again, on record; returns how many were there."""
    wanted = [one.value_hash for value in values if (one := address(controller, value, now, purpose=purpose))]
    with transaction.atomic():
        found = SuppressionEntry.objects.filter(controller=controller, purpose=purpose, value_hash__in=wanted)
        removed = int(found.delete()[0])
        if removed:
            _on_record("removed", removed, "opted_in", controller.pk, None, by, now)
    return removed


def _on_record(
    what: str, count: int, why: str, controller_id: UUID, case_id: UUID | None, by: By, now: datetime
) -> None:
    codes: Codes = {"what": what, "count": count, "why": why}
    record(
        Action.SUPPRESSION_CHANGED, by.actor, now, controller_id=controller_id, case_id=case_id, data=codes
    )


def listed(controller: Controller) -> Iterator[SuppressionEntry]:
    """The whole list, oldest first: hashes, and why; it names nobody."""
    entries = SuppressionEntry.objects.filter(controller=controller).order_by("added_at", "pk")
    return entries.iterator(chunk_size=2000)


# -- from cases --------------------------------------------------------------------------------------


def is_wanted(case: Case) -> bool:
    """An objection to marketing is kept in mind by itself (Article 21(3)), an erasure where it was asked for."""
    return (case.right == Right.OBJECTION and case.about_marketing) or (
        case.right == Right.ERASURE and case.ends_marketing
    )


def follow(case: Case, by: By, now: datetime) -> int:
    """Put the person of a case on the list where the case asks for it; returns how many entries are new."""
    if not is_wanted(case) or case.is_drill:
        return 0
    origin = SuppressionOrigin.ERASURE if case.right == Right.ERASURE else SuppressionOrigin.OBJECTION
    values = [value for value in (case.subject.email, case.subject.phone) if value.strip()]
    return add(case.controller, values, origin, by, now, case_id=case.pk)


def ask_for(case: Case, by: By, now: datetime, *, version: int | None = None) -> Case:
    """The person who wants to be erased also wants no advertising ever again. Raises NotAllowed and Refused."""
    with transaction.atomic():
        locked = act(case, Permission.WORK, by, now, version=version, name="end_marketing")
        if locked.right != Right.ERASURE:
            raise Refused(_("Only an erasure can also ask for this."), "not_an_erasure")
        if locked.ends_marketing:
            return locked
        locked.ends_marketing = True
        touch(locked, "ends_marketing")
        put_on_record(locked, Action.SUPPRESSION_CHANGED, by, now, {"what": "asked"})
        if locked.carried_out:
            follow(locked, by, now)
        return locked


# -- for importers -----------------------------------------------------------------------------------


def make_token(controller: Controller, name: str, by: By, now: datetime) -> str:
    """A token with which an importer may ask; its value is returned once. Raises NotAllowed."""
    standing.require(by, controller.pk, now, "make_suppression_token")
    value = f"{controller.pk.hex}.{secrets.token_urlsafe(TOKEN_BYTES)}"
    made = SuppressionToken.objects.create(
        controller=controller,
        name=name.strip(),
        token_hash=token_hash(value),
        made_at=now,
        made_by_id=by.person_id,
    )
    _token_on_record(Action.SUPPRESSION_TOKEN_MADE, made, by, now)
    return value


def revoke_token(token: SuppressionToken, by: By, now: datetime) -> None:
    """The token opens nothing any more; twice is once. Raises NotAllowed."""
    standing.require(by, token.controller_id, now, "revoke_suppression_token")
    with transaction.atomic():
        living = SuppressionToken.objects.select_for_update().get(pk=token.pk)
        if living.revoked_at is None:
            living.revoked_at, living.revoked_by_id = now, by.person_id
            living.save(update_fields=["revoked_at", "revoked_by"])
            _token_on_record(Action.SUPPRESSION_TOKEN_REVOKED, living, by, now)


def _token_on_record(action: Action, token: SuppressionToken, by: By, now: datetime) -> None:
    codes: Codes = {"token": str(token.pk)}
    record(action, by.actor, now, controller_id=token.controller_id, data=codes)


def controller_of(value: str) -> UUID | None:
    """Whose token this says it is; nothing is believed of it yet."""
    try:
        return UUID(hex=value.partition(".")[0])
    except ValueError:
        return None


def find_token(value: str, now: datetime) -> SuppressionToken | None:
    """The living token of this value, inside a unit of work that serves the controller it names."""
    found = SuppressionToken.objects.select_related("controller").filter(
        token_hash=token_hash(value), revoked_at=None, controller__is_active=True
    )
    token: SuppressionToken | None = found.first()
    if token is not None and token.used_on != now.date():
        SuppressionToken.objects.filter(pk=token.pk).update(used_on=now.date())
    return token
