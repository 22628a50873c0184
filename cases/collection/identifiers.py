"""What is known of the person, as connectors want it, and the connector of a source."""

from cases.connectors import registry
from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, Connector, Identifier
from cases.models import DataSubject, SourceSystem, SubjectRequest


def of(subject: DataSubject) -> list[Identifier]:
    """Every identifier of the data subject; never the representative's."""
    known = {EMAIL: subject.email, PHONE: subject.phone, EXTERNAL_ID: subject.external_id}
    return [Identifier(kind, value) for kind, value in known.items() if value.strip()]


def email_of(request: SubjectRequest) -> list[Identifier]:
    """The address from which the requester acts; nothing where there is none."""
    return [Identifier(EMAIL, request.subject.email)] if request.subject.email else []


def connect(source: SourceSystem) -> Connector:
    """The source's connector, ready; nothing is contacted yet. Raises ConfigurationError."""
    return registry.build(source.connector, source.options, source.secrets, source.dataset or None)
