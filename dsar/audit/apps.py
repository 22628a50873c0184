from django.apps import AppConfig

from dsar.audit.sql import STATEMENTS


class AuditConfig(AppConfig):
    name = "dsar.audit"
    label = "audit"
    database_guards = STATEMENTS
