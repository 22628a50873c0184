"""Fields that a source holds and its description does not know, and what people said that they are."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.collection import SourceSystem
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class FieldClass(models.TextChoices):
    DISCLOSE = "disclose", _("about the person: disclose")
    INTERNAL = "internal", _("internal: not about the person")
    THIRD_PARTY = "third_party", _("about somebody else: withhold")
    SECRET = "secret", _("a secret, such as a password: never show")


class UnknownField(TenantModel):
    """A field of a source's records. ``choice`` is empty while nobody has said what it is; then ``version`` is 0."""

    source = models.ForeignKey(SourceSystem, on_delete=models.CASCADE, related_name="unknown_fields")
    collection = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    seen_at = models.DateTimeField()
    choice = models.CharField(max_length=12, choices=FieldClass, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["collection", "name"]
        constraints = [
            models.UniqueConstraint(fields=["source", "collection", "name"], name="cases_unknown_field_once"),
            models.CheckConstraint(
                name="cases_field_chosen_with_a_version",
                condition=models.Q(choice="", version=0) | ~models.Q(choice="") & models.Q(version__gt=0),
            ),
        ]


class FieldChoice(TenantModel):
    """One decision about a field; the latest version counts. It is never changed."""

    field = models.ForeignKey(UnknownField, on_delete=models.CASCADE, related_name="choices")
    version = models.PositiveIntegerField()
    choice = models.CharField(max_length=12, choices=FieldClass)
    reason: str = sealed_text()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["field", "version"], name="cases_field_choice_once")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.field.source.key_id


class FieldInCase(TenantModel):
    """That a case's records have the field; ``applied`` is the version that its items show by now."""

    field = models.ForeignKey(UnknownField, on_delete=models.CASCADE, related_name="in_cases")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="unknown_fields")
    applied = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["field", "case"], name="cases_field_in_case_once")]
