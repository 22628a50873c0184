"""What identity tells: the one signal of the house."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from dsar.audit.record import Actor
from identity.models import Verification
from identity.signals import level_reached


@receiver(level_reached)
def on_level_reached(sender: Any, verification: Verification, by: Actor, now: datetime, **_: Any) -> None:
    from cases.workflow import identity  # models are ready when the first signal comes

    identity.level_reached(verification, by, now)
