"""The trail of a case in words: what happened, who did it, when. Codes in, sentences out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from cases.models import (
    Belongs,
    FieldClass,
    InquiryState,
    ItemDecision,
    SearchState,
    Settled,
    SourceSystem,
    Treatment,
)
from cases.retention import rules as retention
from cases.rights import ground_words
from cases.words import LateReason, Outcome, State
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from identity.models import CheckStage, Effect, User
from identity.models.external import OUTCOMES

Data = Mapping[str, Any]

# What would tell somebody without sight of the content what was withheld.
ABOUT_CONTENT = (
    Action.ITEMS_DECIDED,
    Action.ITEM_ADDED,
    Action.VALUE_DECIDED,
    Action.CONTENT_VIEWED,
    Action.MATCH_DECIDED,
    Action.RECORDS_DECIDED,
)
ABOUT_LOOKING = (Action.CASE_VIEWED, Action.CONTENT_VIEWED, Action.DOCUMENT_VIEWED)
LISTED = 300


@dataclass(frozen=True)
class Told:
    """One event as a person reads it."""

    seq: int
    at: datetime
    title: str
    text: str
    actor: str
    tone: str
    icon: str
    action: str
    case_id: UUID | None


def of_case(case_id: UUID, *, with_content: bool, limit: int = LISTED) -> list[Told]:
    """The newest events of a case, newest first; looking at pages is left to the trail."""
    left_out = {*ABOUT_LOOKING, *(() if with_content else ABOUT_CONTENT)}
    events = AuditEvent.objects.filter(case_id=case_id).exclude(action__in=left_out)
    return told(events.order_by("-seq")[:limit])


def told(events: Iterable[AuditEvent]) -> list[Told]:
    """Events in words; names and sources are looked up once for all of them."""
    events = list(events)
    people = _people(events)
    sources = _sources(events)
    return [_told(event, people, sources) for event in events]


def _people(events: Iterable[AuditEvent]) -> dict[UUID, str]:
    ids = [found for event in events for found in (event.actor_id, _uuid(event.data.get("owner"))) if found]
    return {user.pk: user.full_name for user in User.objects.filter(pk__in=ids)}


def _sources(events: Iterable[AuditEvent]) -> dict[str, str]:
    ids = [found for event in events if (found := _uuid(event.data.get("source")))]
    return {str(source.pk): source.name for source in SourceSystem.objects.filter(pk__in=ids)} if ids else {}


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _told(event: AuditEvent, people: Mapping[UUID, str], sources: Mapping[str, str]) -> Told:
    data = {**event.data, "source": sources.get(event.data.get("source", ""), "")}
    owner = _uuid(event.data.get("owner"))
    data["owner"] = people.get(owner, "") if owner else ""
    title, tone, icon = _TITLES.get(event.action, (event.action, "neutral", ""))
    detail = _DETAILS.get(event.action)
    return Told(
        event.seq,
        event.at,
        str(title),
        detail(data) if detail else "",
        _actor(event, people),
        _tone(event.action, data, tone),
        icon,
        event.action,
        event.case_id,
    )


def _actor(event: AuditEvent, people: Mapping[UUID, str]) -> str:
    if event.actor_kind == "customer":
        return _("the customer")
    if event.actor_kind == "staff":
        return people.get(event.actor_id, _("a former member of staff")) if event.actor_id else ""
    return {"operator": _("an operator"), "source_owner": _("a source's owner")}.get(
        event.actor_kind, _("the system")
    )


def _tone(action: str, data: Data, tone: str) -> str:
    if action == Action.SEARCH_ENDED and data.get("state") == SearchState.FAILED:
        return "danger"
    return tone


def _label(words: Any, value: object) -> str:
    """The word for a code; the code itself where the vocabulary has lost it."""
    return str(words(value).label) if value in words.values else str(value or "")


def _state_changed(data: Data) -> str:
    sentence = _("%(before)s → %(after)s") % {
        "before": _label(State, data.get("from")),
        "after": _label(State, data.get("to")),
    }
    outcome = data.get("outcome") or data.get("proposed")
    return f"{sentence} ({_label(Outcome, outcome)})" if outcome else sentence


def _search_ended(data: Data) -> str:
    words = {
        "source": data["source"],
        "found": data.get("found", 0),
        "state": _label(SearchState, data.get("state")),
    }
    return _("%(source)s: %(state)s, %(found)s found") % words


def _owner_answered(data: Data) -> str:
    return f"{data['source']}: {_label(InquiryState, data.get('answer'))}"


def _whose(data: Data) -> str:
    words = {
        "source": data["source"],
        "verdict": _label(Belongs, data.get("verdict")),
        "count": data.get("count", 1),
    }
    return _("%(source)s: %(verdict)s (%(count)s)") % words


def _forgotten(data: Data) -> str:
    """The rule, and how much went by it; codes where the rule is no longer there."""
    rule = retention.BY_CODE.get(str(data.get("rule")))
    name = str(rule.name) if rule else str(data.get("rule", ""))
    went = _("%(rows)s rows, %(files)s files") % {"rows": data.get("rows", 0), "files": data.get("files", 0)}
    return f"{name}: {went}"


def _classified(data: Data) -> str:
    return f"{data['source']}: {_label(FieldClass, data.get('choice'))}"


def _decided(data: Data) -> str:
    count = data.get("count", 1)
    words = {
        "count": count,
        "decision": _label(ItemDecision, data.get("decision")),
        "code": data.get("exemption", ""),
    }
    sentence = _("%(count)s × %(decision)s %(code)s") % words
    return ", ".join([sentence.strip(), *([_("silent")] if data.get("silent") else [])])


def _moved(data: Data) -> str:
    return _("%(before)s → %(after)s") % {"before": _day(data.get("from")), "after": _day(data.get("to"))}


def _day(text: object) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT") if isinstance(text, str) else _("no date")


def _verdict(data: Data) -> str:
    words = {
        "approved": _("approved"),
        "handed_over": _("approved here, handed to the controller"),
        "approved_by_controller": _("approved by the controller"),
        "returned": _("returned"),
    }
    verdict = words.get(str(data.get("verdict")), str(data.get("verdict")))
    return f"{_label(Outcome, data.get('outcome'))}: {verdict}"


def _extension(data: Data) -> str:
    """The dates, and what became of the proposal."""
    words = {
        "approved": _("approved"),
        "handed_over": _("approved here, handed to the controller"),
        "approved_by_controller": _("approved by the controller"),
        "returned": _("returned"),
        "withdrawn": _("taken back"),
        "bounced": _("the letter came back"),
    }
    verdict = words.get(str(data.get("verdict")), "")
    return f"{_moved(data)}: {verdict}" if verdict else _moved(data)


def _lateness(data: Data) -> str:
    words = {"reason": _label(LateReason, data.get("reason")), "day": _day(data.get("missed"))}
    return _("%(reason)s (due by %(day)s)") % words


def _letter(data: Data) -> str:
    route = _("by post") if data.get("route") == "post" else _("by e-mail")
    return f"{_code('kind')(data)}, {route}"


# What codes look like as words. They are marked here, since _code makes them only when they are shown.
_WORDS = (
    gettext_noop("Identity requested"),
    gettext_noop("Identity received"),
    gettext_noop("Identity confirmed"),
    gettext_noop("Authority requested"),
    gettext_noop("Authority received"),
    gettext_noop("Clarification requested"),
    gettext_noop("Clarification received"),
    gettext_noop("Fee requested"),
    gettext_noop("Fee paid"),
    gettext_noop("Extension notified"),
    gettext_noop("Complaint received"),
    gettext_noop("Complaint acknowledged"),
    gettext_noop("Complaint outcome"),
    gettext_noop("Extension"),
    gettext_noop("Appeal received"),
    gettext_noop("One time code"),
    gettext_noop("Clarification"),
    gettext_noop("Not a request"),
    gettext_noop("Preserve"),
    gettext_noop("Misdirected"),
    gettext_noop("Erasure planned"),
    gettext_noop("Staff recorded"),
    gettext_noop("Email code"),
    gettext_noop("Erase"),
    gettext_noop("Rectify"),
    gettext_noop("Restrict"),
)


def _code(name: str) -> Callable[[Data], str]:
    return lambda data: _(str(data.get(name) or "").replace("_", " ").capitalize())


def _erasure_ground(data: Data) -> str:
    """With its article; events of before the regime stood in them name the ground alone."""
    if "regime" not in data:
        return _code("ground")(data)
    return ground_words("erasure_ground", str(data["ground"]), str(data["regime"]))


def _clock_event(data: Data) -> str:
    fact = _code("kind")(data)
    words = {"corrected": _("%(fact)s, corrected"), "removed": _("%(fact)s, removed: it did not happen")}
    return words[data["what"]] % {"fact": fact} if data.get("what") in words else fact


def _lines_decided(data: Data) -> str:
    treatment = data.get("treatment")
    words = _("As proposed") if treatment == "as_proposed" else _label(Treatment, treatment).capitalize()
    return f"{words}: {data.get('count', '')}"


def _suppressed(data: Data) -> str:
    """Whether it was only asked for, or how many addresses were put on the list or taken off."""
    count = int(data.get("count", 0))
    words = {
        "asked": _("asked for: no advertising ever again"),
        "added": ngettext("%(count)d address put on it", "%(count)d addresses put on it", count),
        "removed": ngettext("%(count)d address taken off", "%(count)d addresses taken off", count),
    }
    return words.get(str(data.get("what")), "") % {"count": count}


def _external(data: Data) -> str:
    """What the provider said, and what became of it."""
    said = OUTCOMES.get(str(data.get("outcome")), "")
    return f"{said}: {_label(Effect, data.get('effect'))}"


def _proposed(data: Data) -> str:
    sentence = _label(Outcome, data.get("outcome"))
    return f"{sentence} ({data['reason']})" if data.get("reason") else sentence


_DETAILS: dict[str, Callable[[Data], str]] = {
    Action.STATE_CHANGED: _state_changed,
    Action.ACT_REFUSED: lambda data: f"{_code('act')(data)}: {data.get('code', '')}",
    Action.CASE_ASSIGNED: lambda data: str(data["owner"]) or _("to nobody"),
    Action.CASE_CORRECTED: _code("what"),
    Action.CLOCK_EVENT: _clock_event,
    Action.DUE_DATE_MOVED: _moved,
    Action.SUPPRESSION_CHANGED: _suppressed,
    Action.DECISION_PROPOSED: _proposed,
    Action.DECISION_MADE: _verdict,
    Action.EXTENSION_PROPOSED: _extension,
    Action.EXTENSION_DECIDED: _extension,
    Action.EXTENSION_LAPSED: _extension,
    Action.LATENESS_EXPLAINED: _lateness,
    Action.SEARCH_ENDED: _search_ended,
    Action.SEARCH_RERUN: lambda data: str(data["source"]),
    Action.SEARCH_WAIVED: lambda data: str(data["source"]),
    Action.SEARCH_AGREED: lambda data: str(data["source"]),
    Action.SOURCE_PAUSED: lambda data: str(data["source"]),
    Action.SOURCE_RESUMED: lambda data: str(data["source"]),
    Action.SOURCE_RESTS: lambda data: str(data["source"]),
    Action.SOURCE_RECOVERED: lambda data: str(data["source"]),
    Action.SOURCE_REFUSES_ACCOUNT: lambda data: str(data["source"]),
    Action.SOURCE_CHECKED: lambda data: str(data["source"]),
    Action.CREDENTIALS_OFFERED: lambda data: str(data["source"]),
    Action.CREDENTIALS_CHANGED: lambda data: str(data["source"]),
    Action.CREDENTIALS_REFUSED: lambda data: str(data["source"]),
    Action.OWNER_ASKED: lambda data: str(data["source"]),
    Action.OWNER_LOOKED: lambda data: str(data["source"]),
    Action.OWNER_ANSWERED: _owner_answered,
    Action.OWNER_SILENT: lambda data: str(data["source"]),
    Action.MATCH_DECIDED: _whose,
    Action.RECORDS_DECIDED: _whose,
    Action.IDENTIFIER_STRUCK: lambda data: str(data["source"]),
    Action.FILE_ASKED_AGAIN: lambda data: str(data["source"]),
    Action.FILE_WAIVED: lambda data: str(data["source"]),
    Action.FIELD_CLASSIFIED: _classified,
    **dict.fromkeys((Action.KEY_DESTROYED, Action.CASE_FILE_DESTROYED, Action.RETENTION_APPLIED), _forgotten),
    Action.ITEMS_DECIDED: _decided,
    Action.LETTER_WRITTEN: _letter,
    Action.LETTER_SENT: _letter,
    Action.LETTER_FAILED: _letter,
    Action.LETTER_BOUNCED: _letter,
    Action.IDENTITY_RECORDED: _code("method"),
    Action.EXTERNAL_TOLD: _external,
    Action.EXTERNAL_ENDED: lambda data: _label(CheckStage, data.get("stage")),
    Action.PLAN_GROUND_CHOSEN: _erasure_ground,
    Action.PLAN_LINES_DECIDED: _lines_decided,
    Action.PLAN_LINES_RETURNED: lambda data: str(data.get("count", "")),
    Action.TASK_RECORDED: lambda data: f"{_code('verb')(data)}: {data.get('state', '')}",
    **dict.fromkeys(
        (Action.PART_WRITTEN, Action.PART_PROVEN, Action.PART_RETRIED, Action.PART_GIVEN_UP),
        lambda data: str(data.get("source", "")),
    ),
    Action.LEFTOVER_SETTLED: lambda data: _label(Settled, data.get("settled")),
}

_TITLES: dict[str, tuple[Any, str, str]] = {
    Action.REQUEST_LOGGED: (gettext_lazy("Request logged"), "accent", "inbox"),
    Action.SCRIPT_READ: (gettext_lazy("Reference and date read out"), "neutral", "chat"),
    Action.CONTACT_NOTED: (gettext_lazy("Business done within the conversation"), "neutral", "chat"),
    Action.CASE_OPENED: (gettext_lazy("Case opened"), "accent", "flag"),
    Action.STATE_CHANGED: (gettext_lazy("Moved on"), "accent", "arrow-right"),
    Action.ACT_REFUSED: (gettext_lazy("Refused"), "warning", "x-circle"),
    Action.CASE_ASSIGNED: (gettext_lazy("Assigned"), "neutral", "user"),
    Action.CASE_CORRECTED: (gettext_lazy("Corrected"), "warning", "edit"),
    Action.NOTE_ADDED: (gettext_lazy("Note written"), "neutral", "edit"),
    Action.CASE_VIEWED: (gettext_lazy("Case viewed"), "neutral", "eye"),
    Action.CONTENT_VIEWED: (gettext_lazy("Content viewed"), "neutral", "eye"),
    Action.CLOCK_EVENT: (gettext_lazy("Fact of the clock"), "neutral", "clock"),
    Action.DUE_DATE_MOVED: (gettext_lazy("Due date moved"), "warning", "calendar"),
    Action.DATE_MOVE_SEEN: (gettext_lazy("The moved date was seen"), "neutral", "eye"),
    Action.DECISION_PROPOSED: (gettext_lazy("Outcome proposed"), "accent", "scale"),
    Action.DECISION_MADE: (gettext_lazy("Decision"), "success", "scale"),
    Action.EXTENSION_PROPOSED: (gettext_lazy("More time proposed"), "accent", "clock"),
    Action.EXTENSION_DECIDED: (gettext_lazy("More time: decision"), "success", "clock"),
    Action.EXTENSION_LAPSED: (gettext_lazy("Too late for more time"), "danger", "clock"),
    Action.LATENESS_EXPLAINED: (gettext_lazy("Said why it is late"), "warning", "alert"),
    Action.HOLD_SET: (gettext_lazy("Legal hold set"), "warning", "lock"),
    Action.HOLD_LIFTED: (gettext_lazy("Legal hold lifted"), "neutral", "lock"),
    Action.FILE_ADDED: (gettext_lazy("File added"), "neutral", "upload"),
    Action.FILE_OPENED: (gettext_lazy("File opened"), "neutral", "download"),
    Action.KEY_DESTROYED: (gettext_lazy("Collected data destroyed"), "danger", "trash"),
    Action.CASE_FILE_DESTROYED: (gettext_lazy("The case's file destroyed"), "danger", "trash"),
    Action.RETENTION_APPLIED: (gettext_lazy("Forgotten by a rule of retention"), "neutral", "trash"),
    Action.RETENTION_ISSUED: (gettext_lazy("Periods of retention chosen"), "accent", "edit"),
    Action.IDENTITY_ASKED: (gettext_lazy("Identity asked for"), "neutral", "shield"),
    Action.IDENTITY_REMINDED: (gettext_lazy("Asked again for identity"), "neutral", "mail"),
    Action.SIGNAL_DISMISSED: (gettext_lazy("A signal was looked into"), "neutral", "search"),
    Action.CODE_SENT: (gettext_lazy("Code sent"), "neutral", "mail"),
    Action.QUESTIONS_ASKED: (gettext_lazy("Asked from the record"), "neutral", "help"),
    Action.QUESTIONS_ANSWERED: (gettext_lazy("Answers came in"), "neutral", "chat"),
    Action.QUESTIONS_COMPARED: (gettext_lazy("Answers compared with the record"), "neutral", "shield"),
    Action.CODE_NOT_SENT: (gettext_lazy("Code not sent"), "warning", "alert"),
    Action.CODE_FAILED: (gettext_lazy("Wrong code typed"), "warning", "x-circle"),
    Action.CODE_ACCEPTED: (gettext_lazy("Code accepted"), "success", "check"),
    Action.IDENTITY_RECORDED: (gettext_lazy("Identity established"), "success", "shield"),
    Action.IDENTITY_STANDING: (gettext_lazy("Who asks was weighed anew"), "neutral", "shield"),
    Action.ADDRESS_CHECKED: (gettext_lazy("Address compared with the sources"), "neutral", "database"),
    Action.EXTERNAL_BEGUN: (gettext_lazy("Check at the provider begun"), "accent", "shield"),
    Action.EXTERNAL_TOLD: (gettext_lazy("The provider told of the check"), "neutral", "shield"),
    Action.EXTERNAL_ENDED: (gettext_lazy("Check at the provider ended"), "neutral", "shield"),
    Action.DOCUMENT_RECEIVED: (gettext_lazy("Picture of a document received"), "accent", "shield"),
    Action.DOCUMENT_READ: (gettext_lazy("Lines of the document read"), "neutral", "search"),
    Action.DOCUMENT_VIEWED: (gettext_lazy("Picture of a document looked at"), "neutral", "eye"),
    Action.DOCUMENT_DECIDED: (gettext_lazy("Document judged"), "neutral", "shield"),
    Action.DOCUMENT_DESTROYED: (gettext_lazy("Pictures of the document destroyed"), "neutral", "trash"),
    Action.AUTHORITY_ASKED: (gettext_lazy("Authority of the representative asked for"), "neutral", "shield"),
    Action.AUTHORITY_RECEIVED: (gettext_lazy("Authority of the representative received"), "accent", "shield"),
    Action.AUTHORITY_ACCEPTED: (
        gettext_lazy("Authority of the representative accepted"),
        "success",
        "shield",
    ),
    Action.AUTHORITY_REFUSED: (
        gettext_lazy("Authority of the representative refused"),
        "warning",
        "shield",
    ),
    Action.AUTHORITY_REVOKED: (
        gettext_lazy("Authority of the representative holds no more"),
        "warning",
        "shield",
    ),
    Action.RECIPIENT_CHOSEN: (gettext_lazy("Where the answer goes was changed"), "accent", "mail"),
    Action.RECIPIENT_TOLD: (gettext_lazy("A recipient was told"), "accent", "send"),
    Action.RECIPIENT_NOT_TOLD: (gettext_lazy("A recipient could not be told"), "danger", "alert"),
    Action.RECIPIENT_REMINDED: (gettext_lazy("A recipient was reminded"), "neutral", "mail"),
    Action.RECIPIENT_ANSWERED: (gettext_lazy("A recipient answered"), "success", "check"),
    Action.RECIPIENT_EXCUSED: (gettext_lazy("A recipient is not told, with a reason"), "warning", "edit"),
    Action.RECIPIENTS_ASKED: (gettext_lazy("The customer asked who received the data"), "accent", "help"),
    Action.SUPPRESSION_CHANGED: (gettext_lazy("Suppression list"), "neutral", "lock"),
    Action.CERTIFICATE_MADE: (gettext_lazy("The certificate was made"), "success", "file"),
    Action.REERASURE_LISTED: (
        gettext_lazy("What was erased is remembered, should a backup be restored"),
        "neutral",
        "lock",
    ),
    Action.RUN_STARTED: (gettext_lazy("Search started"), "accent", "search"),
    Action.SEARCH_ENDED: (gettext_lazy("A source answered"), "neutral", "database"),
    Action.SEARCH_RERUN: (gettext_lazy("A source is searched again"), "neutral", "refresh"),
    Action.SEARCH_WAIVED: (gettext_lazy("A source is waived"), "warning", "database"),
    Action.SEARCH_AGREED: (gettext_lazy("A source may be read as a whole"), "neutral", "database"),
    Action.SOURCE_PAUSED: (gettext_lazy("A source is paused"), "warning", "pause"),
    Action.SOURCE_RESUMED: (gettext_lazy("A source is asked again"), "neutral", "refresh"),
    Action.SOURCE_RESTS: (gettext_lazy("A source rests after failures"), "danger", "alert"),
    Action.SOURCE_RECOVERED: (gettext_lazy("A source is well again"), "success", "check"),
    Action.SOURCE_REFUSES_ACCOUNT: (gettext_lazy("A source refuses our account"), "danger", "alert"),
    Action.SOURCE_CHECKED: (gettext_lazy("The connection of a source was tried"), "neutral", "refresh"),
    Action.COLLECTION_STOPPED: (gettext_lazy("Collection is stopped"), "danger", "pause"),
    Action.COLLECTION_RESUMED: (gettext_lazy("Collection goes on"), "success", "refresh"),
    Action.CREDENTIALS_OFFERED: (gettext_lazy("New credentials entered"), "neutral", "lock"),
    Action.CREDENTIALS_CHANGED: (gettext_lazy("Credentials changed"), "warning", "lock"),
    Action.CREDENTIALS_REFUSED: (gettext_lazy("New credentials did not work"), "warning", "lock"),
    Action.OWNER_ASKED: (gettext_lazy("A source's owner is asked"), "neutral", "mail"),
    Action.OWNER_LOOKED: (gettext_lazy("A source's owner looked whom to search for"), "neutral", "eye"),
    Action.OWNER_ANSWERED: (gettext_lazy("A source's owner answered"), "neutral", "database"),
    Action.OWNER_SILENT: (gettext_lazy("A source's owner has not answered in time"), "warning", "clock"),
    Action.MATCH_DECIDED: (gettext_lazy("Decided whether a match is the person"), "neutral", "users"),
    Action.RECORDS_DECIDED: (gettext_lazy("Decided whose records these are"), "neutral", "users"),
    Action.IDENTIFIER_STRUCK: (gettext_lazy("An identifier is struck out"), "warning", "eye-off"),
    Action.FILE_ASKED_AGAIN: (gettext_lazy("A file is fetched again"), "neutral", "refresh"),
    Action.FILE_WAIVED: (gettext_lazy("The answer goes on without a file"), "warning", "file"),
    Action.FIELD_CLASSIFIED: (gettext_lazy("A field of a source is classified"), "neutral", "database"),
    Action.ITEMS_DECIDED: (gettext_lazy("Items decided"), "neutral", "check"),
    Action.ITEM_ADDED: (gettext_lazy("Item added by hand"), "neutral", "plus"),
    Action.CLAIM_ADDED: (gettext_lazy("A correction was added to the request"), "neutral", "plus"),
    Action.EVIDENCE_ADDED: (gettext_lazy("Evidence for a correction was added"), "neutral", "file"),
    Action.CORRECTIONS_FOUND: (gettext_lazy("Disputed values were looked for"), "neutral", "search"),
    Action.VALUES_SHOWN: (gettext_lazy("The customer was shown details to point at"), "neutral", "eye"),
    Action.VALUE_DECIDED: (gettext_lazy("Decided about a disputed value"), "neutral", "check"),
    Action.LETTER_WRITTEN: (gettext_lazy("Letter written"), "neutral", "mail"),
    Action.LETTER_SENT: (gettext_lazy("Letter sent"), "success", "send"),
    Action.LETTER_FAILED: (gettext_lazy("Letter could not be sent"), "danger", "alert"),
    Action.LETTER_BOUNCED: (gettext_lazy("Letter bounced"), "danger", "alert"),
    Action.MESSAGE_RECEIVED: (gettext_lazy("The customer wrote"), "accent", "chat"),
    Action.PACK_BUILT: (gettext_lazy("Response pack built"), "success", "file"),
    Action.PACK_DELIVERED: (gettext_lazy("Response pack made available"), "success", "send"),
    Action.PACK_DOWNLOADED: (gettext_lazy("Response pack downloaded"), "success", "download"),
    Action.PACK_REVOKED: (gettext_lazy("Response pack revoked"), "danger", "lock"),
    Action.PACK_MISDIRECTED: (gettext_lazy("Misdirected: possible breach"), "danger", "alert"),
    Action.TASK_RECORDED: (gettext_lazy("Task recorded"), "success", "check"),
    Action.PLAN_PROPOSED: (gettext_lazy("A plan was proposed by the rules"), "neutral", "scale"),
    Action.PLAN_GROUND_CHOSEN: (gettext_lazy("The ground of the erasure was recorded"), "neutral", "scale"),
    Action.PLAN_LINES_DECIDED: (gettext_lazy("Lines of the plan were decided"), "accent", "edit"),
    Action.PLAN_LINES_RETURNED: (gettext_lazy("Lines of the plan were sent back"), "warning", "scale"),
    Action.DRY_RUN_ORDERED: (gettext_lazy("The sources were asked again"), "neutral", "refresh"),
    Action.DRY_RUN_ENDED: (gettext_lazy("A source said what it would do"), "neutral", "database"),
    Action.CHANGES_BEGUN: (gettext_lazy("The plan is being carried out"), "accent", "arrow-right"),
    Action.CHANGES_EXPEDITED: (gettext_lazy("The time to cancel was cut short"), "warning", "clock"),
    Action.CHANGES_HELD: (gettext_lazy("The plan waits"), "warning", "pause"),
    Action.PART_WRITTEN: (gettext_lazy("A source was changed"), "neutral", "database"),
    Action.PART_PROVEN: (gettext_lazy("A source was searched again"), "neutral", "search"),
    Action.PART_RETRIED: (gettext_lazy("A source was taken up again"), "neutral", "refresh"),
    Action.PART_GIVEN_UP: (gettext_lazy("Nothing more is tried in a source"), "danger", "x-circle"),
    Action.STALE_DECIDED: (gettext_lazy("Changed records were decided anew"), "accent", "edit"),
    Action.STALE_APPROVED: (gettext_lazy("What was decided anew is approved"), "success", "scale"),
    Action.STALE_RETURNED: (gettext_lazy("What was decided anew was sent back"), "warning", "scale"),
    Action.LEFTOVER_PROPOSED: (gettext_lazy("Proposed to let something stay"), "warning", "scale"),
    Action.LEFTOVER_SETTLED: (gettext_lazy("What was left is settled"), "success", "scale"),
    Action.CHANGES_ENDED: (gettext_lazy("The plan was carried out"), "success", "check"),
    Action.PRESERVE_NOTICE_SENT: (gettext_lazy("Preserve notice sent"), "neutral", "mail"),
    Action.RESTRICTION_CHOSEN: (gettext_lazy("Chosen what is restricted"), "neutral", "lock"),
    Action.RESTRICTION_BEGUN: (gettext_lazy("The use of the data is restricted"), "warning", "lock"),
    Action.PLACE_RECORDED: (gettext_lazy("Recorded how a system is marked"), "neutral", "database"),
    Action.LIFT_PROPOSED: (gettext_lazy("The end of the restriction is proposed"), "accent", "clock"),
    Action.LIFT_AGREED: (gettext_lazy("Agreed that the restriction ends"), "success", "scale"),
    Action.LIFT_RETURNED: (gettext_lazy("The restriction goes on"), "warning", "lock"),
    Action.LIFT_TOLD: (gettext_lazy("The customer was told that the restriction ends"), "success", "mail"),
    Action.RESTRICTION_LIFTED: (gettext_lazy("The restriction is lifted"), "success", "check"),
    Action.OBJECTION_WEIGHED: (gettext_lazy("The objection was weighed"), "neutral", "scale"),
    Action.LOOK_PREPARED: (gettext_lazy("Somebody is named to look at the decision again"), "accent", "user"),
    Action.LOOK_ENDED: (gettext_lazy("The decision was looked at again"), "success", "eye"),
    Action.PORTABLE_SORTED: (gettext_lazy("Sorted what can be taken along"), "neutral", "check"),
    Action.DRILL_RUN: (gettext_lazy("Drill run"), "neutral", "flag"),
    Action.DRILL_REFUSED: (gettext_lazy("Drill refused"), "warning", "flag"),
    Action.COMMAND_RUN: (gettext_lazy("Command run"), "neutral", "keyboard"),
    Action.INSTRUCTION_ISSUED: (gettext_lazy("Instruction issued"), "accent", "scale"),
    Action.SOURCE_CHANGED: (gettext_lazy("Source system changed"), "warning", "database"),
    Action.CONFIGURATION_APPLIED: (gettext_lazy("Configuration applied"), "warning", "edit"),
}
