"""Doors for Celery: the schedule of delta runs, the sweep, the nightly ledger check."""

from __future__ import annotations

import structlog
from celery import shared_task

from connectors import notices
from connectors.models import NoticeEvent, Store
from connectors.models.runs import Trigger
from connectors.runs import RunAlreadyOpen, RunRefused
from inventory import audit, delta, jobs
from inventory.jobs import Job
from syncconsole.kernel.tasks import AfterCommitTask

log = structlog.get_logger(__name__)


@shared_task(base=AfterCommitTask)
def start_due_deltas() -> None:
    """Beat, every minute: start the delta of each store whose interval has passed. A shut gate is logged, and told once."""
    for store in Store.objects.filter(delta_enabled=True, live_at__isnull=False):
        if not delta.due(store):
            continue
        try:
            jobs.start(store, Job.DELTA, trigger=Trigger.SCHEDULE)
        except RunRefused as refused:
            log.info("delta_not_started", store=store.slug, cause=refused.cause)
            if not isinstance(refused, RunAlreadyOpen):
                subject = f"Delta of {store} does not start: {refused.gates[0].label.lower()}."
                body = f"{refused.cause} {refused.remedy}"
                notices.notify(NoticeEvent.GATE_LOST, store, subject, body, link=f"/console/stores/{store.slug}/")


@shared_task(base=AfterCommitTask)
def sweep_publications() -> None:
    """Beat, hourly: find levels that are owed something and that no mark names."""
    for store in Store.objects.filter(live_at__isnull=False):
        found = delta.sweep(store)
        if found:
            log.warning("sweep_found_unmarked", store=store.slug, levels=found)


@shared_task(base=AfterCommitTask)
def check_ledger() -> None:
    """Beat, nightly: every number is the sum of its entries."""
    result = audit.audit_ledger()
    if not result.green:
        log.error("ledger_check_red", found=result.found)
        first = result.differences[0]
        subject = f"The ledger check found {result.found:,} differences."
        body = (
            f"{first.invariant}: {first.subject} {first.subject_id} keeps {first.kept}; its entries say {first.summed}."
        )
        notices.notify(NoticeEvent.AUDIT_RED, None, subject, body, link="/console/ledger/")
