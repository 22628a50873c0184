"""What somebody sent to show who they are: pictures of an identity document, and what was read from them.

Everything that came from the document hangs on one key, which is destroyed with the pictures; the outcome
stays with the verification.
"""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.vault.fields import sealed_json
from dsar.vault.models import StoredFile, VaultKey
from identity.models.base import TenantModel
from identity.models.user import User
from identity.models.verification import Verification


class DocumentKind(models.TextChoices):
    PASSPORT = "passport", _("Passport")
    IDENTITY_CARD = "identity_card", _("Identity card")
    DRIVING_LICENCE = "driving_licence", _("Driving licence")


class DocumentStage(models.TextChoices):
    """On whom it waits, or how it ended."""

    WAITING = "waiting", _("waits for a look")
    MORE = "more", _("more was asked for")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    LAPSED = "lapsed", _("destroyed without a look")


OPEN_STAGES = (DocumentStage.WAITING, DocumentStage.MORE)


class IdentityDocument(TenantModel):
    """One document that was sent for one verification, and who judged it."""

    verification = models.OneToOneField(Verification, on_delete=models.CASCADE, related_name="document")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=DocumentKind)
    stage = models.CharField(max_length=20, choices=DocumentStage, default=DocumentStage.WAITING)
    reason = models.CharField(
        max_length=40, blank=True, help_text="code: why it was refused, or what is missing"
    )
    reading: Any = sealed_json(null=True, default=None, help_text="the zone's text, and who read it")
    sent_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    keep_until = models.DateTimeField(help_text="the pictures are destroyed then at the latest")
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["controller", "keep_until"],
                name="identity_document_to_destroy",
                condition=models.Q(destroyed_at=None),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES


class DocumentPicture(TenantModel):
    """One clean picture; its file has a key of its own beneath the document's."""

    document = models.ForeignKey(IdentityDocument, on_delete=models.CASCADE, related_name="pictures")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    quality = models.JSONField(default=dict, help_text="faults as codes, and measures")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]
