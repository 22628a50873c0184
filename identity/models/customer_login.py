"""The controller's own customer sign-in, by which customers may show who they are."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models.base import TenantModel
from identity.openid.provider import Provider
from identity.providers.base import Setup


class CustomerLogin(TenantModel):
    """The OpenID provider at which a controller's customers have their accounts."""

    name = models.CharField(max_length=80, help_text="as customers know the account, on the button")
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=200)
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    client_secret: str = sealed_text(blank=True)
    scopes = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    email_claim = models.CharField(max_length=120, default="email", blank=True)
    phone_claim = models.CharField(max_length=120, default="phone_number", blank=True)
    external_id_claim = models.CharField(
        max_length=120, blank=True, help_text="which claim is the customer number; sub may be"
    )
    level = models.PositiveSmallIntegerField(default=2, help_text="1 low, 2 substantial")
    level_by_acr: Any = models.JSONField(default=dict, blank=True)
    clock_skew_seconds = models.PositiveSmallIntegerField(default=60)
    allow_private = models.BooleanField(default=False, help_text="it is in a private network")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["controller"], name="identity_one_customer_login")]

    def __str__(self) -> str:
        return self.name

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def connection(self) -> Provider:
        """What the flow needs to know."""
        return Provider(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self.client_secret,
            scopes=tuple(dict.fromkeys(["openid", *self.scopes])),
            skew=self.clock_skew_seconds,
            allow_private=self.allow_private,
        )

    @property
    def setup(self) -> Setup:
        """What the method is made from."""
        return Setup({"level": self.level, "acr": dict(self.level_by_acr)})
