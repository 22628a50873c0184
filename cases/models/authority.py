"""By what right somebody asks for another person: what was shown, what it covers, and who judged it."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.data_subject import Representative
from cases.models.subject_request import SubjectRequest
from cases.words import AnswerTo
from dsar.vault.fields import sealed_text
from dsar.vault.models import StoredFile, VaultKey
from identity.models import TenantModel, User


class AuthorityState(models.TextChoices):
    ASKED = "asked", _("asked for")
    RECEIVED = "received", _("received, to be judged")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    REVOKED = "revoked", _("revoked")


WAITING = (AuthorityState.ASKED, AuthorityState.RECEIVED)


class Authority(TenantModel):
    """One round of asking, showing and judging; a new round is a new version, and an old one stays as it was.

    It belongs to one request: nothing of it counts for another person, another brand or a later request.
    """

    subject_request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="authorities")
    representative = models.ForeignKey(Representative, on_delete=models.PROTECT, related_name="authorities")
    version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=AuthorityState, default=AuthorityState.ASKED)
    kind = models.CharField(max_length=20, choices=Representative.KINDS)
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField(null=True, help_text="when it came in, not when somebody looked at it")
    shown: str = sealed_text(help_text="in words: what came, where no picture of it is kept")

    mandate = models.CharField(max_length=40, blank=True, help_text="a code of cases/law/representation.toml")
    reference: str = sealed_text(help_text="registration or access code, number of the order")
    rights: Any = models.JSONField(default=list, help_text="codes of the rights that it covers")
    matters: str = sealed_text(help_text="what it covers, in words")
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True, help_text="the last day; empty: until revoked")
    register: str = sealed_text(help_text="where it, or the firm, was looked up")
    register_checked_on = models.DateField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True, help_text="why refused or revoked, as a code")
    remark: str = sealed_text(help_text="how it was judged, in words")

    answer_to = models.CharField(max_length=15, choices=AnswerTo.choices, blank=True)
    answer_reason: str = sealed_text(help_text="why the answer goes there")
    address_compared_at = models.DateTimeField(
        null=True, help_text="when staff compared the person's own address with the record"
    )

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, null=True, related_name="+")
    keep_until = models.DateTimeField(null=True, help_text="when pictures of it go at the latest")
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_request", "version"], name="cases_authority_version_once"
            ),
            models.UniqueConstraint(
                fields=["subject_request"],
                name="cases_authority_one_waits",
                condition=models.Q(state__in=["asked", "received"]),
            ),
            models.UniqueConstraint(
                fields=["subject_request"],
                name="cases_authority_one_holds",
                condition=models.Q(state="accepted"),
            ),
            models.CheckConstraint(
                name="cases_authority_accepted_in_full",
                condition=~models.Q(state="accepted")
                | (
                    ~models.Q(mandate="")
                    & ~models.Q(answer_to="")
                    & ~models.Q(rights=[])
                    & models.Q(decided_by__isnull=False, received_at__isnull=False)
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["controller", "keep_until"],
                name="cases_authority_to_go",
                condition=models.Q(destroyed_at=None) & models.Q(keep_until__isnull=False),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.subject_request.key_id

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING


class AuthorityPicture(TenantModel):
    """One page of what was shown, as a clean picture under the authority's own key."""

    authority = models.ForeignKey(Authority, on_delete=models.CASCADE, related_name="pictures")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]
