"""Who answers for a case today: its owner, whoever covers them, the team; the reviewer; the officer."""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from uuid import UUID

from cases.models import Case
from cases.workflow.people import present
from identity.models import Membership, User
from identity.roles import Permission, Role, permissions_of


class Staff:
    """Who works for a controller, by what they are to its cases; read once a run."""

    def __init__(self, controller_id: UUID, today: date) -> None:
        self.today = today
        self._memberships = list(
            Membership.objects.filter(
                team__serves__controller_id=controller_id, user__is_active=True, user__is_principal=False
            ).select_related("user__cover")
        )

    @cached_property
    def handlers(self) -> dict[UUID, User]:
        return self._holding(Permission.WORK)

    @cached_property
    def reviewers(self) -> dict[UUID, User]:
        return self._holding(Permission.APPROVE_FOR_CONTROLLER)

    @cached_property
    def administrators(self) -> dict[UUID, User]:
        return self._holding(Permission.ADMINISTER)

    @cached_property
    def officers(self) -> dict[UUID, User]:
        seen = self._holding(Permission.VIEW_CASE)
        return {
            one.user_id: one.user for one in self._memberships if one.role == Role.DPO and one.user_id in seen
        }

    def _holding(self, permission: Permission) -> dict[UUID, User]:
        return {one.user_id: one.user for one in self._memberships if permission in _permissions(one)}

    def in_charge(self, case: Case) -> Iterable[UUID]:
        """The owner, or whoever covers them; else the team; else everybody who works for the brand."""
        owner = self.handlers.get(case.owner_id) if case.owner_id else None
        covering = present(owner, self.today) if owner else None
        if covering and covering.pk in self.handlers and not self._is_away(covering):
            return [covering.pk]
        return self._team(case) or self._here(self.handlers) or list(self.handlers)

    def _team(self, case: Case) -> list[UUID]:
        members = {one.user_id for one in self._memberships if one.team_id == case.team_id}
        return self._here({pk: person for pk, person in self.handlers.items() if pk in members})

    def _here(self, people: dict[UUID, User]) -> list[UUID]:
        return [pk for pk, person in people.items() if not self._is_away(person)]

    def _is_away(self, person: User) -> bool:
        return person.away_until is not None and person.away_until >= self.today


def _permissions(membership: Membership) -> frozenset[Permission]:
    return permissions_of(membership.role, membership.extra, membership.withheld)
