"""What has to be done from time to time, whoever asks: expired things end, old things go."""

import time
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from cases.workflow import (
    authority,
    document,
    extension,
    external,
    fields,
    health,
    inquiry,
    recipients,
    recomputation,
    record_questions,
    retention,
)
from dsar.lib.tenancy import unit_of_work
from dsar.vault.models import StoredFile
from identity import texting
from identity.access import all_controllers

ORPHAN_SECONDS = 24 * 3600


def run(controller_id: UUID, now: datetime) -> None:
    """Upkeep of one controller, in transactions of their own."""
    with unit_of_work([controller_id]):
        document.destroy_overdue(controller_id, now)
        authority.destroy_overdue(controller_id, now)
        external.end_overdue(controller_id, now)
        texting.end_overdue(controller_id, now)
        record_questions.end_overdue(controller_id, now)
        extension.lapse_overdue(controller_id, now)
        health.order_due(controller_id, now)
        inquiry.chase(controller_id, now)
        recipients.chase(controller_id, now)
        recomputation.follow_the_law(controller_id, now)
        fields.order_lagging(controller_id, now)


def run_for_all(now: datetime) -> None:
    """Upkeep of the house: bytes that no row names, and what is nobody's and over its time."""
    if now.minute == 0:
        remove_orphans(Path(settings.DATA_DIR))
        retention.purge_all_of_site(now)


def remove_orphans(folder: Path) -> int:
    """Delete files of unfinished or rolled back writes; returns how many. None of them can be opened."""
    limit = time.time() - ORPHAN_SECONDS
    old = [path for path in folder.glob("??/*") if len(path.name) == 32 and path.stat().st_mtime < limit]
    named = _named([UUID(path.name) for path in old])
    orphans = [path for path in old if UUID(path.name) not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def _named(ids: list[UUID]) -> set[UUID]:
    with unit_of_work(all_controllers()):
        return set(StoredFile.objects.filter(pk__in=ids).values_list("pk", flat=True))
