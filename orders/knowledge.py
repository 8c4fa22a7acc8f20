"""How far the orders of a store are known: what absolute jobs rest on (`inventory.knowledge.OrderBooks`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection
from django.db.models import F, Min, Sum
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from connectors import feeds
from connectors.models import FeedPosition, RemoteChange, Store
from connectors.models.webhooks import ChangeState
from inventory.audit import Difference
from inventory.knowledge import Knowledge, OpenOrder, OrderLag
from orders import audit, imports, intake
from orders.models import IncomingOrder, IncomingState, OrderStock

UNDATED = dt.timedelta(minutes=10)
"""A notice without a version is taken to be about something so much older than itself."""

NEVER = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)

# Items of orders whose stock is not booked; of one that only its sales order holds up, it is.
WAITING = """
SELECT DISTINCT ON (item) item #>> '{}', o.name, o.cause
  FROM orders_incomingorder o
 CROSS JOIN LATERAL jsonb_path_query(o.snapshot, '$.fulfilment_orders[*].lines[*].item_ref') AS item
 WHERE o.store_id = %s
   AND (o.state = 'pending'
        OR o.state = 'failed' AND (o.waits_for LIKE 'item:%%' OR o.waits_for LIKE 'location:%%' OR o.waits_for = 'fault'))
 ORDER BY item, o.id
"""


# By the time of placing, which has an index: an order's first days are when it changes.
LAGS = """
SELECT count(*), percentile_cont(0.99) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM
           CASE WHEN applied_revision = revision THEN applied_at ELSE %s END - remote_updated_at)))
  FROM orders_incomingorder WHERE store_id = %s AND remote_created_at >= %s
"""


def bring_in(store: Store) -> None:
    """Ask the store which orders changed, read and import them. A pass that runs already is as good as ours. Nothing is
    asked of a store whose integration date is not set. Raises the store's ConnectorErrors."""
    if store.integration_date is None:
        return
    try:
        feeds.poll(store, feeds.ORDER)
    except feeds.PassRunning:
        return
    while intake.read_changes(store):
        pass
    imports.import_waiting(store)


def known(store: Store) -> Knowledge:
    """Orders are known up to the last pass of the feed, or up to the oldest change that is not read yet."""
    if store.integration_date is None:
        return Knowledge()
    position = FeedPosition.objects.filter(store=store, kind=feeds.ORDER).values_list("watermark", flat=True).first()
    unread = RemoteChange.objects.filter(store=store, kind=intake.KIND).exclude(state=ChangeState.DONE)
    oldest = unread.aggregate(
        at=Min(Least(Coalesce(F("remote_updated_at"), F("noticed_at") - UNDATED), F("noticed_at")))
    )["at"]
    until = position or NEVER
    return Knowledge(min(until, oldest or until), _waiting(store))


def shadows(documents: Collection[str]) -> set[str]:
    """Those of the ledger's documents (`order:<store>:<name>`) that are shadow orders."""
    asked = {tuple(document.split(":", 2)[1:]): document for document in documents if document.count(":") >= 2}
    found = IncomingOrder.objects.filter(
        state=IncomingState.SHADOW, store__slug__in={slug for slug, _ in asked}, name__in={name for _, name in asked}
    )
    return {asked[pair] for pair in found.values_list("store__slug", "name") if pair in asked}


def lag(store: Store, since: dt.datetime) -> OrderLag:
    """How quickly the orders that were placed since then were booked here."""
    with connection.cursor() as cursor:
        cursor.execute(LAGS, [timezone.now(), store.pk, since])
        orders, p99 = cursor.fetchone()
    return OrderLag(orders, float(p99 or 0))


def differences() -> list[Difference]:
    """Where what orders hold does not agree with itself, or with the levels."""
    return audit.differences()


def open_at(store: Store, item_ref: str, location_ref: str) -> list[OpenOrder]:
    """The orders that hold units of an item at a location of the store, the largest first; the first hundred."""
    rows = OrderStock.objects.filter(
        order__store=store, item_ref=item_ref, store_location__ref=location_ref, open_quantity__gt=0
    ).order_by()
    summed = rows.values_list("order__name").annotate(units=Sum("open_quantity")).order_by("-units", "order__name")
    return [OpenOrder(number, units) for number, units in summed[:100]]


def _waiting(store: Store) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [store.pk])
        return {
            item: f"Order {name} names this item and is not booked yet. {cause}".rstrip()
            for item, name, cause in cursor.fetchall()
            if item
        }
