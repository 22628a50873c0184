"""The words of a letter: one template per kind, its first line the title."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation


class Kind(StrEnum):
    """Every letter that the desk writes; each has ``templates/mail/<kind>.txt``."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ONE_TIME_CODE = "one_time_code"
    CLARIFICATION = "clarification"
    FEE = "fee"
    ANSWER = "answer"
    REFUSAL = "refusal"
    NOT_A_REQUEST = "not_a_request"
    DUPLICATE = "duplicate"
    TRANSFERRED = "transferred"
    IDENTITY_NOT_VERIFIED = "identity_not_verified"
    NO_REPLY = "no_reply"
    WITHDRAWN = "withdrawn"
    DONE = "done"
    MESSAGE = "message"
    PRESERVE = "preserve"
    MISDIRECTED = "misdirected"


def compose(kind: Kind, language: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Title and body in the language given; plain text, paragraphs parted by blank lines."""
    with translation.override(language):
        text = render_to_string(f"mail/{kind.value}.txt", dict(context))
    title, _, body = text.strip().partition("\n")
    return title.strip(), _tidy(body)


def _tidy(body: str) -> str:
    paragraphs = [
        " ".join(block.split()) if not _is_list(block) else block.strip() for block in body.split("\n\n")
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _is_list(block: str) -> bool:
    return any(line.lstrip().startswith(("- ", "http", "  ")) for line in block.splitlines())
