from django.apps import AppConfig

from dsar.jobs.sql import STATEMENTS


class JobsConfig(AppConfig):
    name = "dsar.jobs"
    label = "jobs"
    database_guards = STATEMENTS
