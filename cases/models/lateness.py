"""Why a case was late: asked before what is late goes out."""

from uuid import UUID

from django.db import models

from cases.models.case import Case
from cases.words import LateReason
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class Lateness(TenantModel):
    """One date that was missed, and why; never changed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="latenesses")
    missed_on = models.DateField(help_text="the date by which it should have been out")
    reason = models.CharField(max_length=30, choices=LateReason.choices)
    remark: str = sealed_text(help_text="in words; asked for where no code says it")
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        ordering = ["given_at"]
        constraints = [models.UniqueConstraint(fields=["case", "missed_on"], name="cases_late_once_a_date")]
        indexes = [models.Index(fields=["controller", "given_at"], name="cases_late_recent")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
