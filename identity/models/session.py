"""Sessions of the site's browsers, kept so that those of one person can be found and ended."""

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from identity.models.user import User


class Session(AbstractBaseSession):
    """A browser's session; it belongs to somebody once a password or a single sign-on was accepted."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "session"
        verbose_name_plural = "sessions"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # The store imports this model in its turn.
        from identity.session_store import SessionStore

        return SessionStore
