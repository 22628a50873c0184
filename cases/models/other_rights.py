"""What restriction, objection and automated decisions need beside a decision: each has a short path of its own.

A restriction outlives its case: it lasts until the person was told that it ends. How an objection was weighed, and who
looked at an automated decision again, is what a regulator asks for first.
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.collection import SourceSystem
from cases.models.data_subject import DataSubject
from cases.models.fulfilment import FulfilmentTask
from dsar.vault.fields import sealed_text
from identity.models import TenantModel, User


class Restriction(TenantModel):
    """A person's data is kept and not used (Art 18), in the places named, from ``begun_at`` until ``lifted_at``.

    Chosen by one person, in force by the approval of another, or at once where it only bridges the time of a check.
    It ends in four steps: proposed, agreed by another, told to the person (Art 18(3)), lifted.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="restrictions")
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="restrictions")
    ground = models.CharField(max_length=40, help_text="of the picklist of triggers (Art 18(1))")
    is_meanwhile = models.BooleanField(help_text="only while something is checked; no decision of its own")
    words: str = sealed_text(help_text="what exactly is not to be used, and why")
    chosen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    lift_reason: str = sealed_text(help_text="why it can end")
    letter_subject: str = sealed_text()
    letter_body: str = sealed_text()
    lifts_on = models.DateField(null=True, help_text="the day that the letter names")
    lift_proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lift_proposed_at = models.DateTimeField(null=True)
    lift_agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lift_agreed_at = models.DateTimeField(null=True)
    return_reason: str = sealed_text(help_text="why the proposal to lift it went back")
    told_at = models.DateTimeField(null=True, help_text="when the letter that it ends was out")
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["chosen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                name="cases_one_restriction_a_case",
                condition=models.Q(lifted_at__isnull=True),
            ),
            models.CheckConstraint(
                name="cases_restriction_lifted_by_two",
                condition=models.Q(lift_agreed_by__isnull=True)
                | models.Q(lift_proposed_by__isnull=False)
                & ~models.Q(lift_agreed_by=models.F("lift_proposed_by")),
            ),
            models.CheckConstraint(
                name="cases_restriction_told_when_agreed",
                condition=models.Q(told_at__isnull=True) | models.Q(lift_agreed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="cases_restriction_lifted_after_telling",
                condition=models.Q(lifted_at__isnull=True)
                | models.Q(begun_at__isnull=False, told_at__isnull=False, told_at__lte=models.F("lifted_at")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["subject"],
                name="cases_restricted_now",
                condition=models.Q(begun_at__isnull=False, lifted_at__isnull=True),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id

    @property
    def is_in_force(self) -> bool:
        return self.begun_at is not None and self.lifted_at is None


class PlaceState(models.TextChoices):
    TO_MARK = "to_mark", _("to be marked")
    MARKED = "marked", _("marked")
    IMPOSSIBLE = "impossible", _("cannot be marked")
    TO_FREE = "to_free", _("mark to be taken away")
    FREED = "freed", _("mark taken away")


class RestrictedPlace(TenantModel):
    """One system in which the use is restricted, and how that was done and undone there."""

    restriction = models.ForeignKey(Restriction, on_delete=models.CASCADE, related_name="places")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, null=True, related_name="+")
    task = models.OneToOneField(
        FulfilmentTask, on_delete=models.SET_NULL, null=True, related_name="place", help_text="that marks it"
    )
    state = models.CharField(max_length=10, choices=PlaceState, default=PlaceState.TO_MARK)
    evidence: str = sealed_text(help_text="how it was marked, or why it could not be")
    marked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    marked_at = models.DateTimeField(null=True)
    freed_evidence: str = sealed_text(help_text="how the mark was taken away")
    freed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    freed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["source__name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["restriction", "source"], name="cases_restricted_once_a_source", nulls_distinct=False
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.restriction.case.file_key_id


class Balancing(TenantModel):
    """An objection weighed (Art 21(1)): the person's reasons against the controller's grounds. The newest counts."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="balancings")
    use: str = sealed_text(help_text="the use of data that is objected to")
    basis = models.CharField(max_length=40, help_text="on what the use rests, of the picklist")
    reasons: str = sealed_text(help_text="the person's own, from their particular situation")
    grounds: str = sealed_text(help_text="the controller's")
    weighing: str = sealed_text(help_text="why one outweighs the other; the letter of a refusal says it")
    goes_on = models.BooleanField(help_text="the use goes on: the objection is refused")
    exception = models.CharField(
        max_length=40, blank=True, help_text="under which the use goes on (Art 21(1))"
    )
    weighed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    weighed_at = models.DateTimeField()

    class Meta:
        ordering = ["weighed_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="cases_objection_refused_under_an_exception",
                condition=models.Q(goes_on=False, exception="")
                | models.Q(goes_on=True) & ~models.Q(exception=""),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id


class LookResult(models.TextChoices):
    """What a person found who looked at an automated decision again."""

    UPHELD = "upheld", _("the decision stands")
    CHANGED = "changed", _("the decision is changed")
    WITHDRAWN = "withdrawn", _("the decision is withdrawn")


class SecondLook(TenantModel):
    """An automated decision, looked at again by somebody named who had no part in it (Art 22(3); UK Art 22C)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="looks")
    about: str = sealed_text(help_text="which decision, and what it did to the person")
    decided_on = models.DateField(null=True)
    basis = models.CharField(max_length=40, help_text="why it could be automated at all, of the picklist")
    is_special = models.BooleanField(help_text="it used special categories of data (Art 9)")
    special_basis: str = sealed_text(help_text="what allows that (EU Art 22(4); UK Art 22B)")
    logic: str = sealed_text(help_text="how it was made, as the person is told")
    representations: str = sealed_text(help_text="what the person says to it")
    involved = ArrayField(
        models.UUIDField(), default=list, help_text="colleagues who had a part in the decision"
    )
    involved_others: str = sealed_text(help_text="others who had one, in words")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField()
    finding = models.CharField(max_length=10, choices=LookResult, blank=True)
    reasons: str = sealed_text(help_text="of the finding, as the person reads them")
    found_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["named_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], name="cases_one_open_look", condition=models.Q(found_at__isnull=True)
            ),
            models.CheckConstraint(
                name="cases_look_has_a_finding",
                condition=models.Q(found_at__isnull=True, finding="")
                | models.Q(found_at__isnull=False) & ~models.Q(finding=""),
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
