"""What a controller lets the processor do by itself, must be asked for, or forbids."""

from django.db import models

from cases.words import Say
from identity.models import TenantModel, User


class Instruction(TenantModel):
    """One version, never changed; ``rules`` maps "step" or "step:right" to what is said."""

    version = models.PositiveIntegerField()
    rules = models.JSONField(default=dict)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "version"], name="cases_instruction_version_once")
        ]

    def says(self, step: str, right: str) -> Say:
        """The rule for this right, else for the step, else: ask."""
        return Say(self.rules.get(f"{step}:{right}") or self.rules.get(step) or Say.ASK)
