"""The customer's pages, below ``/p/<brand>/``."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

app_name = "portal"


def _home(request: HttpRequest, slug: str, token: str = "") -> HttpResponse:
    return HttpResponse(slug)


urlpatterns = [path("", _home, name="home"), path("r/<str:token>/", _home, name="follow")]
