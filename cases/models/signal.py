"""What a reviewer may want to look at: from where a request came, and which signals somebody has looked into."""

from uuid import UUID

from django.db import models

from cases.models.subject_request import SubjectRequest
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class RequestOrigin(TenantModel):
    """From where a request was made in the portal, told so coarsely that it leads to nobody. Kept for 90 days."""

    subject_request = models.OneToOneField(SubjectRequest, on_delete=models.CASCADE, related_name="origin")
    network = models.BinaryField(help_text="HMAC of the network under the controller's look-up key")
    language = models.CharField(max_length=20, blank=True, help_text="that the browser asks for first")
    country = models.CharField(max_length=2, blank=True, help_text="as a trusted proxy tells it")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["controller", "network", "at"], name="cases_origin_network"),
            models.Index(fields=["controller", "at"], name="cases_origin_age"),
        ]


class SignalDismissal(TenantModel):
    """Somebody looked into a signal and says why it need not trouble the next one."""

    subject_request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="dismissals")
    code = models.CharField(max_length=40, help_text="of cases.signals")
    facts = models.CharField(
        max_length=64, help_text="digest of what the signal rested on; other facts arm it again"
    )
    remark: str = sealed_text()
    dismissed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField()

    class Meta:
        ordering = ["dismissed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_request", "code", "facts"], name="cases_signal_dismissed_once"
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.subject_request.key_id
