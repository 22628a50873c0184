"""Signing in: e-mail and password, with lock-out."""

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class PasswordBackend(ModelBackend):
    """E-mail in any case, and Argon2. What a person may do is the teams' matter, not Django's."""

    def has_perm(self, *args: object, **kwargs: object) -> bool:
        return False


def client_address(request: HttpRequest) -> str:
    """The visitor's address: the peer's, or what the trusted number of proxies says."""
    proxies = settings.AXES_IPWARE_PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if proxies and len(forwarded) >= proxies:
        return forwarded[-proxies]
    return request.META.get("REMOTE_ADDR", "") or "local"


def locked_out(request: HttpRequest, credentials: dict[str, str] | None = None, *args: object) -> HttpResponse:
    """Too many wrong passwords: says so, and for how long, whether or not the address is known."""
    return render(request, "identity/locked_out.html", status=429)
