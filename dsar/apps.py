from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

# A case's whole way takes some 150 different statements. With fewer kept than are asked in turn, each is thrown away
# before it comes again, and PostgreSQL plans all of them anew.
PREPARED_MAX = 500


def keep_prepared(connection: Any, **_: Any) -> None:
    """Let a new connection keep every statement that is asked again and again."""
    connection.connection.prepared_max = PREPARED_MAX


class DsarConfig(AppConfig):
    name = "dsar"

    def ready(self) -> None:
        from django.apps import apps

        from dsar.checks import register_all
        from dsar.guards import install

        register_all()
        connection_created.connect(keep_prepared)
        post_migrate.connect(install, sender=apps.get_app_config("cases"))
