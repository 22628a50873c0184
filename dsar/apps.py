from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DsarConfig(AppConfig):
    name = "dsar"

    def ready(self) -> None:
        from django.apps import apps

        from dsar.checks import register_all
        from dsar.guards import install

        register_all()
        post_migrate.connect(install, sender=apps.get_app_config("cases"))
