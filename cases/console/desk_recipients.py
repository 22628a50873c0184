"""What a case's page shows of those to whom data had gone: how each stands, and what can be done about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.console.desk_next import Offer, Situation, act_url
from cases.models import AnswerCode, NoticeState, RecipientNotice, RecipientRoute
from cases.words import Right
from cases.workflow import recipients
from identity.roles import Permission

TONES = {
    NoticeState.WAITING: ("neutral", "clock"),
    NoticeState.SENT: ("accent", "send"),
    NoticeState.ANSWERED: ("success", "check"),
    NoticeState.FAILED: ("danger", "alert"),
    NoticeState.IMPOSSIBLE: ("neutral", ""),
    NoticeState.DISPROPORTIONATE: ("neutral", ""),
}
# Why a notice did not go, in words; what a mail server or an HTTP call said is a code.
TROUBLE = {
    "not_findable": lambda: _("Nothing is known of the person by which this recipient could find them."),
    "bounced": lambda: _("The letter came back."),
    "forbidden_destination": lambda: _("Its address is in a network that is not connected to."),
    "timeout": lambda: _("It did not answer in time."),
    "no_connection": lambda: _("It could not be reached."),
}


@dataclass(frozen=True)
class Row:
    """One recipient of the list."""

    notice: RecipientNotice
    tone: str
    icon: str
    trouble: str
    answer: str
    is_silent: bool
    offers: tuple[Offer, ...]


def panel(found: Situation, now: datetime) -> dict[str, Any]:
    """The recipients of a case; nothing for a right of which nobody else is told."""
    case = found.case
    if not recipients.can_be_asked(case):
        return {"recipients": ()}
    notices = case.recipient_notices.select_related("recipient", "settled_by", "case", "letter").order_by(
        "-made_at", "recipient__name"
    )
    return {
        "recipients": [_row(found, one, now) for one in notices],
        "recipients_asked": case.names_recipients,
        "recipients_offers": list(_offers(found)),
    }


def _row(found: Situation, notice: RecipientNotice, now: datetime) -> Row:
    tone, icon = TONES[NoticeState(notice.state)]
    code = notice.error_code
    words = TROUBLE.get(code)
    trouble = words() if words else _("It said no: %(code)s") % {"code": code} if code else ""
    answer = str(AnswerCode(notice.answer_code).label) if notice.answer_code else ""
    is_silent = recipients.is_silent(notice, now)
    return Row(notice, tone, icon, trouble, answer, is_silent, tuple(_deeds(found, notice)))


def _deeds(found: Situation, notice: RecipientNotice) -> Iterator[Offer]:
    if not found.may(Permission.WORK):
        return
    case = found.case
    if notice.state in {NoticeState.SENT, NoticeState.ANSWERED}:
        yield Offer(_("Record its answer"), act_url(case, "recipient-answer", notice))
    if notice.state == NoticeState.FAILED:
        yield Offer(_("Send it again"), act_url(case, "recipient-again", notice), is_post=True)
    if notice.state in recipients.UNTOLD:
        yield Offer(_("It cannot be told"), act_url(case, "recipient-excuse", notice))
    if notice.state == NoticeState.SENT and notice.letter_id and notice.route != RecipientRoute.API:
        yield Offer(_("It came back"), act_url(case, "bounced", notice.letter))


def _offers(found: Situation) -> Iterator[Offer]:
    """What the person may have asked for beside, as long as there is a letter to come."""
    case = found.case
    if found.may(Permission.LOG_REQUEST) and not case.names_recipients:
        yield Offer(_("They ask who received their data"), act_url(case, "name-recipients"), is_post=True)
    if found.may(Permission.WORK) and case.right == Right.ERASURE and not case.ends_marketing:
        yield Offer(_("They want no advertising ever again"), act_url(case, "end-marketing"), is_post=True)
