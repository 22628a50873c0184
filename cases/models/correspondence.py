"""Every letter, mail and message, out and in."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.subject_request import SubjectRequest
from cases.words import Party
from dsar.vault.fields import sealed_text
from dsar.vault.models import StoredFile, VaultKey
from identity.models import TenantModel, User


class LetterState(models.TextChoices):
    QUEUED = "queued", _("waiting to be sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("could not be sent")
    BOUNCED = "bounced", _("bounced")
    TO_PRINT = "to_print", _("to be printed and posted")
    RECEIVED = "received", _("received")


class Letter(TenantModel):
    """One message. Outgoing ones go by e-mail or are printed; incoming ones are what the customer wrote."""

    subject_request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="letters")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="letters")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40, help_text="a kind of cases.correspondence")
    is_incoming = models.BooleanField(default=False)
    by_post = models.BooleanField(default=False)
    to_requester = models.BooleanField(default=True, help_text="shown in the portal")
    party = models.CharField(
        max_length=10,
        choices=Party.choices,
        default=Party.REQUESTER,
        db_default=Party.REQUESTER.value,
        help_text="whose letter it is, where a representative asked",
    )
    language = models.CharField(max_length=10)
    address: str = sealed_text(help_text="e-mail or postal")
    title: str = sealed_text()
    body: str = sealed_text()
    state = models.CharField(max_length=10, choices=LetterState)
    error_code = models.CharField(max_length=60, blank=True)
    tracking = models.CharField(max_length=60, blank=True)
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True, help_text="by staff, for an incoming message")

    class Meta:
        ordering = ["written_at"]
        indexes = [
            models.Index(fields=["subject_request", "written_at"], name="cases_letter_by_request"),
            models.Index(fields=["case", "written_at"], name="cases_letter_by_case"),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id


class LetterFile(TenantModel):
    """A file that goes with a letter; always of the same request."""

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="files")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
