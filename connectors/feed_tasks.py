"""Doors for Celery: the change feeds of the stores are read every some minutes, besides what webhooks tell."""

from __future__ import annotations

import structlog
from celery import shared_task

from connectors import feeds, rereads, scopes
from connectors.models import Store
from connectors.ports.access import ORDERS
from connectors.ports.errors import ConnectorError
from connectors.webhook_tasks import have_changes_read
from syncconsole.kernel.tasks import AfterCommitTask

log = structlog.get_logger(__name__)


@shared_task(base=AfterCommitTask)
def poll_feeds() -> None:
    """Beat: have the order feed read of each store where it is time for it, that lets us read orders and does not rest.
    One task each, so that a store that does not answer holds up no other."""
    for store in feeds.due():
        if not scopes.missing(store.scopes, ORDERS):
            poll_feed.send(store.pk, feeds.ORDER)


@shared_task(base=AfterCommitTask)
def reread_orders() -> None:
    """Beat: list every order again of the stores whose night it is."""
    for store in rereads.due():
        reread_store.send(store.pk)


@shared_task(base=AfterCommitTask)
def reread_store(store_id: int) -> None:
    """List every order that a store shows; what nobody had told of is read then."""
    store = Store.objects.filter(pk=store_id).first()
    if store is None:
        return
    try:
        rereads.reread(store)
    except feeds.PassRunning:
        log.info("feed_is_being_read", store=store.slug, kind=feeds.ORDER)
    except ConnectorError as exc:
        log.warning("orders_not_read_again", store=store.slug, cause=exc.cause)
    have_changes_read()


@shared_task(base=AfterCommitTask)
def poll_feed(store_id: int, kind: str) -> None:
    """One pass over one feed; then what it found is read. Why a pass failed stands with the feed."""
    store = Store.objects.filter(pk=store_id).first()
    if store is None:
        return
    try:
        feeds.poll(store, kind)
    except feeds.PassRunning:
        log.info("feed_is_being_read", store=store.slug, kind=kind)
    except ConnectorError as exc:
        log.warning("feed_not_read", store=store.slug, kind=kind, cause=exc.cause)
    have_changes_read()
