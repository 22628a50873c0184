"""How sure a controller wants to be of a person, as a row: one version, never changed."""

from functools import cached_property

from django.db import models

from identity.models.base import TenantModel
from identity.models.user import User
from identity.policy.form import house, policy_of
from identity.policy.rules import Policy


class IdentityPolicy(TenantModel):
    """One version of a controller's policy, as ``identity.policy.form`` writes it."""

    version = models.PositiveIntegerField()
    content = models.JSONField()
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "version"], name="identity_policy_version_once")
        ]

    @cached_property
    def policy(self) -> Policy:
        """The rules; read once per loaded row."""
        return policy_of(self.content, self.version)


def rules_of(stored: IdentityPolicy | None) -> Policy:
    """The rules of a stored policy, or the house's own where a controller has none."""
    return stored.policy if stored is not None else house()
