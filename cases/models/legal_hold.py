"""A legal hold: nothing of a person is erased while it lies."""

from uuid import UUID

from django.db import models

from cases.models.data_subject import DataSubject
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class LegalHold(TenantModel):
    """Who set it and why, who lifted it and why. ``DataSubject.legal_hold`` is what the workflow asks."""

    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="holds")
    reason: str = sealed_text()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    lift_reason: str = sealed_text()
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["set_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], name="cases_one_open_hold", condition=models.Q(lifted_at__isnull=True)
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.subject.key_id
