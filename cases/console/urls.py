"""The console: the agent's pages and the handler's desk, at the root of the site."""

from cases.console import agent_urls, desk_urls

app_name = "console"

urlpatterns = [*agent_urls.urlpatterns, *desk_urls.urlpatterns]
