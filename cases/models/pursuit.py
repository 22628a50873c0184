"""What was done about a question for identity that nobody answered. A row is the memory: nothing is done twice."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from cases.models.correspondence import Letter
from identity.models import TenantModel


class PursuitKind(models.TextChoices):
    REMINDER = "reminder", _("reminder")
    PROPOSAL = "proposal", _("proposal to end")


class Pursuit(TenantModel):
    """One step after a question: a reminder to the requester, or the proposal to end the case.

    Asked anew is another ``asked_at``, and so armed again. Cases of one request share a reminder's letter; a
    reminder that could reach nobody has none.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="pursuits")
    kind = models.CharField(max_length=10, choices=PursuitKind)
    number = models.PositiveSmallIntegerField(default=1, help_text="which reminder it is")
    asked_at = models.DateTimeField(help_text="of the question that it follows")
    letter = models.ForeignKey(Letter, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["made_at", "number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "asked_at", "kind", "number"], name="cases_pursuit_once"),
            models.CheckConstraint(
                name="cases_pursuit_kind", condition=models.Q(kind__in=PursuitKind.values)
            ),
        ]
