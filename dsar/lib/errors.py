"""What the house says no with."""

from collections.abc import Mapping


class Refused(Exception):
    """An act that may not happen now; ``str()`` is a sentence for the person who tried.

    ``code`` is stable and free of personal data; ``details`` holds ids and codes for the record.
    """

    def __init__(self, sentence: str, code: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = dict(details or {})


class NotAllowed(Refused):
    """The person lacks the permission."""


class Conflict(Refused):
    """Somebody else was quicker."""
