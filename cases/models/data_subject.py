"""The person whose data it is, and who may speak for them."""

from datetime import date
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models import TenantModel


class DataSubject(TenantModel):
    """A person as one controller knows them. Two brands' customer is two data subjects."""

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    name: str = sealed_text()
    email: str = sealed_text()
    phone: str = sealed_text()
    external_id: str = sealed_text(help_text="customer number")
    birth_date: str = sealed_text(help_text="ISO date")
    postal_address: str = sealed_text()
    language = models.CharField(max_length=10, default="en-gb")
    legal_hold = models.BooleanField(default=False, help_text="nothing of this person is erased")
    created_at = models.DateTimeField()

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def born_on(self) -> date | None:
        """The date of birth; None where it is not known, or not as a date."""
        try:
            return date.fromisoformat(self.birth_date)
        except ValueError:
            return None


class SubjectIdentifier(TenantModel):
    """A normalised identifier as keyed hash: found exactly, read never."""

    KINDS = [(kind, kind) for kind in ("email", "phone", "external_id", "name", "birth_date")]

    subject = models.ForeignKey(DataSubject, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=20, choices=KINDS)
    blind = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind", "blind"], name="cases_identifier_once")
        ]
        indexes = [models.Index(fields=["controller", "kind", "blind"], name="cases_identifier_lookup")]


class Representative(TenantModel):
    """Somebody who asks for the data subject; by what right is the matter of ``Authority``."""

    KINDS = [
        ("solicitor", _("Solicitor")),
        ("parent", _("Parent or guardian")),
        ("attorney", _("Attorney or deputy")),
        ("agent", _("Authorised agent")),
        ("elected", _("Elected representative")),
        ("executor", _("Executor or heir")),
        ("other", _("Somebody else")),
    ]

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=KINDS)
    name: str = sealed_text()
    email: str = sealed_text()
    postal_address: str = sealed_text()
    authority: str = sealed_text(help_text="what they say shows that they may ask")
    created_at = models.DateTimeField()

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id
