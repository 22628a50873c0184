"""Work that must be done, whatever dies in between."""

from django.db import models

from dsar.lib.models import UuidModel


class JobState(models.TextChoices):
    QUEUED = "queued", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Job(UuidModel):
    """One piece of work. Redis carries its id; everything else about it is here.

    ``attempts`` is also the fence: what an earlier attempt writes late is refused.
    """

    controller_id = models.UUIDField()
    case_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120, help_text="no two open jobs have the same")
    args = models.JSONField(default=dict, help_text="ids and codes, never personal data")
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    forgiven = models.PositiveIntegerField(
        default=0, db_default=0, help_text="attempts that do not count: the work got on, or could not begin"
    )
    takes_turns = models.BooleanField(
        default=False, db_default=False, help_text="controllers take turns among jobs of this kind"
    )
    keeps_place = models.BooleanField(
        default=False, db_default=False, help_text="it stood in line: of its controller's jobs it comes first"
    )
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "jobs_job"
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                name="jobs_one_open_per_key",
                condition=models.Q(state__in=["queued", "running"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"], name="jobs_open", condition=models.Q(state__in=["queued", "running"])
            ),
            models.Index(fields=["case_id", "-created_at"], name="jobs_by_case"),
        ]


class Turn(models.Model):
    """When a worker last took up a job of a controller whose jobs take turns. The database writes it."""

    controller_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "jobs_turn"

    def __str__(self) -> str:
        return str(self.controller_id)
