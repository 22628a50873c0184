"""What a search could not settle alone: matches that may be the person, records that did not prove whose they are."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import AboutTheFound, Case
from cases.models.collection import SourceSearch, SourceSystem
from dsar.vault.fields import sealed_json, sealed_text
from identity.models import User


class Belongs(models.TextChoices):
    OPEN = "open", _("to decide")
    THEIRS = "theirs", _("the person's")
    NOT_THEIRS = "not_theirs", _("not the person's")


class _Doubt(AboutTheFound):
    """What is kept of both: the content under the key for collected data, who decided and why in the case's file."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="%(class)ss")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="+")
    search = models.ForeignKey(SourceSearch, on_delete=models.PROTECT, related_name="+")
    ref_hash = models.BinaryField(help_text="keyed hash of its place in the source")
    verdict = models.CharField(max_length=12, choices=Belongs, default=Belongs.OPEN)
    reason: str = sealed_text(key_attribute="file_key_id", help_text="why it was decided so")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class MatchDoubt(models.TextChoices):
    PROBABLE = "probable", _("The source is not sure that this is the person.")
    MENTION = "mention", _("The person is only mentioned there.")
    UNVERIFIED = "unverified", _("It agrees only in something that nobody has verified.")
    SHARED = "shared", _("It agrees in a telephone number alone, which several people may share.")
    OTHERS = "others", _("What led here leads to somebody with other details as well.")
    SEVERAL = "several", _("What led here leads to several records, which may be several people's.")


class Candidate(_Doubt):
    """A match that may be the person. Nothing of it is collected before somebody has said that it is."""

    match: Any = sealed_json(
        null=True, help_text="as the connector gave it; destroyed where it is not the person"
    )
    why = models.CharField(max_length=12, choices=MatchDoubt)
    matched_on = ArrayField(models.CharField(max_length=40), default=list)
    is_collected = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "source", "ref_hash"], name="cases_candidate_once")
        ]


class RecordDoubt(models.TextChoices):
    IDENTITY = "identity", _("It bears none of the identifiers that were searched for.")
    REFERENCE = "reference", _("It refers to no record of the person.")
    MATCH = "match", _("It belongs to a match that is still to be decided.")


class SetAside(_Doubt):
    """A record that did not prove its link to the person. It is no item, and goes nowhere, until somebody decides."""

    content: Any = sealed_json(
        null=True, help_text="all of the record; destroyed where it is not the person's"
    )
    collection = models.CharField(max_length=120, help_text="the record type in the source")
    why = models.CharField(max_length=12, choices=RecordDoubt)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "source", "collection", "ref_hash"], name="cases_set_aside_once"
            )
        ]
