"""The one signal of the house: identity tells, cases listen."""

from django.dispatch import Signal

# Sent inside the transaction with ``verification`` (an achieved Verification), ``by`` (audit Actor) and ``now``.
level_reached = Signal()
