"""More time for one case: proposed by one person, approved by another, and told to the customer in time."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.correspondence import Letter
from cases.models.instruction import Instruction
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class ExtensionState(models.TextChoices):
    """The notice that went out is what extends (Art 12(3), Art 12A(3)); all before it is preparation."""

    PROPOSED = "proposed", _("proposed")
    WITH_CONTROLLER = "with_controller", _("with the controller")
    APPROVED = "approved", _("approved, not sent yet")
    NOTIFIED = "notified", _("sent")
    RETURNED = "returned", _("returned")
    WITHDRAWN = "withdrawn", _("taken back")
    LAPSED = "lapsed", _("too late")


# While one of these is there, no other can be proposed: a period is extended once.
LIVING = (
    ExtensionState.PROPOSED,
    ExtensionState.WITH_CONTROLLER,
    ExtensionState.APPROVED,
    ExtensionState.NOTIFIED,
)


class Extension(TenantModel):
    """What one person proposed and another decided: the reason in law, its explanation, the letter, the dates."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="extensions")
    state = models.CharField(max_length=20, choices=ExtensionState, default=ExtensionState.PROPOSED)
    reason = models.CharField(max_length=30, help_text="of cases.deadlines.events.ExtensionReason")
    explanation: str = sealed_text(help_text="why, as the customer reads it")
    letter_subject: str = sealed_text()
    letter_body: str = sealed_text()
    due_before = models.DateField(help_text="the date as it was when this was proposed")
    due_after = models.DateField(help_text="the date that the letter names")
    named_on = models.DateField(null=True, help_text="where the law lets the controller name the date")
    notice_by = models.DateField(null=True, help_text="by when the letter had to be out")
    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, null=True, related_name="+")
    instruction_says = models.CharField(max_length=10)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    controller_decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    controller_decided_at = models.DateTimeField(null=True)
    return_reason: str = sealed_text(help_text="why it went back, or was taken back")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, null=True, related_name="extension")
    notified_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], name="cases_one_extension", condition=models.Q(state__in=LIVING)
            ),
            models.CheckConstraint(
                name="cases_extension_two_pairs_of_eyes",
                condition=(
                    models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("proposed_by"))
                )
                & (
                    models.Q(controller_decided_by__isnull=True)
                    | ~models.Q(controller_decided_by=models.F("proposed_by"))
                ),
            ),
            models.CheckConstraint(
                name="cases_extension_approved_by_somebody",
                condition=~models.Q(state__in=["with_controller", "approved", "notified"])
                | models.Q(approved_by__isnull=False),
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id

    @property
    def is_living(self) -> bool:
        return self.state in LIVING
