from django.apps import AppConfig
from django.core.checks import register


class CasesConfig(AppConfig):
    name = "cases"

    def ready(self) -> None:
        from cases import checks, receivers  # noqa: F401  (connects the one signal of identity)

        register(checks.check_local_days, "security", deploy=True)
