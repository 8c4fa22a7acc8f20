"""The jobs that are measured, through the same functions as console, command and schedule use."""

from __future__ import annotations

import itertools
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from connectors import approval, runs
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from inventory import delta, jobs, ledger
from inventory.jobs import Job
from inventory.knowledge import order_books
from inventory.ledger import Posting
from inventory.models import InventoryLevel
from inventory.models.ledger import EntryKind
from syncconsole.kernel.models import User

FACTS = itertools.count(1)


def person() -> User:
    """Somebody who may start and approve."""
    found = User.objects.filter(is_superuser=True).first()
    return found or User.objects.create_superuser("bench@example.com")


def full_sync(store: Store) -> SyncRun:
    """A full sync from plan to end, approved at once; orders were asked for before, as the schedule does."""
    order_books().bring_in(store)
    run = jobs.start(store, Job.FULL, reason="go-live", trigger=Trigger.COMMAND, requested_by=person())
    run = runs.advance(run.pk)
    if run.status == RunStatus.AWAITING_APPROVAL:
        approval.approve(run, person())
        run = runs.advance(run.pk)
    return completed(run)


def delta_sync(store: Store) -> SyncRun:
    """A delta from plan to end."""
    run = jobs.start(store, Job.DELTA, trigger=Trigger.COMMAND)
    return completed(runs.advance(run.pk))


def plan_delta(store: Store) -> SyncRun:
    """A delta as far as its plan, the sweep over every level included."""
    delta.sweep(store)
    run = jobs.start(store, Job.DELTA, trigger=Trigger.COMMAND, plan_only=True)
    return runs.advance(run.pk)


def completed(run: SyncRun) -> SyncRun:
    """The run, which did all it had to."""
    if run.status != RunStatus.COMPLETED:
        raise AssertionError(f"{run} ended as {run.status}: {run.cause} {run.remedy} {run.counts}")
    return run


def receive(store: Store, levels: int, *, skip: int = 0, marked: bool = True) -> int:
    """One unit more of `levels` items, beginning after the first `skip`. `marked` False: as if every mark were lost."""
    rows = InventoryLevel.objects.filter(published__store=store).order_by("pk").values_list("variant_id", "location_id")
    fact = next(FACTS)
    ledger.post(
        [
            Posting(
                variant,
                location,
                EntryKind.RECEIVED,
                f"bench:{fact}:{variant}",
                "benchmark",
                timezone.now(),
                Decimal(1),
            )
            for variant, location in rows[skip : skip + levels]
        ]
    )
    if not marked:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE inventory_levelpublication SET needs_look = FALSE WHERE store_id = %s AND needs_look",
                [store.pk],
            )
    return levels


def give_up(run: SyncRun) -> None:
    """Close a plan without carrying it out."""
    approval.reject(run, person(), "measured")
