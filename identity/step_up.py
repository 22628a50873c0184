"""Step-up: before an act of weight the second factor is asked for again, unless it was given just now.

The question stands between a form and its view. It carries along what was typed, and its answer goes to the
same address: the view then runs as if nothing had come between.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity import passkeys, sessions, sign_on
from identity import second_factor as factor
from identity.forms import StepUpForm
from identity.models import User

V = TypeVar("V", bound=Callable[..., HttpResponseBase])

PREFIX = "step_up"
DIGITS = 6


def asks_second_factor(view: V) -> V:
    """A view whose form does nothing before the second factor was given within ``STEP_UP_SECONDS``."""
    return _guard(view, before_showing=False)


def asks_second_factor_first(view: V) -> V:
    """The same for a view that is not even shown before."""
    return _guard(view, before_showing=True)


def _guard(view: V, *, before_showing: bool) -> V:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        waits = request.method == "POST" or before_showing
        if not waits or sessions.is_fresh(request):
            return _on(request, view, args, kwargs)
        form = _answer(request)
        if form is not None and form.is_valid() and _is_proven(request, form):
            return _on(request, view, args, kwargs)
        return _question(request, form or StepUpForm(prefix=PREFIX))

    guarded.asks_second_factor = True  # type: ignore[attr-defined]
    return cast(V, guarded)


def _on(
    request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
) -> HttpResponseBase:
    """On to the view; where the question came before a page that was only to be shown, by way of its address."""
    if request.POST.get(f"{PREFIX}-from") == "GET":
        return HttpResponseRedirect(request.get_full_path(), status=303)
    return view(request, *args, **kwargs)


def _answer(request: HttpRequest) -> StepUpForm | None:
    """What was answered; None where nothing has been asked yet."""
    return StepUpForm(request.POST, prefix=PREFIX) if f"{PREFIX}-from" in request.POST else None


def _is_proven(request: HttpRequest, form: StepUpForm) -> bool:
    person = request.user
    assert isinstance(person, User)
    by = _proven_by(request, person, form)
    if by is None:
        return False
    sessions.note_factor(request)
    record(Action.STEPPED_UP, person.actor, timezone.now(), data={"factor": by})
    return True


def _proven_by(request: HttpRequest, person: User, form: StepUpForm) -> str | None:
    """Which factor it was; None, with the reason beside the field, where it was none."""
    code, answer = form.cleaned_data["code"], form.cleaned_data["passkey"]
    if answer:
        if factor.answered_by_passkey(request, person, answer):
            return "passkey"
        form.add_error(None, _("This passkey was not accepted. Nothing was done yet; try again."))
        return None
    if len(code) > DIGITS:
        if factor.spend_recovery_code(person, code):
            return "recovery_code"
        form.add_error("code", _("This is not one of your unused recovery codes. Check it and try again."))
        return None
    return _proven_by_app(person, form, code)


def _proven_by_app(person: User, form: StepUpForm, code: str) -> str | None:
    app = factor.app_of(person)
    was_waiting = app is not None and factor.waits_until(app) is not None
    if app is not None and factor.code_is_right(person, app, code):
        return "app"
    form.add_error("code", factor.refusal(app, was_waiting))
    return None


def _question(request: HttpRequest, form: StepUpForm) -> HttpResponse:
    """Asks, and holds on to what was typed; it says 422 only where an answer was wrong."""
    person = request.user
    assert isinstance(person, User)
    has_passkeys = bool(passkeys.of(person))
    context = {
        "form": form,
        "carried": _carried(request),
        "from_method": request.POST.get(f"{PREFIX}-from", request.method),
        "provider": sign_on.second_factor_by(person),
        "has_own": factor.has_any(person),
        "passkey_options": json.dumps(passkeys.options_to_prove(request, person)) if has_passkeys else "",
    }
    return render(request, "identity/step_up.html", context, status=422 if form.errors else 200)


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed into the form that waits, field by field."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if not name.startswith(f"{PREFIX}-") and name != "csrfmiddlewaretoken"
        for value in values
    ]
