"""What every row that belongs to a controller has."""

from typing import TYPE_CHECKING, Self, TypeVar
from uuid import UUID

from django.db import models

from dsar.lib.models import UuidModel
from identity.roles import Permission

if TYPE_CHECKING:
    from identity.models.user import User

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """Rows of controllers; every look-up by a person starts from ``visible_to``."""

    def visible_to(self, user: "User", permission: Permission = Permission.VIEW_CASE) -> Self:
        """Only rows of the controllers for which the user has the permission."""
        return self.filter(controller_id__in=user.access.controllers(permission))


class TenantModel(UuidModel):
    """A row of exactly one controller: row-level security and same-controller keys are put on its table."""

    controller = models.ForeignKey("identity.Controller", on_delete=models.PROTECT, related_name="+")

    controller_id: UUID

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
