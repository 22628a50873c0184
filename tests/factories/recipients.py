"""Recipients of a controller's data, and plans that were carried out."""

from typing import Any

import factory
from django.utils import timezone

from cases.models import Recipient
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose


class RecipientFactory(factory.django.DjangoModelFactory[Recipient]):
    class Meta:
        model = Recipient

    slug = factory.Sequence(lambda n: f"recipient-{n}")
    name = factory.Sequence(lambda n: f"Recipient {n}")
    email = factory.LazyAttribute(lambda made: f"privacy@{made.slug}.example")
    finds_by = ["email"]

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Recipient:
        controller = kwargs["controller"]
        kwargs.setdefault("key", keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, timezone.now()))
        return super()._create(model_class, *args, **kwargs)
