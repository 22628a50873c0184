"""The answer: the pack is built, delivered, fetched, and when it must be, revoked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases import authority
from cases.correspondence import send
from cases.correspondence.compose import Kind
from cases.errors import not_yours, unmet
from cases.models import Case, Decision, Delivery, Letter, LetterState, PackState, ResponsePack, Verdict
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerBy, Party, State
from cases.workflow import letters, level
from cases.workflow.perform import act, lock, put_on_record, refuse
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.prepared import Prepared
from identity import services
from identity.models import TokenPurpose
from identity.roles import Permission

BUILD = "build_pack"
DOWNLOAD_MINUTES = 10
_LOCKED = Prepared(
    lambda pack_id, case_id: (
        ResponsePack.objects.select_for_update(of=("self",))
        .select_related("decision")
        .filter(pk=pack_id, case_id=case_id)
    ),
    UUID,
    UUID,
)


def order_pack(case: Case, decision: Decision, now: datetime) -> ResponsePack:
    """Have the pack of an approved decision built by a job."""
    pack, _created = ResponsePack.objects.get_or_create(
        decision=decision, defaults={"controller_id": case.controller_id, "case": case}
    )
    enqueue(
        BUILD,
        controller_id=case.controller_id,
        case_id=case.pk,
        key=f"pack:{pack.pk}",
        args={"pack": str(pack.pk)},
        now=now,
        max_attempts=4,
    )
    return pack


def rebuild(pack: ResponsePack, by: By, now: datetime) -> None:
    """Try a failed build again."""
    with transaction.atomic():
        case = act(pack.case, Permission.WORK, by, now, name="rebuild_pack")
        if ResponsePack.objects.filter(pk=pack.pk, state=PackState.FAILED).update(state=PackState.BUILDING):
            order_pack(case, pack.decision, now)


def wanted(case_id: UUID, pack_id: UUID) -> ResponsePack | None:
    """A case's pack, held with the case, while an approved decision still commands it; None where it does not."""
    case = lock(case_id)
    pack = _LOCKED.get(pack_id, case_id)
    pack.case = pack.decision.case = case
    stands = pack.decision.verdict == Verdict.APPROVED and case.state == State.FULFILLING
    return pack if stands and pack.state == PackState.BUILDING else None


def built(pack: ResponsePack, now: datetime) -> None:
    """A pack, locked with its case, is ready: make it available, and tell the customer by the approved letter."""
    case = pack.case
    put_on_record(
        case, Action.PACK_BUILT, BY_SYSTEM, now, {"pack": str(pack.pk), "digest": pack.decision.digest}
    )
    if case.is_drill:
        return
    _release_identity(case, BY_SYSTEM, now)
    _deliver(pack, case, pack.decision.letter_body, BY_SYSTEM, now)


def _deliver(pack: ResponsePack, case: Case, body: str, by: By, now: datetime) -> Delivery:
    """Make the pack available, in place of whatever was before, and write the letters that say so.

    It counts as given, and can be fetched by whoever a letter went to, once that letter is sent.
    """
    written = letters.to_recipients(Kind.ANSWER, case, by, now, title=pack.decision.letter_subject, body=body)
    return next(iter(give(pack, case, written, by, now)))


def give(pack: ResponsePack, case: Case, written: Iterable[Letter], by: By, now: datetime) -> list[Delivery]:
    """Let those to whom these letters go fetch a pack, in place of whatever was before."""
    _replace_earlier(case, by, now)
    return [_made_available(pack, case, letter.party, now) for letter in written]


def _made_available(pack: ResponsePack, case: Case, party: str, now: datetime) -> Delivery:
    request = case.subject_request
    by_post = request.answer_by == AnswerBy.POST or not letters.address_of(request, party)[0]
    return Delivery.objects.create(
        controller_id=case.controller_id,
        pack=pack,
        party=party,
        route="post" if by_post else "portal",
        available_until=None if by_post else now + timedelta(days=case.controller.pack_days),
    )


def _replace_earlier(case: Case, by: By, now: datetime) -> None:
    """One answer of a case is open at a time: the newest."""
    for earlier in Delivery.objects.filter(pack__case=case, revoked_at=None):
        earlier.revoked_at, earlier.revoked_by_id = now, by.person_id
        earlier.save(update_fields=["revoked_at", "revoked_by"])
        put_on_record(case, Action.PACK_REVOKED, by, now, {"delivery": str(earlier.pk), "replaced": True})


def sent(case: Case, letter: Letter, by: By, now: datetime) -> None:
    """The letter that announces or carries the pack is out: so is the answer."""
    if letter.kind not in letters.ANSWERS:
        return
    delivery = live_delivery(case, letter.party)
    if delivery is not None and delivery.sent_at is None:
        delivery.sent_at, delivery.sent_by_id, delivery.tracking = now, by.person_id, letter.tracking
        delivery.save(update_fields=["sent_at", "sent_by", "tracking"])
        put_on_record(
            case, Action.PACK_DELIVERED, by, now, {"delivery": str(delivery.pk), "route": delivery.route}
        )


def live_delivery(case: Case, party: str = "") -> Delivery | None:
    """The delivery that stands, to anybody or to this party; None where there is none, or it was revoked."""
    standing = Delivery.objects.filter(pack__case=case, revoked_at=None)
    if party:
        standing = standing.filter(party=party)
    found: Delivery | None = standing.select_related("pack__case").order_by("-pk").first()
    return found


def download_link(delivery: Delivery, now: datetime) -> str:
    """A token that fetches the pack within some minutes, right after a code was accepted. Raises Refused."""
    _may_be_fetched(delivery, now)
    case = delivery.pack.case
    return services.new_token(
        TokenPurpose.DOWNLOAD,
        case.subject_request,
        now,
        timedelta(minutes=DOWNLOAD_MINUTES),
        level=case.identity_level,
        target_id=delivery.pk,
        party=delivery.party,
    )


def fetch(delivery: Delivery, by: By, now: datetime, *, party: str = Party.REQUESTER.value) -> ResponsePack:
    """Record a download and give the pack to whom it was made available.

    Identity, authority and revocation are checked again, and who it is that comes. Raises Refused.
    """
    with transaction.atomic():
        case = lock(delivery.pack.case_id)
        is_theirs = by.actor.kind == "customer" and by.actor.id == case.subject_request_id
        if not is_theirs or delivery.party != party:
            refuse(case, "fetch", by, now, not_yours("fetch"))
        locked = Delivery.objects.select_for_update(of=("self",)).select_related("pack").get(pk=delivery.pk)
        locked.pack.case = case
        _may_be_fetched(locked, now)
        _release_identity(case, by, now)
        if locked.party not in authority.recipients(case, now):
            refuse(case, "fetch", by, now, unmet("authority_suffices"))
        Delivery.objects.filter(pk=locked.pk).update(
            downloads=F("downloads") + 1, first_downloaded_at=locked.first_downloaded_at or now
        )
        put_on_record(case, Action.PACK_DOWNLOADED, by, now, {"delivery": str(locked.pk)})
        return locked.pack


def _may_be_fetched(delivery: Delivery, now: datetime) -> None:
    told = delivery.route == "portal" and delivery.sent_at is not None
    if not told or delivery.revoked_at is not None or delivery.pack.state != PackState.READY:
        raise Refused(_("This answer is not available any more."), "revoked")
    if delivery.available_until is not None and delivery.available_until < now:
        raise Refused(
            _("The time to fetch this answer is over. Write to us and we make it available again."), "expired"
        )


def _release_identity(case: Case, by: By, now: datetime) -> None:
    """At the moment of delivery, whatever was true before."""
    if not level.is_known(case, now):
        code = level.why_not(case)
        refuse(case, "deliver", by, now, NotAllowed(str(unmet(code)), code))


def revoke(delivery: Delivery, reason: str, misdirected: bool, by: By, now: datetime) -> None:
    """Close a delivery. A misdirected one is recalled, logged as a possible breach, and the controller is told."""
    if not reason.strip():
        raise Refused(_("Say why it is revoked."), "reason_missing")
    with transaction.atomic():
        case = act(delivery.pack.case, Permission.RELEASE_CONTROL, by, now, name="revoke_pack")
        locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
        locked.pack.case = case
        if locked.revoked_at is not None:
            return
        locked.revoked_at, locked.revoked_by_id, locked.is_misdirected = now, by.person_id, misdirected
        locked.revoke_reason = reason.strip()
        locked.save()
        services.revoke_tokens(case.subject_request, now)
        put_on_record(case, Action.PACK_REVOKED, by, now, {"delivery": str(locked.pk)})
        if misdirected:
            codes: dict[str, str | int] = {"delivery": str(locked.pk), "downloads": locked.downloads}
            put_on_record(case, Action.PACK_MISDIRECTED, by, now, codes)
            letters.tell_controller(Kind.MISDIRECTED, case, by, now)


def make_available_again(pack: ResponsePack, by: By, now: datetime) -> Delivery:
    """A new delivery after an expired or revoked one; the customer is told, with a new link. Raises Refused."""
    with transaction.atomic():
        case = act(pack.case, Permission.RELEASE_CONTROL, by, now, name="deliver_again")
        locked = (
            ResponsePack.objects.select_for_update(of=("self",)).select_related("decision").get(pk=pack.pk)
        )
        locked.case = locked.decision.case = case
        _may_be_delivered_again(locked, case, now)
        _release_identity(case, by, now)
        body = locked.decision.letter_body
        return _deliver(locked, case, body, by, now)


def _may_be_delivered_again(pack: ResponsePack, case: Case, now: datetime) -> None:
    """Only the newest answer, as it was approved, and not while the case is being worked anew."""
    stands = pack.state == PackState.READY and pack.decision.verdict == Verdict.APPROVED
    newest = case.packs.order_by("-pk").values_list("pk", flat=True).first() == pack.pk
    if not (stands and newest and case.state == State.CLOSED):
        raise Refused(_("This answer is not the one that stands."), "not_the_answer")
    if not pack.files.exists():
        raise Refused(
            _("The answer's files are gone by the rules of retention. Open the case again to answer anew."),
            "files_forgotten",
        )
    living = live_delivery(case)
    if living is not None and (living.available_until is None or living.available_until >= now):
        raise Refused(_("The answer is available already."), "still_available")


def drop_unsent(case: Case, now: datetime) -> None:
    """An answer that nobody was told of goes when its decision is taken back; what was given before stands.

    Raises Refused while the mail server is taking its letter.
    """
    unsent = (LetterState.TO_PRINT, LetterState.QUEUED)
    waiting = list(
        case.letters.select_for_update().filter(kind__in=letters.ANSWERS, state__in=unsent, is_incoming=False)
    )
    if send.is_under_way(waiting):
        raise Refused(
            _("The answer is being sent at this very moment. Look again in a minute."), "being_sent"
        )
    for letter in waiting:
        send.mark_failed(letter, "taken_back", BY_SYSTEM, now)
    for pack in case.packs.exclude(state=PackState.REVOKED).exclude(deliveries__sent_at__isnull=False):
        pack.deliveries.filter(revoked_at=None).update(revoked_at=now)
        pack.state = PackState.REVOKED
        pack.save(update_fields=["state"])
