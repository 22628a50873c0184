"""What a decision commands to be done in the source systems, and the evidence that it was."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.collection import SourceSystem
from cases.models.disclosure import Decision
from dsar.vault.fields import sealed_text
from dsar.vault.models import StoredFile
from identity.models import TenantModel, User


class TaskState(models.TextChoices):
    OPEN = "open", _("to do")
    DONE = "done", _("done")
    IMPOSSIBLE = "impossible", _("could not be done")


class FulfilmentTask(TenantModel):
    """One thing to do in one source system, by a person, with the evidence recorded."""

    VERBS = [
        ("erase", _("Erase")),
        ("rectify", _("Correct")),
        ("restrict", _("Restrict")),
        ("stop", _("Stop the processing")),
        ("review_decision", _("Put the new decision into effect")),
        ("transfer", _("Pass the data on")),
    ]

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="tasks")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=20, choices=VERBS)
    what: str = sealed_text(help_text="which records, and what to do with them")
    state = models.CharField(max_length=12, choices=TaskState, default=TaskState.OPEN)
    evidence: str = sealed_text(help_text="how it was done and checked")
    evidence_file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="cases_task_done_by_somebody",
                condition=models.Q(state="open") | models.Q(done_by__isnull=False, done_at__isnull=False),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
