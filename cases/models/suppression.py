"""Who must not be written to, known by keyed hashes alone; and who may ask that by machine."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity.models import TenantModel, User


class SuppressionPurpose(models.TextChoices):
    MARKETING = "marketing", _("marketing")


class SuppressionKind(models.TextChoices):
    EMAIL = "email", _("e-mail address")
    PHONE = "phone", _("telephone number")


class SuppressionOrigin(models.TextChoices):
    OBJECTION = "objection", _("objection to marketing")
    ERASURE = "erasure", _("erasure")
    OPERATOR = "operator", _("by an operator")


class SuppressionEntry(TenantModel):
    """One address that is not to be used for a purpose. It names nobody, and outlives the case that it came from."""

    purpose = models.CharField(max_length=12, choices=SuppressionPurpose)
    kind = models.CharField(max_length=8, choices=SuppressionKind)
    value_hash = models.BinaryField(help_text="of the normalised value, under the controller's look-up key")
    origin = models.CharField(max_length=12, choices=SuppressionOrigin)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "purpose", "kind", "value_hash"], name="cases_suppressed_once"
            )
        ]


class SuppressionToken(TenantModel):
    """Lets an importer ask whether addresses are suppressed, and nothing else. Only its SHA-256 is kept."""

    name = models.CharField(max_length=120, help_text="which importer uses it")
    token_hash = models.BinaryField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at"]
