"""The second step of signing in, and setting it up."""

from math import ceil

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from identity import second_factor as factor
from identity import sessions
from identity.forms import CodeForm, RecoveryCodeForm, SecondFactorForm
from identity.models import TotpDevice
from identity.views.person import person_of


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    device = _device_wanted(request)
    if device is None:
        return redirect(sessions.next_page(request))
    form = SecondFactorForm(request.POST or None)
    if form.is_valid() and _try_code(request, form, device):
        return redirect(sessions.next_page(request))
    return _page(request, "identity/second_factor.html", form)


@never_cache
@require_http_methods(["GET", "POST"])
def recovery_code(request: HttpRequest) -> HttpResponse:
    device = _device_wanted(request)
    if device is None:
        return redirect(sessions.next_page(request))
    form = RecoveryCodeForm(request.POST or None)
    if form.is_valid() and _try_recovery_code(request, form, device):
        return redirect("identity:account")
    return _page(request, "identity/recovery_code.html", form)


@never_cache
@require_http_methods(["GET", "POST"])
def enrolment(request: HttpRequest) -> HttpResponse:
    """For who has no app yet; who has one changes it from the account, after giving the password."""
    person = person_of(request)
    if factor.app_of(person):
        return redirect(sessions.next_page(request))
    return enrolment_page(request)


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
    return _page(request, "identity/enrolment.html", form, setup=factor.setup(device))


def _device_wanted(request: HttpRequest) -> TotpDevice | None:
    """The app whose code is missing; None where none is set up, or nothing is missing."""
    return None if sessions.is_verified(request) else factor.app_of(person_of(request))


def _try_code(request: HttpRequest, form: Form, device: TotpDevice) -> bool:
    was_waiting = factor.waits_until(device) is not None
    if factor.pass_with_app(request, person_of(request), device, form.cleaned_data["code"]):
        return True
    form.add_error("code", _refusal(device, was_waiting))
    return False


def _try_recovery_code(request: HttpRequest, form: Form, device: TotpDevice) -> bool:
    if factor.pass_with_recovery_code(request, person_of(request), device, form.cleaned_data["code"]):
        messages.warning(request, _("You used a recovery code. If your phone is lost, set up a new app now."))
        return True
    form.add_error("code", _("This is not one of your unused recovery codes. Check it and try again."))
    return False


def _try_enrolment(request: HttpRequest, form: Form, device: TotpDevice) -> list[str] | None:
    was_waiting = factor.waits_until(device) is not None
    codes = factor.enrol(request, person_of(request), device, form.cleaned_data["code"])
    if codes is None:
        form.add_error("code", _refusal(device, was_waiting))
    return codes


def _refusal(device: TotpDevice, was_waiting: bool) -> str:
    device.refresh_from_db()
    until, now = factor.waits_until(device), timezone.now()
    wait = _wait(max(1, ceil((until - now).total_seconds()))) if until else ""
    if was_waiting:
        return _("After wrong codes there is a pause, in which no code is looked at. {wait}").format(
            wait=wait
        )
    return _("This code is not right, or was used already. Wait for the next one. {wait}").format(wait=wait)


def _wait(seconds: int) -> str:
    if seconds < 90:
        words = ngettext("You can try again in {n} second.", "You can try again in {n} seconds.", seconds)
        return words.format(n=seconds)
    minutes = ceil(seconds / 60)
    return ngettext("You can try again in {n} minute.", "You can try again in {n} minutes.", minutes).format(
        n=minutes
    )


def _page(request: HttpRequest, template: str, form: Form, **context: object) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
