"""The Celery application."""

import subprocess
import sys

from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

import dsar.celery

STARTED = """
import gc
from celery.signals import worker_process_init
import dsar.celery
loaded = len(gc.get_objects())
worker_process_init.send(sender=None)
print(gc.get_freeze_count() >= loaded, gc.get_threshold()[0])
"""


def test_worker_process_never_looks_for_garbage_in_what_is_loaded() -> None:
    said = subprocess.run([sys.executable, "-c", STARTED], check=True, capture_output=True, text=True)

    assert said.stdout.split() == ["True", "50000"]


def test_worker_keeps_its_database_connection_between_tasks(db: None) -> None:
    connection.ensure_connection()
    before = connection.connection

    DjangoWorkerFixup(dsar.celery.app).close_database()
    dsar.celery.keep_connection()

    assert connection.connection is before
