"""Single sign-on of staff: the employers' providers, whose groups mean what, and who is whom there."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from dsar.lib.models import UuidModel
from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models.team import PERMISSIONS, Team
from identity.models.user import User
from identity.openid.provider import Provider
from identity.roles import Role


class UnknownPeople(models.TextChoices):
    REFUSE = "refuse", "nobody comes in who was not linked before"
    LINK = "link", "somebody known is linked by the address that the provider has verified"
    MAKE = "make", "as link; and whoever is in a group that gives a role becomes a member of staff"


def _words(length: int = 120) -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=length), default=list, blank=True)


class SignOnProvider(UuidModel):
    """An OpenID provider by which staff may sign in."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80, help_text="as staff know it, on the button")
    issuer = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    client_secret: str = sealed_text(blank=True)
    scopes = _words()
    groups_claim = models.CharField(max_length=120, default="groups")
    second_factor_acr = _words(200)
    second_factor_amr = _words()
    unknown_people = models.CharField(max_length=10, choices=UnknownPeople, default=UnknownPeople.REFUSE)
    clock_skew_seconds = models.PositiveSmallIntegerField(default=60)
    allow_private = models.BooleanField(default=False, help_text="it is in a private network")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def connection(self) -> Provider:
        """What the flow needs to know."""
        return Provider(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self.client_secret,
            scopes=tuple(dict.fromkeys(["openid", *self.scopes])),
            skew=self.clock_skew_seconds,
            allow_private=self.allow_private,
        )


class SignOnGroup(UuidModel):
    """A group at the provider gives a role in a team, and so for the controllers that the team serves."""

    provider = models.ForeignKey(SignOnProvider, on_delete=models.CASCADE, related_name="groups")
    group = models.CharField(max_length=200)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices)
    extra = ArrayField(models.CharField(max_length=40, choices=PERMISSIONS), default=list, blank=True)
    withheld = ArrayField(models.CharField(max_length=40, choices=PERMISSIONS), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "group", "team", "role"], name="identity_sign_on_group_once"
            )
        ]


class SignOnIdentity(UuidModel):
    """Who a member of staff is at a provider: by issuer and subject, of which only a SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ons")
    provider = models.ForeignKey(SignOnProvider, on_delete=models.CASCADE, related_name="identities")
    subject_hash = models.BinaryField(unique=True)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "provider"], name="identity_one_sign_on_each")]
