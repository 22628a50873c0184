"""What the three surfaces share: who acts, finding a case, and saying no without losing what was typed."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from cases import queries
from cases.models import Case
from cases.permissions import By, by_staff
from cases.workflow.perform import AlreadyDone
from dsar.lib.errors import Refused
from identity.models import User
from identity.roles import Permission

T = TypeVar("T")
View = Callable[..., HttpResponse]


def staff(request: HttpRequest) -> User:
    """The signed-in member of staff; the middleware lets nobody else come here."""
    return cast(User, request.user)


def by(request: HttpRequest) -> By:
    return by_staff(staff(request))


def case_or_404(request: HttpRequest, case_id: UUID, permission: Permission = Permission.VIEW_CASE) -> Case:
    """The case; a stranger's is not found, never forbidden."""
    try:
        return queries.case_visible_to(staff(request), case_id, permission)
    except Case.DoesNotExist:
        raise Http404 from None


def attempt(request: HttpRequest, act: Callable[[], T], done: str = "", form: Form | None = None) -> T | None:
    """Do one thing, or say why not: beside the form that asked for it, else as a message. None where it was refused.

    A second press of the same button finds it done, and says so as the first one did.
    """
    try:
        with transaction.atomic():
            result = act()
    except AlreadyDone as already:
        messages.success(request, done or _("Done."))
        return cast(T, already.case)
    except Refused as refusal:
        if form is not None:
            form.add_error(None, str(refusal))
        else:
            messages.error(request, str(refusal))
        return None
    if done:
        messages.success(request, done)
    return result


def needs(permission: Permission) -> Callable[[View], View]:
    """A view for those who hold the permission for at least one controller; for others it is not there."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not staff(request).access.anywhere(permission):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def see_other(to: Any, *args: Any, **kwargs: Any) -> HttpResponseRedirect:
    """On to a page after a form was done; 303, so that reloading that page sends nothing again."""
    return HttpResponseRedirect(resolve_url(to, *args, **kwargs), status=303)


def version_of(request: HttpRequest) -> int | None:
    """The version of the case that the form was made from."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdigit() else None
