"""The answer: the pack is built, delivered, fetched, and when it must be, revoked."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases.correspondence.compose import Kind
from cases.models import Case, Decision, Delivery, Letter, LetterState, PackState, ResponsePack
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerBy
from cases.workflow import letters
from cases.workflow.perform import act, lock, put_on_record, refuse
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import NotAllowed, Refused

from identity import services
from identity.models import TokenPurpose
from identity.roles import Permission

BUILD = "build_pack"
DOWNLOAD_MINUTES = 10


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


def built(pack: ResponsePack, now: datetime) -> None:
    """The pack is ready: make it available, and tell the customer by the letter that was approved."""
    case = lock(pack.case_id)
    put_on_record(case, Action.PACK_BUILT, BY_SYSTEM, now, {"pack": str(pack.pk), "digest": pack.decision.digest})
    if case.is_drill:
        return
    _release_identity(case, BY_SYSTEM, now)
    by_post = case.subject_request.answer_by == AnswerBy.POST or not letters.address_of(case.subject_request)[0]
    Delivery.objects.create(
        controller_id=case.controller_id,
        pack=pack,
        route="post" if by_post else "portal",
        available_until=None if by_post else now + timedelta(days=case.controller.pack_days),
    )
    letters.to_requester(
        Kind.ANSWER,
        case.subject_request,
        BY_SYSTEM,
        now,
        case=case,
        title=pack.decision.letter_subject,
        body=pack.decision.letter_body,
    )


def sent(case: Case, letter: Letter, by: By, now: datetime) -> None:
    """The letter that announces or carries the pack is out: so is the answer."""
    if letter.kind != Kind.ANSWER:
        return
    delivery = live_delivery(case)
    if delivery is not None and delivery.sent_at is None:
        delivery.sent_at, delivery.sent_by_id, delivery.tracking = now, by.person_id, letter.tracking
        delivery.save(update_fields=["sent_at", "sent_by", "tracking"])
        put_on_record(
            case, Action.PACK_DELIVERED, by, now, {"delivery": str(delivery.pk), "route": delivery.route}
        )


def live_delivery(case: Case) -> Delivery | None:
    """The delivery that stands; None where there is none, or it was revoked."""
    found: Delivery | None = (
        Delivery.objects.filter(pack__case=case, revoked_at=None).select_related("pack__case").first()
    )
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
    )


def fetch(delivery: Delivery, by: By, now: datetime) -> ResponsePack:
    """Record a download and give the pack; identity and revocation are checked again. Raises Refused."""
    with transaction.atomic():
        locked = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("pack__case__subject_request", "pack__case__controller", "pack__case__subject")
            .get(pk=delivery.pk)
        )
        _may_be_fetched(locked, now)
        case = locked.pack.case
        _release_identity(case, by, now)
        Delivery.objects.filter(pk=locked.pk).update(
            downloads=F("downloads") + 1, first_downloaded_at=locked.first_downloaded_at or now
        )
        put_on_record(case, Action.PACK_DOWNLOADED, by, now, {"delivery": str(locked.pk)})
        return locked.pack


def _may_be_fetched(delivery: Delivery, now: datetime) -> None:
    if delivery.revoked_at is not None or delivery.pack.state != PackState.READY:
        raise Refused(_("This answer is not available any more."), "revoked")
    if delivery.available_until is not None and delivery.available_until < now:
        raise Refused(_("The time to fetch this answer is over. Write to us and we make it available again."), "expired")


def _release_identity(case: Case, by: By, now: datetime) -> None:
    """At the moment of delivery, whatever was true before."""
    if case.identity_level < case.required_level:
        sentence = _("The requester's identity is not verified at the level that this right asks for.")
        refuse(case, "deliver", by, now, NotAllowed(sentence, "identity_suffices"))


def revoke(
    delivery: Delivery, reason: str, misdirected: bool, by: By, now: datetime
) -> None:
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
            codes = {"delivery": str(locked.pk), "downloads": locked.downloads}
            put_on_record(case, Action.PACK_MISDIRECTED, by, now, codes)
            letters.tell_controller(Kind.MISDIRECTED, case, by, now)


def make_available_again(pack: ResponsePack, by: By, now: datetime) -> Delivery:
    """A new delivery after an expired or revoked one; the customer is told where to fetch it."""
    with transaction.atomic():
        case = act(pack.case, Permission.RELEASE_CONTROL, by, now, name="deliver_again")
        _release_identity(case, by, now)
        Delivery.objects.filter(pack=pack, revoked_at=None).update(revoked_at=now, revoked_by_id=by.person_id)
        delivery = Delivery.objects.create(
            controller_id=case.controller_id,
            pack=pack,
            route="portal",
            sent_at=now,
            sent_by_id=by.person_id,
            available_until=now + timedelta(days=case.controller.pack_days),
        )
        letters.to_requester(
            Kind.ANSWER,
            case.subject_request,
            by,
            now,
            case=case,
            title=pack.decision.letter_subject,
            body=pack.decision.letter_body,
        )
        put_on_record(case, Action.PACK_DELIVERED, by, now, {"delivery": str(delivery.pk), "route": "portal"})
        return delivery


def drop_unsent(case: Case, now: datetime) -> None:
    """A pack that nobody was told of goes when its decision is taken back."""
    for pack in case.packs.exclude(state=PackState.REVOKED):
        pack.deliveries.filter(sent_at=None, revoked_at=None).update(revoked_at=now)
        pack.state = PackState.REVOKED
        pack.save(update_fields=["state"])
    unsent = (LetterState.TO_PRINT, LetterState.QUEUED)
    case.letters.filter(state__in=unsent, is_incoming=False).update(state=LetterState.FAILED, error_code="taken_back")


