"""Breaking the glass: somebody who may see no case reads them all, for a while, for a reason, and loudly."""

from uuid import UUID

from django.db import models

from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models.base import TenantModel
from identity.models.user import User


class Emergency(TenantModel):
    """One use. It ends by itself at ``ends_at``, or before when somebody ends it."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    reason: str = sealed_text()
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["controller", "ends_at"], name="identity_emergency_open")]
        constraints = [
            models.CheckConstraint(
                name="identity_emergency_seen_by_another",
                condition=models.Q(seen_by=None) | ~models.Q(seen_by=models.F("user")),
            ),
            models.CheckConstraint(
                name="identity_emergency_ends", condition=models.Q(ends_at__gte=models.F("started_at"))
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id
