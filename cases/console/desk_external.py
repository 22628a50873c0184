"""Checks at an external provider in words, for the case page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case
from cases.workflow import external as checks
from cases.workflow.document_words import Words
from identity.models import CheckStage, ExternalCheck, ExternalEvent
from identity.models.external import OUTCOMES


@dataclass(frozen=True)
class Way:
    """Something that can be done with a check."""

    label: str
    url: str


@dataclass(frozen=True)
class Event:
    """Something that the provider told, and what became of it."""

    text: str
    at: datetime
    way: str
    effect: str


@dataclass(frozen=True)
class Shown:
    """One check."""

    name: str
    stage: str
    reason: Words
    asked_at: datetime
    ended_by: str
    events: tuple[Event, ...]
    offers: tuple[Way, ...]


_REASONS: Mapping[str, Words] = {
    "other_person": gettext_lazy("the document is in another name than the record"),
    "holder_unknown": gettext_lazy("the record has no name to compare with the document"),
    "provider_refused": gettext_lazy("the provider did not establish who it is"),
    "came_too_late": gettext_lazy("the result came when everything was closed"),
    "no_result": gettext_lazy("the provider told no result in time"),
    "timeout": gettext_lazy("the provider did not answer"),
    "no_connection": gettext_lazy("the provider could not be reached"),
    "http_401": gettext_lazy("the provider does not know our token"),
    "http_403": gettext_lazy("the provider does not know our token"),
}


def external_checks(case: Case) -> list[Shown]:
    """The checks of the case's request, newest first."""
    found = checks.checks_of(case.subject_request)
    may_repeat = checks.may_repeat(case.subject_request, found)
    return [_shown(case, one, may_repeat) for one in found]


def _shown(case: Case, check: ExternalCheck, may_repeat: bool) -> Shown:
    return Shown(
        name=check.provider.name,
        stage=check.get_stage_display(),
        reason=_REASONS.get(check.reason, ""),
        asked_at=check.asked_at,
        ended_by=str(check.ended_by or ""),
        events=tuple(map(_event, check.events.all())),
        offers=tuple(_ways(case, check, may_repeat)),
    )


def _event(event: ExternalEvent) -> Event:
    way = _("told by a signed message") if event.by_message else _("found when we asked")
    return Event(str(OUTCOMES[event.outcome]).capitalize(), event.at, way, event.get_effect_display())


def _ways(case: Case, check: ExternalCheck, may_repeat: bool) -> Iterator[Way]:
    if check.is_living:
        yield _way(case, check, "cancel-external", _("Cancel the check"))
    elif case.is_open and check.stage != CheckStage.VERIFIED and may_repeat:
        yield _way(case, check, "repeat-external", _("Offer it once more"))
    if not case.is_open and checks.late_result(check):
        yield _way(case, check, "count-external", _("Count the late result"))


def _way(case: Case, check: ExternalCheck, act: str, label: str) -> Way:
    return Way(label, reverse("console:act-on", args=[case.pk, act, check.pk]))
