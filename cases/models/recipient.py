"""To whom data had gone, and that each of them was told what became of it (Article 19)."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.correspondence import Letter
from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import VaultKey
from identity.models import TenantModel, User


class RecipientKind(models.TextChoices):
    """What a recipient is to the controller (Article 4(9))."""

    PROCESSOR = "processor", _("processor")
    CONTROLLER = "controller", _("another controller")
    GROUP = "group", _("company of the same group")
    PUBLIC = "public", _("public body")
    OTHER = "other", _("other")


class RecipientRoute(models.TextChoices):
    EMAIL = "email", _("e-mail")
    POST = "post", _("post")
    API = "api", _("HTTP call")


class FindsBy(models.TextChoices):
    """What a recipient needs to find the person there; nothing else of the person is given."""

    EMAIL = "email", _("e-mail address")
    PHONE = "phone", _("telephone number")
    EXTERNAL_ID = "external_id", _("customer number")
    NAME = "name", _("name")


class Recipient(TenantModel):
    """Somebody to whom a controller gives data of its customers. Its secrets are sealed and never shown again."""

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField()
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=RecipientKind, default=RecipientKind.PROCESSOR)
    route = models.CharField(max_length=8, choices=RecipientRoute, default=RecipientRoute.EMAIL)
    email = models.EmailField(blank=True)
    postal_address = models.TextField(blank=True)
    language = models.CharField(
        max_length=10, blank=True, help_text="of what it is written; empty: the controller's"
    )
    url = models.URLField(blank=True, max_length=500, help_text="where notices are posted to")
    secrets: dict[str, str] = sealed_json(help_text="token and signing_key of the HTTP call")
    is_private = models.BooleanField(
        default=False, help_text="its address is in the operator's own network, where http is allowed too"
    )
    fed_by = ArrayField(
        models.SlugField(), default=list, help_text="slugs of the sources whose data it gets; empty: of all"
    )
    finds_by = ArrayField(models.CharField(max_length=12, choices=FindsBy), default=list)
    expects_answer = models.BooleanField(default=True)
    remind_days = models.PositiveSmallIntegerField(default=14)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "slug"], name="cases_recipient_slug_once"),
            models.CheckConstraint(
                name="cases_recipient_can_be_reached",
                condition=models.Q(route="email") & ~models.Q(email="")
                | models.Q(route="post") & ~models.Q(postal_address="")
                | models.Q(route="api") & ~models.Q(url=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def finds_by_words(self) -> str:
        """What it finds a person by, as a list to read."""
        return ", ".join(str(FindsBy(one).label) for one in self.finds_by)


class NoticeState(models.TextChoices):
    WAITING = "waiting", _("to be sent")
    SENT = "sent", _("sent")
    ANSWERED = "answered", _("answered")
    FAILED = "failed", _("could not be sent")
    IMPOSSIBLE = "impossible", _("impossible")
    DISPROPORTIONATE = "disproportionate", _("disproportionate effort")


class Told(models.TextChoices):
    """What a recipient is told of."""

    ERASED = "erased", _("erased")
    CORRECTED = "corrected", _("corrected")
    RESTRICTED = "restricted", _("restricted")
    LIFTED = "lifted", _("restriction lifted")


class AnswerCode(models.TextChoices):
    DONE = "done", _("has done the same")
    NOT_HELD = "not_held", _("holds nothing of the person")
    KEEPS = "keeps", _("keeps it for a reason of its own")
    REFUSES = "refuses", _("refuses")


class RecipientNotice(TenantModel):
    """One recipient is told, for one occasion of one case: how, when, and what it answered.

    The law frees from it where it is impossible or takes disproportionate effort; then it says why.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="recipient_notices")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="+")
    occasion = models.UUIDField(help_text="of the plan, or the decision, that set it off")
    told = models.CharField(max_length=12, choices=Told)
    route = models.CharField(max_length=8, choices=RecipientRoute)
    state = models.CharField(max_length=20, choices=NoticeState, default=NoticeState.WAITING)
    letter = models.ForeignKey(Letter, on_delete=models.SET_NULL, null=True, related_name="+")
    content: Any = sealed_json(null=True, default=None, help_text="what is sent by an HTTP call, until it is")
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="of the answer to the HTTP call")
    error_code = models.CharField(max_length=60, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer_code = models.CharField(max_length=12, choices=AnswerCode, blank=True)
    words: str = sealed_text(help_text="its answer, or why it is impossible or disproportionate")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["recipient__name", "made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "recipient", "occasion"], name="cases_recipient_told_once"
            ),
            models.CheckConstraint(
                name="cases_recipient_answer_coded",
                condition=~models.Q(state="answered") | ~models.Q(answer_code=""),
            ),
        ]
        indexes = [models.Index(fields=["controller", "state", "sent_at"], name="cases_told_by_state")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id
