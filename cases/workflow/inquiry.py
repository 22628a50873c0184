"""A source that a person searches: asked, reminded, answered, or not waited for any more."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases.collection import inquiries
from cases.connectors.base import ConnectorError
from cases.connectors.manual.connector import HANDED_IN, INSTRUCTIONS, REMIND_DAYS
from cases.correspondence import inquiries as words
from cases.models import Inquiry, InquiryFile, InquiryState, Item, RunState, SearchState, SourceSearch
from cases.permissions import BY_SYSTEM, By
from cases.workflow import search as searching
from cases.workflow.in_charge import Staff
from cases.workflow.intake import Upload
from cases.workflow.perform import act, lock, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import Actor
from dsar.jobs.queue import enqueue
from dsar.lib import crypto
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from dsar.vault.models import StoredFile
from identity import services
from identity.models import AccessToken, TokenPurpose, User
from identity.roles import Permission

MAIL_STAFF = "mail_owner_silent"
# The link outlives the day named in the mail: a late answer is better than none.
LINK_DAYS = 60
MOST_FILES = 50


def by_owner(inquiry: Inquiry) -> By:
    """Whoever holds the link; known by the source whose owner they are, never by name."""
    return By(Actor("source_owner", inquiry.search.source_id))


# -- mails -------------------------------------------------------------------------------------------


def written(inquiry_id: UUID, number: int, now: datetime) -> words.Mail | None:
    """The mail with a link of its own; None where it is not wanted any more."""
    inquiry = _read(inquiry_id)
    if not is_open(inquiry):
        return None
    try:
        instructions = inquiries.connector_of(inquiry.search.source).settings.text(INSTRUCTIONS)
    except ConnectorError:
        instructions = ""
    token = services.new_token(
        TokenPurpose.INQUIRY,
        inquiry.search.run.case.subject_request,
        now,
        timedelta(days=LINK_DAYS),
        target_id=inquiry.pk,
    )
    return words.question(inquiry, token, number, instructions)


def mailed(inquiry_id: UUID, number: int, now: datetime) -> None:
    """The mail server has taken it."""
    inquiry = _read(inquiry_id)
    inquiry.mailed_at, inquiry.mail_error = now, ""
    inquiry.save(update_fields=["mailed_at", "mail_error"])
    _on_record(inquiry, Action.OWNER_ASKED, BY_SYSTEM, now, {"mail": number})


def mail_failed(inquiry_id: UUID, code: str) -> None:
    """Nobody was asked: the case page says so, and offers to ask again."""
    Inquiry.objects.filter(pk=inquiry_id).update(mail_error=code[:60])


def told(inquiry_id: UUID, person_id: UUID) -> words.Mail | None:
    """What a member of staff is told of the silence; None where an answer came, or they have left."""
    inquiry, person = _read(inquiry_id), User.objects.get(pk=person_id)
    return words.unanswered(inquiry, person) if is_open(inquiry) and person.is_active else None


def chase(controller_id: UUID, now: datetime) -> int:
    """Remind owners, and tell those in charge of a case when the day has passed; returns how many it chased."""
    due = Inquiry.objects.select_for_update(of=("self",), skip_locked=True).filter(
        controller_id=controller_id, state=InquiryState.ASKED, search__run__state=RunState.RUNNING
    )
    rows = due.select_related("search__source__controller", "search__run__case__subject_request")
    return sum(_chase(inquiry, now) for inquiry in rows)


def _chase(inquiry: Inquiry, now: datetime) -> bool:
    if now >= inquiry.answer_by:
        return _escalate(inquiry, now)
    if now < inquiry.asked_at + inquiry.mails * _between(inquiry):
        return False
    inquiries.order_mail(inquiry, now)
    return True


def _between(inquiry: Inquiry) -> timedelta:
    try:
        return timedelta(days=inquiries.connector_of(inquiry.search.source).settings.number(REMIND_DAYS))
    except ConnectorError:
        return inquiry.answer_by - inquiry.asked_at


def _escalate(inquiry: Inquiry, now: datetime) -> bool:
    """Once: a last reminder to the owner, and a mail to everybody in charge of the case."""
    if inquiry.escalated_at is not None:
        return False
    inquiry.escalated_at = now
    inquiry.save(update_fields=["escalated_at"])
    inquiries.order_mail(inquiry, now)
    case = inquiry.search.run.case
    today = now.astimezone(inquiry.search.source.controller.zone).date()
    for person_id in Staff(inquiry.controller_id, today).in_charge(case):
        enqueue(
            MAIL_STAFF,
            controller_id=inquiry.controller_id,
            case_id=case.pk,
            key=f"{MAIL_STAFF}:{inquiry.pk}:{person_id}",
            args={"inquiry": str(inquiry.pk), "person": str(person_id)},
            now=now,
            max_attempts=8,
        )
    _on_record(inquiry, Action.OWNER_SILENT, BY_SYSTEM, now, {})
    return True


# -- the owner ---------------------------------------------------------------------------------------


def of_token(token: str, now: datetime) -> Inquiry | None:
    """The open inquiry that a link leads to; None for any other link, and when the answer is given."""
    found = services.find_token(token, TokenPurpose.INQUIRY, now)
    inquiry = _rows().filter(pk=found.target_id).first() if found and found.target_id else None
    return inquiry if inquiry is not None and is_open(inquiry) else None


def is_open(inquiry: Inquiry) -> bool:
    """Whether an answer is waited for: not answered, and its run not overtaken by another."""
    return inquiry.state == InquiryState.ASKED and inquiry.search.run.state == RunState.RUNNING


def looked(inquiry: Inquiry, now: datetime) -> None:
    """The owner sees whom to look for: on record each time, since it is a person's data."""
    if inquiry.opened_at is None:
        inquiry.opened_at = now
        inquiry.save(update_fields=["opened_at"])
    _on_record(inquiry, Action.OWNER_LOOKED, by_owner(inquiry), now, {})


def add_files(inquiry_id: UUID, uploads: Sequence[Upload], now: datetime) -> None:
    """Keep what the owner has found so far, under the case's key for collected data."""
    with transaction.atomic():
        inquiry = _waiting(inquiry_id)
        if inquiry.files.count() + len(uploads) > MOST_FILES:
            raise Refused(
                _("At most %(count)d files can be handed in.") % {"count": MOST_FILES}, "too_many_files"
            )
        for upload in uploads:
            stored = files.store(
                upload.chunks,
                key_id=inquiry.sealing_key_id,
                controller_id=inquiry.controller_id,
                name=upload.name,
                media_type=upload.media_type,
                now=now,
            )
            # A page that is sent again brings the same files again.
            if inquiry.files.filter(file__sha256=stored.sha256).exists():
                files.remove(stored)
                continue
            InquiryFile.objects.create(
                controller_id=inquiry.controller_id, inquiry=inquiry, file=stored, added_at=now
            )


def remove_file(inquiry_id: UUID, file_id: UUID) -> None:
    """Take back a file before the answer is given."""
    with transaction.atomic():
        found = (
            InquiryFile.objects.filter(inquiry=_waiting(inquiry_id), pk=file_id)
            .select_related("file")
            .first()
        )
        if found is not None:
            stored = found.file
            found.delete()
            files.remove(stored)


def answer(inquiry_id: UUID, said: InquiryState, note: str, by: By | None, now: datetime) -> SourceSearch:
    """The owner's answer, or, with ``by``, what staff heard from them. The link closes.

    Raises Refused where data is announced and none is there, where no reason is given, and where it is too late.
    """
    with transaction.atomic():
        inquiry = _waiting(inquiry_id)
        by = by or by_owner(inquiry)
        case = inquiry.search.run.case
        if by.is_person:
            act(case, Permission.WORK, by, now, name="answer_for_owner")
        _check(inquiry, said, note)
        inquiry.state, inquiry.answered_at, inquiry.answered_by_id = said, now, by.person_id
        inquiry.note = note.strip() or None
        inquiry.save()
        found = _end(inquiry, now)
        AccessToken.objects.filter(target_id=inquiry.pk, revoked_at=None).update(revoked_at=now)
        codes: dict[str, str | int] = {"source": str(found.source_id), "answer": said, "found": found.found}
        put_on_record(case, Action.OWNER_ANSWERED, by, now, codes)
        searching.search_ended(lock(case.pk), found, now)
        return found


def _check(inquiry: Inquiry, said: InquiryState, note: str) -> None:
    if said == InquiryState.HANDED_IN and not (note.strip() or inquiry.files.exists()):
        raise Refused(_("Add what you found: at least one file, or write it down."), "nothing_handed_in")
    if said == InquiryState.NOTHING and inquiry.files.exists():
        raise Refused(_("You have added files. Remove them, or say that you found data."), "files_handed_in")
    if said in {InquiryState.DECLINED, InquiryState.CLOSED} and not note.strip():
        raise Refused(_("Say why."), "reason_missing")


def _end(inquiry: Inquiry, now: datetime) -> SourceSearch:
    """What the answer means for the search."""
    found = inquiry.search
    found.held_for, found.ended_at = "", now
    if inquiry.state == InquiryState.HANDED_IN:
        found.state, found.found = SearchState.DONE, _make_items(inquiry)
    elif inquiry.state == InquiryState.NOTHING:
        found.state = SearchState.NO_DATA
    else:
        found.state = SearchState.FAILED
        found.error_code, found.error_text = _FAILED[InquiryState(inquiry.state)]
    found.save()
    return found


_FAILED = {
    InquiryState.DECLINED: (
        "owner_declined",
        "The owner of this source says why it was not searched. Clear it up and ask again, or go on without it.",
    ),
    InquiryState.CLOSED: (
        "owner_silent",
        "The owner of this source did not answer. Ask again, or go on without it.",
    ),
}


def _make_items(inquiry: Inquiry) -> int:
    """Each file an item, and the note one; what was handed in before is not handed in twice."""
    handed = [(one.file.name, one.file, one.file.sha256) for one in inquiry.files.select_related("file")]
    note = (inquiry.note or "").strip()
    made = [_item(inquiry, number, *one) for number, one in enumerate(handed)]
    if note:
        made.append(_item(inquiry, len(made), note, None, note))
    return sum(made)


def _item(inquiry: Inquiry, number: int, title: str, file: StoredFile | None, content: str) -> bool:
    search, case = inquiry.search, inquiry.search.run.case
    key = keyring.key(case.collected_key_id)
    place = crypto.blind(key, f"{HANDED_IN}|{content}")
    if Item.objects.filter(case=case, source=search.source_id, collection=HANDED_IN, ref_hash=place).exists():
        return False
    item = Item(controller_id=case.controller_id, case=case, source_id=search.source_id, search=search)
    item.collection, item.number, item.file = HANDED_IN, number, file
    item.ref_hash, item.content_hash = place, hashlib.sha256(place).digest()
    data = {"title": title, "text": ""} if file else {"title": "", "text": title}
    item.content = {"ref": str(item.pk), "data": data, "via": ["owner"]}
    item.save()
    return True


# -- staff -------------------------------------------------------------------------------------------


def ask_again(search: SourceSearch, by: By, now: datetime) -> None:
    """Send the owner another mail at once; the date stays."""
    with transaction.atomic():
        case = act(search.run.case, Permission.WORK, by, now, name="ask_owner_again")
        inquiry = _open_of(search)
        inquiries.order_mail(inquiry, now)
        put_on_record(case, Action.SEARCH_RERUN, by, now, {"source": str(search.source_id)})


def answer_for_owner(
    search: SourceSearch, said: InquiryState, note: str, by: By, now: datetime
) -> SourceSearch:
    """Record what the owner said on the telephone, or that nobody waits for them any more."""
    return answer(_open_of(search).pk, said, note, by, now)


def _open_of(search: SourceSearch) -> Inquiry:
    found = _rows().filter(search=search, state=InquiryState.ASKED).first()
    if found is None or not is_open(found):
        raise Refused(_("The owner of this source is not being asked."), "not_asked")
    return found


# -- rows --------------------------------------------------------------------------------------------


def _rows() -> QuerySet[Inquiry]:
    return Inquiry.objects.select_related(
        "search__source__controller", "search__run__case__subject_request", "search__run__case__subject"
    )


def _read(inquiry_id: UUID) -> Inquiry:
    return _rows().get(pk=inquiry_id)


def _waiting(inquiry_id: UUID) -> Inquiry:
    """The inquiry, locked after its case as everywhere. Raises Refused where no answer is waited for."""
    lock(_read(inquiry_id).search.run.case_id)
    Inquiry.objects.select_for_update().get(pk=inquiry_id)
    inquiry = _read(inquiry_id)
    if not is_open(inquiry):
        raise Refused(_("This question is closed: no answer is waited for."), "closed")
    return inquiry


def _on_record(inquiry: Inquiry, action: Action, by: By, now: datetime, data: dict[str, str | int]) -> None:
    codes = {"source": str(inquiry.search.source_id)} | data
    put_on_record(inquiry.search.run.case, action, by, now, codes)
