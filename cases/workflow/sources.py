"""The settings of source systems as administrators state them: judged as a whole, on record by name, never by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from cases.collection import order
from cases.connectors import registry
from cases.connectors.base import ConfigurationError
from cases.connectors.dataset import DatasetError
from cases.models import SourceSystem
from cases.permissions import By
from cases.workflow import health, standing
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller

# What is said to the source; a change of it has to be tried.
SPOKEN: Final = frozenset({"connector", "options", "secrets", "dataset"})


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong: the setting, a sentence, and the line where it is one of a dataset."""

    name: str
    message: str
    line: int | None = None


class SettingsWrong(Exception):
    """Settings that cannot work; nothing was changed."""

    def __init__(self, problems: Sequence[Wrong]) -> None:
        super().__init__("settings")
        self.problems = tuple(problems)


def new(controller: Controller, slug: str, now: datetime) -> SourceSystem:
    """A source that is yet to be saved; its secrets are sealed under the controller's key."""
    key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, now)
    return SourceSystem(controller=controller, slug=slug, key=key, country="", safeguard="")


def save(source: SourceSystem, wanted: Mapping[str, Any], by: By, now: datetime) -> list[str]:
    """Make or change a source; returns the names of what changed. Raises NotAllowed and SettingsWrong.

    Where what is said to the source changed, it is tried at once, and a refused account is no obstacle any more.
    """
    standing.require(by, source.controller_id, now, "change_source")
    is_new = source._state.adding
    with transaction.atomic():
        row = source if is_new else SourceSystem.objects.select_for_update(no_key=True).get(pk=source.pk)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, wanted[name])
        if problems := wrong(row):
            raise SettingsWrong(problems)
        if is_new or changed:
            row.save(**({"force_insert": True} if is_new else {"update_fields": changed}))
            _record(row, "created" if is_new else "updated", changed, by, now)
        if is_new or SPOKEN & set(changed):
            settings_changed(row, now)
            health.ask(row, by, now)
    return changed


def settings_changed(source: SourceSystem, now: datetime) -> None:
    """What stood against the source was known of other settings: it gets another chance, and what waited goes on."""
    if source.needs_admin_at is not None or source.failures:
        standing.clear_trouble(source)
        standing.release([source.pk], now)


def wrong(source: SourceSystem) -> list[Wrong]:
    """What is wrong with the settings, without contacting anything: the connector's own judgement, and the order."""
    return [*_tried(source), *_order(source)]


def _tried(source: SourceSystem) -> list[Wrong]:
    try:
        registry.build(source.connector, source.options, source.secrets, source.dataset or None).close()
    except DatasetError as error:
        return [Wrong("dataset", str(problem), problem.line) for problem in error.problems]
    except ConfigurationError as error:
        return [Wrong("", error.params["problem"])]
    return []


def _order(source: SourceSystem) -> list[Wrong]:
    others = SourceSystem.objects.filter(controller_id=source.controller_id).exclude(pk=source.pk)
    after = {**dict(others.values_list("slug", "erase_after")), source.slug: source.erase_after}
    if strange := [slug for slug in source.erase_after if slug not in after]:
        return [
            Wrong("erase_after", _("There is no source “%(slug)s” of this brand.") % {"slug": strange[0]})
        ]
    if circle := order.circle(after):
        said = _("These would each have to come first: %(circle)s.") % {"circle": " → ".join(circle)}
        return [Wrong("erase_after", said)]
    return []


def _record(source: SourceSystem, what: str, changed: Sequence[str], by: By, now: datetime) -> None:
    codes: Codes = {"kind": "source", "id": str(source.pk), "what": what, "fields": list(changed)}
    record(Action.SOURCE_CHANGED, by.actor, now, controller_id=source.controller_id, data=codes)
