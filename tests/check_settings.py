"""The site's settings, and what `make check` needs beside them."""

from dsar.settings import *  # noqa: F403
from dsar.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
