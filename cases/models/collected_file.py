"""A file or recording that hangs on a record: an item whose bytes are fetched one by one."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.collection import Item, SourceSearch
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class FileState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    FETCHED = "fetched", _("fetched")
    FAILED = "failed", _("error")
    WAIVED = "waived", _("waived")


class CollectedFile(TenantModel):
    """How far the fetching of one such file is. Its item says what it is, and holds the file when it is there."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="collected_files")
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="collected")
    search = models.ForeignKey(SourceSearch, on_delete=models.PROTECT, related_name="files")
    state = models.CharField(max_length=10, choices=FileState, default=FileState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True, help_text="a sentence without personal data, and what to do")
    waiver: str = sealed_text(help_text="why the answer goes out without this file")
    waived_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    waived_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["case", "state"],
                name="cases_files_outstanding",
                condition=models.Q(state__in=["waiting", "failed"]),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
