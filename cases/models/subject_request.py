"""One thing said on one occasion."""

from uuid import UUID

from django.db import models

from cases.models.data_subject import DataSubject, Representative
from cases.words import AnswerBy, Channel
from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import StoredFile, VaultKey
from identity.models import TenantModel, User


class SubjectRequest(TenantModel):
    """What was asked, by whom, through which channel and when; each right in it is a case."""

    reference = models.CharField(max_length=9, unique=True, help_text="K7QF-2M9D; can be read out")
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="requests")
    representative = models.ForeignKey(
        Representative, on_delete=models.PROTECT, null=True, related_name="requests"
    )
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    words: str = sealed_text(help_text="the customer's own, card numbers masked")
    claims: list[dict[str, str]] = sealed_json(
        default=list, help_text="for a rectification: field, what is wrong, what is right"
    )
    particulars: dict[str, dict[str, str]] | None = sealed_json(
        null=True, default=None, help_text="what was said beside the words, by right"
    )
    contact_reference = models.CharField(max_length=80, blank=True, help_text="of the call or chat")
    received_at = models.DateTimeField(help_text="when it was said or arrived")
    logged_at = models.DateTimeField()
    logged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    language = models.CharField(max_length=10, default="en-gb")
    answer_by = models.CharField(max_length=10, choices=AnswerBy.choices, default=AnswerBy.PORTAL)
    script_read = models.BooleanField(default=False, help_text="the agent read reference and date out")
    submission = models.UUIDField(null=True, help_text="the form's own id, so that two presses log once")
    is_drill = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["controller", "submission"], name="cases_request_logged_once"),
            models.CheckConstraint(
                name="cases_request_not_from_the_future",
                condition=models.Q(received_at__lte=models.F("logged_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["controller", "-logged_at"], name="cases_request_recent"),
            models.Index(fields=["subject"], name="cases_request_by_subject"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id


class RequestFile(TenantModel):
    """A file that came with a request: a letter, an authority, evidence."""

    subject_request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="files")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    claim = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="the claim for which it is evidence, counted from 0"
    )
