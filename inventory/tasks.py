"""Doors for Celery: the schedules of jobs, the sweep, alarms, the nightly ledger check."""

from __future__ import annotations

import datetime as dt

import structlog
from celery import shared_task
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store
from inventory import at_once, audit, delta, holds, level_changes, openings, schedules
from inventory.models import OpeningPlan
from inventory.models.openings import OpeningState
from syncconsole.kernel.tasks import AfterCommitTask

log = structlog.get_logger(__name__)


@shared_task(base=AfterCommitTask)
def start_due_jobs() -> None:
    """Beat, every half minute: start what the stores' schedules ask for now."""
    schedules.start_due()


OPENING_SLICE = dt.timedelta(seconds=20)
"""A worker process gives the work back so often, so that others get their turn."""


@shared_task(base=AfterCommitTask)
def post_opening(plan_id: int) -> None:
    """Post a signed opening to the ledger; goes on in a new task when there is more."""
    plan = OpeningPlan.objects.select_related("location", "store", "signed_by").get(pk=plan_id)
    if plan.state == OpeningState.POSTING and not openings.post(plan, until=timezone.now() + OPENING_SLICE):
        post_opening.send(plan_id)


@shared_task(base=AfterCommitTask)
def send_changes(store_id: int) -> None:
    """Some seconds after a change: send what is owed to one store."""
    store = Store.objects.filter(pk=store_id).first()
    if store is not None:
        at_once.send(store)


@shared_task(base=AfterCommitTask)
def sweep_publications() -> None:
    """Beat, hourly: find levels that are owed something and that no mark names, and openings whose message was lost."""
    for plan in openings.unfinished():
        post_opening.send(plan.pk)
    for store in Store.objects.filter(live_at__isnull=False):
        found = delta.sweep(store)
        if found:
            log.warning("sweep_found_unmarked", store=store.slug, levels=found)


@shared_task(base=AfterCommitTask)
def tell_of_long_holds() -> None:
    """Beat, every five minutes: people are told once of each level that is held past its store's limit."""
    for store in Store.objects.filter(live_at__isnull=False):
        holds.tell(store)


@shared_task(base=AfterCommitTask)
def look_at_rested() -> None:
    """Beat, every two minutes: a hold for what passes by itself ends by itself."""
    for store in Store.objects.filter(live_at__isnull=False):
        level_changes.ask_for_rested(store)


@shared_task(base=AfterCommitTask)
def look_at_unstocked() -> None:
    """Beat, nightly: a level that its store stocks again, and that no message told of, takes part again."""
    level_changes.ask_for_unstocked()


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
