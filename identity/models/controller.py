"""The controller: the brand that answers for the data, and the tenant to which everything belongs."""

from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from dsar.lib.models import UuidModel
from identity.roles import Permission

if TYPE_CHECKING:
    from identity.models.user import User

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write a colour as # and six hexadecimal digits.")


class ControllerQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User", permission: Permission = Permission.VIEW_CASE) -> Self:
        return self.filter(pk__in=user.access.controllers(permission))


class Controller(UuidModel):
    """A brand, with what its letters, its portal and its clock need to know."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120, help_text="as customers know the brand")
    legal_name = models.CharField(max_length=200, help_text="as the law knows the controller")
    postal_address = models.TextField(blank=True)
    privacy_email = models.EmailField()
    privacy_phone = models.CharField(max_length=40, blank=True)
    dpo_contact = models.TextField(blank=True, help_text="how the data protection officer is reached")
    privacy_notice_url = models.URLField(blank=True)
    regime = models.CharField(max_length=20, help_text="code of the law that sets the clock, as UK-ENG")
    region = models.CharField(max_length=10, blank=True, help_text="subdivision for public holidays")
    time_zone = models.CharField(max_length=60, default="Europe/London")
    phone_region = models.CharField(max_length=2, default="GB", help_text="where numbers without prefix are")
    language = models.CharField(max_length=10, default="en-gb")
    languages = ArrayField(models.CharField(max_length=10), default=list)
    logo = models.CharField(max_length=200, blank=True, help_text="path below static/")
    accent = models.CharField(max_length=7, default="#1f4f8f", validators=[COLOUR])
    target_days = models.PositiveSmallIntegerField(
        default=21, help_text="internal target, days after receipt"
    )
    grace_days = models.PositiveSmallIntegerField(
        default=7,
        db_default=7,
        help_text="between the approval of an erasure and its being carried out: the customer can still cancel",
    )
    reminders = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="when staff are warned; {}: as usual",
    )
    code_minutes = models.PositiveSmallIntegerField(default=10, help_text="how long a one-time code lives")
    pack_days = models.PositiveSmallIntegerField(default=30, help_text="how long a pack can be fetched")
    statement = models.JSONField(default=dict, help_text="facts of the Article 15(1) statement")
    is_active = models.BooleanField(default=True)

    objects = ControllerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
