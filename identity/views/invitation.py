"""Setting a password by the link of an invitation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from identity import invitations, sessions
from identity.forms import NewPasswordForm

TOKEN_HASH = "invitation"  # noqa: S105 - the name under which the session keeps it


@never_cache
@require_safe
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address, where history, referrers and onlookers would find it."""
    request.session[TOKEN_HASH] = invitations.digest(token).hex()
    return redirect("identity:accept-invitation")


@sensitive_post_parameters("new", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest) -> HttpResponse:
    """Only sending the form spends the link: mail scanners open links too."""
    now = timezone.now()
    try:
        invitation = invitations.find(bytes.fromhex(request.session.get(TOKEN_HASH, "")), now)
    except invitations.InvitationSpent:
        return render(request, "identity/invitation_spent.html", status=410)
    form = NewPasswordForm(invitation.user, request.POST or None)
    if not form.is_valid():
        context = {"form": form, "person": invitation.user}
        return render(request, "identity/accept_invitation.html", context, status=422 if form.errors else 200)
    invitations.accept(invitation, form.cleaned_data["new"], now)
    request.session.flush()
    return redirect(sessions.sign_in_address("", sessions.Reason.PASSWORD_SET))
