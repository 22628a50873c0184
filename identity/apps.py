from django.apps import AppConfig

from identity.sql import STATEMENTS


class IdentityConfig(AppConfig):
    name = "identity"
    database_guards = STATEMENTS
