"""The words of a letter: one template per kind, its first line the title."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.template import Context, Engine
from django.utils import translation
from django.utils.translation import gettext as _


class Kind(StrEnum):
    """Every letter that the desk writes; each has ``templates/mail/<kind>.txt``."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ONE_TIME_CODE = "one_time_code"
    AUTHORITY = "authority"
    CLARIFICATION = "clarification"
    FEE = "fee"
    EXTENSION = "extension"
    COMPLAINT_OUTCOME = "complaint_outcome"
    ANSWER = "answer"
    REFUSAL = "refusal"
    NOT_A_REQUEST = "not_a_request"
    DUPLICATE = "duplicate"
    TRANSFERRED = "transferred"
    IDENTITY_REMINDER = "identity_reminder"
    IDENTITY_NOT_VERIFIED = "identity_not_verified"
    NO_REPLY = "no_reply"
    WITHDRAWN = "withdrawn"
    ERASURE_PLANNED = "erasure_planned"
    DONE = "done"
    PASSED_ON = "passed_on"
    RESTRICTED = "restricted"
    RESTRICTION_ENDS = "restriction_ends"
    MESSAGE = "message"
    PRESERVE = "preserve"
    MISDIRECTED = "misdirected"
    RECIPIENT = "recipient"


def compose(kind: Kind, language: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Title and body in the language given; plain text, paragraphs parted by blank lines."""
    return render(f"mail/{kind.value}.txt", language, context)


def render(template: str, language: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """A template's first line, and what follows it."""
    # A letter is no page: the pages that show it escape it, and in a mail "d'Arc" is not "d&#x27;Arc".
    plain = Context(dict(context), autoescape=False)
    with translation.override(language):
        text = Engine.get_default().get_template(template).render(plain).replace("\r\n", "\n")
    title, _newline, body = text.strip().partition("\n")
    return title.strip(), _tidy(body)


def before_the_end(body: str, added: Sequence[str], language: str) -> str:
    """A letter with more paragraphs, put before it says how to complain, and closes.

    It was edited by people: where they left neither sentence they come last.
    """
    with translation.override(language):
        ends = {
            _("If you are not content you can complain:"),
            _("If you do not agree you can complain:"),
            _("You can see where your request stands, and write to us, here:"),
        }
    paragraphs = body.replace("\r\n", "\n").split("\n\n")
    place = next((at for at, text in enumerate(paragraphs) if text.strip() in ends), len(paragraphs))
    return "\n\n".join([*paragraphs[:place], *added, *paragraphs[place:]])


def _tidy(body: str) -> str:
    paragraphs = [_lines(block) if not _is_list(block) else block.strip() for block in body.split("\n\n")]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _lines(block: str) -> str:
    """A line stays a line, as somebody typed it or as a greeting has it; only the blanks of templates go."""
    lines = [" ".join(line.split()) for line in block.splitlines()]
    return "\n".join(line for line in lines if line)


def _is_list(block: str) -> bool:
    return any(line.lstrip().startswith(("- ", "http", "  ")) for line in block.splitlines())
