"""What is known of the person, as connectors want it, and the connector of a source."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from cases.collection.gate import SharedGate
from cases.connectors import registry
from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, ConfigurationError, Connector, Identifier
from cases.models import Case, SourceSystem, SubjectRequest
from dsar.lib.prepared import Prepared
from identity import texting
from identity.models import Level, Method, Verification, VerificationState
from identity.providers.base import Factor
from identity.providers.login.method import CustomerLogin
from identity.providers.registry import known as known_methods

_ACHIEVED = Prepared(
    lambda request_id: Verification.objects.filter(
        subject_request_id=request_id, state=VerificationState.ACHIEVED
    ),
    UUID,
)
LOGIN = CustomerLogin.about.code
# What keeps by what of the person it found them.
MATCHING = frozenset({LOGIN, Method.RECORD_QUESTIONS.value})
# What a code proves: that its address, or its number, is the person's.
BY_CODE = {Method.EMAIL_CODE.value: EMAIL, Method.SMS_CODE.value: PHONE}
# What identifiers are called where they are kept as hashes, and where connectors are asked for them.
AT_SOURCES = {"email": EMAIL, "phone": PHONE, "external_id": EXTERNAL_ID}


def of(case: Case) -> list[Identifier]:
    """Every identifier of the data subject, and whether it was verified; never the representative's."""
    subject, proved = case.subject, verified_kinds(case)
    known = {EMAIL: subject.email, PHONE: subject.phone, EXTERNAL_ID: subject.external_id}
    return [Identifier(kind, value, kind in proved) for kind, value in known.items() if value.strip()]


def verified_kinds(case: Case) -> frozenset[str]:
    """What the checks of the request prove of the person.

    A code proves its address, a customer account what of it matched, evidence seen by staff the whole person.
    A mistyped customer number is somebody else's: what nobody verified finds nothing on its own.
    """
    checks = _ACHIEVED.all(case.subject_request_id)
    methods = {check.method for check in checks}
    if any(map(_shows_the_person, methods)) or case.required_level == Level.NONE:
        return frozenset({EMAIL, PHONE, EXTERNAL_ID})
    by_code = frozenset(
        BY_CODE[check.method] for check in checks if check.method in BY_CODE and _is_theirs(check)
    )
    return by_code.union(*(_matched(check) for check in checks if check.method in MATCHING))


def _is_theirs(check: Verification) -> bool:
    """Whether the number that a code went to is the one that is noted now: another one was never proved."""
    if check.method != Method.SMS_CODE:
        return True
    request = check.subject_request
    number = texting.textable(*_phone(request))
    bound = texting.number_hash(request.controller, number, check.started_at).hex()
    return (check.progress or {}).get("number") == bound


def _matched(check: Verification) -> frozenset[str]:
    kept = check.progress or {}
    return frozenset(AT_SOURCES[kind] for kind in kept.get("state", {}).get("matches", ()))


def _shows_the_person(method: str) -> bool:
    """Papers that were seen, and what an agent asked, show who somebody is; a code shows only its address.

    Questions from the record show whose record it was: that which bears what it was found by, and nothing beside it.
    """
    about = None if method == Method.RECORD_QUESTIONS else known_methods().get(method)
    return about is not None and about.factor in {Factor.DOCUMENT, Factor.KNOWLEDGE}


def contact_of(verification: Verification) -> list[Identifier]:
    """The address or number that a code goes to, in each way in which sources write it; nothing where there is none."""
    request = verification.subject_request
    kind = BY_CODE[verification.method]
    written = texting.writings(*_phone(request)) if kind == PHONE else (request.subject.email,)
    return [Identifier(kind, value) for value in written if value.strip()]


def _phone(request: SubjectRequest) -> tuple[str, str]:
    return request.subject.phone, request.controller.phone_region


def connect(source: SourceSystem, gate: SharedGate | None = None) -> Connector:
    """The source's connector, ready, behind the gate; nothing is contacted yet. Raises ConfigurationError."""
    return connect_with(source, source.secrets, gate)


def connect_to_change(source: SourceSystem, gate: SharedGate | None = None) -> Connector:
    """The same with the credentials for erasing. Raises ConfigurationError where the source has none of its own."""
    declared = [option for option in registry.get(source.connector).options() if option.secret]
    if declared and not source.erasing_secrets:
        raise ConfigurationError("it has no credentials for erasing.")
    return connect_with(source, source.erasing_secrets or {}, gate)


def connect_with(
    source: SourceSystem, secrets: Mapping[str, str], gate: SharedGate | None = None
) -> Connector:
    """The same with other credentials than those in use."""
    gate = gate or SharedGate(source.pk)
    connector = registry.build(
        source.connector, source.options, secrets, source.dataset or None, clock=timezone.now, gate=gate
    )
    gate.declare(connector.capabilities().limits)
    return connector
