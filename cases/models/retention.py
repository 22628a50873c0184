"""How long a controller keeps what the desk holds, and what of a case was forgotten already."""

from typing import Any
from uuid import UUID

from django.db import models

from cases.models.case import Case
from dsar.vault.fields import sealed_json
from identity.models import TenantModel, User


class RetentionPolicy(TenantModel):
    """The periods that a controller chose instead of the house's own, and why: one version, never changed."""

    version = models.PositiveIntegerField()
    content = models.JSONField(help_text="by rule: keep and because, as cases.retention.chosen reads them")
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "version"], name="cases_retention_version_once")
        ]


class Forgotten(TenantModel):
    """Something of a case that went by a rule of retention: what, when, and how much of it there was."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="forgotten")
    rule = models.CharField(max_length=40, help_text="a code of cases.retention.rules")
    at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    files = models.PositiveIntegerField()
    counts: Any = sealed_json(
        null=True, default=None, help_text="of what was collected: source, decision, exemption, how many"
    )

    class Meta:
        ordering = ["at", "id"]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
