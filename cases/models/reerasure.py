"""What is to be erased again should a source be restored from a backup: keyed hashes, which name nobody."""

from django.db import models

from cases.models.collection import SourceSystem
from identity.models import TenantModel

PLACE = "place"


class ErasedPlace(TenantModel):
    """One record that was erased in a source, or one identifier of the person whose records were.

    Both have to agree before anything is erased again: after a restore a source may give the number of an erased
    record to somebody else. Kept until the source's backups are overwritten.
    """

    source = models.ForeignKey(SourceSystem, on_delete=models.CASCADE, related_name="erased_places")
    erasure = models.UUIDField(help_text="the plan by which it was erased; ties places to identifiers")
    kind = models.CharField(max_length=20, help_text="place, or a kind of identifier")
    collection = models.CharField(
        max_length=120, blank=True, help_text="the record type; empty for an identifier"
    )
    value_hash = models.BinaryField(help_text="under the controller's look-up key")
    verb = models.CharField(max_length=20, blank=True, help_text="what was done, and is to be done again")
    wanted = models.JSONField(default=dict, help_text="by field: the strategy that made it anonymous")
    erased_at = models.DateTimeField()
    again_at = models.DateTimeField(null=True, help_text="when it was last erased again")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "collection", "value_hash", "erasure"],
                name="cases_erased_place_once",
            )
        ]
        indexes = [models.Index(fields=["source", "erased_at"], name="cases_erased_by_source")]
