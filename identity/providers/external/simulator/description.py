"""How the simulator is described in configuration: an example of a whole description, and what tests use."""

from typing import Any

from identity.providers.external.simulator.service import KEY, SIGNATURE_HEADER, TOKEN


def options(base_url: str, holder: str = "compared") -> dict[str, Any]:
    """The description for a simulator at this address."""
    return {
        "base_url": base_url,
        "allow_private": True,
        "holder": holder,
        "start": {
            "path": "/sessions",
            "body": {
                "reference": "{reference}",
                "return_url": "{back}",
                "webhook_url": "{webhook}",
                "language": "{language}",
                "name": "{name}",
            },
        },
        "look": {
            "path": "/sessions/{session}",
            "at": "updated",
            "surname": "holder.surname",
            "given_names": "holder.given_names",
        },
        "cancel": {"path": "/sessions/{session}/cancel"},
        "webhook": {
            "signature_header": SIGNATURE_HEADER,
            "form": "pairs",
            "event": "id",
            "session": "session.id",
            "status": "session.status",
            "at": "created",
        },
        "outcomes": {
            "created": "open",
            "approved": "high",
            "approved_document": "substantial",
            "declined": "refused",
            "expired": "expired",
            "cancelled": "cancelled",
        },
    }


def secrets() -> dict[str, Any]:
    return {"token": TOKEN, "webhook_keys": [KEY]}
