"""Identifiers of the person that one source revealed, by which others are searched in the next round."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cases.models.case import AboutTheFound, Case
from cases.models.collection import CollectionRun, SourceSystem
from dsar.vault.fields import sealed_json, sealed_text
from identity.models import User


class FoundIdentifier(AboutTheFound):
    """One of them, with where it came from; struck out, it is never used again for this case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="found_identifiers")
    run = models.ForeignKey(CollectionRun, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField(help_text="in which it was revealed")
    kind = models.CharField(max_length=60)
    value_hash = models.BinaryField(help_text="keyed hash of the normalised value")
    content: Any = sealed_json(help_text="the value, and the match that revealed it")
    used_in: list[UUID] = ArrayField(models.UUIDField(), default=list)  # type: ignore[assignment]
    struck_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    struck_at = models.DateTimeField(null=True)
    reason: str = sealed_text(key_attribute="file_key_id", help_text="why it was struck out")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "value_hash"], name="cases_found_identifier_once")
        ]
