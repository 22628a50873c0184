"""The Celery application. PostgreSQL holds the truth; Redis only carries job ids.

Each setting below answers a failure that was provoked and measured: see docs/adr/0004-jobs.md.
"""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_process_init
from django.db import close_old_connections

from dsar.jobs.sql import SWEEP_SECONDS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsar.settings")
# Django's checks load every page of the site, 16 MB in each process of a worker, and Celery throws away what they say.
# ``migrate`` makes them, before anything starts.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

GARBAGE_OBJECTS = 50_000  # about 10 MB of objects made, before those that refer to each other are looked for
UPKEEP = "upkeep"
# Celery would close the database's connection before and after each task: each job then opened another, on which
# nothing is prepared, and half of what an access cost PostgreSQL went there. Django's own rules end it instead.
NEVER = 10**9

app = Celery("dsar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_retry_on_worker_lost=True,
    task_annotations={"*": {"max_retries": 3, "default_retry_delay": 15}},
    task_soft_time_limit=3 * 3600,
    task_time_limit=3 * 3600 + 60,
    worker_prefetch_multiplier=1,
    worker_eta_task_limit=100,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,
    worker_soft_shutdown_timeout=10,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Longer than the hard limit, or the same task would run twice at once.
        "visibility_timeout": 4 * 3600,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "round_robin",
    },
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    task_default_queue="jobs",
    task_routes={"dsar.jobs.tasks.sweep": {"queue": UPKEEP}, "cases.tasks.tick": {"queue": UPKEEP}},
    beat_schedule={
        "sweep": {
            "task": "dsar.jobs.tasks.sweep",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS * 2},
        },
        "tick": {"task": "cases.tasks.tick", "schedule": 60.0, "options": {"expires": 120}},
    },
)
app.conf["CELERY_DB_REUSE_MAX"] = NEVER
app.autodiscover_tasks(["dsar.jobs", "cases"])


@task_prerun.connect
@task_postrun.connect
def keep_connection(**_: Any) -> None:
    """Go on with the connection while it is good and not too old, as between the requests of a web server."""
    close_old_connections()


@worker_process_init.connect
def spare_what_is_loaded(**_: Any) -> None:
    """Never look for garbage in the application itself, nor after every few records.

    A quarter of the time of a large search went there; and what is not looked at stays shared between processes.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
