"""The recipients of a controller as administrators state them: on record by the names of fields, never by value."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Recipient, RecipientRoute, SourceSystem
from cases.permissions import By
from cases.workflow import standing
from cases.workflow.sources import SettingsWrong, Wrong
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller


def new(controller: Controller, now: datetime) -> Recipient:
    """A recipient that is yet to be saved; its secrets are sealed under the controller's key."""
    return Recipient(controller=controller, key=keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, now))


def save(recipient: Recipient, wanted: Mapping[str, Any], by: By, now: datetime) -> list[str]:
    """Make or change a recipient; returns the names of what changed. Raises NotAllowed and SettingsWrong."""
    standing.require(by, recipient.controller_id, now, "change_recipient")
    is_new = recipient._state.adding
    with transaction.atomic():
        row = recipient if is_new else Recipient.objects.select_for_update().get(pk=recipient.pk)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, wanted[name])
        if problems := wrong(row):
            raise SettingsWrong(problems)
        if is_new or changed:
            row.save(**({"force_insert": True} if is_new else {"update_fields": changed}))
            codes: Codes = {
                "recipient": str(row.pk),
                "what": "created" if is_new else "updated",
                "fields": changed,
            }
            record(Action.RECIPIENT_CHANGED, by.actor, now, controller_id=row.controller_id, data=codes)
    return changed


def wrong(recipient: Recipient) -> list[Wrong]:
    """What is wrong with it, field by field: it must be reachable by its route, and its sources must exist."""
    return [*_route(recipient), *_sources(recipient)]


def _route(recipient: Recipient) -> Sequence[Wrong]:
    missing = {
        RecipientRoute.EMAIL: ("email", _("Give the address that notices are mailed to.")),
        RecipientRoute.POST: ("postal_address", _("Give the address that notices are posted to.")),
        RecipientRoute.API: ("url", _("Give the address that notices are sent to.")),
    }
    name, said = missing[RecipientRoute(recipient.route)]
    if not getattr(recipient, name):
        return [Wrong(name, said)]
    if recipient.route != RecipientRoute.API:
        return []
    problems = []
    if urlsplit(recipient.url).scheme != "https" and not recipient.is_private:
        problems.append(Wrong("url", _("It must be https, but in the operator's own network.")))
    if not recipient.secrets.get("signing_key"):
        said = _("Notices are signed: give the key that the recipient checks them with.")
        problems.append(Wrong("signing_key", said))
    return problems


def _sources(recipient: Recipient) -> Sequence[Wrong]:
    held = SourceSystem.objects.filter(controller_id=recipient.controller_id).values_list("slug", flat=True)
    strange = sorted(set(recipient.fed_by) - set(held))
    said = _("There is no source “%(slug)s” of this brand.")
    return [Wrong("fed_by", said % {"slug": strange[0]})] if strange else []
