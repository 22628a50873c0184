"""Who may do what, for whom: read from the memberships, through the one door that needs no controller."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from identity.roles import Permission, permissions_of


@dataclass(frozen=True)
class Access:
    """Permissions by controller."""

    by_controller: Mapping[UUID, frozenset[Permission]]

    def allows(self, permission: Permission, controller_id: UUID) -> bool:
        return permission in self.by_controller.get(controller_id, frozenset())

    def controllers(self, permission: Permission) -> list[UUID]:
        """The controllers for which the permission is held."""
        return [key for key, held in self.by_controller.items() if permission in held]

    def anywhere(self, permission: Permission) -> bool:
        return any(permission in held for held in self.by_controller.values())


def access_of(user_id: UUID) -> Access:
    """What an active member of staff may do; nothing for anybody else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM identity_memberships(%s)", [user_id])
        rows = cursor.fetchall()
    gathered: dict[UUID, frozenset[Permission]] = {}
    for controller_id, role, extra, withheld in rows:
        held = gathered.get(controller_id, frozenset())
        gathered[controller_id] = held | permissions_of(role, extra, withheld)
    return Access(gathered)


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
