"""A calendar of one's own due dates, for whoever has its address."""

from django.db import models

from dsar.lib.models import UuidModel
from identity.models.user import User


class CalendarFeed(UuidModel):
    """The address under which a member of staff's calendar reads; only the SHA-256 of its token is kept."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_feed")
    token_hash = models.BinaryField(unique=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="when a calendar last asked")
    hour_from = models.DateTimeField(null=True, help_text="since when the reads of this hour are counted")
    hour_reads = models.PositiveIntegerField(default=0)
