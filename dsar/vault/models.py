"""Keys and files. Destroying a key's wrapped bytes destroys everything beneath it."""

from uuid import UUID

from django.db import models

from dsar.lib.models import UuidModel
from dsar.vault.fields import sealed_text


class KeyPurpose(models.TextChoices):
    COLLECTED = "collected", "what was collected for a case"
    CASE_FILE = "case_file", "a case's own file: letters, decisions, messages"
    REQUEST = "request", "a subject request"
    PERSON = "person", "a data subject"
    CONTROLLER = "controller", "a controller's credentials"
    LOOKUP = "lookup", "a controller's blind index"
    STAFF = "staff", "staff's second factors"
    EVIDENCE = "evidence", "pictures of an identity document"


class VaultKey(UuidModel):
    """A data key, wrapped under the master key of ``master_version``."""

    controller_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=20, choices=KeyPurpose)
    wrapped = models.BinaryField(null=True)
    master_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "vault_key"
        constraints = [
            models.CheckConstraint(
                name="vault_key_destroyed_or_wrapped",
                condition=models.Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | models.Q(wrapped__isnull=False, destroyed_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["controller_id", "purpose"],
                name="vault_key_one_per_controller",
                condition=models.Q(purpose__in=["controller", "lookup"]),
            ),
            models.UniqueConstraint(
                fields=["purpose"], name="vault_key_one_for_staff", condition=models.Q(purpose="staff")
            ),
        ]


class StoredFile(UuidModel):
    """A file, encrypted under a key of its own, which is sealed under ``key``."""

    controller_id = models.UUIDField()
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    sealed_key = models.BinaryField()
    name: str = sealed_text(help_text="as the person who gave it called it")
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="bytes, decrypted")
    sha256 = models.CharField(max_length=64, help_text="of the decrypted content, in hexadecimal")
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "vault_file"

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id
