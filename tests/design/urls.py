"""Routes of the gallery: only what the shells ask for by name."""

from django.urls import include, path

urlpatterns = [path("i18n/", include("django.conf.urls.i18n"))]
