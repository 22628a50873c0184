"""Several people press at the same moment: one extension is proposed, and one notice is sent."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections
from django.utils import timezone

from cases.deadlines.events import ExtensionReason
from cases.models import Extension, Letter
from cases.permissions import by_staff
from cases.workflow import extension
from cases.workflow.extension import Wanted
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.cases.desk_cases import allow_all, in_review, make_office
from tests.factories.identity import staff

WANTED = Wanted(ExtensionReason.COMPLEXITY, "Four archives.")


def at_once(controller_id: Any, *acts: Callable[[], object]) -> list[str]:
    """Start all together, each on a connection of its own; gives "done" or the code of the refusal."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        try:
            start.wait(20)
            with unit_of_work([controller_id]):
                act()
        except Refused as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


def test_two_people_at_once_propose_and_approve_once(committed_db):
    with unit_of_work([]):
        office = make_office()
        allow_all(office.brand)
        case = in_review(office.brand, office.handler)
        second = staff(Role.DPO, office.brand)
    now, brand = timezone.now(), office.brand.pk

    proposed = at_once(
        brand,
        *(
            lambda who=who: extension.propose(case, WANTED, "Title", "Body", by_staff(who), now)
            for who in (office.handler, office.other)
        ),
    )
    with unit_of_work([brand]):
        made = Extension.objects.get()
    approved = at_once(
        brand,
        *(lambda who=who: extension.approve(made, by_staff(who), now) for who in (office.dpo, second)),
    )

    with unit_of_work([brand]):
        letters = Letter.objects.filter(kind="extension").count()
    assert (proposed, approved) == (["done", "extension_under_way"], ["done", "extension_decided"])
    assert letters == 1
