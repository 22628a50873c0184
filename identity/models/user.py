"""Members of staff, and the system principals that act in a drill."""

from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from dsar.audit.record import Actor
from dsar.lib.models import UuidModel
from identity.access import Access, access_of


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff; without a password nobody can sign in as them."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=(username or "").strip())


class User(UuidModel, AbstractBaseUser):  # type: ignore[django-manager-missing]
    """Somebody who works here. What they may do comes from their teams alone."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_principal = models.BooleanField(default=False, help_text="acts in drills, and can never sign in")
    language = models.CharField(max_length=10, default="en-gb")
    away_until = models.DateField(null=True, blank=True)
    cover = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="covers")
    joined_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, help_text="noted by upkeep once the account is found inactive")

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["full_name"]
        constraints = [models.UniqueConstraint(Lower("email"), name="identity_user_email_once")]

    def __str__(self) -> str:
        return self.full_name

    @cached_property
    def access(self) -> Access:
        """What this person may do, for which controllers; read once per loaded user."""
        return access_of(self.pk)

    @property
    def actor(self) -> Actor:
        return Actor("system" if self.is_principal else "staff", self.pk)

    def get_full_name(self) -> str:
        """The name that Django's own templates ask for."""
        return self.full_name

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.full_name.split()[:2]).upper()
