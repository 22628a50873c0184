"""In and out."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from identity import passkeys, sessions, sign_on, signin
from identity.forms import SignInForm, UsePasskeyForm
from identity.models import User


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(sessions.next_page(request))
    form = SignInForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if form.is_valid() and _enter(request, form):
        return redirect(sessions.next_page(request))
    return render(
        request, "identity/sign_in.html", _context(request, form), status=422 if form.errors else 200
    )


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_with_passkey(request: HttpRequest) -> HttpResponse:
    """Both factors at once: the passkey, and that its authenticator knew who holds it."""
    if request.user.is_authenticated:
        return redirect(sessions.next_page(request))
    form = UsePasskeyForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if form.is_valid() and _enter_with_passkey(request, form):
        return redirect(sessions.next_page(request))
    context = {"form": form, "options": json.dumps(passkeys.options_to_prove(request, None))}
    return render(request, "identity/sign_in_with_passkey.html", context, status=422 if form.errors else 200)


def _enter_with_passkey(request: HttpRequest, form: UsePasskeyForm) -> bool:
    if signin.enter_with_passkey(request, form.cleaned_data["passkey"], form.cleaned_data["next"]):
        return True
    form.add_error(None, _("This passkey was not accepted. Try again, or sign in with your password."))
    return False


def _enter(request: HttpRequest, form: SignInForm) -> bool:
    person = signin.check_password(request, form.cleaned_data["email"], form.cleaned_data["password"])
    if person is None:
        form.add_error(
            None, _("This e-mail address and password do not belong together. Check both and try again.")
        )
        return False
    signin.begin(request, person, form.cleaned_data["next"])
    return True


def _context(request: HttpRequest, form: SignInForm) -> dict[str, object]:
    reason = getattr(request, "signed_out_because", request.GET.get("reason"))
    wanted = form["next"].value()
    return {
        "form": form,
        "reason": reason,
        "was_unsent": request.GET.get("unsent") == "1",
        "providers": sign_on.offered(),
        "query": f"?{urlencode({'next': wanted})}" if wanted else "",
    }


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        signin.sign_out(request, request.user, sessions.Reason.ASKED)
    return redirect(sessions.sign_in_address("", sessions.Reason.ASKED))
