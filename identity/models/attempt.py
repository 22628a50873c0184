"""What visitors tried before it was known who they are, counted so that nobody can try for ever."""

from django.db import models


class Attempt(models.Model):
    """One try: what, by whom (as keyed hash of a network, an address or what was claimed), when. Kept for a day.

    It belongs to no controller, since staff sign in to none; whose pages were visited is part of the hash.
    """

    what = models.CharField(max_length=30, help_text="a limit of identity.limits")
    who = models.BinaryField(help_text="HMAC")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["what", "who", "at"], name="identity_attempt_recent"),
            models.Index(fields=["at"], name="identity_attempt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%Y-%m-%d %H:%M}"
