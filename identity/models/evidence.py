"""Staff's second factors. The secrets are sealed; recovery codes are kept as hashes."""

import time
from uuid import UUID

from django.db import models
from django_otp.models import Device, DeviceManager, ThrottlingMixin
from django_otp.oath import TOTP

from dsar.lib.models import UuidModel
from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models.user import User

STEP_SECONDS = 30
TOLERANCE_STEPS = 1


class TotpDevice(UuidModel, ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app (RFC 6238), with the library's throttling and our sealing of its secret."""

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    secret: str = sealed_text(help_text="hexadecimal")
    last_step = models.BigIntegerField(default=-1, help_text="a code is good once")
    made_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager["TotpDevice"] = DeviceManager()

    class Meta(Device.Meta):  # type: ignore[misc]
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["user"], name="identity_one_totp_each", condition=models.Q(confirmed=True)
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id

    @property
    def persistent_id(self) -> str:
        """How the session names this device. The library reads the part after the slash as a number."""
        return f"{self.model_label()}/{self.id.int}"

    def verify_token(self, token: str) -> bool:
        """True once for a present code; every failure makes the next try wait longer."""
        allowed, _ = self.verify_is_allowed()
        step = self._step_of(token) if allowed else None
        if step is None:
            if allowed:
                self.throttle_increment(commit=True)
            return False
        self.last_step = step
        self.throttle_reset(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> float:
        return 1.0

    def _step_of(self, token: str) -> int | None:
        if not (token.isascii() and token.isdigit() and len(token) == 6):
            return None
        totp = TOTP(bytes.fromhex(self.secret), step=STEP_SECONDS)
        totp.time = time.time()  # Held still, so that the step noted is the step that was compared.
        if not totp.verify(int(token), TOLERANCE_STEPS, self.last_step + 1):
            return None
        return int(totp.t())


class RecoveryCode(UuidModel):
    """A code for the day when the phone is lost; good once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="identity_recovery_code_once")
        ]
