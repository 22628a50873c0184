"""The contract between the collection engine and a connector.

A connector is pure input and output: it is given identifiers of one person and returns pages of records. It
knows nothing of cases, tasks or databases of ours, so this module imports the standard library only. Whatever
names, addresses or keys an object carries is left out of its ``repr``, because a repr ends up in logs and
tracebacks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol, Self, TypeAlias, cast, runtime_checkable

JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"
Clock: TypeAlias = Callable[[], datetime]

EMAIL = "email"
PHONE = "phone_number"
EXTERNAL_ID = "external_id"

# Other words for the same kind of identifier, met in dataset files and in other systems.
KIND_ALIASES: Mapping[str, str] = {
    "phone": PHONE,
    "telephone": PHONE,
    "e-mail": EMAIL,
    "customer_number": EXTERNAL_ID,
}


def canonical_kind(kind: str) -> str:
    """Return the one name under which this kind of identifier is known here."""
    plain = kind.strip().lower()
    return KIND_ALIASES.get(plain, plain)


def utc_now() -> datetime:
    """Return the present moment; the clock of every connector that is given no other."""
    return datetime.now(UTC)


# --- What is searched for -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing known of the person: an address, a number. ``kind`` is brought to its one name."""

    kind: str
    value: str = field(repr=False)
    verified: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", canonical_kind(self.kind))


# Fewer digits than this are an extension or a slip, and would match by chance.
MIN_PHONE_DIGITS = 5


def phone_digits(value: str) -> str:
    """Return the digits of a telephone number without the international prefix, written + or 00."""
    digits = "".join(str(unicodedata.digit(sign)) for sign in value if sign.isdigit())
    return digits.removeprefix("00")


def is_searchable(identifier: Identifier) -> bool:
    """Say whether enough of an identifier is left to search by, once it is brought to its plain form."""
    if identifier.kind == PHONE:
        return len(phone_digits(identifier.value)) >= MIN_PHONE_DIGITS
    return bool(identifier.value.strip())


def require_identifiers(identifiers: Iterable[Identifier], kinds: Iterable[str]) -> tuple[Identifier, ...]:
    """Return the identifiers by which a source with these ``kinds`` can be searched.

    Raises NoIdentifiers when nothing but blanks was given, since a search for nothing would match everything,
    and NotSearchable when the source knows none of the kinds, since "not searched" must never read as "no
    data".
    """
    filled = [identifier for identifier in identifiers if is_searchable(identifier)]
    if not filled:
        raise NoIdentifiers
    known = frozenset(kinds)
    usable = tuple(identifier for identifier in filled if identifier.kind in known)
    if not usable:
        raise NotSearchable(kinds=", ".join(sorted(known)) or "nothing")
    return usable


# --- What is found ------------------------------------------------------------------------------------------


class Confidence(StrEnum):
    """How sure the source is that a match is the person. Only exact matches are collected without a human."""

    EXACT = "exact"
    PROBABLE = "probable"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Match:
    """A place in the source where the person was found, from which collecting starts.

    ``selector`` belongs to the connector and may hold personal data: keep it where the collected data are
    kept. ``summary`` is what a member of staff needs to see to tell whether a match that is not exact is the
    person: a few fields, as the source shows them. ``reveals`` are further identifiers that the very record which
    matched holds of the same person, to search other sources by; only those of exact matches are used. ``ref`` is
    that of the record that matched, which ``collect`` gives as well; where a match stands for many records at once,
    ``is_group`` says so.
    """

    ref: str
    type: str
    matched_on: tuple[str, ...]
    confidence: Confidence = Confidence.EXACT
    selector: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    summary: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    reveals: tuple[Identifier, ...] = ()
    is_group: bool = False

    def to_json(self) -> dict[str, JSON]:
        """Return this match as plain JSON, to be kept between the calls of find and collect."""
        return {
            "ref": self.ref,
            "type": self.type,
            "matched_on": list(self.matched_on),
            "confidence": self.confidence.value,
            "selector": self.selector,
            "summary": self.summary,
            "reveals": [[one.kind, one.value] for one in self.reveals],
            "is_group": self.is_group,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Self:
        """Read what to_json wrote. Raises ContractBroken for anything else."""
        try:
            return cls(
                ref=str(value["ref"]),
                type=str(value["type"]),
                matched_on=tuple(str(kind) for kind in cast(Sequence[JSON], value["matched_on"])),
                confidence=Confidence(str(value["confidence"])),
                selector=cast(Mapping[str, JSON], value["selector"]),
                summary=cast(Mapping[str, JSON], value["summary"]),
                reveals=tuple(
                    Identifier(str(kind), str(found))
                    for kind, found in cast(Sequence[tuple[JSON, JSON]], value["reveals"])
                ),
                is_group=bool(value["is_group"]),
            )
        except (KeyError, TypeError, ValueError):
            raise ContractBroken(what="a match that was kept from an earlier step") from None


class LinkKind(StrEnum):
    """Why a record belongs to the person: it bears their identifier, or it hangs on a record that does."""

    IDENTITY = "identity"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Link:
    """The proof that a record belongs to the person.

    ``via`` names what led here: ``customer.email``, or ``invoice.customer_id = customer.id`` for a field of this
    type of record that refers to a field (one of the ``keys``) of another; several parts of one key are joined by
    “and”. ``keys`` holds the values of the record
    itself that bear it out, by the names of these fields: the engine compares them with what it searched for, or with
    the records that it collected before, and sets a record aside for a human where they do not agree.
    ``identifiers`` says for a link by identity of which kind each key is, where its name does not say it.
    """

    kind: LinkKind
    via: tuple[str, ...]
    keys: Mapping[str, JSON] = field(repr=False)
    identifiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blob:
    """A file or recording that hangs on a record; ``open_blob`` reads it.

    ``ref`` is stable and free of readable personal data; ``size`` is in bytes, None where the source does not say.
    ``handle`` is what the connector needs to find it again.
    """

    ref: str
    name: str = field(repr=False)
    media_type: str = "application/octet-stream"
    size: int | None = None
    handle: Mapping[str, JSON] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the source.

    ``ref`` is stable from run to run and free of readable personal data, so that it can serve as a unique
    key; ``categories`` gives the data categories of each field; ``third_party`` marks a record about somebody
    else, and ``third_party_fields`` the fields about somebody else in a record about the person. ``unclassified``
    holds the values of fields that the source's description does not know: they are kept apart until a person has
    said what they are. ``handle`` finds the record again in its source, where ``ref`` does not suffice.
    """

    ref: str
    type: str
    link: Link
    data: Mapping[str, JSON] = field(repr=False)
    fetched_at: datetime
    categories: Mapping[str, tuple[str, ...]] = field(repr=False)
    third_party: bool = False
    third_party_fields: tuple[str, ...] = ()
    source_version: str | None = None
    blobs: tuple[Blob, ...] = ()
    unclassified: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    handle: Mapping[str, JSON] = field(default_factory=dict, repr=False)


CURSOR_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page starts.

    Opaque to the engine, saved in the same transaction as the records of its page.

    ``after`` may hold a key of the source and so personal data: keep it where the collected data are kept.
    ``seen`` counts the records of the pages so far, ``total`` is what the source counted when collecting
    began.
    """

    stage: str
    after: JSON = field(default=None, repr=False)
    seen: int = 0
    total: int | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return this cursor as plain JSON."""
        return {
            "format": CURSOR_FORMAT,
            "stage": self.stage,
            "after": self.after,
            "seen": self.seen,
            "total": self.total,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Self:
        """Read what to_json wrote. Raises ContractBroken for another format."""
        if value.get("format") != CURSOR_FORMAT:
            raise ContractBroken(what="the place where an earlier search stopped")
        try:
            total = value["total"]
            return cls(
                stage=str(value["stage"]),
                after=value["after"],
                seen=int(cast(int, value["seen"])),
                total=None if total is None else int(cast(int, total)),
            )
        except (KeyError, TypeError, ValueError):
            raise ContractBroken(what="the place where an earlier search stopped") from None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records. ``next`` is None when the source is finished.

    ``expected_total`` is the source's own count for the whole collection, for progress and for the check at
    the end. ``unknown_fields`` names, by record type, fields that the source holds and its description does
    not know; their values are in ``Record.unclassified``. ``warnings`` are sentences for staff, free of personal data.
    """

    records: Sequence[Record]
    next: Cursor | None
    expected_total: int | None = None
    warnings: tuple[str, ...] = ()
    unknown_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


# --- What a connector says of itself ------------------------------------------------------------------------


class OptionKind(StrEnum):
    """Which input a console form shows for an option."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing an operator states to connect a source. A secret is kept encrypted and never shown again."""

    name: str
    label: str
    help: str = ""
    kind: OptionKind = OptionKind.TEXT
    required: bool = False
    secret: bool = False
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Effect(StrEnum):
    """What becomes of a record when the source is told to delete it; "deleted" is often not what happens."""

    REMOVED = "removed"
    ANONYMISED = "anonymised"
    HIDDEN = "hidden"
    DISABLED = "disabled"
    RETAINED = "retained"
    UNKNOWN = "unknown"


class Ability(StrEnum):
    """What can be done to records of a type, beside reading them."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    RECTIFY = "rectify"
    RESTRICT = "restrict"


@dataclass(frozen=True, slots=True)
class FieldForm:
    """What a field's values have to look like, where the source or its description says so.

    ``data_type`` is one of the dataset format's (``string``, ``integer``, …), ``length`` in characters. ``askable``
    says that a person may be asked for the value to show who they are, and so is never shown it.
    """

    categories: tuple[str, ...] = ()
    data_type: str = ""
    length: int | None = None
    third_party: bool = False
    askable: bool = False


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of record that the source holds: its fields with personal data, and whom it is about.

    ``parents`` are the types on which it hangs, and ``keys`` the fields by which others refer to records of this
    type; ``abilities`` what the source lets us do to it, ``delete_effect``
    what a delete really does there, and ``rectifiable`` which fields can be corrected. ``forms`` says what values
    have to look like; ``statement_field`` names the text to which a statement of the person can be added.
    """

    name: str
    personal_fields: frozenset[str]
    third_party: bool = False
    parents: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset({"id"})
    abilities: frozenset[Ability] = frozenset()
    delete_effect: Effect = Effect.UNKNOWN
    rectifiable: frozenset[str] = frozenset()
    forms: Mapping[str, FieldForm] = field(default_factory=dict)
    statement_field: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds, as the vendor publishes it; ``bucket`` tells limits of one source apart."""

    calls: int
    seconds: float
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connected source can do.

    Blind spots are shown to staff and named in the answer to the requester. ``limits`` are kept by all workers
    together. ``lists_whole`` says, in a sentence, that the source has to be paged through as a whole to find somebody.
    """

    identifier_kinds: frozenset[str]
    types: Mapping[str, RecordType]
    page_max: int
    blind_spots: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    lists_whole: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What a trial of the connection showed.

    The account used, the system's name and version, and what to look at.
    """

    account: str
    server: str
    warnings: tuple[str, ...] = ()
    unknown_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials_expire_at: datetime | None = None


class Gate(Protocol):
    """Where a connector asks before each call to its source, so that all workers together keep its limits."""

    def take(self, bucket: str = "") -> None:
        """Count one call. Raises Throttled with the seconds to wait when there is no room; never waits itself."""

    def learn(self, *, bucket: str = "", wait: float | None = None, remaining: int | None = None) -> None:
        """Take note of what the source said: wait so many seconds, or so many calls are left until then."""


class OpenGate:
    """Lets everything through: for a source without limits, and for trying a connector alone."""

    def take(self, bucket: str = "") -> None:
        """Let one call through."""

    def learn(self, *, bucket: str = "", wait: float | None = None, remaining: int | None = None) -> None:
        """Take no note."""


OPEN_GATE: Final = OpenGate()


@dataclass(frozen=True, slots=True)
class Setup:
    """What a connector is made from. Secrets are kept apart from options, and out of the repr."""

    options: Mapping[str, JSON]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    dataset_yaml: str | None = field(default=None, repr=False)
    clock: Clock = utc_now
    gate: Gate = OPEN_GATE


@runtime_checkable
class Connector(Protocol):
    """A source system, connected. Nothing is kept between calls but an open connection.

    Calls come one at a time, but not all from the same thread: a page is read while the one before is stored.

    Each method raises ConnectorError and nothing else for what can go wrong at or on the way to the source.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    version: ClassVar[str]
    needs_dataset: ClassVar[bool]

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare what an operator has to state; a form is built from it."""

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Validate the set-up without contacting the source. Raises ConfigurationError."""

    def capabilities(self) -> Capabilities:
        """Say what this source can do, without contacting it."""

    def check(self) -> Check:
        """Try the connection and the permissions with reads only."""

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Say for each kind of identifier whether all of that kind are on file.

        A bounded look-up, no data returned.

        A kind that the source cannot look up is absent: not known is not "no".
        """

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find the person. An empty answer means that the source was searched and holds nothing."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Return one page: the first when there is no cursor. The same cursor gives the same page again."""

    def close(self) -> None:
        """Let go of the connection; may be called twice."""


@runtime_checkable
class HoldsBlobs(Protocol):
    """A connector whose records have files or recordings. Without it, records name no blobs."""

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        """Yield the file from its beginning, in chunks of bounded size. Raises ConnectorError."""


# --- What goes wrong ----------------------------------------------------------------------------------------


class ConnectorError(Exception):
    """Something went wrong at a source.

    Says what, and what to do, in words free of personal data and secrets.

    ``sentence`` and ``remedy`` are format strings over ``params``, which hold names of tables, columns and
    options only, so that a screen can translate them by ``code``. ``retryable`` says whether waiting may heal
    it.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "The source system could not be searched."
    remedy: ClassVar[str] = "Try again; if it fails again, tell the administrator of the source."
    retryable: ClassVar[bool] = False

    def __init__(self, *, retry_after: float | None = None, **params: str) -> None:
        self.params = params
        self.retry_after = retry_after
        super().__init__(self.sentence.format(**params))

    @property
    def what_to_do(self) -> str:
        """The remedy, with its names filled in."""
        return self.remedy.format(**self.params)


class ConfigurationError(ConnectorError):
    """The operator's settings cannot work; nothing was contacted, or the source does not know what they name."""

    code = "configuration"
    sentence = "The settings of this source are not right: {problem}"
    remedy = "Correct the settings of the source, then test the connection."

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class AuthError(ConnectorError):
    """The source refused the account. Never retried, since that would lock the account out."""

    code = "auth"
    sentence = "The source refused the user name or the password."
    remedy = "Enter the credentials again in the settings of the source, then test the connection."


class PermissionDenied(AuthError):
    """The account signed in, and may not read what has to be read."""

    code = "permission"
    sentence = "The account may sign in, but may not read {what}."
    remedy = "Ask the source's administrator to let this account read {what}, then rerun this source."


class Transient(ConnectorError):
    """The source did not answer as it should, and may soon."""

    code = "transient"
    sentence = "The source broke off the connection."
    remedy = "The search goes on by itself. If it keeps failing, tell the administrator of the source."
    retryable = True


class Unreachable(Transient):
    """No connection came about."""

    code = "unreachable"
    sentence = "The source could not be reached."
    remedy = "Check that the source runs, and its address and port; the search is tried again by itself."


class TimedOut(Transient):
    """The source was reached and took longer than it was given."""

    code = "timeout"
    sentence = "The source took longer than the time it was given{where}."
    remedy = "Try at a quieter hour, raise the time limit, or add an index for the columns searched."

    def __init__(self, where: str = "") -> None:
        super().__init__(where=f" to read {where}" if where else "")


class Throttled(Transient):
    """The source asks for patience. ``retry_after`` is in seconds; the worker never sleeps on it."""

    code = "throttled"
    sentence = "The source is busy and asked to be called again later."
    remedy = "Nothing: the search goes on by itself when the source allows."


class Refused(ConnectorError):
    """The source, or this contract, refuses by rule; asking again changes nothing."""

    code = "refused"
    sentence = "The source refused the request: {reason}"
    remedy = "See the reason; the administrator of the source may be able to lift it."


class NoIdentifiers(Refused):
    """There is nothing to search for. Refused, since a search for nothing would find everybody."""

    code = "no_identifiers"
    sentence = "There is nothing to search for: no identifier of the person was given."
    remedy = "Add an e-mail address, telephone or customer number to the request, then rerun this source."


class NotSearchable(Refused):
    """What is known of the person is nothing this source can be searched by."""

    code = "not_searchable"
    sentence = "This source can be searched by {kinds} only, and none of it is known of the person."
    remedy = "Ask for one of these ({kinds}), or search the source by hand and record what was found."


class ContractBroken(ConnectorError):
    """The answer is not what this connector understands. Stop, rather than guess."""

    code = "contract"
    sentence = "The source, or this system, gave something that cannot be understood: {what}."
    remedy = "Tell the administrator. Nothing collected so far is lost."


class Conflict(ConnectorError):
    """The record is no longer as it was when the change was decided. Nothing was written."""

    code = "conflict"
    sentence = "The record has been changed in the source since it was read."
    remedy = "Look at the record again, and decide anew."


class SchemaDrift(ContractBroken):
    """The source no longer has what its description names."""

    code = "drift"
    sentence = "The description of the source names {what}, which the source does not have."
    remedy = "Bring the dataset description and the source in line again, then rerun this source."
