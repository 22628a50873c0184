"""What stands above a case: what is late, what must be out although nobody answers us, what holds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases import queries, rights, worklist
from cases.collection.outstanding import Outstanding
from cases.console.desk_next import STUCK, Situation, act_url
from cases.models import Case, ExtensionState, Restriction
from cases.words import Right
from cases.workflow import extension, hold, lateness
from cases.workflow.doubts import DECIDABLE
from identity.roles import Permission


@dataclass(frozen=True)
class Notice:
    """One alert: its tone as components/alert.html has it, and the way on."""

    tone: str
    title: str
    text: str = ""
    href: str = ""
    action: str = ""


def notices(found: Situation, now: datetime) -> list[Notice]:
    """What whoever looks at the case should know before anything else."""
    if not found.may(Permission.VIEW_CONTENT):
        return []
    told = (
        _held(found),
        _restricted(found),
        _doubts(found),
        _late(found, now),
        _letter(found, now),
        _not_acknowledged(found, now),
        _stuck(found),
    )
    return [notice for notices_ in told for notice in notices_]


def _held(found: Situation) -> Iterator[Notice]:
    if not queries.is_held(found.case.subject):
        return
    may_lift = found.may(Permission.LEGAL_HOLD)
    yield Notice(
        "warning",
        _("A legal hold lies on this person: nothing of theirs is erased"),
        " ".join(_hold_words(one) for one in hold.open_holds(found.case)),
        act_url(found.case, "lift-hold") if may_lift else "",
        _("Lift the hold"),
    )


def _restricted(found: Situation) -> Iterator[Notice]:
    """Data of the person that is kept and not used (Art 18), whichever case brought it about."""
    for one in rights.restrictions_in_force(found.case.subject):
        yield Notice(
            "warning",
            _("The use of this person's data is restricted since %(day)s")
            % {"day": date_format(one.begun_at or one.chosen_at, "DATE_FORMAT")},
            " ".join(_restriction_words(one)),
            "#restrictions" if one.case_id == found.case.pk else reverse("console:case", args=[one.case_id]),
            _("Look at the restriction"),
        )


def _restriction_words(one: Restriction) -> Iterator[str]:
    yield rights.ground_words("restriction_trigger", one.ground, one.case.regime) + "."
    places = ", ".join(
        str(place.source) if place.source else _("our own files") for place in one.places.all()
    )
    yield _("In: %(places)s. Keep it, and use it only with their consent or for legal claims.") % {
        "places": places
    }


def _doubts(found: Situation) -> Iterator[Notice]:
    """What the search could not settle alone; it holds every answer up."""
    left = found.outstanding
    if found.case.state not in DECIDABLE or not left.to_decide:
        return
    if left.matches or left.records or left.files:
        yield Notice(
            "warning",
            _("The search could not settle everything alone"),
            " ".join(_doubt_words(left)),
            reverse("console:doubts", args=[found.case.pk]),
            _("Look and decide"),
        )
    if left.fields:
        words = ngettext(
            "A source holds %(count)d field that nobody described. No answer goes out before it is classified.",
            "The sources hold %(count)d fields that nobody described. No answer goes out before they are classified.",
            left.fields,
        )
        yield Notice(
            "warning",
            _("The sources hold more than was described"),
            words % {"count": left.fields},
            reverse("console:fields", args=[found.case.pk]),
            _("Classify the fields"),
        )


def _doubt_words(left: Outstanding) -> Iterator[str]:
    sentences = (
        (
            left.matches,
            ngettext(
                "%(count)d match may be the person.", "%(count)d matches may be the person.", left.matches
            ),
        ),
        (
            left.records,
            ngettext("%(count)d record proves nothing.", "%(count)d records prove nothing.", left.records),
        ),
        (
            left.files,
            ngettext(
                "%(count)d file could not be fetched.", "%(count)d files could not be fetched.", left.files
            ),
        ),
    )
    return (sentence % {"count": count} for count, sentence in sentences if count)


def _hold_words(one: Any) -> str:
    words = {
        "name": one.set_by.full_name,
        "day": date_format(one.set_at, "DATE_FORMAT"),
        "reason": one.reason,
    }
    return _("%(name)s, %(day)s: %(reason)s") % words


def _late(found: Situation, now: datetime) -> Iterator[Notice]:
    on = lateness.outstanding(found.case, now, found.case.proposed_outcome)
    if on is None:
        return
    yield Notice(
        "danger",
        _("This was due by %(day)s") % {"day": date_format(on, "DATE_FORMAT")},
        _("Nothing goes to approval, is approved or posted before somebody says why it is late."),
        act_url(found.case, "explain-lateness"),
        _("Say why it is late"),
    )


def _letter(found: Situation, now: datetime) -> Iterator[Notice]:
    """Art 12(4): whoever is not answered is told why, within the time, whether they answered us or not."""
    row = worklist.row(found.case, now, worklist.Blocked.US)
    if row.letter is None:
        return
    title = _("A letter with reasons has to be out by %(day)s")
    yield Notice(
        {"late": "danger", "soon": "warning"}.get(row.letter.tone, "info"),
        title % {"day": date_format(row.letter.on, "DATE_FORMAT")},
        _(
            "The customer has not answered us. If nothing comes, they are told by then why their request is not"
            " met, and where they can complain."
        ),
        reverse("console:close", args=[found.case.pk]) if "propose_closing" in found.transitions else "",
        _("Prepare the letter"),
    )


def _not_acknowledged(found: Situation, now: datetime) -> Iterator[Notice]:
    case = found.case
    if case.right != Right.COMPLAINT or not case.is_open or case.due_on is None:
        return
    left = (case.due_on - worklist.today(case.controller, now)).days
    yield Notice(
        "danger" if left < 0 else "warning",
        _("The complaint has to be acknowledged by %(day)s")
        % {"day": date_format(case.due_on, "DATE_FORMAT")},
        _(
            "The letter that says we have it is not out yet. See below whether it waits to be posted or failed."
        ),
        "#letters",
        _("Go to the letters"),
    )


def _stuck(found: Situation) -> Iterator[Notice]:
    """An approved notice that did not arrive extends nothing."""
    made = extension.living(found.case)
    if made is None or made.state != ExtensionState.APPROVED or made.letter is None:
        return
    if made.letter.state in STUCK:
        limit = date_format(made.notice_by, "DATE_FORMAT") if made.notice_by else ""
        text = _("Send it again, or by post, before %(day)s is over: until then the date stays as it was.")
        yield Notice(
            "danger",
            _("The letter about more time did not arrive"),
            text % {"day": limit} if limit else "",
            "#letters",
            _("Go to the letters"),
        )


def complaints_about(case: Case) -> list[Case]:
    """The complaints about how a case was handled, newest first."""
    return list(case.linked_from.select_related("subject_request").order_by("-opened_at"))
