"""The shape of a law file: dated, versioned rules as data, each with article and source.

Pydantic checks a file strictly when it is read; after that these are plain frozen dataclasses.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic.dataclasses import dataclass as record

from cases.deadlines.calendars import CalendarSpec
from cases.deadlines.events import ExtensionReason, FeeBasis, Right, Subject

STRICT = ConfigDict(extra="forbid", validate_default=False)

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]+)*$")]
Count = Annotated[int, Field(ge=0, le=3660, strict=True)]


class CountFrom(StrEnum):
    """The day from which a period is counted."""

    RECEIPT = "receipt"
    NEXT_DAY = "next_day"


class Origin(StrEnum):
    """Receipt, or the start that identity information, authority or a fee may have moved."""

    RECEIPT = "receipt"
    START = "start"


class CautiousReset(StrEnum):
    """What a moved start is worth on the cautious date."""

    COUNTS = "counts"
    FIRST_PROMPT = "first_prompt"
    IGNORED = "ignored"


class PauseCount(StrEnum):
    """Which days of a pause do not count. In both the day of the reply does not count."""

    ASKED_AND_REPLY = "asked_and_reply"
    REPLY_ONLY = "reply_only"


class CautiousPause(StrEnum):
    """What a pause is worth on the cautious date."""

    ONE_DAY_LESS = "one_day_less"
    IGNORED = "ignored"


class ClockKind(StrEnum):
    """The dates that one case can have."""

    RESPONSE = "response"
    EXTENSION_NOTICE = "extension_notice"
    REFUSAL_NOTICE = "refusal_notice"
    ACKNOWLEDGEMENT = "acknowledgement"
    COMPLAINT_ACK = "complaint_ack"
    COMPLAINT_RESPONSE = "complaint_response"
    APPEAL = "appeal"


@record(frozen=True, kw_only=True, config=STRICT)
class Cited:
    """Every rule names its article and its source, and says when nobody has confirmed it."""

    article: Text
    source: Text
    unconfirmed: StrictBool = False
    note: str = ""


@record(frozen=True, kw_only=True, config=STRICT)
class Length(Cited):
    """A period in exactly one unit."""

    months: Count = 0
    days: Count = 0
    working_days: Count = 0
    rights: tuple[Right, ...] = ()

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(bool(value) for value in (self.months, self.days, self.working_days)) != 1:
            raise ValueError("give exactly one of months, days and working_days, and not nought")
        return self

    def covers(self, right: Right) -> bool:
        return not self.rights or right in self.rights


@record(frozen=True, kw_only=True, config=STRICT)
class ReceiptRule(Cited):
    """U1, E1: which day is the first."""

    count_from: CountFrom


@record(frozen=True, kw_only=True, config=STRICT)
class ResetRule(Cited):
    """U2: what has to come in before the clock starts."""

    subject: Subject
    cautious: CautiousReset
    fee_bases: tuple[FeeBasis, ...] = ()


@record(frozen=True, kw_only=True, config=STRICT)
class PauseRule(Cited):
    """U5, E5: which question makes days not count."""

    subject: Subject
    count: PauseCount
    cautious: CautiousPause
    statutory: StrictBool
    rights: tuple[Right, ...] = ()
    must_be_prompt: StrictBool = False
    needs_large_quantity: StrictBool = False


@record(frozen=True, kw_only=True, config=STRICT)
class PromptRule(Cited):
    """After how many days a question is no longer asked without undue delay, and our own aim."""

    within_days: Count
    target_working_days: Count


@record(frozen=True, kw_only=True, config=STRICT)
class ExtensionRule(Cited):
    """U7, E7: the whole period when it is extended, and until when notice must be out."""

    months: Count = 0
    days: Count = 0
    named_by_controller: StrictBool = False
    counted_from: Origin
    adds_pauses: StrictBool
    notice_from: Origin
    notice_article: Text
    reasons: tuple[ExtensionReason, ...] = (ExtensionReason.COMPLEXITY, ExtensionReason.NUMBER_OF_REQUESTS)
    rights: tuple[Right, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum((bool(self.months), bool(self.days), self.named_by_controller)) != 1:
            raise ValueError("give exactly one of months, days and named_by_controller")
        return self

    def covers(self, right: Right) -> bool:
        return not self.rights or right in self.rights


@record(frozen=True, kw_only=True, config=STRICT)
class RefusalRule(Cited):
    """U8, E8: until when a reasoned refusal must be out."""

    counted_from: Origin
    follows_extension: StrictBool


@record(frozen=True, kw_only=True, config=STRICT)
class RollRule(Cited):
    """U6, E6: what becomes of an end on a day off."""

    rolls: StrictBool


@record(frozen=True, kw_only=True, config=STRICT)
class TargetRule(Cited):
    """Our own aim, in days after the start."""

    days: Count


@record(frozen=True, kw_only=True, config=STRICT)
class Version:
    """The rules for requests received from ``valid_from`` to ``valid_to``, both included."""

    version: Text
    valid_from: date
    valid_to: date | None = None
    periods: tuple[Length, ...] = ()
    receipt: ReceiptRule
    resets: tuple[ResetRule, ...] = ()
    pauses: tuple[PauseRule, ...] = ()
    prompt: PromptRule
    extension: ExtensionRule | None = None
    refusal: RefusalRule | None = None
    roll: RollRule
    target: TargetRule
    note: str = ""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def period_for(self, right: Right) -> Length | None:
        for period in self.periods:
            if not period.rights or right in period.rights:
                return period
        return None


@record(frozen=True, kw_only=True, config=STRICT)
class SideClock(Length):
    """A clock beside the response: an acknowledgement, a complaint, an appeal.

    It is dated by its own event, since the UK complaint duty binds for complaints received from
    19 June 2026, whatever the version of the request's own rules.
    """

    kind: ClockKind
    valid_from: date
    valid_to: date | None = None
    rolls: StrictBool
    cautious_days: Count = 0

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@record(frozen=True, kw_only=True, config=STRICT)
class CalendarData:
    """A place's calendar as a law file writes it."""

    country: Text
    subdivision: str = ""
    ignored: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    recess_from: Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")] | None = None
    recess_to: Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")] | None = None

    @model_validator(mode="after")
    def _both_ends(self) -> Self:
        if (self.recess_from is None) != (self.recess_to is None):
            raise ValueError("give recess_from and recess_to together")
        return self

    def spec(self, region: str = "") -> CalendarSpec:
        return CalendarSpec(
            country=self.country,
            subdivision=region or self.subdivision,
            ignored=self.ignored,
            doubtful=self.doubtful,
            recess=self._recess(),
        )

    def _recess(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self.recess_from is None or self.recess_to is None:
            return None
        return _month_day(self.recess_from), _month_day(self.recess_to)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


@record(frozen=True, kw_only=True, config=STRICT)
class Place:
    """A place where the law applies, with calendar and time zone."""

    code: Code
    name: Text
    zone: Text
    calendar: CalendarData
    valid_from: date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {self.zone!r}") from error
        return self


@record(frozen=True, kw_only=True, config=STRICT)
class Law:
    """One law file."""

    format: Literal[1]
    law: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    name: Text
    sources: dict[str, str]
    versions: Annotated[tuple[Version, ...], Field(min_length=1)]
    places: Annotated[tuple[Place, ...], Field(min_length=1)]
    clocks: tuple[SideClock, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _refuse_overlaps(self.versions)
        _refuse_twins(tuple(place.code for place in self.places), "place")
        _refuse_twins(tuple(version.version for version in self.versions), "version")
        _refuse_unknown_sources(self)
        return self


def _refuse_overlaps(versions: tuple[Version, ...]) -> None:
    ordered = sorted(versions, key=lambda version: version.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
            raise ValueError(f"versions {earlier.version} and {later.version} overlap")


def _refuse_twins(names: tuple[str, ...], what: str) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ValueError(f"{what} given twice: {', '.join(twins)}")


def _refuse_unknown_sources(law: Law) -> None:
    unknown = sorted({cited.source for cited in cited_rules(law)} - set(law.sources))
    if unknown:
        raise ValueError(f"source not listed under sources: {', '.join(unknown)}")


def rules_of(version: Version) -> tuple[Cited, ...]:
    """Give every rule of a version, for checks and for documentation."""
    single = (
        version.receipt,
        version.prompt,
        version.extension,
        version.refusal,
        version.roll,
        version.target,
    )
    present: tuple[Cited, ...] = tuple(rule for rule in single if rule is not None)
    return (*version.periods, *version.resets, *version.pauses, *present)


def cited_rules(law: Law) -> tuple[Cited, ...]:
    """Give every cited value of a law file."""
    return (*(rule for version in law.versions for rule in rules_of(version)), *law.clocks)
