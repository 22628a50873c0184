"""What visitors without an account tried, counted so that nobody can try for ever."""

from django.db import models

from identity.models import TenantModel


class Attempt(TenantModel):
    """One try: what, by whom (as keyed hash of an address or of what was claimed), when. Kept for a day."""

    what = models.CharField(max_length=20, help_text="a limit of cases.portal.limits")
    who = models.BinaryField(help_text="HMAC under the controller's look-up key")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["controller", "what", "who", "at"], name="cases_attempt_recent")]
