"""Saying no beside the form that asked, without losing what was typed."""

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django.forms import Form
from django.http import HttpRequest

from cases.workflow.perform import AlreadyDone
from dsar.lib.errors import Refused

T = TypeVar("T")


def attempt(act: Callable[[], T], form: Form) -> T | None:
    """Do one thing, or say in the form why not. A second press of the same button finds it done."""
    try:
        with transaction.atomic():
            return act()
    except AlreadyDone as already:
        return already.case  # type: ignore[return-value]
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return None


def version_of(request: HttpRequest) -> int | None:
    """The version of the case that the form was made from."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else None
