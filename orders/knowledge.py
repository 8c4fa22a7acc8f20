"""How far the orders of a store are known: what absolute jobs rest on (`inventory.knowledge.OrderBooks`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from connectors import feeds
from connectors.models import Store
from connectors.pacing import as_bulk
from inventory.audit import Difference
from inventory.knowledge import Knowledge, OpenOrder, OrderFlow, OrderLag, Sold
from orders import audit, imports, intake
from orders.models import IncomingOrder, IncomingState, OrderStock, SalesOrderLine

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

# A notice without a version is taken to be about something ten minutes older than itself.
FLOW = """
SELECT p.watermark, p.finished_at, p.cause, p.remedy, c.unread_from, c.unreadable, c.waiting, c.waiting_since, c.processing,
       o.waiting, o.waiting_since, o.blocked
  FROM (SELECT min(least(coalesce(remote_updated_at, noticed_at - interval '10 minutes'), noticed_at)) AS unread_from,
               count(*) FILTER (WHERE state = 'failed') AS unreadable,
               count(*) FILTER (WHERE state = 'waiting') AS waiting,
               min(noticed_at) FILTER (WHERE state = 'waiting') AS waiting_since,
               count(*) FILTER (WHERE claimed_until > %(now)s) AS processing
          FROM connectors_remotechange WHERE store_id = %(store)s AND kind = %(kind)s AND state <> 'done') c
 CROSS JOIN (SELECT count(*) FILTER (WHERE state = 'pending') AS waiting,
                    min(received_at) FILTER (WHERE state = 'pending') AS waiting_since,
                    count(*) FILTER (WHERE state = 'failed') AS blocked
               FROM orders_incomingorder WHERE store_id = %(store)s AND state IN ('pending', 'failed')) o
  LEFT JOIN connectors_feedposition p ON p.store_id = %(store)s AND p.kind = %(kind)s
"""


# By the time of placing, which has an index: an order's first days are when it changes.
LAGS = """
SELECT count(*), percentile_cont(0.99) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM
           CASE WHEN applied_revision = revision THEN applied_at ELSE %s END - remote_updated_at)))
  FROM orders_incomingorder WHERE store_id = %s AND remote_created_at >= %s
"""


@as_bulk()
def bring_in(store: Store) -> None:
    """Ask the store which orders changed, read and import them, as a step of the job that wants to know. A pass that runs
    already is as good as ours. Nothing is asked of a store whose integration date is not set. Raises the store's
    ConnectorErrors."""
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
    return Knowledge(flow(store).until or NEVER, _waiting(store))


def flow(store: Store) -> OrderFlow:
    """Whether orders are up to date, and what waits or is being processed; nothing of a store whose orders do not count."""
    if store.integration_date is None:
        return OrderFlow()
    with connection.cursor() as cursor:
        cursor.execute(FLOW, {"store": store.pk, "kind": intake.KIND, "now": timezone.now()})
        found = cursor.fetchone()
    watermark, asked_at, cause, remedy, unread_from, unreadable, unread, unread_since, reading = found[:9]
    pending, pending_since, blocked = found[9:]
    return OrderFlow(
        until=min(watermark, unread_from or watermark) if watermark else None,
        asked_at=asked_at,
        cause=cause or "",
        remedy=remedy or "",
        unreadable=unreadable,
        waiting=unread + pending,
        waiting_since=min(filter(None, (unread_since, pending_since)), default=None),
        processing=reading,
        blocked=blocked,
    )


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


def sold(items: Collection[tuple[int, str]], since: dt.datetime) -> dict[tuple[int, str], Sold]:
    """What orders placed since then ask for, also those whose goods nobody here knows."""
    lines = SalesOrderLine.objects.filter(
        item_ref__in={item for _, item in items},
        order__store__in={store for store, _ in items},
        order__placed_at__gte=since,
    ).order_by()
    summed = lines.values_list("order__store", "item_ref").annotate(
        orders=Count("order", distinct=True), units=Sum("quantity")
    )
    return {(store, item): Sold(orders, units) for store, item, orders, units in summed}


def _waiting(store: Store) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [store.pk])
        return {
            item: f"Order {name} names this item and is not booked yet. {cause}".rstrip()
            for item, name, cause in cursor.fetchall()
            if item
        }
