"""The facts that move the statutory date, and what became of dates when the law around them changed."""

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


class Recomputation(TenantModel):
    """One walk over a controller's open cases that computes their dates anew, and how far it is.

    ``law`` marks what the dates follow from, as ``cases.calendars`` gives it: a controller's newest walk with the
    present mark says that nothing has to be done.
    """

    law = models.CharField(max_length=64)
    by_command = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    cursor = models.UUIDField(null=True, help_text="the last case that was looked at")
    examined = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["begun_at", "id"]
        indexes = [models.Index(fields=["controller", "-begun_at"], name="cases_recomputation_newest")]


class DateMove(TenantModel):
    """A due date that moved although nobody touched the case; shown to its handler until somebody has seen it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="date_moves")
    recomputation = models.ForeignKey(Recomputation, on_delete=models.PROTECT, related_name="moves")
    from_on = models.DateField(null=True)
    to_on = models.DateField(null=True)
    moved_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["moved_at", "id"]
        indexes = [
            models.Index(
                fields=["controller", "case"], name="cases_moves_unseen", condition=models.Q(seen_at=None)
            )
        ]
