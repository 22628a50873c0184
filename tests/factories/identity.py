"""Controllers, teams and people."""

from collections.abc import Mapping
from typing import Any

import factory
from django.utils import timezone

from dsar.audit.record import OPERATOR
from dsar.lib.tenancy import serve, served
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.assurance import issue_policy
from identity.models import Controller, IdentityPolicy, Membership, Team, TeamController, TotpDevice, User
from identity.policy.words import MARKETING, RIGHTS
from identity.providers.base import Level
from identity.roles import Role

PASSWORD = "correct horse battery staple"
TOTP_SECRET = "3132333435363738393031323334353637383930"  # RFC 6238's example


class ControllerFactory(factory.django.DjangoModelFactory[Controller]):
    class Meta:
        model = Controller

    id = factory.LazyFunction(uuid7)
    slug = factory.Sequence(lambda n: f"brand-{n}")
    name = factory.Sequence(lambda n: f"Brand {n}")
    legal_name = factory.LazyAttribute(lambda brand: f"{brand.name} Limited")
    privacy_email = factory.LazyAttribute(lambda brand: f"privacy@{brand.slug}.example")
    regime = "UK-ENG"
    time_zone = "Europe/London"
    language = "en-gb"
    languages = ["en-gb"]
    grace_days = 0

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Controller:
        """A new controller is served from now on, as its founder's transaction does.

        ``levels`` say how sure it wants to be of a person, by right; None leaves that to the house.
        """
        levels = kwargs.pop("levels", {"default": 1, "complaint": 0, "objection": 0})
        serve([*served(), kwargs["id"]])
        made = super()._create(model_class, *args, **kwargs)
        if levels is not None:
            give_policy(made, levels)
        return made


def give_policy(controller: Controller, levels: Mapping[str, int], **settings: Any) -> IdentityPolicy:
    """A new version of the controller's policy: these levels by right, ``default`` for the rest."""
    named = {right: Level(levels.get(right, levels.get("default", 1))) for right in RIGHTS}
    named[MARKETING] = Level(levels.get(MARKETING, 0))
    rules = [
        {"name": right, "when": {"right": right}, "level": level.name.lower()}
        for right, level in named.items()
    ]
    return issue_policy(controller, {"rules": rules, **settings}, OPERATOR, timezone.now())


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@desk.example")
    full_name = factory.Sequence(lambda n: f"Person {n}")

    @factory.post_generation
    def with_password(self, create: bool, extracted: bool | None, **_: Any) -> None:
        """Argon2 is slow on purpose, so that only tests which sign in ask for a password."""
        self.set_password(PASSWORD if extracted else None)
        self.save()


class TeamFactory(factory.django.DjangoModelFactory[Team]):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


def staff(role: Role | str, *controllers: Controller, **fields: Any) -> User:
    """A member of staff with one role for these controllers."""
    user = UserFactory.create(**fields)
    team = TeamFactory.create()
    for controller in controllers:
        TeamController.objects.create(team=team, controller=controller)
    Membership.objects.create(team=team, user=user, role=role)
    return user


def enrolled(user: User) -> TotpDevice:
    """Give the person an authenticator app."""
    key = keyring.shared_key(KeyPurpose.STAFF, None, timezone.now())
    return TotpDevice.objects.create(user=user, key=key, secret=TOTP_SECRET, confirmed=True, name="app")
