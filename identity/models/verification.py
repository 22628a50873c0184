"""How it was established that the requester is who they say, and how far."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from dsar.lib.fsm import StateField, StatefulModel
from dsar.vault.fields import sealed_json
from identity.models.base import TenantModel
from identity.models.policy import IdentityPolicy
from identity.providers import registry


class Level(models.IntegerChoices):
    """Levels of assurance."""

    NONE = 0, _("none")
    LOW = 1, _("low")
    SUBSTANTIAL = 2, _("substantial")
    HIGH = 3, _("high")


class Method(models.TextChoices):
    """The bundled methods that the house itself calls by their code; ``identity.providers.registry`` has them all."""

    EMAIL_CODE = "email_code", _("one-time code to an e-mail address")
    SMS_CODE = "sms_code", _("one-time code to a telephone number")
    RECORD_QUESTIONS = "record_questions", _("questions from the record")
    STAFF_RECORDED = "staff_recorded", _("evidence seen and recorded by staff")
    DRILL = "drill", _("recorded for a drill")


class VerificationState(models.TextChoices):
    OPEN = "open", _("open")
    ACHIEVED = "achieved", _("achieved")
    FAILED = "failed", _("failed")
    RETRACTED = "retracted", _("taken back")


class Verification(TenantModel, StatefulModel):
    """One check of one person for one request; the sibling cases of the request share it."""

    subject_request = models.ForeignKey(
        "cases.SubjectRequest", on_delete=models.CASCADE, related_name="verifications"
    )
    subject = models.ForeignKey("cases.DataSubject", on_delete=models.PROTECT, related_name="verifications")
    method = models.CharField(max_length=30, help_text="code of an installed method")
    state = StateField(choices=VerificationState, default=VerificationState.OPEN)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.NONE)
    address_on_file = models.BooleanField(
        null=True, help_text="whether a source system confirmed the address; empty while unknown"
    )
    progress: Any = sealed_json(
        null=True, default=None, help_text="the state that the method wants remembered"
    )
    policy = models.ForeignKey(
        IdentityPolicy,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="in force when it was achieved; empty: the house's own",
    )
    contact_reference = models.CharField(
        max_length=80, blank=True, db_default="", help_text="of the call or chat in which it was done"
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

    @transition(field="state", source=VerificationState.ACHIEVED, target=VerificationState.RETRACTED)
    def retract(self) -> None:
        """What was taken for proof was none."""
        self.level = Level.NONE

    @property
    def method_name(self) -> str:
        """What the method is called, in the reader's language; its code where it is no longer installed."""
        about = registry.known().get(self.method)
        return gettext(about.name) if about else str(self.method)

    @property
    def sealing_key_id(self) -> UUID:
        key_id: UUID = self.subject_request.key_id
        return key_id
