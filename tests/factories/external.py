"""A controller's external provider of identity checks: the simulator, over real HTTP."""

from typing import Any

from django.utils import timezone

from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, IdentityProvider
from identity.providers.external.simulator import description


def provider_for(
    controller: Controller, url: str, holder: str = "compared", **fields: Any
) -> IdentityProvider:
    """Connect the controller with the simulator at this address; ``keys`` are those its messages are signed with."""
    key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, timezone.now())
    secrets = description.secrets()
    secrets["webhook_keys"] = fields.pop("keys", secrets["webhook_keys"])
    options = description.options(url, holder) | fields.pop("options", {})
    fields.setdefault("name", "Prova ID")
    return IdentityProvider.objects.create(
        controller=controller, key=key, options=options, secrets=secrets, **fields
    )
