"""Plain business that was done within the conversation: on record, and no case."""

from uuid import UUID

from django.db import models

from cases.words import Channel
from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models import TenantModel, User


class ContactNote(TenantModel):
    """What somebody asked and had done on the spot, so that nobody has to wonder whether it was a request."""

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    contact_reference = models.CharField(max_length=80, blank=True, help_text="of the call or chat")
    summary: str = sealed_text(help_text="what was asked and done, card numbers masked")
    said_at = models.DateTimeField()
    submission = models.UUIDField(help_text="the form's own id, so that two presses note once")
    noted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    noted_at = models.DateTimeField()

    class Meta:
        ordering = ["-noted_at"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "submission"], name="cases_contact_noted_once"),
            models.CheckConstraint(
                name="cases_contact_not_from_the_future",
                condition=models.Q(said_at__lte=models.F("noted_at")),
            ),
        ]
        indexes = [models.Index(fields=["controller", "-noted_at"], name="cases_contact_recent")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id
