"""What administrators see of sources: how each stands in words, what waits for it, and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from cases.administration.forms import SourceForm
from cases.collection import gate, outstanding, turns
from cases.collection.outstanding import Faults
from cases.connectors import registry
from cases.connectors.base import Capabilities, ConfigurationError, ConnectorError
from cases.models import (
    CheckStage,
    CollectionStop,
    HeldFor,
    RunState,
    SearchState,
    SourceCheck,
    SourceSearch,
    SourceSystem,
)
from cases.review.showing import kind_of_identifier
from cases.workflow.health import OPEN, TOLD_BEFORE
from dsar.audit.models import AuditEvent
from identity.models import Controller, User
from identity.roles import Permission

HISTORY = 30
_OF_SOURCE = ("source.", "configuration.")


@dataclass(frozen=True)
class Standing:
    """How a source stands: a word or two, what happened, what to do."""

    tone: str
    icon: str
    label: str
    text: str = ""
    todo: str = ""


@dataclass(frozen=True)
class Waiting:
    """How many searches of open cases this source holds up, and how many failed."""

    held: int = 0
    failed: int = 0

    @property
    def words(self) -> str:
        parts = []
        if self.held:
            parts.append(
                ngettext("%(count)d case waits", "%(count)d cases wait", self.held) % {"count": self.held}
            )
        if self.failed:
            failed = ngettext("%(count)d search failed", "%(count)d searches failed", self.failed)
            parts.append(failed % {"count": self.failed})
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """One source of the list."""

    source: SourceSystem
    kind: str
    standing: Standing
    waiting: Waiting
    check: SourceCheck | None
    ends_on: date | None
    calls_left: int | None


def rows(user: User, now: datetime) -> list[Row]:
    """Every source that this person administers; so many queries, however many sources there are."""
    sources = list(
        SourceSystem.objects.visible_to(user, Permission.ADMINISTER)
        .select_related("controller", "paused_by")
        .order_by("controller__name", "name")
    )
    ids = [source.pk for source in sources]
    latest, good, waits = _latest(ids), _latest_good(ids), _waiting(ids)
    stopped, left, faults = stopped_controllers(), gate.calls_left(ids), outstanding.faults(ids)
    found = []
    for source in sources:
        ends_on = _ends_on(source, good.get(source.pk))
        is_stopped = bool({source.controller_id, None} & stopped)
        standing = standing_of(
            source,
            latest.get(source.pk),
            ends_on,
            now,
            is_stopped=is_stopped,
            faults=faults.get(source.pk),
        )
        waiting = waits.get(source.pk, Waiting())
        found.append(
            Row(
                source,
                kind_of(source),
                standing,
                waiting,
                latest.get(source.pk),
                ends_on,
                left.get(source.pk),
            )
        )
    return found


def row(source: SourceSystem, now: datetime) -> Row:
    """The same of one source."""
    ids = [source.pk]
    check, ends_on = _latest(ids).get(source.pk), _ends_on(source, _latest_good(ids).get(source.pk))
    is_stopped = turns.is_stopped(source.controller_id)
    faults = outstanding.faults(ids).get(source.pk)
    standing = standing_of(source, check, ends_on, now, is_stopped=is_stopped, faults=faults)
    waiting = _waiting(ids).get(source.pk, Waiting())
    left = gate.calls_left(ids).get(source.pk)
    return Row(source, kind_of(source), standing, waiting, check, ends_on, left)


def _latest(ids: Sequence[UUID]) -> dict[UUID, SourceCheck]:
    """The latest trial of each source with the credentials in use."""
    checks = SourceCheck.objects.filter(source__in=ids, is_for_erasing=False)
    newest = checks.order_by("source_id", "-asked_at", "-id").distinct("source_id")
    return {check.source_id: check for check in newest}


def _latest_good(ids: Sequence[UUID]) -> dict[UUID, SourceCheck]:
    checks = SourceCheck.objects.filter(source__in=ids, is_for_erasing=False, stage=CheckStage.GOOD)
    return {
        check.source_id: check
        for check in checks.order_by("source_id", "-asked_at", "-id").distinct("source_id")
    }


def _waiting(ids: Sequence[UUID]) -> dict[UUID, Waiting]:
    """Counts alone: whose cases they are is nothing for an administrator."""
    counted = (
        SourceSearch.objects.filter(source__in=ids, run__state=RunState.RUNNING)
        .filter(state__in=[SearchState.HELD, SearchState.FAILED])
        .exclude(held_for__in=[HeldFor.AGREEMENT, HeldFor.OWNER])
        .values_list("source", "state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[UUID, dict[str, int]] = {}
    for source_id, state, count in counted:
        found.setdefault(source_id, {})[state] = count
    return {
        source_id: Waiting(counts.get(SearchState.HELD, 0), counts.get(SearchState.FAILED, 0))
        for source_id, counts in found.items()
    }


def stopped_controllers() -> set[UUID | None]:
    """Where collection is stopped; None stands for everywhere."""
    return set(CollectionStop.objects.filter(lifted_at=None).values_list("controller_id", flat=True))


def _ends_on(source: SourceSystem, good: SourceCheck | None) -> date | None:
    said = good.credentials_expire_at.date() if good and good.credentials_expire_at else None
    return min((day for day in (source.credentials_expire_on, said) if day), default=None)


def kind_of(source: SourceSystem) -> str:
    """The connector's own name; its key where it is not installed any more."""
    try:
        return _(registry.get(source.connector).label)
    except ConfigurationError:
        return source.connector


def kinds() -> list[tuple[str, str]]:
    """Every connector that can be loaded, by name."""
    found = []
    for key in registry.available():
        try:
            found.append((key, _(registry.get(key).label)))
        except ConfigurationError:
            continue  # a package that is broken offers nothing
    return sorted(found, key=lambda kind: kind[1])


def standing_of(
    source: SourceSystem,
    check: SourceCheck | None,
    ends_on: date | None,
    now: datetime,
    *,
    is_stopped: bool,
    faults: Faults | None = None,
) -> Standing:
    """The gravest thing first."""
    return (
        _by_people(source, is_stopped=is_stopped)
        or _in_trouble(source, now)
        or _by_searches(faults or Faults())
        or _by_check(source, check, ends_on, now)
    )


def _by_searches(faults: Faults) -> Standing | None:
    """What searches have shown of it since."""
    if faults.strangers:
        words = ngettext(
            "It gave %(count)d record of somebody else.",
            "It gave %(count)d records of somebody else.",
            faults.strangers,
        )
        todo = _("Look whether it keeps to what it is asked for; no such record was taken in.")
        return Standing(
            "warning", "alert", _("Gives other people's records"), words % {"count": faults.strangers}, todo
        )
    if faults.unknown_fields:
        words = ngettext(
            "It holds %(count)d field that nobody described; no answer goes out before it is classified.",
            "It holds %(count)d fields that nobody described; no answer goes out before they are classified.",
            faults.unknown_fields,
        )
        todo = _("Complete the description, or have the fields classified in the case where they were found.")
        return Standing(
            "warning", "alert", _("Description incomplete"), words % {"count": faults.unknown_fields}, todo
        )
    return None


def _by_people(source: SourceSystem, *, is_stopped: bool) -> Standing | None:
    if not source.is_active:
        return Standing("neutral", "", _("Not in use"), _("It is not searched, and not tried."))
    if is_stopped:
        return Standing("danger", "pause", _("Stopped"))
    if source.paused_at is not None:
        words = {"name": source.paused_by or _("an operator"), "day": _moment(source.paused_at)}
        by_whom = _("%(name)s, %(day)s") % words
        text = f"{source.pause_reason} ({by_whom})"
        return Standing("warning", "pause", _("Paused"), text, _("Resume it: what waits goes on by itself."))
    return None


def _in_trouble(source: SourceSystem, now: datetime) -> Standing | None:
    if source.needs_admin_at is not None:
        todo = _("Enter new credentials, or put the account right there and try the connection.")
        return Standing("danger", "alert", _("Refuses our account"), source.trouble_text, todo)
    if source.held_until is None or source.held_until <= now:
        return None
    until = {"time": date_format(localtime(source.held_until), "H:i")}
    if source.failures >= turns.FAILURES_TO_REST:
        failed = ngettext(
            "It failed %(count)d time in a row.", "It failed %(count)d times in a row.", source.failures
        )
        text = f"{failed % {'count': source.failures}} {source.trouble_text}"
        todo = _("Nothing, if it passes: it is tried again at %(time)s.") % until
        return Standing("danger", "alert", _("Rests after failures"), text, todo)
    return Standing("info", "clock", _("Asked for patience"), _("It is called again at %(time)s.") % until)


def _by_check(
    source: SourceSystem, check: SourceCheck | None, ends_on: date | None, now: datetime
) -> Standing:
    if ends_on and ends_on <= (now + TOLD_BEFORE).date():
        said = (
            _("The credentials end on %(day)s.")
            if ends_on >= now.date()
            else _("The credentials ended on %(day)s.")
        )
        text = said % {"day": date_format(ends_on, _("j F Y"))}
        return Standing("warning", "clock", _("Credentials end"), text, _("Enter new ones."))
    if check is None or check.stage in OPEN:
        return Standing("neutral", "", _("Not tried yet"))
    if check.stage == CheckStage.BAD:
        text = check.error_text or _("Something unexpected went wrong (%(code)s).") % {
            "code": check.error_code
        }
        return Standing("warning", "alert", _("Last trial failed"), text)
    if check.unknown_fields:
        text = _("It holds fields that its description does not know.")
        return Standing("warning", "alert", _("Description incomplete"), text, _("Complete the description."))
    if check.warnings:
        return Standing("warning", "alert", _("Answers, with remarks"), " ".join(check.warnings))
    return Standing("success", "check", _("In order"))


def _moment(at: datetime) -> str:
    return date_format(localtime(at), _("j F Y, H:i"))


# -- one source ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ability:
    """What can be found and done there, of one type of record."""

    name: str
    fields: str
    effect: str


def capabilities(source: SourceSystem) -> Capabilities | None:
    """What the connector says of itself; None where its settings cannot work."""
    try:
        connector = registry.build(source.connector, source.options, source.secrets, source.dataset or None)
    except ConnectorError:
        return None
    try:
        return connector.capabilities()
    finally:
        connector.close()


def found_by(able: Capabilities | None) -> str:
    """The kinds of identifier that a source is searched by, in words; empty where there is none."""
    return ", ".join(sorted(map(kind_of_identifier, able.identifier_kinds))) if able else ""


@dataclass(frozen=True)
class Shown:
    """An option as it is set; secrets are no options."""

    label: str
    value: str


def options(source: SourceSystem) -> list[Shown]:
    """The options in the order in which the connector declares them; long ones are cut."""
    try:
        declared = registry.get(source.connector).options()
    except ConfigurationError:
        return []
    return [
        Shown(_(option.label), _cut(str(source.options.get(option.name, option.default or ""))))
        for option in declared
        if not option.secret
    ]


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"


def has_secrets(source: SourceSystem) -> bool:
    """Whether its connector takes any credentials."""
    try:
        return any(option.secret for option in registry.get(source.connector).options())
    except ConfigurationError:
        return False


@dataclass(frozen=True)
class Event:
    """One entry of a source's history."""

    at: datetime
    title: str
    text: str
    actor: str


def history(source: SourceSystem) -> list[Event]:
    """What was done to this source and what befell it, from the trail: names of settings, never values."""
    own = AuditEvent.objects.filter(controller_id=source.controller_id, case_id=None)
    about = own.filter(data__source=str(source.pk)) | own.filter(data__id=str(source.pk))
    events = list(about.order_by("-at", "-seq")[:HISTORY])
    names = _names(events)
    return [_event(event, names) for event in events]


def _names(events: Iterable[AuditEvent]) -> Mapping[UUID, str]:
    people = [event.actor_id for event in events if event.actor_kind == "staff" and event.actor_id]
    return {one.pk: one.full_name for one in User.objects.filter(pk__in=people)}


def _event(event: AuditEvent, names: Mapping[UUID, str]) -> Event:
    kinds = {"staff": names.get(event.actor_id, "") if event.actor_id else "", "operator": _("an operator")}
    return Event(
        event.at,
        str(_TITLES[event.action]()) if event.action in _TITLES else event.action,
        _detail(event.data),
        kinds.get(event.actor_kind, _("the system")),
    )


def _detail(data: Mapping[str, Any]) -> str:
    parts = [
        ", ".join(dict.fromkeys(_setting(name) for name in data.get("fields") or [])),
        _("for erasing") if data.get("for") == "erasing" else "",
        data.get("code") or "",
    ]
    return " · ".join(part for part in parts if part)


def _setting(name: str) -> str:
    """A setting as the form calls it. Some are set in files alone, some by pages of their own."""
    field = SourceForm.base_fields.get(name)
    return str(field.label) if field else _(_SETTINGS.get(name, name))


_SETTINGS = {
    "connector": gettext_noop("Kind of source"),
    "options": gettext_noop("Connection"),
    "secrets": gettext_noop("Credentials"),
    "facts": gettext_noop("What the answer says of it"),
    "portable": gettext_noop("What can be taken along"),
    "is_test": gettext_noop("Test system"),
    "test_persons": gettext_noop("Test system"),
}

_TITLES = {
    "configuration.source_changed": lambda: _("Settings changed"),
    "configuration.credentials_offered": lambda: _("New credentials entered"),
    "configuration.credentials_changed": lambda: _("Credentials changed"),
    "configuration.credentials_refused": lambda: _("New credentials did not work"),
    "source.checked": lambda: _("Connection tried"),
    "source.paused": lambda: _("Paused"),
    "source.resumed": lambda: _("Resumed"),
    "source.rests": lambda: _("Rests after failures"),
    "source.recovered": lambda: _("Well again"),
    "source.refuses_account": lambda: _("Refused our account"),
}


# -- stops -----------------------------------------------------------------------------------------------


def stops() -> list[CollectionStop]:
    """Every stop that lies, for those whose rows this request may see."""
    return list(
        CollectionStop.objects.filter(lifted_at=None)
        .select_related("controller", "stopped_by")
        .order_by("stopped_at")
    )


def administered(user: User) -> list[Controller]:
    """The brands that this person administers, by name."""
    return list(Controller.objects.visible_to(user, Permission.ADMINISTER))


def until_next_look(check: SourceCheck | None, now: datetime) -> bool:
    """Whether a trial is under way that the page should wait for."""
    return check is not None and check.stage in OPEN and check.asked_at > now - timedelta(minutes=15)
