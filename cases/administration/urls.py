"""The administrator's surface: source systems, and the switch that stops collection. No way into any case."""

from django.urls import path

from cases.administration.views import credentials, recipients, settings, sources, stops, suppression

app_name = "administration"

SOURCE = "sources/<uuid:source_id>/"

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/new/", settings.choose, name="choose-connector"),
    path("sources/new/<slug:brand>/<slug:connector>/", settings.add, name="add-source"),
    path("sources/stop/", stops.stop, name="stop"),
    path("sources/stops/<uuid:stop_id>/lift/", stops.lift, name="lift-stop"),
    path(SOURCE, sources.source, name="source"),
    path(f"{SOURCE}settings/", settings.edit, name="edit-source"),
    path(f"{SOURCE}credentials/<slug:purpose>/", credentials.credentials, name="credentials"),
    path(f"{SOURCE}credentials/erasing/remove/", credentials.remove, name="remove-credentials"),
    path(f"{SOURCE}try/", sources.try_connection, name="try-source"),
    path(f"{SOURCE}tried/", sources.tried, name="tried-source"),
    path(f"{SOURCE}pause/", sources.pause, name="pause-source"),
    path(f"{SOURCE}resume/", sources.resume, name="resume-source"),
    path("recipients/", recipients.recipients, name="recipients"),
    path("recipients/new/", recipients.choose, name="choose-recipient"),
    path("recipients/new/<slug:brand>/", recipients.add, name="add-recipient"),
    path("recipients/<uuid:recipient_id>/", recipients.edit, name="recipient"),
    path("suppression/", suppression.lists, name="suppression"),
    path("suppression/tokens/<uuid:token_id>/revoke/", suppression.revoke, name="revoke-token"),
    path(f"{SOURCE}search-again/", sources.search_again, name="search-source-again"),
]
