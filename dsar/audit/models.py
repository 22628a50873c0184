"""The trail: append-only, chained per case (per controller or for the system where there is no case)."""

from uuid import UUID

from django.db import models

from dsar.lib.models import UuidModel

SYSTEM_CHAIN = UUID(int=0)


class AuditEvent(UuidModel):
    """One act. Codes and ids only: what people wrote stands in rows that can be erased."""

    chain = models.UUIDField()
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.UUIDField(null=True)
    controller_id = models.UUIDField(null=True)
    case_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    prev = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_event"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_event_place")]
        indexes = [
            models.Index(fields=["controller_id", "-at"], name="audit_event_recent"),
            models.Index(fields=["case_id", "seq"], name="audit_event_case"),
        ]


class AuditHead(models.Model):
    """The end of each chain; kept by the trigger alone."""

    chain = models.UUIDField(primary_key=True)
    controller_id = models.UUIDField(null=True)
    seq = models.PositiveBigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"
