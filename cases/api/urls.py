"""What other systems may ask of the desk by HTTP, with a token of their own: docs/suppression.md."""

from django.urls import path

from cases.api.views import suppression

app_name = "api"

urlpatterns = [
    path("suppression/check", suppression.check, name="suppression-check"),
]
