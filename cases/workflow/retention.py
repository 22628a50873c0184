"""Retention: what is due goes, case by case and batch by batch, each in a transaction that looks once more.

Whatever dies in between, the next round finds what is still due; nothing is forgotten by halves. Cases are locked
first and in the house's order, so that a hold, a reopening or a complaint comes either before, and is seen, or after.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases.models import (
    Case,
    DataSubject,
    Delivery,
    Forgotten,
    PackFile,
    Representative,
    ResponsePack,
    RetentionPolicy,
)
from cases.permissions import BY_SYSTEM, By
from cases.retention import due, forgetting, rules
from cases.retention.chosen import in_force, periods_of
from cases.retention.forgetting import Gone
from cases.retention.rules import Rule
from cases.workflow import authority, document
from cases.workflow.perform import lock_all, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import SYSTEM, Codes, record
from dsar.jobs.models import Job
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, User

log = logging.getLogger(__name__)

PURGE = "purge"
BATCH = 500
AT_HOUR = 2  # of the brand's own day: when nobody waits for the machine

Step = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Done:
    """What a rule did: of how many, rows and files, and how many could not be forgotten."""

    of: int = 0
    rows: int = 0
    files: int = 0
    failed: int = 0

    def plus(self, gone: Gone, of: int) -> "Done":
        return replace(self, of=self.of + of, rows=self.rows + gone.rows, files=self.files + gone.files)

    def together(self, other: "Done") -> "Done":
        return Done(
            self.of + other.of,
            self.rows + other.rows,
            self.files + other.files,
            self.failed + other.failed,
        )

    @property
    def codes(self) -> dict[str, int]:
        return {"of": self.of, "rows": self.rows, "files": self.files, "failed": self.failed}


# -- what a controller chose ---------------------------------------------------------------------------


def issue_periods(
    controller: Controller, content: Mapping[str, Any], by: By, now: datetime
) -> RetentionPolicy:
    """A new version of a controller's periods, which counts from now on."""
    present = in_force(controller.pk)
    issued = RetentionPolicy.objects.create(
        controller=controller,
        version=present.version + 1 if present else 1,
        content=dict(content),
        issued_by_id=by.person_id,
        issued_at=now,
    )
    codes: Codes = {"policy": str(issued.pk), "version": issued.version}
    record(Action.RETENTION_ISSUED, by.actor, now, controller_id=controller.pk, data=codes)
    return issued


# -- when ----------------------------------------------------------------------------------------------


def order(controller_id: UUID, now: datetime) -> UUID | None:
    """Once in each of the brand's own days, in the night; returns the job, or None where it is too early or done."""
    here = now.astimezone(Controller.objects.get(pk=controller_id).zone)
    midnight = datetime.combine(here.date(), time(), here.tzinfo)
    today = _rounds(controller_id).filter(created_at__gte=midnight)
    if here < midnight + timedelta(hours=AT_HOUR) or today.exists():
        return None
    return enqueue(PURGE, controller_id=controller_id, key=f"{PURGE}:{controller_id}", now=now)


def last_round(controller_id: UUID) -> Job | None:
    """The newest job that did it; its ``progress`` counts what went."""
    return _rounds(controller_id).order_by("-created_at").first()


def _rounds(controller_id: UUID) -> "QuerySet[Job]":
    """They are of no case, which the index of jobs by case finds quickly among very many."""
    return Job.objects.filter(case_id=None, controller_id=controller_id, kind=PURGE)


# -- doing it --------------------------------------------------------------------------------------------


def purge(controller_id: UUID, now: datetime, step: Step) -> Iterator[tuple[Rule, Done]]:
    """Do all that is due for one controller, rule by rule. Each ``step`` is a transaction that serves it."""
    for rule in rules.RULES:
        if rule.code in due.QUERIES:
            yield rule, carry_out(rule, controller_id, now, step)


def carry_out(rule: Rule, controller_id: UUID, now: datetime, step: Step) -> Done:
    """Do what is due by one rule."""
    one = _ONE_BY_ONE.get(rule.code)
    if one is None:
        return _by_batches(rule, controller_id, now, step)
    done, after = Done(), None
    while True:
        with step():
            ids = _batch(rule, controller_id, now, after)
        if not ids:
            return done
        for root in ids:
            done = _tried(done, rule, root, step, lambda chosen: one(chosen, controller_id, now))
        after = ids[-1]


def _by_batches(rule: Rule, controller_id: UUID, now: datetime, step: Step) -> Done:
    """What goes by its age alone: a transaction a batch, with its record."""
    act, done, after = _BY_BATCHES.get(rule.code, _aged), Done(), None
    while True:
        with step():
            ids = _batch(rule, controller_id, now, after)
        if not ids:
            return done
        try:
            with step():
                gone = _recorded(rule, act(rule, ids, controller_id, now), len(ids), controller_id, now)
            done = done.plus(gone, len(ids))
        except IntegrityError:
            log.warning("rule %s cannot forget %s rows from %s on", rule.code, len(ids), ids[0])
            done = replace(done, failed=done.failed + len(ids))
        after = ids[-1]


def _recorded(rule: Rule, gone: Gone, of: int, controller_id: UUID, now: datetime) -> Gone:
    if gone:
        codes: Codes = {"rule": rule.code, "of": of, **_numbers(gone)}
        record(Action.RETENTION_APPLIED, SYSTEM, now, controller_id=controller_id, data=codes)
    return gone


def _tried(done: Done, rule: Rule, root: UUID, step: Step, act: Callable[[UUID], Gone]) -> Done:
    """One of them; what something still refers to is left for a person to look at, and the others go on."""
    try:
        with step():
            gone = act(root)
    except IntegrityError:
        log.warning("rule %s cannot forget %s", rule.code, root)
        return replace(done, failed=done.failed + 1)
    return done.plus(gone, 1) if gone else done


def _due(rule: Rule, controller_id: UUID, now: datetime) -> due.Rows:
    moment = due.moment_of(rule, periods_of(controller_id), controller_id, now)
    return due.QUERIES[rule.code].due(moment)


def _batch(rule: Rule, controller_id: UUID, now: datetime, after: UUID | None) -> list[UUID]:
    """The newest first: a complaint goes before what it is about."""
    rows = _due(rule, controller_id, now)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:BATCH])


def _still(rule: Rule, root: UUID, controller_id: UUID, now: datetime) -> bool:
    """Asked again once it is held: a new statement sees what others did in between."""
    return _due(rule, controller_id, now).filter(pk=root).exists()


# -- what was collected --------------------------------------------------------------------------------


def _collected(case_id: UUID, controller_id: UUID, now: datetime) -> Gone:
    case = _held(case_id)
    if case is None or not _still(rules.COLLECTED, case_id, controller_id, now):
        return Gone()
    counts = _counts(case)
    _end_deliveries(case, now)
    gone = forgetting.forget(rules.COLLECTED, [case.pk], now)
    keyring.destroy(case.collected_key_id, now)
    _remember(case, rules.COLLECTED, gone, now, counts)
    touch(case)
    put_on_record(
        case, Action.KEY_DESTROYED, BY_SYSTEM, now, {"rule": rules.COLLECTED.code, **_numbers(gone)}
    )
    return gone + Gone(1)


def _counts(case: Case) -> list[dict[str, Any]]:
    """What accountability keeps of the items: how many of which source were disclosed or withheld, and why."""
    rows = case.items.values_list("source__slug", "collection", "decision", "exemption")
    counted = Counter(rows.iterator(chunk_size=2000))
    names = ("source", "collection", "decision", "exemption")
    return [dict(zip(names, row, strict=True)) | {"count": n} for row, n in sorted(counted.items(), key=str)]


def _answer(pack_id: UUID, controller_id: UUID, now: datetime) -> Gone:
    case_id = ResponsePack.objects.filter(pk=pack_id).values_list("case_id", flat=True).first()
    case = _held(case_id) if case_id else None
    if case is None or not _still(rules.ANSWER, pack_id, controller_id, now):
        return Gone()
    _end_deliveries(case, now)
    gone = forgetting.forget(rules.ANSWER, [pack_id], now)
    _remember(case, rules.ANSWER, gone, now)
    codes: Codes = {"rule": rules.ANSWER.code, "pack": str(pack_id), **_numbers(gone)}
    put_on_record(case, Action.RETENTION_APPLIED, BY_SYSTEM, now, codes)
    return gone


def _end_deliveries(case: Case, now: datetime) -> None:
    """What is gone cannot be fetched: the portal says that the time is over. A certificate stays where it lies."""
    answers = PackFile.objects.filter(pack__case=case, file__key__purpose=KeyPurpose.COLLECTED)
    open_ones = Delivery.objects.filter(pack__in=answers.values("pack"), route="portal", revoked_at=None)
    open_ones.filter(available_until__gt=now).update(available_until=now)


def _held(case_id: UUID) -> Case | None:
    return Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()


def _remember(case: Case, rule: Rule, gone: Gone, now: datetime, counts: Any = None) -> None:
    forgotten = Forgotten(
        controller_id=case.controller_id,
        case=case,
        rule=rule.code,
        at=now,
        rows=gone.rows,
        files=gone.files,
    )
    forgotten.counts = counts
    forgotten.save()


def _numbers(gone: Gone) -> dict[str, int]:
    return {"rows": gone.rows, "files": gone.files}


def is_forgotten(case: Case) -> bool:
    """Whether what was collected for the case is gone."""
    return case.collected_key.destroyed_at is not None


# -- files of cases, and persons ---------------------------------------------------------------------------


def _request(rule: Rule) -> Callable[[UUID, UUID, datetime], Gone]:
    def forget(request_id: UUID, controller_id: UUID, now: datetime) -> Gone:
        cases = lock_all(request_id)
        if not _still(rule, request_id, controller_id, now):
            return Gone()
        gone = forgetting.forget(rule, [request_id], now)
        codes: dict[str, Any] = {"rule": rule.code, "request": str(request_id), **_numbers(gone)}
        for case in cases:
            put_on_record(case, Action.CASE_FILE_DESTROYED, BY_SYSTEM, now, codes)
        return gone

    return forget


def _people(model: type[DataSubject] | type[Representative]) -> "Act":
    """Held first: a request that is being logged for one of them is seen, or waits and finds nobody."""

    def forget(rule: Rule, ids: Sequence[UUID], controller_id: UUID, now: datetime) -> Gone:
        rows = model.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True)
        held = list(rows.values_list("pk", flat=True))
        still = _due(rule, controller_id, now).filter(pk__in=held)
        return forgetting.forget(rule, list(still.values_list("pk", flat=True)), now)

    return forget


# -- what goes by its age ------------------------------------------------------------------------------------

Act = Callable[[Rule, Sequence[UUID], UUID, datetime], Gone]


def _aged(rule: Rule, ids: Sequence[UUID], controller_id: UUID, now: datetime) -> Gone:
    return forgetting.forget(rule, ids, now)


def _documents(rule: Rule, ids: Sequence[UUID], controller_id: UUID, now: datetime) -> Gone:
    return Gone(document.destroy_overdue(controller_id, now))


def _authorities(rule: Rule, ids: Sequence[UUID], controller_id: UUID, now: datetime) -> Gone:
    return Gone(authority.destroy_overdue(controller_id, now))


_ONE_BY_ONE: Mapping[str, Callable[[UUID, UUID, datetime], Gone]] = {
    rules.COLLECTED.code: _collected,
    rules.ANSWER.code: _answer,
    rules.CASE_FILE.code: _request(rules.CASE_FILE),
    rules.DRILL.code: _request(rules.DRILL),
}
_BY_BATCHES: Mapping[str, Act] = {
    rules.PERSON.code: _people(DataSubject),
    rules.REPRESENTATIVE.code: _people(Representative),
    rules.DOCUMENT.code: _documents,
    rules.AUTHORITY.code: _authorities,
}


# -- what is nobody's ----------------------------------------------------------------------------------------


def purge_site(now: datetime) -> Iterator[tuple[Rule, Done]]:
    """Do all that is due for the house as a whole: tries, sessions, and staff who left."""
    for code, act in OF_SITE.items():
        rule = rules.BY_CODE[code]
        assert rule.keep is not None
        with unit_of_work([]):
            gone = act(rule, rule.keep.before(now), now)
            if gone and code in _ON_RECORD:
                record(Action.RETENTION_APPLIED, SYSTEM, now, data={"rule": code, **_numbers(gone)})
        yield rule, Done().plus(gone, gone.rows + gone.files)


def purge_all_of_site(now: datetime) -> None:
    """The same where nobody asks what was done; part of upkeep."""
    for _rule, _done in purge_site(now):
        pass


def tally_site(rule: Rule, now: datetime) -> due.Tally:
    """Count what is due by a rule of the site."""
    assert rule.keep is not None
    return due.of_site(rule, rule.keep.before(now))


def _staff_access(rule: Rule, limit: datetime, now: datetime) -> Gone:
    _note_who_left(now)
    return forgetting.forget(rule, list(due.site_rows(rule, limit).values_list("pk", flat=True)), now)


def _note_who_left(now: datetime) -> None:
    """However an account was closed, its time runs from when it is found so; opened again, it starts anew."""
    User.objects.filter(is_active=False, left_at=None).update(left_at=now)
    User.objects.filter(is_active=True, left_at__isnull=False).update(left_at=None)


def _staff(rule: Rule, limit: datetime, now: datetime) -> Gone:
    """The account stays, since acts refer to it, and stands for nobody any more."""
    gone = 0
    for person in due.site_rows(rule, limit):
        person.email, person.full_name = f"{person.pk.hex}{due.FORMER}", "Former member of staff"
        person.set_unusable_password()
        person.save(update_fields=["email", "full_name", "password"])
        gone += 1
    return Gone(gone)


def _aged_of_site(rule: Rule, limit: datetime, now: datetime) -> Gone:
    return Gone(int(due.site_rows(rule, limit).delete()[0]))


def _outbox(rule: Rule, limit: datetime, now: datetime) -> Gone:
    old = due.old_mails(limit)
    for path in old:
        path.unlink(missing_ok=True)
    return Gone(0, len(old))


ActOfSite = Callable[[Rule, datetime, datetime], Gone]

OF_SITE: Mapping[str, ActOfSite] = {
    rules.ATTEMPT.code: _aged_of_site,
    rules.SESSION.code: _aged_of_site,
    rules.INVITATION.code: _aged_of_site,
    rules.MAILBOX.code: _outbox,
    rules.STAFF_ACCESS.code: _staff_access,
    rules.STAFF.code: _staff,
}
# What happens every hour by itself is not worth a line on the record each time.
_ON_RECORD = frozenset({rules.STAFF_ACCESS.code, rules.STAFF.code})


def collected_is_gone() -> Refused:
    """Said where a review would be of nothing."""
    return Refused(
        _("What was collected for this case is gone by the rules of retention. Search again instead."),
        "collected_forgotten",
    )
