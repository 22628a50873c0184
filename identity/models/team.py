"""Teams: who works for which controllers, in which role."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from dsar.lib.models import UuidModel
from identity.models.base import TenantModel
from identity.models.user import User
from identity.roles import Permission, Role

PERMISSIONS = [(permission.value, permission.value) for permission in Permission]


class Team(UuidModel):
    """People who serve one or several controllers together."""

    name = models.CharField(max_length=120, unique=True)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TeamController(TenantModel):
    """A team serves a controller."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="serves")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "controller"], name="identity_team_serves_once")
        ]


class Membership(UuidModel):
    """A person's role in a team, with what is added to it or withheld."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    extra = ArrayField(models.CharField(max_length=40, choices=PERMISSIONS), default=list, blank=True)
    withheld = ArrayField(models.CharField(max_length=40, choices=PERMISSIONS), default=list, blank=True)
    granted_by = models.ForeignKey(
        "identity.SignOnProvider",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="whose group gives it, taken anew at each sign-in; empty for what an operator gave",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user", "role"], name="identity_membership_once"),
            models.CheckConstraint(name="identity_membership_role", condition=models.Q(role__in=Role.values)),
        ]
