"""How people without an account act: single-purpose tokens and one-time codes, kept as hashes."""

from django.db import models

from identity.models.base import TenantModel


class TokenPurpose(models.TextChoices):
    FOLLOW = "follow", "find one's request from a letter or mail"
    SESSION = "session", "be in the portal after a code was accepted"
    DOWNLOAD = "download", "fetch a pack once, right after a code was accepted"
    INQUIRY = "inquiry", "answer for a source as its owner"


class AccessToken(TenantModel):
    """A random value that opens one thing for a while; only its SHA-256 is kept."""

    purpose = models.CharField(max_length=20, choices=TokenPurpose)
    token_hash = models.BinaryField(unique=True)
    subject_request = models.ForeignKey(
        "cases.SubjectRequest", on_delete=models.CASCADE, related_name="tokens"
    )
    target_id = models.UUIDField(null=True, help_text="what it opens of the request: a delivery, an inquiry")
    party = models.CharField(
        max_length=10,
        default="requester",
        db_default="requester",
        help_text="whoever asked, or the person for whom a representative did",
    )
    level = models.PositiveSmallIntegerField(default=0, help_text="the level of identity reached with it")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject_request", "purpose"], name="identity_token_by_request")]


class OneTimeCode(TenantModel):
    """Six digits sent to an address. Tries are counted here, in PostgreSQL, and survive a rollback."""

    verification = models.ForeignKey("identity.Verification", on_delete=models.CASCADE, related_name="codes")
    code_hash = models.BinaryField(help_text="HMAC under the controller's look-up key")
    purpose = models.CharField(
        max_length=20, choices=[("verify", "verify"), ("step_up", "step up"), ("call", "call")]
    )
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["verification", "-sent_at"], name="identity_code_latest")]
