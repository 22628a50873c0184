"""What is said to be wrong, where it stands, and what was decided about it: value by value (Art 16)."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import AboutTheFound, Case
from cases.models.collection import Item, SourceSystem
from dsar.vault.fields import sealed_json, sealed_text
from identity.models import User


class Found(models.TextChoices):
    """By what a claim led to a field of a record."""

    POINTED = "pointed", _("the person pointed at it")
    VALUE = "value", _("holds what is said to be wrong")
    NAMED = "named", _("is the detail that was named, and holds something else")
    WITHIN = "within", _("mentions it in a longer text")


class CorrectionOutcome(models.TextChoices):
    """What becomes of one disputed value: codes of the picklist of the law."""

    OPEN = "", _("to decide")
    CORRECTED = "CORRECTED", _("correct")
    COMPLETED = "COMPLETED", _("complete with a statement")
    RECORD_OF_MISTAKE = "RECORD_OF_MISTAKE", _("keep as a record of a mistake, with the correction")
    OPINION = "OPINION", _("keep as an opinion, marked as disputed")
    REFUSED = "REFUSED", _("refuse, with a note of the dispute")
    NOT_MEANT = "NOT_MEANT", _("this was not meant")


class Correction(AboutTheFound):
    """One field of one record that a claim touches: what it holds, what is claimed, what was decided.

    The values are gone with the key of the collected data; codes and reasons stay with the case's file.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="corrections")
    item = models.ForeignKey(Item, on_delete=models.SET_NULL, null=True, related_name="+")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, null=True, related_name="+")
    collection = models.CharField(max_length=120, help_text="the record type in the source")
    field = models.CharField(max_length=120, help_text="the name of the field in the source")
    claim = models.PositiveSmallIntegerField(help_text="which claim of the request, counted from 0")
    found = models.CharField(max_length=10, choices=Found)
    held: Any = sealed_json(help_text="what the field holds")
    claimed: Any = sealed_json(help_text="what it should hold, as the field would write it")
    wanted: Any = sealed_json(null=True, default=None, help_text="what was decided that it is to hold")
    outcome = models.CharField(max_length=20, choices=CorrectionOutcome, blank=True, default="")
    reason: str = sealed_text(key_attribute="file_key_id", help_text="why it was decided so, for the letter")
    evidence: str = sealed_text(key_attribute="file_key_id", help_text="what the decision rests on")
    statement: str = sealed_text(
        help_text="what is added to the record: a statement, or a note of the dispute"
    )
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["claim", "source__name", "collection", "field", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "item", "field"],
                name="cases_correction_once_per_field",
                condition=models.Q(item__isnull=False),
            ),
            models.CheckConstraint(
                name="cases_correction_decided_by_somebody",
                condition=models.Q(outcome="") | models.Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]
