"""The second step of signing in, and setting it up."""

import json

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from identity import passkeys, sessions
from identity import second_factor as factor
from identity.forms import CodeForm, NewPasskeyForm, RecoveryCodeForm, SecondFactorForm, UsePasskeyForm
from identity.models import TotpDevice
from identity.views.person import person_of


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """A code of the app, or a passkey; the page offers what the person has."""
    if not _is_wanted(request):
        return redirect(sessions.next_page(request))
    device = factor.app_of(person_of(request))
    form = SecondFactorForm(request.POST or None)
    if device is None:
        return _page(request, "identity/second_factor.html", SecondFactorForm(), **_passkey(request))
    if form.is_valid() and _try_code(request, form, device):
        return redirect(sessions.next_page(request))
    return _page(request, "identity/second_factor.html", form, app=device, **_passkey(request))


@never_cache
@require_POST
def second_factor_passkey(request: HttpRequest) -> HttpResponse:
    """The passkey's answer to the challenge of the page before."""
    if not _is_wanted(request):
        return redirect(sessions.next_page(request))
    form = UsePasskeyForm(request.POST)
    if form.is_valid() and factor.pass_with_passkey(
        request, person_of(request), form.cleaned_data["passkey"]
    ):
        return redirect(sessions.next_page(request))
    messages.error(request, _("This passkey was not accepted. Try again, or use another way."))
    return redirect("identity:second-factor")


@never_cache
@require_http_methods(["GET", "POST"])
def recovery_code(request: HttpRequest) -> HttpResponse:
    if not _is_wanted(request):
        return redirect(sessions.next_page(request))
    form = RecoveryCodeForm(request.POST or None)
    if form.is_valid() and _try_recovery_code(request, form):
        return redirect("identity:account")
    return _page(request, "identity/recovery_code.html", form)


@never_cache
@require_http_methods(["GET", "POST"])
def enrolment(request: HttpRequest) -> HttpResponse:
    """For who has no second factor yet; who has one changes it from the account."""
    if factor.has_any(person_of(request)):
        return redirect(sessions.next_page(request))
    return enrolment_page(request)


@never_cache
@require_http_methods(["GET", "POST"])
def passkey_enrolment(request: HttpRequest) -> HttpResponse:
    """The same with a passkey instead of an app."""
    if factor.has_any(person_of(request)):
        return redirect(sessions.next_page(request))
    return new_passkey_page(request, "identity/passkey_enrolment.html")


def new_passkey_page(request: HttpRequest, template: str) -> HttpResponse:
    """Make a passkey; where it is the first factor, show the recovery codes this once."""
    person = person_of(request)
    form = NewPasskeyForm(request.POST or None)
    codes = _try_new_passkey(request, form) if form.is_valid() else None
    if codes is None:
        options = passkeys.registration_options(request, person)
        return _page(request, template, form, options=json.dumps(options))
    if not codes:
        messages.success(request, _("Your new passkey is in use. You were signed out everywhere else."))
        return redirect("identity:account")
    return render(
        request, "identity/recovery_codes.html", {"codes": codes, "onward": sessions.next_page(request)}
    )


def enrolment_page(request: HttpRequest) -> HttpResponse:
    """Show the app's secret, take its first code, and show the recovery codes this once."""
    person = person_of(request)
    device = factor.begin_enrolment(request, person)
    form = CodeForm(request.POST or None)
    codes = _try_enrolment(request, form, device) if form.is_valid() else None
    if codes:
        return render(
            request, "identity/recovery_codes.html", {"codes": codes, "onward": sessions.next_page(request)}
        )
    return _page(
        request,
        "identity/enrolment.html",
        form,
        setup=factor.setup(device),
        is_first=not factor.has_any(person),
    )


def _is_wanted(request: HttpRequest) -> bool:
    """Whether the second factor is missing, and there is one to be asked for."""
    return not sessions.is_verified(request) and factor.has_any(person_of(request))


def _passkey(request: HttpRequest) -> dict[str, object]:
    """What the page needs to offer the person's passkeys; nothing where there is none."""
    person = person_of(request)
    if not passkeys.of(person):
        return {}
    return {
        "passkey_form": UsePasskeyForm(),
        "options": json.dumps(passkeys.options_to_prove(request, person)),
    }


def _try_new_passkey(request: HttpRequest, form: Form) -> list[str] | None:
    given = form.cleaned_data
    try:
        return factor.enrol_passkey(request, person_of(request), given["passkey"], given["name"])
    except passkeys.PasskeyRefused:
        form.add_error(None, _("The passkey could not be taken into use. Try again, or choose another one."))
        return None


def _try_code(request: HttpRequest, form: Form, device: TotpDevice) -> bool:
    was_waiting = factor.waits_until(device) is not None
    if factor.pass_with_app(request, person_of(request), device, form.cleaned_data["code"]):
        return True
    form.add_error("code", factor.refusal(device, was_waiting))
    return False


def _try_recovery_code(request: HttpRequest, form: Form) -> bool:
    if factor.pass_with_recovery_code(request, person_of(request), form.cleaned_data["code"]):
        messages.warning(request, _("You used a recovery code. If your phone is lost, set up a new app now."))
        return True
    form.add_error("code", _("This is not one of your unused recovery codes. Check it and try again."))
    return False


def _try_enrolment(request: HttpRequest, form: Form, device: TotpDevice) -> list[str] | None:
    was_waiting = factor.waits_until(device) is not None
    codes = factor.enrol(request, person_of(request), device, form.cleaned_data["code"])
    if codes is None:
        form.add_error("code", factor.refusal(device, was_waiting))
    return codes


def _page(request: HttpRequest, template: str, form: Form, **context: object) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
