"""Doors for Celery: the inbox is worked through, what it told of is read, and subscriptions are kept in order."""

from __future__ import annotations

import datetime as dt

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from connectors import changes, inbox, lags, privacy, subscriptions
from connectors.connection import test_connection
from connectors.models import Store
from syncconsole.kernel.tasks import AfterCommitTask

log = structlog.get_logger(__name__)

SLICE = dt.timedelta(seconds=20)
"""A worker process gives the work back so often, so that others get their turn."""
GATHERING = 2.0
"""Seconds in which changes gather before they are read: many in one read cost what one does (reference: Shopify 2.2)."""
_READING = "reads-changes:{store}:{kind}"
_ANNOUNCED_FOR = 60


@shared_task(base=AfterCommitTask)
def understand_deliveries() -> None:
    """Understand what waits in the inbox, then have it read; goes on in a new task when there is more."""
    inbox.begin_work()
    until = timezone.now() + SLICE
    while settled := inbox.understand():
        if settled == inbox.BATCH and timezone.now() >= until:
            understand_deliveries.send()
            break
    have_changes_read()


@shared_task(base=AfterCommitTask)
def sweep_deliveries() -> None:
    """Beat: find deliveries, changes and privacy requests whose message was lost."""
    understand_deliveries()
    answer_privacy_requests()


@shared_task(base=AfterCommitTask)
def read_changes(store_id: int, kind: str) -> None:
    """Let the reader of `kind` read what waits in one store."""
    cache.delete(_READING.format(store=store_id, kind=kind))
    store = Store.objects.filter(pk=store_id).first()
    reader = changes.readers().get(kind)
    if store is None or reader is None:
        return
    until = timezone.now() + SLICE
    while reader(store):
        if timezone.now() >= until:
            read_changes.send(store_id, kind)
            return


@shared_task(base=AfterCommitTask)
def answer_privacy_requests() -> None:
    """Answer every request that waits."""
    for request_id in list(privacy.waiting().values_list("pk", flat=True)[:20]):
        privacy.answer(request_id)


@shared_task(base=AfterCommitTask)
def ask_for_scopes(store_id: int) -> None:
    """The app's scopes changed: learn the new ones."""
    store = Store.objects.filter(pk=store_id).first()
    if store is not None:
        test_connection(store)


@shared_task(base=AfterCommitTask)
def prune_deliveries() -> None:
    """Beat, nightly: settled deliveries, and what was measured of them, do not stay for ever."""
    inbox.prune()
    lags.prune()


@shared_task(base=AfterCommitTask)
def check_subscriptions() -> None:
    """Beat, hourly: every connected store still tells what it should."""
    for store_id in Store.objects.filter(connection_checked_at__isnull=False, connection_cause="").values_list("pk"):
        check_store_subscriptions.send(*store_id)


@shared_task(base=AfterCommitTask)
def check_store_subscriptions(store_id: int) -> None:
    """Compare one store's subscriptions with those we want."""
    store = Store.objects.filter(pk=store_id).first()
    if store is not None:
        subscriptions.check_or_log(store)


def have_changes_read() -> None:
    """Publish one task per store and kind that waits, unless one is on its way."""
    for store_id, kind in changes.waiting():
        if cache.add(_READING.format(store=store_id, kind=kind), 1, timeout=_ANNOUNCED_FOR):
            read_changes.send_in(GATHERING, store_id, kind)
