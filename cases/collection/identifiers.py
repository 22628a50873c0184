"""What is known of the person, as connectors want it, and the connector of a source."""

from cases.connectors import registry
from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, Connector, Identifier
from cases.models import Case, SourceSystem, SubjectRequest
from identity.models import Level, Method, VerificationState


def of(case: Case) -> list[Identifier]:
    """Every identifier of the data subject, and whether it was verified; never the representative's."""
    subject, proved = case.subject, verified_kinds(case)
    known = {EMAIL: subject.email, PHONE: subject.phone, EXTERNAL_ID: subject.external_id}
    return [Identifier(kind, value, kind in proved) for kind, value in known.items() if value.strip()]


def verified_kinds(case: Case) -> frozenset[str]:
    """What the checks of the request prove: a code its address, evidence seen by staff the whole person.

    A mistyped customer number is somebody else's: what nobody verified finds nothing on its own.
    """
    methods = set(
        case.subject_request.verifications.filter(state=VerificationState.ACHIEVED).values_list(
            "method", flat=True
        )
    )
    if methods & {Method.STAFF_RECORDED, Method.DRILL} or case.required_level == Level.NONE:
        return frozenset({EMAIL, PHONE, EXTERNAL_ID})
    return frozenset({EMAIL}) if Method.EMAIL_CODE in methods else frozenset()


def email_of(request: SubjectRequest) -> list[Identifier]:
    """The address from which the requester acts; nothing where there is none."""
    return [Identifier(EMAIL, request.subject.email)] if request.subject.email else []


def connect(source: SourceSystem) -> Connector:
    """The source's connector, ready; nothing is contacted yet. Raises ConfigurationError."""
    return registry.build(source.connector, source.options, source.secrets, source.dataset or None)
