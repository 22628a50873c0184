"""Every address of the site. What is public is in the settings: ``PUBLIC_PATHS``."""

from django.urls import include, path

urlpatterns = [
    path("", include("cases.console.urls")),
    path("", include("cases.administration.urls")),
    path("dpo/", include("cases.dpo.urls")),
    path("staff/", include("identity.urls")),
    path("api/", include("cases.api.urls")),
    path("p/<slug:slug>/", include("cases.portal.urls")),
]

handler500 = "dsar.errors.broken"
