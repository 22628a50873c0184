"""What an administrator does for the people who work here: see who they are, end their sessions, let them go."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from dsar.audit.actions import Action
from dsar.audit.record import record
from dsar.lib.errors import NotAllowed
from identity import living
from identity.models import User
from identity.roles import Permission


def administered_by(administrator: User) -> QuerySet[User]:
    """Those who serve a controller that the administrator administers; never the principals of drills."""
    controllers = administrator.access.controllers(Permission.ADMINISTER)
    return User.objects.filter(
        memberships__team__serves__controller_id__in=controllers, is_principal=False
    ).distinct()


def sign_out_everywhere(person: User, by: User, now: datetime) -> int:
    """End every session of the person; returns how many there were."""
    return living.end_others(person, None, by.actor, now)


def set_active(person: User, is_active: bool, by: User, now: datetime) -> None:
    """Let somebody go, or back in. Who is let go is out with their next request. Raises NotAllowed."""
    if person.pk == by.pk:
        raise NotAllowed(_("You cannot do this to yourself. Ask another administrator."), "own_account")
    if person.is_active == is_active:
        return
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    action = Action.STAFF_REACTIVATED if is_active else Action.STAFF_DEACTIVATED
    record(action, by.actor, now, data={"of": str(person.pk)})
    if not is_active:
        sign_out_everywhere(person, by, now)
