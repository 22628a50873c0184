"""The site: settings, the Celery application, and what every app stands on."""

from dsar.celery import app as celery_app

__all__ = ["celery_app"]
