"""What fell due to be said about a case's dates, and who was told of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from identity.models import TenantModel, User


class ReminderKind(models.TextChoices):
    LATE = "late", _("late")
    DUE = "due", _("due date")
    LETTER = "letter", _("letter with reasons")
    TARGET = "target", _("internal target")
    PAUSE = "pause", _("long pause")


class Reminder(TenantModel):
    """One threshold that a case reached. The row is the memory: while it stands nothing is said twice.

    A date that moves is another ``aimed_on``, and so armed again.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reminders")
    kind = models.CharField(max_length=10, choices=ReminderKind)
    days = models.PositiveSmallIntegerField(help_text="before the date; for a pause, how long it lasted")
    aimed_on = models.DateField(help_text="the date that it is about; for a pause, its first day")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "aimed_on", "days"], name="cases_reminder_once"),
            models.CheckConstraint(
                name="cases_reminder_kind", condition=models.Q(kind__in=ReminderKind.values)
            ),
        ]


class MailState(models.TextChoices):
    QUEUED = "queued", _("waiting to be sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("could not be sent")


class Notice(TenantModel):
    """One member of staff is told of a reminder: in the desk until it is over, and by one mail a batch."""

    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="notices")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notices")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    batch = models.UUIDField(help_text="what was made together is told in one mail")
    mail = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    told_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="put aside, or a more urgent one took its place")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reminder", "person"], name="cases_notice_once_each"),
            models.CheckConstraint(name="cases_notice_mail", condition=models.Q(mail__in=MailState.values)),
        ]
        indexes = [
            models.Index(
                fields=["person", "-told_at"], name="cases_notice_mine", condition=models.Q(ended_at=None)
            ),
            models.Index(fields=["batch", "person"], name="cases_notice_batch"),
        ]
