"""Those to whom data had gone are told what became of it, each of them, and answer (Article 19)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cases.collection.identifiers import AT_SOURCES
from cases.correspondence.compose import Kind
from cases.fulfilment.recipient_call import Call, Said
from cases.models import (
    AnswerCode,
    Case,
    FindsBy,
    Letter,
    NoticeState,
    Recipient,
    RecipientNotice,
    RecipientRoute,
    Told,
)
from cases.permissions import BY_SYSTEM, By
from cases.words import Right, State
from cases.workflow import letters
from cases.workflow.perform import act, lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from dsar.lib.prepared import Prepared
from identity.roles import Permission

CALL = "tell_recipient"
# What an erasure, a correction or a restriction is called to those who are told of it.
TOLD_OF: Mapping[str, Told] = {
    Right.ERASURE: Told.ERASED,
    Right.RECTIFICATION: Told.CORRECTED,
    Right.RESTRICTION: Told.RESTRICTED,
}
# What still has to leave the house, or to be said that it cannot.
UNTOLD = (NoticeState.WAITING, NoticeState.FAILED)
EXCUSES = (NoticeState.IMPOSSIBLE, NoticeState.DISPROPORTIONATE)
REMINDERS = 2
# By source and field, the values that are right now.
Corrected = Mapping[str, Mapping[str, str]]


def fed_by(case: Case, sources: Collection[str]) -> list[Recipient]:
    """The recipients that get data from one of these sources, by name."""
    living = Recipient.objects.filter(controller_id=case.controller_id, is_active=True)
    chosen = Q(fed_by__overlap=list(sources)) | Q(fed_by=[]) if sources else Q(fed_by=[])
    return list(living.filter(chosen))


def tell(
    case: Case,
    occasion: UUID,
    told: Told,
    sources: Collection[str],
    by: By,
    now: datetime,
    *,
    corrected: Corrected | None = None,
) -> list[RecipientNotice]:
    """Tell every recipient that the sources feed, once for each occasion.

    Of what is ``corrected`` each is told what the sources hold that feed it: the rest it never had. A drill tells
    nobody. Calling it again tells only those who were not told yet.
    """
    if case.is_drill:
        return []
    before = set(case.recipient_notices.filter(occasion=occasion).values_list("recipient_id", flat=True))
    return [
        _told_one(case, recipient, occasion, told, _reaching(recipient, corrected or {}), by, now)
        for recipient in fed_by(case, sources)
        if recipient.pk not in before
    ]


def _reaching(recipient: Recipient, corrected: Corrected) -> dict[str, str]:
    """What of it this recipient got from a source that feeds it."""
    fed = {
        slug: values for slug, values in corrected.items() if not recipient.fed_by or slug in recipient.fed_by
    }
    return {field: value for values in fed.values() for field, value in values.items()}


def _told_one(
    case: Case,
    recipient: Recipient,
    occasion: UUID,
    told: Told,
    corrected: Mapping[str, str],
    by: By,
    now: datetime,
) -> RecipientNotice:
    notice = RecipientNotice(
        controller_id=case.controller_id,
        case=case,
        recipient=recipient,
        occasion=occasion,
        told=told,
        route=recipient.route,
        made_at=now,
    )
    person = _person(case, recipient)
    if not person:
        notice.state, notice.error_code = NoticeState.FAILED, "not_findable"
    else:
        notice.content = _content(notice, person, corrected, now)
    notice.save()
    if person:
        _send(notice, by, now)
    return notice


def _person(case: Case, recipient: Recipient) -> dict[str, str]:
    """What the recipient finds the person by, as far as it is known here; nothing else."""
    subject = case.subject
    noted = {
        FindsBy.EMAIL: subject.email,
        FindsBy.PHONE: subject.phone,
        FindsBy.EXTERNAL_ID: subject.external_id,
        FindsBy.NAME: subject.name,
    }
    wanted = recipient.finds_by or [FindsBy.EMAIL]
    known = {kind: value for kind, value in noted.items() if value.strip()}
    if any(kind not in known for kind in wanted):
        known = _revealed(case) | known
    return {kind.value: value for kind, value in known.items() if kind in wanted}


def _revealed(case: Case) -> dict[FindsBy, str]:
    """What a source revealed of the person and nobody struck out; of two values neither says whose it is."""
    values: dict[str, set[str]] = {}
    for one in case.found_identifiers.filter(struck_at=None).select_related("case"):
        values.setdefault(one.kind, set()).add(one.content["value"])
    return {
        FindsBy(kind): min(values[at_source])
        for kind, at_source in AT_SOURCES.items()
        if len(values.get(at_source, ())) == 1
    }


def _content(
    notice: RecipientNotice, person: Mapping[str, str], corrected: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    controller = notice.case.controller
    return {
        "id": str(notice.pk),
        "event": notice.told,
        "reference": notice.case.reference,
        "controller": controller.legal_name,
        "on": now.astimezone(controller.zone).date().isoformat(),
        "person": dict(person),
        "corrected": dict(corrected),
        "answer_to": controller.privacy_email,
    }


def _send(notice: RecipientNotice, by: By, now: datetime) -> None:
    """Set the notice off by its route: a letter, or a job that calls."""
    if notice.route == RecipientRoute.API:
        enqueue(
            CALL,
            controller_id=notice.controller_id,
            case_id=notice.case_id,
            key=f"notice:{notice.pk}:{notice.reminders}",
            args={"notice": str(notice.pk)},
            now=now,
            max_attempts=8,
        )
        return
    notice.letter = _letter(notice, by, now)
    notice.save(update_fields=["letter"])


def _letter(notice: RecipientNotice, by: By, now: datetime) -> Letter:
    recipient, content = notice.recipient, notice.content or {}
    by_post = notice.route == RecipientRoute.POST
    return letters.to_outsider(
        Kind.RECIPIENT,
        notice.case,
        f"{recipient.name}\n{recipient.postal_address}" if by_post else recipient.email,
        recipient.language or notice.case.controller.language,
        by,
        now,
        by_post=by_post,
        told=notice.told,
        on=date.fromisoformat(content["on"]),
        person=[(FindsBy(kind).label, value) for kind, value in content["person"].items()],
        corrected=[(field.replace("_", " "), value) for field, value in content["corrected"].items()],
        is_reminder=notice.reminders > 0,
        recipient=recipient,
    )


# -- what comes of it --------------------------------------------------------------------------------


def letter_sent(letter: Letter, now: datetime) -> None:
    """A recipient's letter is out; the case may be waiting for that."""
    for notice in _of_letter(letter):
        if notice.state in UNTOLD:
            _mark_sent(notice, now)


def letter_failed(letter: Letter, code: str, now: datetime) -> None:
    """A recipient's letter did not go, or came back."""
    for notice in _of_letter(letter):
        if notice.state in {NoticeState.WAITING, NoticeState.SENT}:
            _mark_failed(notice, code, now)


def _of_letter(letter: Letter) -> list[RecipientNotice]:
    if letter.kind != Kind.RECIPIENT:
        return []
    return list(
        RecipientNotice.objects.select_for_update(of=("self",)).select_related("case").filter(letter=letter)
    )


def _mark_sent(notice: RecipientNotice, now: datetime) -> None:
    notice.state, notice.sent_at, notice.error_code = NoticeState.SENT, now, ""
    notice.save(update_fields=["state", "sent_at", "error_code", "status"])
    _on_record(Action.RECIPIENT_TOLD, notice, BY_SYSTEM, now)


def _mark_failed(notice: RecipientNotice, code: str, now: datetime) -> None:
    notice.state, notice.error_code = NoticeState.FAILED, code[:60]
    notice.save(update_fields=["state", "error_code"])
    _on_record(Action.RECIPIENT_NOT_TOLD, notice, BY_SYSTEM, now)


def _on_record(action: Action, notice: RecipientNotice, by: By, now: datetime, **codes: str) -> None:
    told = {"notice": str(notice.pk), "recipient": str(notice.recipient_id), "route": notice.route}
    put_on_record(notice.case, action, by, now, {**told, **codes})


# -- by an HTTP call ---------------------------------------------------------------------------------


def calling(notice_id: UUID) -> Call | None:
    """What is to be posted; None where the notice is settled, or went out already and nobody is reminded."""
    notice = _held(notice_id)
    is_reminder = notice.state == NoticeState.SENT and notice.reminders > 0
    if notice.content is None or not (notice.state in UNTOLD or is_reminder):
        return None
    recipient = notice.recipient
    return Call(
        url=recipient.url,
        key=f"{notice.pk}:{notice.reminders}",
        content={**notice.content, "reminder": notice.reminders},
        token=recipient.secrets.get("token", ""),
        signing_key=recipient.secrets.get("signing_key", ""),
        is_private=recipient.is_private,
    )


def called(notice_id: UUID, said: Said, now: datetime) -> Case:
    """The recipient took the notice; where it says what it did, that is its answer."""
    notice = _held(notice_id)
    notice.status = said.status
    if notice.state in UNTOLD:
        _mark_sent(notice, now)
    if said.outcome in AnswerCode.values and notice.state == NoticeState.SENT:
        _answered(notice, AnswerCode(said.outcome), "", BY_SYSTEM, now)
    return _settled(notice.case, now)


def call_failed(notice_id: UUID, code: str, now: datetime) -> None:
    """It did not take it, and will not: somebody has to find another way. A failed reminder undoes nothing."""
    notice = _held(notice_id)
    if notice.state == NoticeState.WAITING:
        _mark_failed(notice, code, now)


def _held(notice_id: UUID) -> RecipientNotice:
    case_id = RecipientNotice.objects.values_list("case_id", flat=True).get(pk=notice_id)
    case = lock(case_id)
    notice: RecipientNotice = (
        RecipientNotice.objects.select_for_update(of=("self",)).select_related("recipient").get(pk=notice_id)
    )
    notice.case = case
    return notice


# -- by the handler ----------------------------------------------------------------------------------


def record_answer(notice: RecipientNotice, code: AnswerCode, words: str, by: By, now: datetime) -> Case:
    """What the recipient answered, by whatever way it came. Raises NotAllowed and Refused."""
    with transaction.atomic():
        case = act(notice.case, Permission.WORK, by, now, name="record_recipient_answer")
        held = _held(notice.pk)
        if held.state not in {NoticeState.SENT, NoticeState.ANSWERED}:
            raise Refused(_("This recipient was not told yet."), "not_told")
        held.case = case
        _answered(held, code, words, by, now)
        return _settled(case, now)


def _answered(notice: RecipientNotice, code: AnswerCode, words: str, by: By, now: datetime) -> None:
    notice.state, notice.answer_code, notice.answered_at = NoticeState.ANSWERED, code, now
    notice.words, notice.settled_by_id, notice.content = words.strip(), by.person_id, None
    notice.save()
    _on_record(Action.RECIPIENT_ANSWERED, notice, by, now, answer=code.value)


def excuse(notice: RecipientNotice, why: NoticeState, reason: str, by: By, now: datetime) -> Case:
    """Telling is impossible, or takes disproportionate effort: the law frees from it, with a reason (Article 19).

    Raises NotAllowed, and Refused without a reason or for one who was told.
    """
    if why not in EXCUSES or not reason.strip():
        raise Refused(_("Say why this recipient cannot be told."), "reason_missing")
    with transaction.atomic():
        case = act(notice.case, Permission.WORK, by, now, name="excuse_recipient")
        held = _held(notice.pk)
        if held.state not in UNTOLD:
            raise Refused(_("This recipient is told already."), "told_already")
        held.case, held.state, held.words = case, why, reason.strip()
        held.settled_by_id, held.answered_at, held.content = by.person_id, now, None
        held.save()
        _on_record(Action.RECIPIENT_EXCUSED, held, by, now, why=why.value)
        return _settled(case, now)


def try_again(notice: RecipientNotice, by: By, now: datetime) -> Case:
    """Send a notice once more that did not go, by the recipient's route and address of now."""
    with transaction.atomic():
        case = act(notice.case, Permission.WORK, by, now, name="tell_recipient_again")
        held = _held(notice.pk)
        if held.state != NoticeState.FAILED:
            raise Refused(_("This notice did not fail."), "not_failed")
        held.case, held.route = case, held.recipient.route
        person = _person(case, held.recipient)
        if not person:
            raise Refused(
                _("Nothing is known of the person by which this recipient could find them."), "not_findable"
            )
        kept = held.content or {}
        held.content = _content(held, person, kept.get("corrected", {}), now)
        held.state, held.error_code, held.letter = NoticeState.WAITING, "", None
        held.save()
        _send(held, by, now)
        return case


def _settled(case: Case, now: datetime) -> Case:
    """A case that only waited for its recipients can close."""
    from cases.workflow import carry_out  # carrying out asks here whether anybody is still to be told

    return carry_out.settle(case, now) if case.state == State.FULFILLING else case


def are_told(case: Case) -> bool:
    """Whether every recipient of the case was told, or it was said why not."""
    return not _UNTOLD.exists(case.pk)


_UNTOLD = Prepared(
    lambda case_id: (
        RecipientNotice.objects.filter(case_id=case_id, state__in=UNTOLD)
        .order_by()
        .values_list("pk", flat=True)[:1]
    ),
    UUID,
)


# -- reminders ---------------------------------------------------------------------------------------


def chase(controller_id: UUID, now: datetime) -> int:
    """Remind recipients that have not answered; twice, then it is for a human. Returns how many."""
    silent = (
        RecipientNotice.objects.filter(
            controller_id=controller_id,
            state=NoticeState.SENT,
            recipient__expects_answer=True,
            reminders__lt=REMINDERS,
        )
        .annotate(last=Coalesce("reminded_at", "sent_at"))
        .select_related("recipient")
    )
    due = [one.pk for one in silent if now - one.last >= timedelta(days=one.recipient.remind_days)]
    for notice_id in due:
        _remind(_held(notice_id), now)
    return len(due)


def _remind(notice: RecipientNotice, now: datetime) -> None:
    if notice.state != NoticeState.SENT or notice.content is None:
        return
    notice.reminders, notice.reminded_at = notice.reminders + 1, now
    notice.save(update_fields=["reminders", "reminded_at"])
    _send(notice, BY_SYSTEM, now)
    _on_record(Action.RECIPIENT_REMINDED, notice, BY_SYSTEM, now)


def is_silent(notice: RecipientNotice, now: datetime) -> bool:
    """Whether it was reminded as often as it is, and its time is over once more."""
    last = notice.reminded_at or notice.sent_at
    return (
        notice.state == NoticeState.SENT
        and notice.recipient.expects_answer
        and notice.reminders >= REMINDERS
        and last is not None
        and now - last >= timedelta(days=notice.recipient.remind_days)
    )


# -- who they are ------------------------------------------------------------------------------------


def can_be_asked(case: Case) -> bool:
    """Only where something is changed is there anything to tell others of (Article 19)."""
    return case.right in TOLD_OF


def ask_names(case: Case, by: By, now: datetime) -> Case:
    """The person wants to know who received their data: the letter names them, and so does the portal.

    Raises NotAllowed for a stranger.
    """
    with transaction.atomic():
        is_theirs = by.actor.kind == "customer" and by.actor.id == case.subject_request_id
        locked = act(case, None if is_theirs else Permission.LOG_REQUEST, by, now, name="ask_recipients")
        if not can_be_asked(locked):
            raise Refused(_("There are no recipients to be told for this right."), "no_recipients")
        if not locked.names_recipients:
            locked.names_recipients = True
            touch(locked, "names_recipients")
            put_on_record(locked, Action.RECIPIENTS_ASKED, by, now)
        return locked


def names(case: Case) -> list[str]:
    """Who was told, or could not be, by name; the same recipient once."""
    told = case.recipient_notices.order_by("recipient__name").values_list("recipient__name", flat=True)
    return list(dict.fromkeys(told))


def sentence(notices: Iterable[RecipientNotice]) -> str:
    """Whom we told, for the letter, in the language in force; empty where there is nobody."""
    named = ", ".join(dict.fromkeys(one.recipient.name for one in notices))
    if not named:
        return ""
    return _("Your data had been given to these, and we told them what became of it: %(names)s.") % {
        "names": named
    }
