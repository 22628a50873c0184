"""What is due to be forgotten by now, as queries: never while a hold, a complaint or unfinished work needs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Greatest

from cases.correspondence import outbox
from cases.models import (
    AskedQuestion,
    Authority,
    Case,
    CollectionStop,
    ContactNote,
    DataSubject,
    Delivery,
    Leftover,
    Letter,
    LetterState,
    PackFile,
    PackState,
    Representative,
    RequestOrigin,
    ResponsePack,
    SourceCheck,
    SubjectIdentifier,
    SubjectRequest,
)
from cases.models.change import ChangePlan, PlanStage, Settled
from cases.models.other_rights import Restriction
from cases.models.reerasure import ErasedPlace
from cases.retention import rules
from cases.retention.chosen import Periods
from cases.retention.rules import Rule
from cases.words import DISCLOSING, State
from dsar.jobs.models import Job
from dsar.vault.models import KeyPurpose
from identity.models import (
    AccessToken,
    Attempt,
    Emergency,
    ExternalCheck,
    ExternalEvent,
    IdentityDocument,
    Invitation,
    OneTimeCode,
    Session,
    TextMessage,
    User,
    Verification,
)
from identity.models.document import OPEN_STAGES
from identity.models.external import LIVING

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Moment:
    """Of whom, by when the time must be over, and what time it is."""

    controller_id: UUID
    limit: datetime
    now: datetime


@dataclass(frozen=True)
class Query:
    """What is due by a rule. ``since`` is the column, or annotation, from which its time runs.

    ``over`` are those whose time is over, held back or not; ``free`` those of them that nothing holds back.
    """

    since: str
    over: Callable[[Moment], Rows]
    free: Callable[[Rows, Moment], Rows] = lambda rows, _moment: rows

    def due(self, moment: Moment) -> Rows:
        return self.free(self.over(moment), moment)


def moment_of(rule: Rule, periods: Periods, controller_id: UUID, now: datetime) -> Moment:
    """When the time of a rule must have begun for it to be over."""
    keep = periods.of(rule)
    assert keep is not None
    return Moment(controller_id, keep.before(now), now)


# -- cases and requests ------------------------------------------------------------------------------


def held_persons(controller_id: UUID) -> Q:
    """Persons under a legal hold, under whatever rows the brand knows them; for a filter on ``subject``."""
    strong = SubjectIdentifier.objects.filter(
        controller_id=controller_id, kind__in=("email", "external_id"), subject__legal_hold=True
    )
    twins = SubjectIdentifier.objects.filter(
        controller_id=controller_id, kind__in=("email", "external_id"), blind__in=strong.values("blind")
    )
    return Q(subject__legal_hold=True) | Q(subject__in=twins.values("subject"))


def _collected_over(moment: Moment) -> Rows:
    """Cases whose time is over, counted from the last closing: their own, or that of a complaint about them."""
    closed = Case.objects.filter(
        controller_id=moment.controller_id, state=State.CLOSED, collected_key__destroyed_at=None
    )
    complained = Case.objects.filter(linked_to=OuterRef("pk")).order_by().values("linked_to")
    latest = Subquery(complained.annotate(latest=Max("closed_at")).values("latest"))
    return closed.annotate(over_since=Greatest("closed_at", latest)).filter(over_since__lte=moment.limit)


def _collected_free(rows: Rows, moment: Moment) -> Rows:
    return rows.exclude(held_persons(moment.controller_id)).exclude(_at_work("pk", "subject_request_id"))


def _at_work(case: str, request: str) -> Q:
    """What shows that a closed case is not at its end: for a filter on cases, or on what leads to them."""
    mine = {"case": OuterRef(case)}
    asked = {"verification__subject_request": OuterRef(request)}
    return (
        Q(Exists(Case.objects.filter(linked_to=OuterRef(case)).exclude(state=State.CLOSED)))
        | Q(Exists(ChangePlan.objects.filter(**mine).exclude(stage__in=[PlanStage.DONE, PlanStage.VOID])))
        | Q(Exists(Leftover.objects.filter(part__plan__case=OuterRef(case), settled=Settled.OPEN)))
        | Q(Exists(ResponsePack.objects.filter(**mine, state=PackState.BUILDING)))
        | Q(Exists(Letter.objects.filter(**mine, state=LetterState.QUEUED)))
        | Q(Exists(IdentityDocument.objects.filter(**asked, stage__in=OPEN_STAGES, destroyed_at=None)))
        | Q(Exists(ExternalCheck.objects.filter(**asked, stage__in=LIVING)))
    )


def _requests_over(moment: Moment) -> Rows:
    """Requests of which every case was closed so long ago."""
    mine = Case.objects.filter(subject_request=OuterRef("pk"))
    young = mine.filter(~Q(state=State.CLOSED) | Q(closed_at__gt=moment.limit))
    of_brand = SubjectRequest.objects.filter(controller_id=moment.controller_id, is_drill=False)
    last = Subquery(mine.order_by("-closed_at").values("closed_at")[:1])
    return of_brand.filter(Exists(mine)).exclude(Exists(young)).annotate(over_since=last)


def _requests_free(rows: Rows, moment: Moment) -> Rows:
    """Nothing of it is held, no complaint from outside is kept still (that goes first), no restriction is in force."""
    about = Case.objects.filter(linked_to__subject_request=OuterRef("pk")).exclude(
        subject_request=OuterRef("pk")
    )
    busy = Case.objects.filter(subject_request=OuterRef("pk")).filter(_at_work("pk", "subject_request_id"))
    kept = Restriction.objects.filter(
        case__subject_request=OuterRef("pk"), begun_at__isnull=False, lifted_at=None
    )
    free = rows.exclude(held_persons(moment.controller_id)).exclude(Exists(about))
    return free.exclude(Exists(busy)).exclude(Exists(kept))


def _drills_over(moment: Moment) -> Rows:
    return SubjectRequest.objects.filter(
        controller_id=moment.controller_id, is_drill=True, logged_at__lte=moment.limit
    )


def _answers_over(moment: Moment) -> Rows:
    """Answers with files that nobody can fetch any more: every delivery is over, and the case is closed.

    A certificate is no answer: it holds nothing of the person, and stays with the case's file.
    """
    mine = Delivery.objects.filter(pack=OuterRef("pk"))
    live = mine.filter(Q(revoked_at=None, available_until__gt=moment.limit) | Q(revoked_at__gt=moment.limit))
    packs = ResponsePack.objects.filter(
        controller_id=moment.controller_id,
        case__right__in=DISCLOSING,
        case__state=State.CLOSED,
        case__closed_at__lte=moment.limit,
    ).exclude(state=PackState.BUILDING)
    answers = PackFile.objects.filter(pack=OuterRef("pk"), file__key__purpose=KeyPurpose.COLLECTED)
    ended = packs.filter(Exists(answers)).exclude(Exists(live))
    return ended.annotate(over_since=F("case__closed_at"))


def _answers_free(rows: Rows, moment: Moment) -> Rows:
    persons = Case.objects.filter(held_persons(moment.controller_id), pk=OuterRef("case_id"))
    return rows.exclude(Exists(persons))


def _persons_over(moment: Moment) -> Rows:
    known = DataSubject.objects.filter(controller_id=moment.controller_id, created_at__lte=moment.limit)
    for model in (SubjectRequest, Case, Verification, Restriction):
        known = known.exclude(Exists(model._base_manager.filter(subject=OuterRef("pk"))))
    return known


def _persons_free(rows: Rows, moment: Moment) -> Rows:
    return rows.exclude(legal_hold=True)


def _representatives_over(moment: Moment) -> Rows:
    known = Representative.objects.filter(controller_id=moment.controller_id, created_at__lte=moment.limit)
    return known.exclude(Exists(SubjectRequest.objects.filter(representative=OuterRef("pk")))).exclude(
        Exists(Authority.objects.filter(representative=OuterRef("pk")))
    )


# -- what goes by its age alone ------------------------------------------------------------------------


def _aged(model: Any, since: str, **conditions: Any) -> Query:
    def over(moment: Moment) -> Rows:
        return model.objects.filter(  # type: ignore[no-any-return]
            controller_id=moment.controller_id, **{f"{since}__lte": moment.limit}, **conditions
        )

    return Query(since, over)


def _texts_over(moment: Moment) -> Rows:
    spoken = ~Q(number_hash=b"")
    return TextMessage.objects.filter(
        spoken, controller_id=moment.controller_id, asked_at__lte=moment.limit, ended_at__isnull=False
    )


def _stops_over(moment: Moment) -> Rows:
    """Those of the brand, and those of the whole installation, which are nobody's."""
    whose = Q(controller_id=moment.controller_id) | Q(controller=None)
    return CollectionStop.objects.filter(whose, lifted_at__lte=moment.limit)


def _erased_over(moment: Moment) -> Rows:
    """Records whose source has overwritten every backup that could bring them back."""
    known = ExpressionWrapper(
        F("erased_at") + F("source__backup_days") * Value(timedelta(days=1)), output_field=DateTimeField()
    )
    places = ErasedPlace.objects.filter(controller_id=moment.controller_id).annotate(backed_up_until=known)
    return places.filter(
        Q(backed_up_until__lte=moment.now) | Q(backed_up_until=None, erased_at__lte=moment.limit)
    )


QUERIES: Mapping[str, Query] = {
    rules.COLLECTED.code: Query("over_since", _collected_over, _collected_free),
    rules.ANSWER.code: Query("over_since", _answers_over, _answers_free),
    rules.CASE_FILE.code: Query("over_since", _requests_over, _requests_free),
    rules.DRILL.code: Query("logged_at", _drills_over),
    rules.PERSON.code: Query("created_at", _persons_over, _persons_free),
    rules.REPRESENTATIVE.code: Query("created_at", _representatives_over),
    rules.CONTACT.code: _aged(ContactNote, "noted_at"),
    rules.DOCUMENT.code: _aged(IdentityDocument, "keep_until", destroyed_at=None),
    rules.AUTHORITY.code: _aged(Authority, "keep_until", destroyed_at=None),
    rules.ORIGIN.code: _aged(RequestOrigin, "at"),
    rules.QUESTIONS.code: _aged(AskedQuestion, "asked_at"),
    rules.CODE.code: _aged(OneTimeCode, "expires_at", used_at=None),
    rules.TOKEN.code: _aged(AccessToken, "expires_at"),
    rules.TEXT.code: Query("asked_at", _texts_over),
    rules.FOREIGN.code: _aged(ExternalEvent, "received_at", check_of=None),
    rules.EMERGENCY.code: _aged(Emergency, "ends_at"),
    rules.STOP.code: Query("lifted_at", _stops_over),
    rules.ERASED.code: Query("erased_at", _erased_over),
    rules.CHECK.code: _aged(SourceCheck, "asked_at"),
    rules.JOB.code: _aged(Job, "ended_at"),
}


@dataclass(frozen=True)
class Tally:
    """How much is due by a rule, and since when the oldest could have gone; ``held`` is what something holds back."""

    due: int
    oldest: datetime | None
    held: int


def tally(rule: Rule, periods: Periods, controller_id: UUID, now: datetime) -> Tally:
    """Count what is due; nobody's content is read."""
    query, moment = QUERIES[rule.code], moment_of(rule, periods, controller_id, now)
    due = query.due(moment).values_list("pk", query.since)
    counted = _counted(due, query.since)
    over = query.over(moment).values("pk").count()
    return Tally(counted[0], counted[1], over - counted[0])


def _counted(rows: Rows, since: str) -> tuple[int, datetime | None]:
    found = rows.aggregate(oldest=Min(since))
    return rows.count(), found["oldest"]


# -- what is nobody's -------------------------------------------------------------------------------------

FORMER = "@former.invalid"
_OF_SITE: Mapping[str, tuple[type[Model], str]] = {
    rules.ATTEMPT.code: (Attempt, "at"),
    rules.SESSION.code: (Session, "expire_date"),
    rules.INVITATION.code: (Invitation, "expires_at"),
    rules.STAFF_ACCESS.code: (User, "left_at"),
    rules.STAFF.code: (User, "left_at"),
}


def site_rows(rule: Rule, limit: datetime) -> Rows:
    """What is due by a rule that is the same for everybody."""
    model, since = _OF_SITE[rule.code]
    rows = model._base_manager.filter(**{f"{since}__lte": limit})
    if rule is rules.STAFF_ACCESS:
        return rows.filter(_has_any_of(rule))
    return rows.exclude(email__endswith=FORMER) if rule is rules.STAFF else rows


def _has_any_of(rule: Rule) -> Q:
    found = Q()
    for label, path in rule.rows.items():
        found |= Q(Exists(apps.get_model(label)._base_manager.filter(**{path: OuterRef("pk")})))
    return found


def of_site(rule: Rule, limit: datetime) -> Tally:
    """Count what is due by such a rule."""
    if rule is rules.MAILBOX:
        mails = old_mails(limit)
        oldest = min((path.stat().st_mtime for path in mails), default=None)
        return Tally(len(mails), datetime.fromtimestamp(oldest, UTC) if oldest else None, 0)
    return Tally(*_counted(site_rows(rule, limit), _OF_SITE[rule.code][1]), 0)


def old_mails(limit: datetime) -> list[Path]:
    """Messages in the demonstration's outbox that were written so long ago."""
    folder = outbox.folder()
    found = [*folder.glob("*.eml"), *folder.glob("*.sms")] if folder.is_dir() else []
    return [path for path in found if path.stat().st_mtime <= limit.timestamp()]
