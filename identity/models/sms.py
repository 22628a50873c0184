"""The gateway by which a controller's text messages leave, and how far each message is."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import VaultKey
from identity.models.base import TenantModel
from identity.models.verification import Verification
from identity.sms import description
from identity.sms.description import Gateway


class SmsGateway(TenantModel):
    """A controller's own gateway. ``secrets`` hold its ``token``."""

    options: Any = models.JSONField(help_text="how it is spoken with: docs/sms.md")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    secrets: Any = sealed_json(default=dict)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["controller"], name="identity_one_sms_gateway")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def about(self) -> Gateway:
        return description.parsed(self.options)

    @property
    def token(self) -> str:
        return str(self.secrets.get("token", ""))


class TextState(models.TextChoices):
    """How far a message is, as staff read it."""

    COUNTED = "counted", _("being written")
    QUEUED = "queued", _("waiting to be sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("could not be sent")
    WITHHELD = "withheld", _("not sent")


# What was written or sent counts against the limits; what was held back costs nobody anything.
SPENT = (TextState.COUNTED, TextState.QUEUED, TextState.SENT, TextState.FAILED)


class TextMessage(TenantModel):
    """A one-time code by text message. Number and text are gone once it is sent or given up; its state stays."""

    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="texts")
    purpose = models.CharField(max_length=20, help_text="what its code is for")
    number_hash = models.BinaryField(
        help_text="HMAC under the controller's look-up key; tries are counted by it"
    )
    number: str = sealed_text(blank=True, default="")
    text: str = sealed_text(blank=True, default="")
    state = models.CharField(max_length=10, choices=TextState)
    reason = models.CharField(max_length=40, blank=True, help_text="code: why it was not sent")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="its code is worth nothing after that")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["controller", "asked_at"], name="identity_text_recent"),
            models.Index(fields=["verification"], name="identity_text_by_check"),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.verification.sealing_key_id
