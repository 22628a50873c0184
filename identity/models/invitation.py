"""How a member of staff comes by a password that nobody else has known."""

from django.db import models

from dsar.lib.models import UuidModel
from identity.models.user import User


class Invitation(UuidModel):
    """A link, good once and for some days; only the SHA-256 of its token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.BinaryField(unique=True)
    removes_second_factor = models.BooleanField(default=False, help_text="for who has lost phone and codes")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
