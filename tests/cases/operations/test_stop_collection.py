"""The switch from the command line."""

import pytest
from django.core.management import CommandError, call_command

from cases.models import CollectionStop
from dsar.audit.models import AuditEvent
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


def lying() -> list[tuple[str | None, str | None]]:
    stops = CollectionStop.objects.filter(lifted_at=None).select_related("controller")
    return [(stop.controller.slug if stop.controller else None, stop.reason) for stop in stops]


def test_collection_is_stopped_everywhere_and_goes_on(serve):
    ControllerFactory.create(slug="acme")

    call_command("stop_collection", reason="Incident 12")
    stopped = lying()
    call_command("stop_collection", lift=True)

    assert (stopped, lying()) == ([(None, "Incident 12")], [])
    actions = AuditEvent.objects.filter(action__startswith="collection.").order_by("seq")
    assert [(event.action, event.actor_kind) for event in actions] == [
        ("collection.stopped", "operator"),
        ("collection.resumed", "operator"),
    ]


def test_one_controller_is_stopped_alone(serve):
    ControllerFactory.create(slug="acme")
    ControllerFactory.create(slug="bolt")

    call_command("stop_collection", controller="acme", reason="Incident 12")

    assert lying() == [("acme", "Incident 12")]


@pytest.mark.parametrize(
    "options",
    [{}, {"reason": " "}, {"controller": "nobody", "reason": "x"}, {"lift": True}],
)
def test_what_makes_no_sense_is_refused(serve, options):
    ControllerFactory.create(slug="acme")

    with pytest.raises(CommandError):
        call_command("stop_collection", **options)

    assert lying() == []
