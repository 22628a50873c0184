"""What an agent opens during a conversation."""

from django.urls import path

from cases.console.views import agent_home

urlpatterns = [
    path("", agent_home.home, name="home"),
]
