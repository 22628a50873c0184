"""One's own account: password, authenticator app, recovery codes."""

import time

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity import living, passkeys, sign_on, signin
from identity import second_factor as factor
from identity.forms import CurrentPasswordForm, PasswordForm
from identity.models import User
from identity.step_up import asks_second_factor_first
from identity.views.person import person_of
from identity.views.second_factor import enrolment_page

CHANGING_APP = "changing_app"
CHANGING_SECONDS = 10 * 60


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    context = {
        "app": factor.app_of(person),
        "passkeys": passkeys.of(person),
        "codes_left": factor.codes_left(person),
        "linked": (linked := sign_on.linked_by(person)),
        "linkable": [provider for provider in sign_on.offered() if provider not in linked],
        "sessions": living.living(person, timezone.now(), request.session.session_key),
    }
    return render(request, "identity/account.html", context)


@sensitive_post_parameters("current", "new", "again")
@never_cache
@require_http_methods(["GET", "POST"])
@signin.turns_guessers_away
def password(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = PasswordForm(person, request.POST or None)
    if form.is_valid() and _is_confirmed(request, form):
        change_password(request, person, form.cleaned_data["new"])
        messages.success(request, _("Your password is changed. You were signed out everywhere else."))
        return redirect("identity:account")
    return render(request, "identity/password.html", {"form": form}, status=422 if form.errors else 200)


def change_password(request: HttpRequest, person: User, new: str) -> None:
    """Set the password and end the person's other sessions: each holds a hash of the old one, besides."""
    now = timezone.now()
    person.set_password(new)
    person.save(update_fields=["password"])
    update_session_auth_hash(request, person)
    record(Action.PASSWORD_CHANGED, person.actor, now, data={"by": "account"})
    living.end_others(person, request.session.session_key, person.actor, now)


@sensitive_post_parameters("current")
@never_cache
@require_http_methods(["GET", "POST"])
@signin.turns_guessers_away
def recovery_codes(request: HttpRequest) -> HttpResponse:
    if not person_of(request).has_usable_password():
        return _recovery_codes_without_password(request)
    form = CurrentPasswordForm(request.POST or None)
    if form.is_valid() and _is_confirmed(request, form):
        return _new_codes(request)
    context = {"form": form, "codes_left": factor.codes_left(person_of(request))}
    return render(request, "identity/new_recovery_codes.html", context, status=422 if form.errors else 200)


@asks_second_factor_first
def _recovery_codes_without_password(request: HttpRequest) -> HttpResponse:
    """For who signs in by their employer alone."""
    if request.method == "POST":
        return _new_codes(request)
    context = {"codes_left": factor.codes_left(person_of(request))}
    return render(request, "identity/new_recovery_codes.html", context)


def _new_codes(request: HttpRequest) -> HttpResponse:
    codes = factor.make_recovery_codes(person_of(request))
    context = {"codes": codes, "onward": reverse("identity:account")}
    return render(request, "identity/recovery_codes.html", context)


@sensitive_post_parameters("current")
@never_cache
@require_http_methods(["GET", "POST"])
@signin.turns_guessers_away
def new_app(request: HttpRequest) -> HttpResponse:
    """First the password, then the new app; the present one works until the new one is confirmed."""
    if not person_of(request).has_usable_password():
        return _change_app_without_password(request)
    if request.session.get(CHANGING_APP, 0) > time.time() - CHANGING_SECONDS:
        return _change_app(request)
    form = CurrentPasswordForm(request.POST or None)
    if form.is_valid() and _is_confirmed(request, form):
        request.session[CHANGING_APP] = int(time.time())
        return redirect("identity:new-app")
    return render(request, "identity/new_app.html", {"form": form}, status=422 if form.errors else 200)


@asks_second_factor_first
def _change_app_without_password(request: HttpRequest) -> HttpResponse:
    """For who signs in by their employer alone."""
    return enrolment_page(request)


def _change_app(request: HttpRequest) -> HttpResponse:
    page = enrolment_page(request)
    if request.method == "POST" and page.status_code == 200:
        del request.session[CHANGING_APP]
    return page


def _is_confirmed(request: HttpRequest, form: Form) -> bool:
    """Whether the password typed is the person's own; wrong ones count towards lock-out as at the door."""
    if signin.is_own_password(request, person_of(request), form.cleaned_data["current"]):
        return True
    form.add_error("current", _("This is not your password."))
    return False
