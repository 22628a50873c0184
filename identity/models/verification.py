"""How it was established that the requester is who they say, and how far."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from dsar.lib.fsm import StateField, StatefulModel
from identity.models.base import TenantModel


class Level(models.IntegerChoices):
    """Levels of assurance."""

    NONE = 0, _("none")
    LOW = 1, _("low")
    SUBSTANTIAL = 2, _("substantial")
    HIGH = 3, _("high")


class Method(models.TextChoices):
    EMAIL_CODE = "email_code", _("one-time code to an e-mail address")
    STAFF_RECORDED = "staff_recorded", _("evidence seen and recorded by staff")
    DRILL = "drill", _("recorded for a drill")


class VerificationState(models.TextChoices):
    OPEN = "open", _("open")
    ACHIEVED = "achieved", _("achieved")
    FAILED = "failed", _("failed")


class Verification(TenantModel, StatefulModel):
    """One check of one person for one request; the sibling cases of the request share it."""

    subject_request = models.ForeignKey(
        "cases.SubjectRequest", on_delete=models.CASCADE, related_name="verifications"
    )
    subject = models.ForeignKey("cases.DataSubject", on_delete=models.PROTECT, related_name="verifications")
    method = models.CharField(max_length=30, choices=Method)
    state = StateField(choices=VerificationState, default=VerificationState.OPEN)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.NONE)
    address_on_file = models.BooleanField(
        null=True, help_text="whether a source system confirmed the address; empty while unknown"
    )
    evidence_code = models.CharField(max_length=60, blank=True, help_text="what was seen, as a code")
    recorded_by = models.ForeignKey("identity.User", on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject_request"], name="identity_verif_by_request")]
        constraints = [
            models.CheckConstraint(
                name="identity_verif_level_when_achieved",
                condition=models.Q(state="achieved") | models.Q(level=0),
            )
        ]

    @transition(field="state", source=VerificationState.OPEN, target=VerificationState.ACHIEVED)
    def achieve(self, level: int) -> None:
        """The person is who they say, to this level."""
        self.level = level

    @transition(field="state", source=VerificationState.OPEN, target=VerificationState.FAILED)
    def fail(self) -> None:
        """It could not be established."""
