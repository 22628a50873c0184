"""The one path by which a case changes: lock, check, call, save, record, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NoReturn
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Field
from django_fsm import Transition

from cases import errors
from cases.models import Case, Note
from cases.models.case import ON_IDENTITY
from cases.permissions import By
from cases.words import State
from cases.workflow import level
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import Codes, record, record_whatever_happens
from dsar.lib.errors import Refused
from dsar.lib.fsm import transitions
from dsar.lib.prepared import Prepared
from identity.roles import Permission

_WHOLE = Case.objects.select_related("subject_request", "subject", "controller").select_for_update(
    of=("self",)
)
_LOCKED = Prepared(lambda case_id: _WHOLE.filter(pk=case_id), UUID)
_ALL_LOCKED = Prepared(lambda request_id: _WHOLE.filter(subject_request_id=request_id).order_by("pk"), UUID)

_BY_NAME: dict[str, dict[str, Transition]] = {}


def _declared() -> dict[str, dict[str, Transition]]:
    if not _BY_NAME:
        for transition_ in transitions(Case):
            _BY_NAME.setdefault(transition_.name, {})[str(transition_.source)] = transition_
    return _BY_NAME


class AlreadyDone(Exception):
    """The same person pressed twice: what they wanted is done, and is not done again."""

    def __init__(self, case: Case) -> None:
        super().__init__("already done")
        self.case = case


def lock(case_id: UUID) -> Case:
    """The case as it is now, held until the transaction ends."""
    return _tied(_LOCKED.get(case_id))


def lock_all(request_id: UUID) -> list[Case]:
    """All cases of a request, held until the transaction ends.

    Always in the same order and before anything else of the request, so that no two wait for each other.
    """
    return [_tied(case) for case in _ALL_LOCKED.all(request_id)]


def _tied(case: Case) -> Case:
    """Its request knows controller and person as well, which were read with it."""
    request = case.subject_request
    if (request.controller_id, request.subject_id) == (case.controller_id, case.subject_id):
        request.controller, request.subject = case.controller, case.subject
    return case


def perform(
    case: Case,
    name: str,
    by: By,
    now: datetime,
    *,
    version: int | None = None,
    reason: str = "",
    codes: Mapping[str, str] | None = None,
    prepare: Any = None,
    is_held: bool = False,
) -> Case:
    """Make a declared transition and return the case as it is then.

    ``version`` is the one that the person saw; where it has moved on, they are told. ``prepare`` sets fields
    of the locked case that the transition's conditions ask for. Raises NotAllowed, Conflict or Refused, each
    put on the record; AlreadyDone where the same person made the same step from the same version before.

    ``is_held`` where the caller locked this very object in this transaction and changed nothing of it that is not
    written: it is not read again. For the desk's own steps, which nobody goes on from where they are refused.
    """
    try:
        with transaction.atomic():
            locked = case if is_held else lock(case.pk)
            transition_ = _find(locked, name, by, version)
            if ON_IDENTITY.intersection(transition_.conditions):
                level.refresh(locked, now)
            if prepare is not None:
                prepare(locked)
            _check(locked, transition_, name, by)
            _apply(locked, name, by, now, reason, dict(codes or {}))
            return locked
    except Refused as refusal:
        _record_refusal(case, name, by, now, refusal)
        raise


def act(
    case: Case,
    permission: Permission | None,
    by: By,
    now: datetime,
    *,
    version: int | None = None,
    name: str = "act",
) -> Case:
    """Lock the case for an act that is not a transition; the caller saves and records inside its transaction."""
    locked = lock(case.pk)
    if permission is not None and not by.allows(permission, locked.controller_id):
        refuse(locked, name, by, now, errors.not_yours(name))
    if version is not None and version != locked.version:
        raise errors.somebody_was_quicker()
    return locked


def refuse(case: Case, name: str, by: By, now: datetime, refusal: Refused) -> NoReturn:
    """Put a refusal on the record, whatever happens to this transaction, and raise it."""
    _record_refusal(case, name, by, now, refusal)
    raise refusal


def once(case: Case, name: str, by: By, version: int | None) -> None:
    """Raise AlreadyDone where this person made this transition from the version that they saw."""
    if version is not None and version != case.version and _did_it_before(case, name, by, version):
        raise AlreadyDone(case)


def once_recorded(case: Case, action: Action, by: By, version: int | None) -> None:
    """Raise AlreadyDone where this person put this act on record from the version that they saw."""
    if version is None or version == case.version:
        return
    mine = AuditEvent.objects.filter(
        case_id=case.pk, action=action, actor_id=by.actor.id, data__version=version
    )
    if mine.exists():
        raise AlreadyDone(case)


def touch(case: Case, *fields: str) -> None:
    """Save these fields of a locked case, and let open forms know that it changed."""
    case.version += 1
    case.save(update_fields=[*fields, "version"])


def put_on_record(case: Case, action: Action, by: By, now: datetime, codes: Codes | None = None) -> None:
    """Append to the case's chain."""
    record(action, by.actor, now, controller_id=case.controller_id, case_id=case.pk, data=codes)


def note(case: Case, by: By, now: datetime, text: str, about: str = "") -> Note:
    """Keep what a person wrote, sealed, beside the codes of the trail."""
    written = Note(
        controller_id=case.controller_id, case=case, author_id=by.person_id, about=about, written_at=now
    )
    written.text = text
    written.save()
    return written


def available(case: Case, by: By) -> list[str]:
    """The transitions that this person may make from here; conditions that do not hold included."""
    return [
        name
        for name, by_source in _declared().items()
        if (found := by_source.get(str(case.state))) is not None and found.has_perm(case, by)  # type: ignore[arg-type]
    ]


def _find(case: Case, name: str, by: By, version: int | None) -> Transition:
    once(case, name, by, version)
    found = _declared()[name].get(str(case.state))
    if found is None:
        raise errors.not_from_here(name, case.state)
    if version is not None and version != case.version:
        raise errors.somebody_was_quicker()
    return found


def _did_it_before(case: Case, name: str, by: By, version: int) -> bool:
    """Whether the last change from that version was this very act by this very person."""
    return AuditEvent.objects.filter(
        case_id=case.pk,
        action=Action.STATE_CHANGED,
        actor_id=by.actor.id,
        data__transition=name,
        data__version=version,
    ).exists()


def _check(case: Case, transition_: Transition, name: str, by: By) -> None:
    if not transition_.has_perm(case, by):  # type: ignore[arg-type]
        raise errors.not_yours(name)
    for condition in transition_.conditions:
        if not condition(case):
            raise errors.unmet(condition.__name__)


def _apply(case: Case, name: str, by: By, now: datetime, reason: str, codes: dict[str, str]) -> None:
    """Call, save, record; the version on record is the one that the person saw."""
    before, version = case.state, case.version
    getattr(case, name)()
    case.version += 1
    case.state_since = now
    case.closed_at = now if case.state == State.CLOSED else None
    _save(case)
    put_on_record(
        case,
        Action.STATE_CHANGED,
        by,
        now,
        {
            "transition": name,
            "from": str(before),
            "to": str(case.state),
            "version": version,
            **codes,
            **({"outcome": str(case.outcome)} if case.outcome else {}),
        },
    )
    if reason:
        note(case, by, now, reason, about=name)


def _save(case: Case) -> None:
    """Name the row to the database's guard and write it whole; the guard takes the name back.

    Plain SQL, since the same is written at every step of every case: Django would compose it anew each time, and
    the naming takes two statements of its own. The name is set when the row was found, before any trigger sees it.
    """
    fields = _written_fields()
    values = [field.get_db_prep_save(field.pre_save(case, False), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_update(), [*values, case.pk, str(case.pk)])
        assert cursor.rowcount == 1


@cache
def _written_fields() -> "Sequence[Field[Any, Any]]":
    return [field for field in Case._meta.concrete_fields if not (field.primary_key or field.generated)]


@cache
def _update() -> str:
    names = ", ".join(f"{connection.ops.quote_name(str(field.column))} = %s" for field in _written_fields())
    return f"UPDATE cases_case SET {names} WHERE id = %s AND set_config('dsar.performing', %s, true) <> ''"  # noqa: S608


def _record_refusal(case: Case, name: str, by: By, now: datetime, refusal: Refused) -> None:
    record_whatever_happens(
        Action.ACT_REFUSED,
        by.actor,
        now,
        controller_id=case.controller_id,
        case_id=case.pk,
        data={"act": name, "code": refusal.code},
    )
