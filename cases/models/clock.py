"""The facts that move the statutory date."""

from uuid import UUID

from django.db import models

from cases.models.case import Case
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class ClockEvent(TenantModel):
    """One fact. Facts are added, never changed: what was wrong is superseded by another row."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clock_events")
    kind = models.CharField(max_length=40, help_text="a value of cases.deadlines.events")
    at = models.DateTimeField(help_text="when it happened")
    data = models.JSONField(default=dict, help_text="codes only")
    reason: str = sealed_text()
    supersedes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                name="cases_clock_not_in_the_future", condition=models.Q(at__lte=models.F("recorded_at"))
            )
        ]
        indexes = [models.Index(fields=["case", "at"], name="cases_clock_by_case")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
