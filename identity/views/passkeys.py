"""One's passkeys and one's app: add, name, remove. Each asks for the second factor again first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from identity import second_factor as factor
from identity.forms import PasskeyNameForm
from identity.step_up import asks_second_factor, asks_second_factor_first
from identity.views.person import person_of
from identity.views.second_factor import new_passkey_page


@never_cache
@require_http_methods(["GET", "POST"])
@asks_second_factor_first
def new_passkey(request: HttpRequest) -> HttpResponse:
    return new_passkey_page(request, "identity/new_passkey.html")


@require_http_methods(["GET", "POST"])
def passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Give it another name, or remove it."""
    found = _own(request, passkey_id)
    form = PasskeyNameForm(request.POST or None, initial={"name": found.name})
    if form.is_valid():
        found.name = form.cleaned_data["name"]
        found.save(update_fields=["name"])
        messages.success(request, _("The passkey has its new name."))
        return redirect("identity:account")
    crumbs = [{"label": _("Your account"), "url": reverse("identity:account")}, {"label": found.name}]
    context = {"form": form, "passkey": found, "crumbs": crumbs}
    return render(request, "identity/passkey.html", context, status=422 if form.errors else 200)


@require_POST
@asks_second_factor
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    return _remove(request, _own(request, passkey_id), _("The passkey is removed."))


@require_POST
@asks_second_factor
def remove_app(request: HttpRequest) -> HttpResponse:
    app = factor.app_of(person_of(request))
    if app is None:
        return redirect("identity:account")
    return _remove(request, app, _("The authenticator app is removed."))


def _remove(request: HttpRequest, device: Device, done: str) -> HttpResponse:
    if factor.remove(request, person_of(request), device):
        messages.success(request, done)
    else:
        messages.error(request, _("This is your only second factor. Add another one before you remove it."))
    return redirect("identity:account")


def _own(request: HttpRequest, passkey_id: int) -> WebAuthnCredential:
    return get_object_or_404(WebAuthnCredential, user=person_of(request), confirmed=True, pk=passkey_id)
