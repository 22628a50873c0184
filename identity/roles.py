"""Roles and permissions. A role is a usual set of permissions; a membership may add or withhold some.

Approving is a permission, not a job title: an organisation may keep its DPO out of decisions that the DPO
must monitor, and give the permission to others.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    LOG_REQUEST = "log_request"
    VIEW_CASE = "view_case"
    VIEW_CONTENT = "view_content"
    WORK = "work"
    RECORD_IDENTITY = "record_identity"
    ASSIGN = "assign"
    CORRECT = "correct"
    APPROVE = "approve"
    APPROVE_FOR_CONTROLLER = "approve_for_controller"
    WAIVE_SOURCE = "waive_source"
    RELEASE_CONTROL = "release_control"
    LEGAL_HOLD = "legal_hold"
    CLASSIFY = "classify"
    OVERSEE = "oversee"
    ADMINISTER = "administer"
    READ_TRAIL = "read_trail"
    BREAK_GLASS = "break_glass"


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    HANDLER = "handler", _("Handler")
    DPO = "dpo", _("Data protection officer")
    REVIEWER = "reviewer", _("Controller's reviewer")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")
    BREAK_GLASS = "break_glass", _("Emergency access")


USUAL: dict[str, frozenset[Permission]] = {
    Role.AGENT: frozenset({Permission.LOG_REQUEST, Permission.VIEW_CASE}),
    Role.HANDLER: frozenset(
        {
            Permission.LOG_REQUEST,
            Permission.VIEW_CASE,
            Permission.VIEW_CONTENT,
            Permission.WORK,
            Permission.RECORD_IDENTITY,
            Permission.ASSIGN,
            Permission.CORRECT,
            Permission.RELEASE_CONTROL,
        }
    ),
    Role.DPO: frozenset(
        {
            Permission.VIEW_CASE,
            Permission.VIEW_CONTENT,
            Permission.ASSIGN,
            Permission.APPROVE,
            Permission.WAIVE_SOURCE,
            Permission.RELEASE_CONTROL,
            Permission.LEGAL_HOLD,
            Permission.CLASSIFY,
            Permission.OVERSEE,
            Permission.READ_TRAIL,
        }
    ),
    Role.REVIEWER: frozenset(
        {Permission.VIEW_CASE, Permission.VIEW_CONTENT, Permission.APPROVE_FOR_CONTROLLER, Permission.OVERSEE}
    ),
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER}),
    Role.AUDITOR: frozenset({Permission.READ_TRAIL}),
    Role.BREAK_GLASS: frozenset({Permission.BREAK_GLASS}),
}

# What an emergency opens for a while: everything may be read, and nothing done.
IN_AN_EMERGENCY = frozenset({Permission.VIEW_CASE, Permission.VIEW_CONTENT})


def permissions_of(
    role: str, extra: Iterable[str] = (), withheld: Iterable[str] = ()
) -> frozenset[Permission]:
    """What one membership allows."""
    added = {Permission(code) for code in extra}
    removed = {Permission(code) for code in withheld}
    return frozenset((USUAL[role] | added) - removed)
