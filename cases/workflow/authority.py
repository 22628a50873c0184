"""By what right somebody asks for another person: asking for it, receiving, judging and revoking it.

Each round is a row of its own. What a law accepts is data (cases/law/representation.toml); whether what came is
that, a person says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import authority, queries
from cases.authority import address_on_file
from cases.correspondence.compose import Kind
from cases.deadlines.arithmetic import add_months
from cases.deadlines.events import EventKind
from cases.errors import not_yours
from cases.law import loader as law
from cases.models import Authority, AuthorityPicture, AuthorityState, Case, SubjectRequest
from cases.models.authority import WAITING
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerTo, Party
from cases.workflow import authority_words as words
from cases.workflow import identity, letters, level
from cases.workflow.clock import add_fact, note_fact
from cases.workflow.perform import act, lock, lock_all, note, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib import cards
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose
from identity import assurance, services
from identity.evidence import keeping
from identity.evidence.intake import MEDIA_TYPE, Picture
from identity.models import Level, Method
from identity.models.policy import rules_of
from identity.roles import Permission

MOST_PICTURES = 40
# Whoever is refused so often is helped by a person.
MOST_ROUNDS = 12


@dataclass(frozen=True)
class Judged:
    """What was seen when an authority was accepted; ``level`` and ``evidence`` say how the representative is known."""

    mandate: str
    rights: tuple[str, ...]
    matters: str
    remark: str
    answer_to: str = ""
    answer_reason: str = ""
    reference: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    register: str = ""
    register_checked_on: date | None = None
    address_compared: bool = False
    level: Level = Level.NONE
    evidence: str = ""


@dataclass(frozen=True)
class Shown:
    """What came: clean pictures of it, or words where nothing is kept, and when."""

    at: datetime
    pictures: Sequence[Picture] = field(default=())
    words: str = ""


# -- asking ------------------------------------------------------------------------------------------


def begin(
    request: SubjectRequest, cases: Iterable[Case], pictures: Sequence[Picture], by: By, now: datetime
) -> None:
    """Of a new request: ask for authority at once, or keep what came along with it. The letter is the receipt's."""
    waiting = [case for case in cases if authority.is_needed(case)]
    if not waiting or all(authority.outside(case) for case in waiting):
        return
    made = _new(request, by, now)
    if pictures:
        _keep(made, Shown(request.received_at, pictures), now)
        _on_record(made, Action.AUTHORITY_RECEIVED, by, now, {"pictures": len(pictures)})
        return
    for case in waiting:
        note_fact(case, EventKind.AUTHORITY_REQUESTED, now, by, now)
    _on_record(made, Action.AUTHORITY_ASKED, by, now, {})


def begin_anew(request: SubjectRequest, by: By, now: datetime) -> None:
    """The person was corrected: what was shown for the one before counts for this one no more."""
    if request.representative_id is None:
        return
    for one in request.authorities.exclude(state__in=[AuthorityState.REFUSED, AuthorityState.REVOKED]):
        _end(one, AuthorityState.REVOKED, words.PERSON_CORRECTED, by, now)
    _ask(request, by, now)
    _refresh(request, now)


def ask(case: Case, text: str, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Ask a representative to show that they may ask; the clock of every open case of the request waits for it.

    So ICO reads UK Art 12A(2)(b); where a law does not know it, the fact moves nothing. Raises NotAllowed, Conflict
    or Refused.
    """
    if not text.strip():
        raise Refused(_("Write the question."), "question_missing")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        case = act(case, Permission.WORK, by, now, version=version, name="ask_authority")
        request = _represented(case)
        _ask(request, by, now)
        _refresh(request, now)
        letters.to_requester(Kind.AUTHORITY, request, by, now, case=lock(case.pk), text=text.strip())
        return case


def _represented(case: Case) -> SubjectRequest:
    request = case.subject_request
    if request.representative_id is None:
        raise Refused(_("The customer asks for themselves."), "no_representative")
    if authority.outside(case) is not None:
        raise Refused(_("The law gives this representative no right: there is nothing to show."), "outside")
    return request


def _ask(request: SubjectRequest, by: By, now: datetime) -> Authority:
    """The round that waits, or a new one; asking is a fact of every open case that needs it."""
    made = _waiting(request) or _new(request, by, now)
    made.asked_at, made.asked_by_id, made.state = now, by.person_id, AuthorityState.ASKED
    made.save(update_fields=["asked_at", "asked_by", "state"])
    for case in _open_cases(request):
        touch(case)
        if not queries.unanswered(case, EventKind.AUTHORITY_REQUESTED):  # asked once more is not asked anew
            add_fact(case, EventKind.AUTHORITY_REQUESTED, now, by, now)
    _on_record(made, Action.AUTHORITY_ASKED, by, now, {})
    return made


def _new(request: SubjectRequest, by: By, now: datetime) -> Authority:
    representative = request.representative
    assert representative is not None
    version = request.authorities.count() + 1
    if version > MOST_ROUNDS:
        raise Refused(
            _("Authority was shown very often already: speak with the representative."), "too_many_rounds"
        )
    return Authority.objects.create(
        controller_id=request.controller_id,
        subject_request=request,
        representative=representative,
        version=version,
        kind=representative.kind,
        asked_at=now,
        asked_by_id=by.person_id,
    )


def _waiting(request: SubjectRequest) -> Authority | None:
    found: Authority | None = request.authorities.filter(state__in=WAITING).select_for_update().first()
    return found


def _open_cases(request: SubjectRequest) -> list[Case]:
    return [one for one in lock_all(request.pk) if one.is_open and authority.is_needed(one)]


# -- receiving ---------------------------------------------------------------------------------------


def is_wanted(request: SubjectRequest) -> bool:
    """Whether the representative is shown the way to send it: it is needed, and nothing of it waits for a look."""
    needing = [one for one in request.cases.all() if one.takes_proof and authority.is_needed(one)]
    return any(one.authority not in {authority.VALID, authority.OUTSIDE} for one in needing)


def hand_in(request: SubjectRequest, pictures: Sequence[Picture], by: By, now: datetime) -> Authority:
    """The representative sent it in the portal; whether it suffices is for a person to say.

    Receiving it is a clock event. Raises NotAllowed or Refused.
    """
    if by.actor.kind != "customer" or by.actor.id != request.pk:
        raise not_yours("send_authority")
    with transaction.atomic():
        lock_all(request.pk)
        if request.representative_id is None or not is_wanted(request):
            raise Refused(_("We do not need an authority from you at the moment."), "no_authority_needed")
        return _receive(request, Shown(now, pictures), by, now)


def record(case: Case, shown: Shown, by: By, now: datetime) -> Authority:
    """It came by post, by e-mail or at the counter; the clock goes by when it came in. Raises NotAllowed or Refused."""
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("record_authority")
    if not shown.pictures and not shown.words.strip():
        raise Refused(_("Add a copy of it, or say in words what came."), "nothing_shown")
    if shown.at > now:
        raise Refused(_("A fact cannot lie in the future."), "fact_in_the_future")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        return _receive(_represented(case), shown, by, now)


def _receive(request: SubjectRequest, shown: Shown, by: By, now: datetime) -> Authority:
    held = _waiting(request) or _new(request, by, now)
    if held.pictures.count() + len(shown.pictures) > MOST_PICTURES:
        raise Refused(_("These are too many pages. Please write to us."), "too_many_pictures")
    _keep(held, shown, now)
    for case in _open_cases(request):
        touch(case)
        for question in queries.unanswered(case, EventKind.AUTHORITY_REQUESTED):
            add_fact(case, EventKind.AUTHORITY_RECEIVED, max(shown.at, question.at), by, now)
    _on_record(held, Action.AUTHORITY_RECEIVED, by, now, {"pictures": len(shown.pictures)})
    _refresh(request, now)
    return held


def _keep(held: Authority, shown: Shown, now: datetime) -> None:
    """Pictures lie under a key of the authority's own, so that they go as soon as somebody has judged it."""
    held.state = AuthorityState.RECEIVED
    held.received_at = held.received_at or shown.at
    if shown.words.strip():
        held.shown = cards.mask_cards(shown.words.strip())[0]
    if shown.pictures and held.key_id is None:
        held.key = keyring.new_key(KeyPurpose.EVIDENCE, held.controller_id, now)
        held.keep_until = now + keeping.LONGEST
    held.save()
    for picture in shown.pictures:
        _keep_picture(held, picture, now)


def _keep_picture(held: Authority, picture: Picture, now: datetime) -> None:
    assert held.key_id is not None
    number = held.pictures.count() + 1
    stored = files.store(
        [picture.jpeg],
        key_id=held.key_id,
        controller_id=held.controller_id,
        name=f"{number}.jpg",
        media_type=MEDIA_TYPE,
        now=now,
    )
    AuthorityPicture.objects.create(
        controller_id=held.controller_id, authority=held, file=stored, added_at=now
    )


# -- looking -----------------------------------------------------------------------------------------


def to_review(case: Case, authority_id: UUID, by: By) -> Authority:
    """An authority of the case's own request, for who may judge it. Raises NotAllowed; DoesNotExist for any other."""
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("judge_authority")
    found: Authority = Authority.objects.select_related("subject_request__representative", "decided_by").get(
        pk=authority_id, subject_request_id=case.subject_request_id
    )
    return found


def view_picture(case: Case, authority_id: UUID, picture_id: UUID, turn: int, by: By, now: datetime) -> bytes:
    """One page for the screen, put on the record each time. Raises as ``to_review`` does."""
    held = to_review(case, authority_id, by)
    picture = held.pictures.select_related("file").get(pk=picture_id)
    shown = keeping.rendition_of(picture.file, turn)
    _on_record(held, Action.AUTHORITY_VIEWED, by, now, {"picture": str(picture.pk)})
    return shown


# -- judging -----------------------------------------------------------------------------------------


def accept(case: Case, authority_id: UUID, judged: Judged, by: By, now: datetime) -> Authority:
    """It shows that they may ask: for these rights, until then. Cases that waited for it go on.

    Raises NotAllowed, or Refused with what is missing.
    """
    with transaction.atomic():
        lock_all(case.subject_request_id)
        held = _to_be_judged(case, authority_id, by)
        mandate = _mandate(case, judged)
        _check(case, held, mandate, judged, now)
        _replace_held(held, by, now)
        _fill(held, mandate, judged, now)
        _decide(held, AuthorityState.ACCEPTED, "", by, now)
        codes = {"mandate": held.mandate, "rights": sorted(held.rights), "answer_to": held.answer_to}
        _on_record(held, Action.AUTHORITY_ACCEPTED, by, now, codes)
        _refresh(held.subject_request, now)
        _known_by(held, judged, by, now)
        for each in lock_all(held.subject_request_id):
            identity.go_on(each, now)
        return held


def _to_be_judged(case: Case, authority_id: UUID, by: By) -> Authority:
    held = to_review(case, authority_id, by)
    locked: Authority = Authority.objects.select_for_update(of=("self",)).get(pk=held.pk)
    locked.subject_request = held.subject_request
    if locked.state != AuthorityState.RECEIVED:
        raise Refused(_("This authority does not wait to be judged."), "not_received")
    return locked


def _mandate(case: Case, judged: Judged) -> law.Mandate:
    representative = _represented(case).representative
    assert representative is not None
    try:
        return law.mandate(judged.mandate, representative.kind, case.regime)
    except law.UnknownLaw:
        raise Refused(_("Choose what was shown, from the list of this law."), "unknown_mandate") from None


def _check(case: Case, held: Authority, mandate: law.Mandate, judged: Judged, now: datetime) -> None:
    """What this law and this kind of proof ask for, beside a person's judgement."""
    today = now.astimezone(case.controller.zone).date()
    if not judged.remark.strip() or not judged.matters.strip():
        raise Refused(_("Say what it covers, and how it was checked."), "judgement_incomplete")
    if not set(judged.rights) or not set(judged.rights) <= _rights(held):
        raise Refused(_("Choose the rights that it covers, of those that were asked for."), "rights_missing")
    if judged.valid_until is not None and judged.valid_until < (judged.valid_from or today):
        raise Refused(_("It ends before it begins."), "dates_reversed")
    if judged.valid_until is not None and judged.valid_until < today:
        raise Refused(_("It has expired: refuse it with this reason."), "expired")
    _check_age(mandate, judged, today)
    if mandate.register and not (judged.register.strip() and judged.register_checked_on):
        sentence = _("It has to stand in a register (%(register)s): say where and when it was looked up.")
        raise Refused(sentence % {"register": mandate.register}, "register_missing")
    if judged.register_checked_on is not None and judged.register_checked_on > today:
        raise Refused(_("A fact cannot lie in the future."), "fact_in_the_future")
    _check_recipient(held.subject_request, mandate, judged)


def _rights(held: Authority) -> set[str]:
    return set(held.subject_request.cases.values_list("right", flat=True))


def _check_age(mandate: law.Mandate, judged: Judged, today: date) -> None:
    if not mandate.at_most_months:
        return
    if judged.valid_from is None:
        raise Refused(_("Give the date that it bears."), "date_missing")
    if judged.valid_from > today:
        raise Refused(_("It begins in the future: it can be accepted from that day on."), "not_yet")
    if add_months(judged.valid_from, mandate.at_most_months) < today:
        sentence = _("It is older than %(months)d months: refuse it and ask for a recent one.")
        raise Refused(sentence % {"months": mandate.at_most_months}, "too_old")


def _replace_held(held: Authority, by: By, now: datetime) -> None:
    for earlier in held.subject_request.authorities.filter(state=AuthorityState.ACCEPTED).exclude(pk=held.pk):
        _end(earlier, AuthorityState.REVOKED, words.REPLACED, by, now)


def _fill(held: Authority, mandate: law.Mandate, judged: Judged, now: datetime) -> None:
    held.mandate, held.rights = mandate.code, sorted(judged.rights)
    held.matters, held.remark = judged.matters.strip(), judged.remark.strip()
    held.reference, held.register = judged.reference.strip(), judged.register.strip()
    held.valid_from, held.valid_until = judged.valid_from, judged.valid_until
    held.register_checked_on = judged.register_checked_on
    _send_to(
        held, judged.answer_to or mandate.answer_to[0], judged.answer_reason, judged.address_compared, now
    )


def _known_by(held: Authority, judged: Judged, by: By, now: datetime) -> None:
    """How the representative themselves is known, where it was recorded with the same press."""
    if judged.level <= Level.NONE:
        return
    try:
        with identity.came(held.received_at):
            services.record_by_staff(
                held.subject_request,
                judged.level,
                Method.STAFF_RECORDED,
                judged.evidence,
                by.actor,
                now,
            )
    except services.TooWeak:
        raise Refused(
            _("Evidence of this kind does not reach that level. Choose a lower one."), "evidence_too_weak"
        ) from None


def refuse(case: Case, authority_id: UUID, reason: str, by: By, now: datetime) -> Authority:
    """It does not show that they may ask; they learn why, and what to send where that can help.

    Raises NotAllowed or Refused.
    """
    found = words.refusal(reason)
    if found is None:
        raise Refused(_("Choose the reason: the representative reads it."), "reason_missing")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        held = _to_be_judged(case, authority_id, by)
        _decide(held, AuthorityState.REFUSED, reason, by, now)
        _on_record(held, Action.AUTHORITY_REFUSED, by, now, {"reason": reason})
        if not found.is_final:
            _ask(held.subject_request, by, now)
        _refresh(held.subject_request, now)
        _tell_refused(lock(case.pk), found, by, now)
        return held


def _tell_refused(case: Case, reason: words.Reason, by: By, now: datetime) -> None:
    letters.to_requester(
        Kind.AUTHORITY,
        case.subject_request,
        by,
        now,
        case=case,
        refused=reason.told,
        is_final=reason.is_final,
    )


def revoke(case: Case, authority_id: UUID, reason: str, remark: str, by: By, now: datetime) -> Authority:
    """From this moment it opens nothing: not what is prepared, not what was approved, not what lies ready.

    Raises NotAllowed or Refused.
    """
    if words.revocation(reason) is None or not remark.strip():
        raise Refused(_("Choose the reason, and say how you know."), "reason_missing")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        held = to_review(case, authority_id, by)
        if held.state != AuthorityState.ACCEPTED:
            raise Refused(_("This authority does not hold anyway."), "not_accepted")
        _end(held, AuthorityState.REVOKED, reason, by, now)
        note(lock(case.pk), by, now, remark.strip(), about="revoke_authority")
        services.revoke_tokens(held.subject_request, now)
        _refresh(held.subject_request, now)
        return held


def _end(held: Authority, state: AuthorityState, reason: str, by: By, now: datetime) -> None:
    held.state, held.reason = state, reason
    if held.decided_at is None:
        held.decided_by_id, held.decided_at = by.person_id, now
    held.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    _on_record(held, Action.AUTHORITY_REVOKED, by, now, {"reason": reason})
    _destroy(held, now)


def _decide(held: Authority, state: AuthorityState, reason: str, by: By, now: datetime) -> None:
    """The judgement stays, the pictures go: at once, or after the days that the policy gives."""
    days = rules_of(assurance.policy_in_force(held.controller_id)).keep_pictures_days
    held.state, held.reason = state, reason
    held.decided_by_id, held.decided_at = by.person_id, now
    if held.keep_until is not None:
        held.keep_until = min(held.keep_until, now + timedelta(days=days))
    held.save()
    if days == 0:
        _destroy(held, now)


# -- to whom the answer goes -------------------------------------------------------------------------


def choose_recipient(
    case: Case,
    authority_id: UUID,
    answer_to: str,
    reason: str,
    by: By,
    now: datetime,
    *,
    address_compared: bool = False,
) -> Authority:
    """Send the answer elsewhere than was chosen, as far as the evidence allows. What was proposed is proposed anew.

    Raises NotAllowed or Refused.
    """
    with transaction.atomic():
        lock_all(case.subject_request_id)
        held = to_review(case, authority_id, by)
        if held.state != AuthorityState.ACCEPTED:
            raise Refused(_("This authority does not hold anyway."), "not_accepted")
        mandate = law.mandate(held.mandate, held.kind, case.regime)
        judged = Judged(held.mandate, (), "", "", answer_to, reason, address_compared=address_compared)
        _check_recipient(held.subject_request, mandate, judged)
        _send_to(held, answer_to, reason, address_compared, now)
        held.save()
        _on_record(held, Action.RECIPIENT_CHOSEN, by, now, {"answer_to": answer_to})
        for each in _open_cases(held.subject_request):
            touch(each)
        return held


def _send_to(held: Authority, answer_to: str, reason: str, compared: bool, now: datetime) -> None:
    held.answer_to, held.answer_reason = answer_to, reason.strip()
    held.address_compared_at = now if compared else None


def _check_recipient(request: SubjectRequest, mandate: law.Mandate, judged: Judged) -> None:
    """The least risky needs no reason; anything else does, and the person's address has to be theirs."""
    answer_to: str = judged.answer_to or mandate.answer_to[0]
    if answer_to not in mandate.answer_to:
        raise Refused(_("What was shown does not let the answer go there."), "recipient_not_covered")
    if answer_to != str(mandate.answer_to[0]) and not judged.answer_reason.strip():
        raise Refused(_("Say why the answer goes there."), "recipient_reason_missing")
    if answer_to != AnswerTo.REPRESENTATIVE.value and not judged.address_compared:
        _check_address(request)


def _check_address(request: SubjectRequest) -> None:
    """A representative may have named an address of their own as the person's."""
    email, _postal = letters.address_of(request, Party.SUBJECT)
    if email and address_on_file(request) and _differ(email, letters.address_of(request)[0]):
        return
    raise Refused(
        _(
            "No source knows the person's own address, so that the answer could go to anybody. Compare it with the"
            " record and say so, or let the answer go to the representative."
        ),
        "address_unknown",
    )


def _differ(one: str, other: str) -> bool:
    return one.strip().casefold() != other.strip().casefold()


# -- destroying --------------------------------------------------------------------------------------


def destroy_overdue(controller_id: UUID, now: datetime) -> int:
    """Destroy pictures that are over their time; part of upkeep. Returns of how many authorities."""
    due = Authority.objects.filter(controller_id=controller_id, destroyed_at=None, keep_until__lte=now)
    held = due.select_related("subject_request").select_for_update(of=("self",), skip_locked=True)
    return sum(_destroy(one, now) for one in held)


def _destroy(held: Authority, now: datetime) -> bool:
    if held.key_id is None or held.destroyed_at is not None:
        return False
    for picture in held.pictures.select_related("file"):
        stored = picture.file
        picture.delete()
        files.remove(stored)
    held.destroyed_at = now
    held.save(update_fields=["destroyed_at"])
    keyring.destroy(held.key_id, now)
    _on_record(held, Action.AUTHORITY_DESTROYED, BY_SYSTEM, now, {})
    return True


# -- help --------------------------------------------------------------------------------------------


def _refresh(request: SubjectRequest, now: datetime) -> None:
    for case in lock_all(request.pk):
        level.refresh(case, now)


def _on_record(held: Authority, action: Action, by: By, now: datetime, codes: dict[str, Any]) -> None:
    """On the chain of each case of the request, since they share it."""
    for case in held.subject_request.cases.order_by("pk"):
        put_on_record(case, action, by, now, {"authority": str(held.pk), "version": held.version, **codes})
