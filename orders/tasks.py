"""Doors for Celery: orders that were read are imported; what left here first is told to its store; old ones forget."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from connectors.models import Store
from orders import imports, retention, sending
from orders.models import IncomingOrder, IncomingState, OutgoingFulfilment
from orders.models.outgoing import ON_ITS_WAY
from syncconsole.kernel.tasks import AfterCommitTask

SLICE = dt.timedelta(seconds=20)
"""A worker process gives the work back so often, so that others get their turn."""


@shared_task(base=AfterCommitTask)
def import_orders(store_id: int) -> None:
    """Import what waits in one store; goes on in a new task when there is more."""
    store = Store.objects.filter(pk=store_id).first()
    if store is not None and imports.import_waiting(store, until=timezone.now() + SLICE).more:
        import_orders.send(store_id)


@shared_task(base=AfterCommitTask)
def sweep_orders() -> None:
    """Beat: find orders whose message was lost, and those for which what they wait for may have come."""
    waiting = IncomingOrder.objects.filter(state__in=[IncomingState.PENDING, IncomingState.FAILED])
    for store_id in (
        waiting.filter(store__integration_date__isnull=False).values_list("store_id", flat=True).distinct().order_by()
    ):
        import_orders.send(store_id)


@shared_task(base=AfterCommitTask)
def send_fulfilments(store_id: int) -> None:
    """Tell one store what left here; goes on in a new task when there is more."""
    store = Store.objects.filter(pk=store_id).first()
    if store is not None and sending.send_waiting(store):
        send_fulfilments.send(store_id)


@shared_task(base=AfterCommitTask)
def sweep_fulfilments() -> None:
    """Beat: find what was not told because a message, a worker or an answer was lost."""
    waiting = OutgoingFulfilment.objects.filter(state__in=ON_ITS_WAY)
    for store_id in waiting.values_list("order__store", flat=True).distinct().order_by():
        send_fulfilments.send(store_id)


@shared_task(base=AfterCommitTask)
def forget_customers(store_id: int | None = None) -> None:
    """Redact orders that are older than their store keeps customers' data; of every store, each in a task of its own."""
    stores = Store.objects.exclude(keep_months=None)
    if store_id is None:
        for pk in stores.values_list("pk", flat=True):
            forget_customers.send(pk)
    elif (store := stores.filter(pk=store_id).first()) is not None:
        _, more = retention.forget(store, until=timezone.now() + SLICE)
        if more:
            forget_customers.send(store_id)
