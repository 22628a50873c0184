"""What was decided, what was built from it, and to whom it went."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.instruction import Instruction
from cases.words import Outcome, Party
from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import StoredFile
from identity.models import TenantModel, User


class Verdict(models.TextChoices):
    OPEN = "open", _("open")
    APPROVED = "approved", _("approved")
    RETURNED = "returned", _("returned")
    VOID = "void", _("void")


class Decision(TenantModel):
    """What one person proposed and another decided: outcome, reason, exact content, instruction's version."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions")
    outcome = models.CharField(max_length=30, choices=Outcome.choices)
    reason_code = models.CharField(max_length=40, blank=True, help_text="of the picklist")
    reasons: str = sealed_text(help_text="as the customer's letter gives them")
    letter_subject: str = sealed_text()
    letter_body: str = sealed_text()
    digest = models.CharField(max_length=64, help_text="SHA-256 of exactly what will go out or be done")
    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, null=True, related_name="+")
    instruction_says = models.CharField(max_length=10)
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", help_text="empty: the desk by itself"
    )
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    controller_decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    controller_decided_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.OPEN)
    return_reason: str = sealed_text()

    class Meta:
        ordering = ["proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], name="cases_one_open_decision", condition=models.Q(verdict="open")
            ),
            models.CheckConstraint(
                name="cases_two_pairs_of_eyes",
                condition=(
                    models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("proposed_by"))
                )
                & (
                    models.Q(controller_decided_by__isnull=True)
                    | ~models.Q(controller_decided_by=models.F("proposed_by"))
                ),
            ),
            models.CheckConstraint(
                name="cases_proposed_by_somebody",
                condition=models.Q(proposed_by__isnull=False) | models.Q(outcome="identity_not_verified"),
            ),
            models.CheckConstraint(
                name="cases_approved_by_somebody",
                condition=~models.Q(verdict="approved") | models.Q(approved_by__isnull=False),
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id

    @property
    def proposer(self) -> str:
        """Who proposed it, in words."""
        return self.proposed_by.full_name if self.proposed_by else gettext("DSAR desk, by itself")

    def is_own(self, person_id: UUID | None) -> bool:
        """Whether this person is the first pair of eyes: where the desk proposed, whoever is in charge of the case."""
        return person_id is not None and person_id == (self.proposed_by_id or self.case.owner_id)


class PackState(models.TextChoices):
    BUILDING = "building", _("being built")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    REVOKED = "revoked", _("revoked")


class ResponsePack(TenantModel):
    """The answer, built from one approved decision."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="packs")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="pack")
    state = models.CharField(max_length=10, choices=PackState, default=PackState.BUILDING)
    manifest: Any = sealed_json(help_text="names, sizes and hashes of the files")
    error_code = models.CharField(max_length=60, blank=True)
    built_at = models.DateTimeField(null=True)

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.collected_key_id


class PackFile(TenantModel):
    """One file of a pack."""

    pack = models.ForeignKey(ResponsePack, on_delete=models.CASCADE, related_name="files")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["pack", "position"], name="cases_pack_position_once")]


class Delivery(TenantModel):
    """A pack made available to somebody, on one route."""

    ROUTES = [("portal", "Portal"), ("post", "Recorded post")]

    pack = models.ForeignKey(ResponsePack, on_delete=models.CASCADE, related_name="deliveries")
    route = models.CharField(max_length=10, choices=ROUTES)
    party = models.CharField(
        max_length=10,
        choices=Party.choices,
        default=Party.REQUESTER,
        db_default=Party.REQUESTER.value,
        help_text="to whom, where a representative asked",
    )
    sent_at = models.DateTimeField(null=True)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    tracking = models.CharField(max_length=60, blank=True, help_text="of the recorded letter")
    available_until = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    first_downloaded_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    is_misdirected = models.BooleanField(default=False)
    revoke_reason: str = sealed_text()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pack", "party"],
                name="cases_one_live_delivery",
                condition=models.Q(revoked_at__isnull=True),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.pack.case.file_key_id
