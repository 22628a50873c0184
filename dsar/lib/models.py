"""What every model of the house has: an identifier that sorts by time and tells nothing."""

from django.db import models

from dsar.lib.uuid7 import uuid7


class UuidModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True
