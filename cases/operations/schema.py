"""The form of a configuration file, as docs/apply.md tells it."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args, get_origin
from zoneinfo import available_timezones

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cases.connectors import registry
from cases.connectors.dataset import known_categories
from cases.deadlines.loader import default_catalogue, knows_region
from cases.fulfilment import anonymise
from cases.law import loader as law
from cases.operations.reading import Document, FileWrong, Place, Problem, suggestion
from cases.retention import chosen as chosen_periods
from cases.words import Right, Say, Step
from cases.workflow.reminders import USUAL
from identity.models.sign_on import UnknownPeople
from identity.policy.form import PolicyEntry
from identity.policy.words import DataKind
from identity.roles import Permission, Role

LOGIN_LEVELS = {"low": 1, "substantial": 2}


def _one_of(what: str, known: Callable[[], Iterable[str]]) -> AfterValidator:
    def check(word: str) -> str:
        words = set(known())
        if word not in words:
            raise ValueError(f"there is no {what} “{word}”.{suggestion(word, words)}")
        return word

    return AfterValidator(check)


def _told(regime: str) -> str:
    """A clock alone makes no desk: the first letter could not say where to complain."""
    if law.is_told(regime):
        return regime
    raise ValueError(
        f"dates can be computed under {regime}, but its authority and remedies are not listed, "
        "so that no letter could be written."
    )


def _strategy(given: Any) -> Any:
    """The word null is nothing to YAML."""
    wanted = anonymise.NULL if given is None else given
    anonymise.check(wanted)
    return wanted


def _step_names() -> list[str]:
    steps = [step.value for step in Step]
    return steps + [f"{step}:{right.value}" for step in steps for right in Right]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Regime: TypeAlias = Annotated[
    str, _one_of("regime", lambda: default_catalogue().codes()), AfterValidator(_told)
]
Zone: TypeAlias = Annotated[str, _one_of("time zone", available_timezones)]
Language: TypeAlias = Annotated[str, _one_of("language", lambda: dict(settings.LANGUAGES))]
RoleName: TypeAlias = Annotated[str, _one_of("role", lambda: Role.values)]
PermissionName: TypeAlias = Annotated[str, _one_of("permission", lambda: [one.value for one in Permission])]
ConnectorName: TypeAlias = Annotated[str, _one_of("connector", registry.available)]
StepName: TypeAlias = Annotated[str, _one_of("step", _step_names)]
KindName: TypeAlias = Annotated[str, _one_of("kind of data", lambda: list(DataKind))]
SayName: TypeAlias = Annotated[str, _one_of("word", lambda: Say.values)]
CategoryName: TypeAlias = Annotated[str, _one_of("data category", known_categories)]
Strategy: TypeAlias = Annotated[Any, AfterValidator(_strategy)]
FindsByName: TypeAlias = Literal["email", "phone", "external_id", "name"]
LoginLevel: TypeAlias = Annotated[str, _one_of("level", lambda: LOGIN_LEVELS)]
Issuer: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
UnknownWord: TypeAlias = Annotated[str, _one_of("word", lambda: UnknownPeople.values)]
Slug: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=50)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Words: TypeAlias = Annotated[list[Text], BeforeValidator(_as_list)]


class Strict(BaseModel):
    """Nothing is guessed: a number is no text, and a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Hidden(Strict):
    """Where a value is that must not stand in the file: in the environment, or in a file of its own."""

    env: Text | None = None
    file: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_in_the_open(cls, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("a secret does not stand in this file: give {env: NAME} or {file: path}.")
        return value


def _option(value: Any) -> Any:
    if isinstance(value, dict):
        return Hidden.model_validate(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("it must be text or a whole number.")  # noqa: TRY004  pydantic wants a ValueError
    return value


class Facts(Strict):
    """Facts of the Article 15(1) statement: for the whole controller, or for one source."""

    purposes: Words = []
    categories: Words = []
    recipients: Words = []
    retention: Words = []
    origin: Words = []
    automated_decisions: Words = []
    transfers: Words = []


BasisName: TypeAlias = Literal["consent", "contract", "other"]
OriginName: TypeAlias = Literal["provided", "observed", "derived", "inferred"]


class PortableOf(Strict):
    """What of one record type a person can take along (Art 20(1)); what is left out holds as for the source."""

    basis: BasisName | None = None
    origin: OriginName | None = None
    automated: bool | None = None
    fields: dict[Text, OriginName] = {}


class Portable(PortableOf):
    """The same for a whole source, and for record types that differ."""

    collections: dict[Text, PortableOf] = {}


Days: TypeAlias = list[Annotated[int, Field(ge=0, le=366)]]


class Reminders(Strict):
    """When staff are warned, in days."""

    before_target: Days = list(USUAL.before_target)
    before_due: Days = list(USUAL.before_due)
    before_letter: Days = list(USUAL.before_letter)
    pause: Annotated[int, Field(ge=1, le=3000)] = USUAL.pause
    dpo: Annotated[int, Field(ge=0, le=366)] = USUAL.dpo


class DrillPerson(Strict):
    """A person that a drill may ask for; kept as keyed hashes only."""

    email: Text | None = None
    phone: Text | None = None
    external_id: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _address_alone(cls, value: Any) -> Any:
        return {"email": value} if isinstance(value, str) else value


class Source(Strict):
    slug: Slug
    name: Text
    connector: ConnectorName
    options: dict[str, Annotated[Any, BeforeValidator(_option)]] = {}
    secrets: dict[str, Hidden] = {}
    dataset: Text | None = None
    data_kinds: list[KindName] = []
    facts: Facts = Facts()
    portable: Portable = Portable()
    erasing_secrets: dict[str, Hidden] = {}
    credentials_expire_on: date | None = None
    country: Annotated[str, Field(max_length=60)] = ""
    safeguard: Annotated[str, Field(max_length=300)] = ""
    erase_after: list[Slug] = []
    may_list_whole: bool = False
    owner_email: str = ""
    purged_after_days: Annotated[int, Field(ge=0)] | None = None
    backup_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    is_test: bool = False
    test_persons: list[DrillPerson] = []
    is_active: bool = True


class Login(Strict):
    """The brand's own customer sign-in."""

    name: Text
    issuer: Issuer
    client_id: Text
    client_secret: Hidden | None = None
    scopes: list[Text] = ["email", "phone"]
    email_claim: str = "email"
    phone_claim: str = "phone_number"
    external_id_claim: str = ""
    level: LoginLevel = "substantial"
    level_by_acr: dict[str, LoginLevel] = {}
    clock_skew_seconds: Annotated[int, Field(ge=0, le=300)] = 60
    allow_private: bool = False
    is_active: bool = True


class ProviderSecrets(Strict):
    """What an external provider's requests and messages are proven with."""

    token: Hidden
    webhook_keys: Annotated[list[Hidden], Field(min_length=1, max_length=4)]


class Provider(Strict):
    """An external provider of identity checks. ``options`` describe how it is spoken with."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    options: dict[str, Any]
    secrets: ProviderSecrets
    is_active: bool = True


class SmsSecrets(Strict):
    """What a gateway's requests are proven with."""

    token: Hidden


class Sms(Strict):
    """The gateway for text messages. ``options`` describe how it is spoken with."""

    options: dict[str, Any]
    secrets: SmsSecrets | None = None
    is_active: bool = True


class Kept(Strict):
    """How long one kind of data is kept, and why not for the usual time."""

    keep: Text
    because: Text


class RecipientSecrets(Strict):
    """What notices to a recipient are proven with."""

    token: Hidden | None = None
    signing_key: Hidden | None = None


class RecipientEntry(Strict):
    """Somebody to whom the brand gives data of its customers (Article 19)."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["processor", "controller", "group", "public", "other"] = "processor"
    route: Literal["email", "post", "api"] = "email"
    email: str = ""
    postal_address: str = ""
    language: Language | Literal[""] = ""
    url: Annotated[str, Field(max_length=500)] = ""
    secrets: RecipientSecrets | None = None
    is_private: bool = False
    fed_by: list[Slug] = []
    finds_by: Annotated[list[FindsByName], Field(min_length=1)] = ["email"]
    expects_answer: bool = True
    remind_days: Annotated[int, Field(ge=1, le=365)] = 14
    is_active: bool = True


class Keeping(Strict):
    """What stays, or goes in another way, though somebody asks for its erasure."""

    slug: Slug
    source: Slug | None = None
    collection: Annotated[str, Field(max_length=120)] = ""
    parts: list[Text] = []
    category: CategoryName | None = None
    date_field: Annotated[str, Field(max_length=120)] = ""
    keep_months: Annotated[int, Field(ge=0, le=1200)] | None = None
    treatment: Literal["keep", "delete", "anonymise", "block"] = "keep"
    exception: Annotated[str, Field(max_length=40)] = ""
    strategies: dict[str, Strategy] = {}
    words: Annotated[str, Field(max_length=300)] = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.treatment in {"keep", "block"} and not self.exception:
            raise ValueError("say under which exception it stays (exception).")
        if self.keep_months is not None and not self.date_field:
            raise ValueError("say from which field of the record the months run (date_field).")
        if self.strategies and self.treatment != "anonymise":
            raise ValueError("strategies belong to what is made anonymous (treatment: anonymise).")
        return self


class Brand(Strict):
    """A controller."""

    slug: Slug
    name: Text
    legal_name: Text
    privacy_email: Text
    regime: Regime
    postal_address: str = ""
    privacy_phone: str = ""
    dpo_contact: str = ""
    privacy_notice_url: str = ""
    region: str = ""
    time_zone: Zone = "Europe/London"
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GB"
    language: Language = "en-gb"
    languages: list[Language] = []
    logo: str = ""
    accent: str = "#1f4f8f"
    identity: PolicyEntry | None = None
    target_days: Annotated[int, Field(ge=1, le=366)] = 21
    code_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    pack_days: Annotated[int, Field(ge=1, le=366)] = 30
    grace_days: Annotated[int, Field(ge=0, le=90)] = 7
    keeping: list[Keeping] | None = None
    retention: dict[str, Kept] | None = None
    reminders: Reminders = Reminders()
    statement: Facts = Facts()
    is_active: bool = True
    instruction: dict[StepName, SayName] | None = None
    customer_login: Login | None = None
    identity_provider: Provider | None = None
    sms_gateway: Sms | None = None
    sources: list[Source] = []
    recipients: list[RecipientEntry] = []

    @field_validator("retention")
    @classmethod
    def _within_bounds(cls, chosen: dict[str, Kept] | None) -> dict[str, Kept] | None:
        for code, kept in (chosen or {}).items():
            try:
                chosen_periods.check(code, kept.keep, kept.because)
            except ValueError as wrong:
                raise ValueError(f"{code}: {wrong}") from None
        return chosen

    @field_validator("region")
    @classmethod
    def _known_region(cls, region: str, info: ValidationInfo) -> str:
        regime = info.data.get("regime")  # Where it is wrong itself, that is said.
        if region and regime and not knows_region(regime, region):
            raise ValueError(f"the calendar of {regime} has no region “{region}”.")
        return region


class TeamEntry(Strict):
    name: Text
    serves: list[Slug]


class MembershipEntry(Strict):
    team: Text
    role: RoleName
    extra: list[PermissionName] = []
    withheld: list[PermissionName] = []


class Member(Strict):
    """A member of staff."""

    email: Text
    name: Text
    language: Language = "en-gb"
    is_active: bool = True
    password: Hidden | None = None
    memberships: list[MembershipEntry] = []


class GroupEntry(MembershipEntry):
    """A group at the provider, and the membership that it gives."""

    group: Text


class Vouching(Strict):
    """Which words of the provider say that a second factor was given."""

    acr: list[Text] = []
    amr: list[Text] = []


class SignOn(Strict):
    """A provider of single sign-on."""

    slug: Slug
    name: Text
    issuer: Issuer
    client_id: Text
    client_secret: Hidden | None = None
    scopes: list[Text] = ["email", "profile"]
    groups_claim: Text = "groups"
    second_factor: Vouching = Vouching()
    unknown_people: UnknownWord = "refuse"
    clock_skew_seconds: Annotated[int, Field(ge=0, le=300)] = 60
    allow_private: bool = False
    is_active: bool = True
    groups: list[GroupEntry] = []


class Configuration(Strict):
    """The whole file."""

    controllers: list[Brand] = []
    teams: list[TeamEntry] = []
    staff: list[Member] = []
    sign_on: list[SignOn] = []


def validated(document: Document) -> Configuration:
    """The file as values. Raises FileWrong with everything that is wrong in its form."""
    if not isinstance(document.data, dict):
        raise FileWrong([document.problem((), "it must hold controllers, teams, staff or sign_on.")])
    try:
        configuration = Configuration.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise FileWrong(
            [_problem(document, tuple(one["loc"]), one["type"], one["msg"]) for one in found]
        ) from None
    _refuse_doubles(document, configuration)
    return configuration


_PLAIN = {
    "string_type": "it must be text; put it in quotation marks.",
    "int_type": "it must be a whole number.",
    "bool_type": "it must be true or false.",
    "list_type": "it must be a list.",
    "dict_type": "it must be a mapping of keys to values.",
    "model_type": "it must be a mapping of keys to values.",
}


def _problem(document: Document, place: Place, kind: str, message: str) -> Problem:
    place = tuple(step for step in place if step != "[key]")
    if kind == "extra_forbidden":
        return document.problem(
            place, f"there is no such key here.{suggestion(str(place[-1]), _keys(place[:-1]))}"
        )
    if kind == "missing":
        return document.problem(place, "it is missing.")
    said = message.removeprefix("Value error, ")
    return document.problem(
        place, _PLAIN.get(kind) or f"{said.rstrip('.')}{'' if said.endswith('?') else '.'}"
    )


def _keys(place: Place) -> list[str]:
    """The keys that may stand at this place."""
    kind: Any = Configuration
    for step in place:
        fields = getattr(kind, "model_fields", None)
        kind = fields[step].annotation if fields else get_args(kind)[-1]
        kind = (
            next((one for one in get_args(kind) if one is not type(None)), kind)
            if _is_optional(kind)
            else kind
        )
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _is_optional(kind: Any) -> bool:
    return type(None) in get_args(kind) and get_origin(kind) is not dict


def _refuse_doubles(document: Document, configuration: Configuration) -> None:
    named: list[tuple[Place, list[str]]] = [
        (("controllers",), [one.slug for one in configuration.controllers]),
        (("teams",), [one.name for one in configuration.teams]),
        (("staff",), [one.email.strip().lower() for one in configuration.staff]),
        (("sign_on",), [one.slug for one in configuration.sign_on]),
    ]
    for index, brand in enumerate(configuration.controllers):
        named.append((("controllers", index, "sources"), [source.slug for source in brand.sources]))
        named.append((("controllers", index, "recipients"), [one.slug for one in brand.recipients]))
    problems = [
        document.problem((*place, number), f"“{name}” is described twice in this file.")
        for place, names in named
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    if problems:
        raise FileWrong(problems)
