"""A source that is searched by a person: its owner is asked by mail, and answers without an account."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.collection import SourceSearch
from dsar.vault.fields import sealed_text
from dsar.vault.models import StoredFile
from identity.models import TenantModel, User


class InquiryState(models.TextChoices):
    ASKED = "asked", _("asked")
    HANDED_IN = "handed_in", _("data was handed in")
    NOTHING = "nothing", _("nothing is held")
    DECLINED = "declined", _("not searched")
    CLOSED = "closed", _("not waited for any more")


class Inquiry(TenantModel):
    """One question to the owner of a source: whom to look for, by when, and what came of it."""

    search = models.ForeignKey(SourceSearch, on_delete=models.CASCADE, related_name="inquiries")
    state = models.CharField(max_length=10, choices=InquiryState, default=InquiryState.ASKED)
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    mails = models.PositiveSmallIntegerField(default=0, help_text="ordered: the question, then reminders")
    mailed_at = models.DateTimeField(null=True, help_text="the last that the mail server took")
    mail_error = models.CharField(max_length=60, blank=True)
    opened_at = models.DateTimeField(null=True, help_text="when the owner first saw whom to look for")
    escalated_at = models.DateTimeField(null=True, help_text="when staff were told that no answer came")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="staff, where they answered for the owner",
    )
    note: str | None = sealed_text(null=True, default=None, help_text="the owner's own words")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["search"], name="cases_one_open_inquiry", condition=models.Q(state="asked")
            ),
            models.CheckConstraint(
                name="cases_inquiry_ended_or_open",
                condition=models.Q(state="asked", answered_at=None)
                | ~models.Q(state="asked") & models.Q(answered_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["controller", "answer_by"],
                name="cases_inquiry_open",
                condition=models.Q(state="asked"),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.search.run.case.collected_key_id


class InquiryFile(TenantModel):
    """A file that the owner has found, until it becomes an item of the case."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="files")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]
