"""An external provider of identity checks, the checks that were begun there, and what it told of them: codes alone."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import VaultKey
from identity.models.base import TenantModel
from identity.models.user import User
from identity.models.verification import Verification
from identity.providers.external import wire
from identity.providers.external.wire import Outcome, Wire

# What a provider says, as staff read it.
OUTCOMES: dict[str, Any] = {
    Outcome.OPEN: _("not finished yet"),
    Outcome.LOW: _("verified, low"),
    Outcome.SUBSTANTIAL: _("verified, substantial"),
    Outcome.HIGH: _("verified, high"),
    Outcome.REFUSED: _("not verified"),
    Outcome.EXPIRED: _("expired"),
    Outcome.CANCELLED: _("cancelled"),
}


class IdentityProvider(TenantModel):
    """The service at which a controller has documents and faces checked.

    ``secrets`` are its ``token``, and the ``webhook_keys`` that its messages may be signed with.
    """

    name = models.CharField(max_length=80, help_text="as customers read it")
    options: Any = models.JSONField(help_text="how it is spoken with: docs/identity-provider.md")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    secrets: Any = sealed_json(default=dict)
    is_active = models.BooleanField(default=True)
    tried_at = models.DateTimeField(null=True, help_text="when the connection was tried last")
    tried_code = models.CharField(max_length=40, blank=True, db_default="", help_text="what came of it")
    heard_at = models.DateTimeField(null=True, help_text="when a message was believed last")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["controller"], name="identity_one_provider_each")]

    def __str__(self) -> str:
        return self.name

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def wire(self) -> Wire:
        return wire.parsed(self.options)

    @property
    def token(self) -> str:
        return str(self.secrets.get("token", ""))

    @property
    def signing_keys(self) -> list[str]:
        return [str(key) for key in self.secrets.get("webhook_keys", [])]


class CheckStage(models.TextChoices):
    """How far a check at the provider is, as staff read it."""

    STARTING = "starting", _("the provider is being asked")
    OPEN = "open", _("waits for the customer")
    VERIFIED = "verified", _("verified")
    REFUSED = "refused", _("not verified")
    EXPIRED = "expired", _("expired at the provider")
    UNANSWERED = "unanswered", _("ended without a result")
    CANCELLED = "cancelled", _("cancelled")


LIVING = (CheckStage.STARTING, CheckStage.OPEN)


class ExternalCheck(TenantModel):
    """One session at the provider for one verification. Its address lets whoever has it take the customer's place."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, related_name="checks")
    verification = models.OneToOneField(Verification, on_delete=models.CASCADE, related_name="external_check")
    stage = models.CharField(max_length=20, choices=CheckStage, default=CheckStage.STARTING)
    reason = models.CharField(max_length=40, blank=True, help_text="code: why it ended so")
    session_hash = models.BinaryField(null=True, help_text="keyed hash of the provider's id of it")
    session: str = sealed_text(blank=True, default="")
    address: str = sealed_text(blank=True, default="")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="nobody asks for its result after that")
    told_at = models.DateTimeField(null=True, help_text="the moment that the newest news speaks of")
    looks = models.PositiveSmallIntegerField(default=0, help_text="how often the provider was asked")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["controller", "expires_at"],
                name="identity_external_living",
                condition=models.Q(stage__in=LIVING),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "provider", "session_hash"], name="identity_external_session_once"
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.verification.sealing_key_id

    @property
    def is_living(self) -> bool:
        return self.stage in LIVING


class Effect(models.TextChoices):
    """What became of something that the provider told."""

    WAITING = "waiting", _("not looked at yet")
    APPLIED = "applied", _("counted")
    NOTHING_NEW = "nothing_new", _("nothing new")
    OUT_OF_ORDER = "out_of_order", _("older than what was known")
    LATE = "late", _("too late: recorded only")
    UNKNOWN = "unknown", _("of no check that is known here")


class ExternalEvent(TenantModel):
    """Something that the provider told: codes and times, no word of the person. The same message is kept once."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, related_name="events")
    check_of = models.ForeignKey(ExternalCheck, on_delete=models.CASCADE, null=True, related_name="events")
    event_hash = models.BinaryField()
    session_hash = models.BinaryField()
    by_message = models.BooleanField(help_text="false: found when the provider was asked")
    outcome = models.CharField(max_length=20, help_text="in our own words")
    at = models.DateTimeField(help_text="when it happened, as the provider says")
    received_at = models.DateTimeField()
    effect = models.CharField(max_length=20, choices=Effect, default=Effect.WAITING)

    class Meta:
        ordering = ["received_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "provider", "event_hash"], name="identity_external_event_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["controller", "received_at"],
                name="identity_external_unknown",
                condition=models.Q(check_of=None),
            )
        ]
