"""Doors for Celery. No task lasts over five minutes: a run is moved forward in slices and published again."""

from __future__ import annotations

import datetime as dt

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from connectors import approval, runs
from connectors.models import SyncRun
from connectors.models.runs import WORKING
from syncconsole.kernel.tasks import AfterCommitTask

log = structlog.get_logger(__name__)

SLICE = dt.timedelta(seconds=20)
"""A worker process gives a run back so often: other stores' runs and the schedule's small tasks get their turn even
where every process moves a long run."""
BEAT_ALIVE = "beat-alive"
BEAT_SILENCE = 90
"""Seconds; longer than a busy worker makes a small task wait."""


@shared_task(base=AfterCommitTask)
def advance_run(run_id: int) -> None:
    """Move one run forward for some seconds; goes on in a new task when there is more."""
    run = runs.advance(run_id, until=timezone.now() + SLICE)
    if run.status in WORKING and not run.owner and not (run.not_before and run.not_before > timezone.now()):
        advance_run.send(run_id)


@shared_task(base=AfterCommitTask)
def resume_runs() -> None:
    """Find runs that a dead worker or a lost message left behind, and let plans expire."""
    for run_id in SyncRun.objects.due().values_list("pk", flat=True):
        log.info("run_resumed", run=run_id)
        advance_run.send(run_id)
    approval.expire_plans()


@shared_task(base=AfterCommitTask)
def tell_beat_is_alive() -> None:
    """Beat publishes this every ten seconds and a worker carries it out: both are alive."""
    cache.set(BEAT_ALIVE, timezone.now().isoformat(), timeout=BEAT_SILENCE)
