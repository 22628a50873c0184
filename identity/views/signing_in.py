"""In and out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from identity import sessions, signin
from identity.forms import SignInForm
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
    return {"form": form, "reason": reason, "was_unsent": request.GET.get("unsent") == "1"}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        signin.sign_out(request, request.user, sessions.Reason.ASKED)
    return redirect(sessions.sign_in_address("", sessions.Reason.ASKED))
