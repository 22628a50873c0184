"""Who acts, and the permission that a transition asks for. Pure: no models, no queries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from dsar.audit.record import OPERATOR, SYSTEM, Actor
from identity.access import Access
from identity.roles import Permission


class _Person(Protocol):
    @property
    def access(self) -> Access: ...
    @property
    def actor(self) -> Actor: ...


@dataclass(frozen=True)
class By:
    """Whoever acts, with what they may do. ``person_id`` is set for members of staff."""

    actor: Actor
    access: Access = field(default_factory=lambda: Access({}))

    def allows(self, permission: Permission, controller_id: UUID) -> bool:
        return self.access.allows(permission, controller_id)

    @property
    def person_id(self) -> UUID | None:
        """The user's id; None for customers and the system."""
        return self.actor.id if self.is_person else None

    @property
    def is_person(self) -> bool:
        """A member of staff, or a principal that stands for one in a drill."""
        return bool(self.access.by_controller) or self.actor.kind == "staff"


BY_SYSTEM = By(SYSTEM)
BY_OPERATOR = By(OPERATOR)


def by_staff(user: _Person) -> By:
    return By(user.actor, user.access)


def by_customer(request_id: UUID) -> By:
    """The customer, known by the request that their token opens; never by name."""
    return By(Actor("customer", request_id))


def may(*permissions: Permission, system: bool = False, customer: bool = False) -> Callable[[Any, Any], bool]:
    """A transition's permission: any of these for the case's controller, or the system or the customer."""

    def allowed(case: Any, by: Any) -> bool:
        if by.actor.kind == "system" and not by.is_person:
            return system
        if by.actor.kind == "customer":
            return customer and by.actor.id == case.subject_request_id
        return any(by.allows(permission, case.controller_id) for permission in permissions)

    allowed.permissions = permissions  # type: ignore[attr-defined]
    allowed.system = system  # type: ignore[attr-defined]
    allowed.customer = customer  # type: ignore[attr-defined]
    return allowed
