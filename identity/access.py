"""Who may do what, for whom: read from the memberships, through the one door that needs no controller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.utils import timezone

from identity.roles import IN_AN_EMERGENCY, Permission, permissions_of


@dataclass(frozen=True)
class Access:
    """Permissions by controller.

    ``emergencies`` are the person's own that are open, by controller; ``alarms`` anybody's, where the person works.
    """

    by_controller: Mapping[UUID, frozenset[Permission]]
    emergencies: Mapping[UUID, UUID] = field(default_factory=dict)
    alarms: frozenset[UUID] = frozenset()

    def allows(self, permission: Permission, controller_id: UUID) -> bool:
        return permission in self.by_controller.get(controller_id, frozenset())

    def controllers(self, permission: Permission) -> list[UUID]:
        """The controllers for which the permission is held."""
        return [key for key, held in self.by_controller.items() if permission in held]

    def anywhere(self, permission: Permission) -> bool:
        return any(permission in held for held in self.by_controller.values())


def access_of(user_id: UUID) -> Access:
    """What an active member of staff may do now; nothing for anybody else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM identity_memberships(%s, %s)", [user_id, timezone.now()])
        rows = cursor.fetchall()
    gathered: dict[UUID, frozenset[Permission]] = {}
    for _kind, controller_id, role, extra, withheld, _id in (row for row in rows if row[0] == "held"):
        held = gathered.get(controller_id, frozenset())
        gathered[controller_id] = held | permissions_of(role, extra, withheld)
    # An emergency lasts no longer than the right to open one.
    own = {row[1]: row[5] for row in rows if row[0] == "own" and Permission.BREAK_GLASS in gathered[row[1]]}
    for controller_id in own:
        gathered[controller_id] |= IN_AN_EMERGENCY
    return Access(gathered, own, frozenset(row[5] for row in rows if row[0] != "held"))


def all_controllers() -> list[UUID]:
    """Every controller's id, for upkeep that serves each in turn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM identity_controllers()")
        return [row[0] for row in cursor.fetchall()]


def controller_for_slug(slug: str) -> UUID | None:
    """Whose portal this is; None where there is no such brand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_controller_for_slug(%s)", [slug])
        return cursor.fetchone()[0]  # type: ignore[no-any-return]
