"""What Celery calls. Messages hold a job's id and nothing else."""

from uuid import UUID

from celery import shared_task

from dsar.jobs import queue
from dsar.jobs.run import run_job


@shared_task
def run(job_id: str) -> None:
    """Run one job; a repeated message finds it taken or done."""
    run_job(UUID(job_id))


@shared_task
def sweep() -> None:
    """Find work whose message or worker was lost."""
    queue.sweep()
