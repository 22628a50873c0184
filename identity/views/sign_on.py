"""To the employer's provider and back: to sign in, to link one's account, to confirm an act of weight."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from identity import living, sessions
from identity import sign_on as single
from identity.models import SignOnProvider
from identity.openid.provider import OpenIdRefused
from identity.step_up import asks_second_factor, asks_second_factor_first
from identity.views.person import person_of

# Nothing that the visitor did: the provider is away, or is set up wrongly.
OF_THE_PROVIDER = frozenset(
    {
        "provider_unreachable",
        "other_issuer",
        "metadata_wrong",
        "keys_unreachable",
        "keys_wrong",
        "code_refused",
        "userinfo_refused",
    }
)
OF_THE_ACCOUNT = frozenset({"unknown_person", "not_active", "email_not_verified", "linked_to_another"})


@never_cache
@require_safe
def sign_on(request: HttpRequest, slug: str) -> HttpResponse:
    """To the provider, to sign in here afterwards."""
    if sessions.is_verified(request):
        return redirect(sessions.next_page(request))
    return _depart(request, slug, single.SIGN_IN, request.GET.get("next", ""))


@never_cache
@require_safe
def back(request: HttpRequest, slug: str) -> HttpResponse:
    """What the provider sent back."""
    provider = _provider(slug)
    try:
        purpose = single.arrive(request, provider)
    except OpenIdRefused as refusal:
        return _refused(request, provider, refusal.code)
    if purpose == single.STEP_UP:
        return render(request, "identity/sign_on_confirmed.html", {"provider": provider})
    if purpose == single.LINK:
        messages.success(request, _("You can sign in with {name} now.").format(name=provider.name))
        return redirect("identity:account")
    return redirect(sessions.next_page(request))


@never_cache
@require_safe
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """To the provider, to show the second factor once more."""
    return _depart(request, slug, single.STEP_UP)


@never_cache
@asks_second_factor_first
def link(request: HttpRequest, slug: str) -> HttpResponse:
    """A page between: our own forms may lead to no other site, and the question before this one is a form."""
    provider = _provider(slug)
    try:
        address = single.depart(request, provider, single.LINK)
    except OpenIdRefused as refusal:
        return _refused(request, provider, refusal.code)
    return render(request, "identity/sign_on_link.html", {"provider": provider, "address": address})


@require_POST
@asks_second_factor
def unlink(request: HttpRequest, slug: str) -> HttpResponse:
    person, provider, now = person_of(request), _provider(slug), timezone.now()
    if single.unlink(provider, person, now):
        living.end_others(person, request.session.session_key, person.actor, now)
        messages.success(request, _("{name} does not sign you in any more.").format(name=provider.name))
    else:
        messages.error(request, _("This is your only way to sign in. Set a password first."))
    return redirect("identity:account")


def _depart(request: HttpRequest, slug: str, purpose: str, destination: str = "") -> HttpResponse:
    provider = _provider(slug)
    try:
        return HttpResponseRedirect(single.depart(request, provider, purpose, destination))
    except OpenIdRefused as refusal:
        return _refused(request, provider, refusal.code)


def _provider(slug: str) -> SignOnProvider:
    return get_object_or_404(SignOnProvider, slug=slug, is_active=True)


def _refused(request: HttpRequest, provider: SignOnProvider, code: str) -> HttpResponse:
    """Says what to do next. Whose account it is, or that it was closed, is not said."""
    context = {
        "provider": provider,
        "is_away": code in OF_THE_PROVIDER,
        "is_unknown": code in OF_THE_ACCOUNT,
        "is_weak": code == "no_second_factor",
    }
    return render(
        request, "identity/sign_on_refused.html", context, status=502 if context["is_away"] else 403
    )
