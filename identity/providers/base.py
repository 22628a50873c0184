"""The contract between the desk and a method of establishing who asks.

A method knows nothing of the desk: it is handed plain data and gives plain data back, so that a package of
somebody else's can offer one (entry-point group ``dsar.identity_methods``). Its functions are pure: the same
state, answer and context give the same step, chance and the time being part of the context. It keeps nothing
between calls. What it must remember is the step's ``state``, which the caller keeps sealed; what it wants sent
or asked, the caller sends and asks. Tries are counted by the caller, in the database, before a method sees them.

Import this module and nothing else of the desk.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import ClassVar, Protocol, Self, runtime_checkable

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
State = dict[str, JSON]


def gettext_noop(message: str) -> str:
    """Mark a text for the translators' tools, which know this name; the text stays as it is."""
    return message


class Level(IntEnum):
    """Levels of assurance. Their numbers are stored: they keep their order and their values."""

    NONE = 0
    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


class Performer(StrEnum):
    """Who does what the method asks for."""

    CUSTOMER = "customer"
    STAFF_ON_CALL = "staff_on_call"
    STAFF = "staff"
    EXTERNAL = "external"


class Factor(StrEnum):
    """What a method rests on. Only evidence of different kinds adds up: two codes prove no more than one."""

    CHANNEL = "channel"  # reads an address or a number that was on file before
    KNOWLEDGE = "knowledge"  # knows what is in the record and nowhere else
    LOGIN = "login"  # signed in with the controller's own account
    DOCUMENT = "document"  # showed an identity document, an authority, or themselves


class Intrusiveness(IntEnum):
    """How much a method takes from somebody, so that the least is proposed first. Only the order counts."""

    NOTHING_NEW = 10  # a sign-in that exists
    ADDRESS_HELD = 20  # a code to an address that is held anyway
    FACTS_HELD = 30  # questions whose answers are held anyway
    SEEN = 40  # papers shown, or an appearance in person
    DOCUMENT = 50  # a copy of an identity document
    BIOMETRIC = 60  # a comparison of the face


class Need(StrEnum):
    """What has to be there before a method is possible for somebody."""

    EMAIL = "email"
    PHONE = "phone"
    CONTACT = "contact"  # a call or chat that is going on
    SCRIPT = "script"  # the controller's own questions for that
    FACTS = "facts"  # a connected source that may be asked about
    LOGIN = "login"  # the controller's customer sign-in, connected
    CAMERA = "camera"  # a picture can be taken or uploaded
    PROVIDER = "provider"  # an external provider, connected
    STAFF = "staff"  # a member of staff who looks
    DRILL = "drill"  # a rehearsal


class Waits(StrEnum):
    """Who has to act next."""

    CUSTOMER = "customer"
    STAFF = "staff"
    EXTERNAL = "external"


class Route(StrEnum):
    """By which way a message goes out. It goes to the requester's own address, which a method cannot choose."""

    EMAIL = "email"
    SMS = "sms"


class AskKind(StrEnum):
    """Which input a form shows."""

    CODE = "code"
    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"
    TICK = "tick"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class About:
    """What a method says of itself.

    ``name`` and ``asks`` are English and are translated by the screens: what it is called, and one sentence to
    the customer that says what it takes. ``reaches`` is the level of its best result alone, ``reaches_with``
    the level of that together with a result of another kind (each of them at least low). ``tries`` is how
    often an answer may be given before the step fails; ``steps_per_hour`` how often it may be begun.
    """

    code: str
    name: str
    asks: str
    performer: Performer
    factor: Factor
    intrusiveness: Intrusiveness
    needs: frozenset[Need]
    reaches: Level
    reaches_with: Level
    tries: int = 5
    steps_per_hour: int = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A question whose answer the record holds. ``choices`` are empty where it is answered in own words."""

    name: str
    question: str
    answer: str = field(repr=False)
    choices: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of whoever is to be known; empty where it is not known.

    ``email_on_file`` says whether a source confirmed the address (None while nobody knows): a code proves the
    person only where the address was on file before they gave it.
    """

    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    email_on_file: bool | None = None
    phone_on_file: bool | None = None
    language: str = "en-gb"
    facts: tuple[Fact, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may depend on beside the person and the answer.

    ``key`` hashes what must not be kept as it is, and is this person's and request's alone. ``draw(n)`` gives
    a number from 0 to n-1 that nobody can guess. ``lifetime`` is how long what is asked now stays open.
    """

    now: datetime
    key: bytes = field(repr=False)
    lifetime: timedelta = timedelta(minutes=10)
    draw: Callable[[int], int] = secrets.randbelow


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing asked. ``name`` is its key in the answer; ``text`` is English and is translated by the screen."""

    name: str
    kind: AskKind
    text: str = field(repr=False)
    choices: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """Something to send; ``values`` fill the caller's template for the method, and are not kept."""

    route: Route
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What came out. ``reason`` is a code, and ``codes`` are codes and counts: they go on the record.

    The level never exceeds what the method says of itself; NONE is a failure.
    """

    level: Level
    reason: str
    codes: Mapping[str, str | int | bool] = field(default_factory=dict)

    @property
    def is_reached(self) -> bool:
        return self.level > Level.NONE


@dataclass(frozen=True, slots=True)
class Step:
    """Where a check stands: what to remember, what to do now, and the result once there is one.

    ``problem`` is a code that says why what was given does not do; the same is then asked for again.
    """

    state: State = field(repr=False)
    waits_for: Waits | None = None
    asks: tuple[Ask, ...] = ()
    messages: tuple[Message, ...] = ()
    redirect: str = field(default="", repr=False)
    expires_at: datetime | None = None
    problem: str = ""
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a method is made from: an operator's settings for one controller, the secrets kept apart."""

    options: Mapping[str, JSON] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class NotPossible(Exception):
    """The method cannot begin for this person: something that it needs is not there."""

    def __init__(self, need: Need) -> None:
        super().__init__(need.value)
        self.need = need


@runtime_checkable
class Method(Protocol):
    """A way to establish who asks."""

    about: ClassVar[About]

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Take the settings, contacting nobody. Raises ValueError with a sentence for what cannot work."""

    def begin(self, person: Person, context: Context) -> Step:
        """Begin a check. Raises NotPossible where a need is not met; never tells what is known of the person."""

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """Take an answer and give the next step; ``person`` is what is known by now.

        An empty answer only asks anew where the check stands. A state that led to a result leads to no second.
        """
