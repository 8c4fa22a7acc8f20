"""Import: what stores said of their orders becomes stock and sales orders, some dozens at a time, each once per version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from orders import documents, pace, pulls, sales, stock
from orders.errors import OrderRefused
from orders.models import IncomingOrder, IncomingState, OrderStock, SalesOrder
from orders.models.incoming import SNAPSHOTS
from orders.pace import Work
from orders.told import Refusals, Told
from syncconsole.kernel import bulk
from syncconsole.kernel.locks import sole_worker

log = structlog.get_logger(__name__)

AT_ONCE: Final = 50
"""Orders that are imported in one transaction."""
LINES: Final = 200
"""Their lines. So many levels are locked meanwhile, and fewer are marked than what changes at once
(`inventory.at_once.BULK`)."""

Step = Callable[[Told], Refusals]
"""A part of the import of some orders."""
Attempt = Callable[[Told, Step], Refusals]
"""Carries out one step."""

CONCLUDED: Final = (
    *("state", "cause", "remedy", "waits_for", "needs_look"),
    *("applied_revision", "applied_at", "stock_rule", "books_from"),
)


@dataclass(slots=True)
class Imported:
    """How many orders an import took on, and what became of them."""

    done: int = 0
    failed: int = 0
    more: bool = False
    """Stopped at its time limit; some still wait."""


# What failed orders wait for, and how to see that it came. What else they wait for is released where it is settled.
RELEASE = """
UPDATE orders_incomingorder o SET state = 'pending'
 WHERE o.store_id = %(store)s AND o.state = 'failed'
   AND (o.waits_for LIKE 'item:%%' AND EXISTS (
            SELECT 1 FROM catalog_listedvariant v
             WHERE v.store_id = o.store_id AND v.item_ref = substr(o.waits_for, 6))
        OR o.waits_for LIKE 'location:%%' AND EXISTS (
            SELECT 1 FROM inventory_locationmapping m JOIN connectors_storelocation l ON l.id = m.store_location_id
             WHERE m.store_id = o.store_id AND l.ref = substr(o.waits_for, 10))
        OR o.waits_for LIKE 'customer:%%' AND EXISTS (
            SELECT 1 FROM orders_valuemapping m
             WHERE m.store_id = o.store_id AND m.kind = 'customer' AND md5(m.value) = substr(o.waits_for, 10))
        OR EXISTS (
            SELECT 1 FROM orders_valuemapping m
             WHERE m.store_id = o.store_id AND m.kind = split_part(o.waits_for, ':', 1)
               AND m.value = substr(o.waits_for, strpos(o.waits_for, ':') + 1))
        OR split_part(o.waits_for, ':', 1) IN ('gateway', 'shipping', 'tax', 'customer') AND NOT EXISTS (
            SELECT 1 FROM orders_mappingrule r
             WHERE r.store_id = o.store_id AND r.kind = split_part(o.waits_for, ':', 1) AND r.unmapped = 'stop'))
"""


def import_waiting(store: Store, *, until: dt.datetime | None = None) -> Imported:
    """Import the orders of `store` that wait, oldest change first. Stores are independent; within one, a second worker
    finds nothing to do. Orders that lack something keep their cause and hold up nobody; once it is there, they go on.

    Nothing is imported before the store's integration date is set: until then nobody has said which orders count.
    """
    found = Imported()
    if store.integration_date is None:
        return found
    with sole_worker("orders.imports", store.pk) as mine:
        if not mine:
            return found
        release(store)
        with pace.measured(store, Work.IMPORT) as stint:
            while some := _waiting(store):
                if until is not None and timezone.now() >= until:
                    found.more = True
                    break
                states = import_orders(some)
                failed = states.count(IncomingState.FAILED)
                found.failed += failed
                found.done += len(states) - failed
                stint.done += len(states)
        pulls.settle_waiting(store)
    return found


def retry(orders: Any) -> int:
    """Let failed orders (a queryset) be tried again at the next import. Returns how many."""
    return int(orders.filter(state=IncomingState.FAILED).update(state=IncomingState.PENDING))


def release(store: Store) -> None:
    """Let failed orders go on for which what they wait for is there by now."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"store": store.pk})


def import_orders(pks: Sequence[int]) -> list[IncomingState]:
    """Import the versions kept of these orders of one store, in this order: their stock, their sales orders, then the
    documents of their refunds. Returns what became of those that waited and could be had; the same version again changes
    nothing.

    What is refused stays with cause and remedy, and holds up no other order; stock is booked even where the rest is
    refused, documents wait until the rest is not. All of them are written by the same statements, in one transaction.
    Where that fails none is kept, and each is imported by itself, so that a fault ends with the one order that has it.
    """
    try:
        return _import(pks, _at_one_go)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("orders_imported_one_by_one", orders=len(pks))
    return [state for pk in pks for state in _import([pk], _attempt)]


@transaction.atomic
def _import(pks: Sequence[int], attempt: Attempt) -> list[IncomingState]:
    """As `import_orders`, each step by `attempt`."""
    told = _locked(pks)
    if not told:
        return []
    eligible = _eligible(told)
    carried = {row: order for row, order in told.items() if row in eligible and not row.test}
    refused = attempt(told, lambda orders: stock.book(orders, eligible))
    refused = attempt(carried, sales.write) | refused
    rest = {row: order for row, order in told.items() if row not in refused}
    refused |= attempt(rest, lambda orders: _settle(orders, left_out=rest.keys() - carried.keys()))
    _conclude(told, carried, refused)
    return [IncomingState(row.state) for row in told]


def _settle(told: Told, left_out: Container[IncomingOrder]) -> Refusals:
    documents.settle(told, left_out=left_out)
    return {}


def _at_one_go(told: Told, step: Step) -> Refusals:
    """One step of some orders; whatever is raised takes all their steps back."""
    return step(told) if told else {}


def _attempt(told: Told, step: Step) -> Refusals:
    """One step of one order, all or nothing. A fault of ours holds up this order alone, and says so."""
    try:
        with transaction.atomic():
            return _at_one_go(told, step)
    except (OperationalError, InterfaceError):
        raise
    except Exception as fault:
        (row,) = told
        log.exception("order_import_fault", store=row.store.slug, order=row.ref)
        problem = OrderRefused(
            cause=f"A fault of Sync Console: {type(fault).__name__}: {fault}",
            remedy="Report it with the order's number, then try again.",
            waits_for="fault",
        )
        return {row: problem}


def _locked(pks: Sequence[int]) -> Told:
    """Those of these orders that wait, locked, in their order, each with the version that it holds: as many as have
    `LINES` lines in all, and one at least. Orders that somebody else works on right now are left for the next look; where
    that is all of them, the first is waited for. So nobody waits for an order who has locked another."""
    waiting = IncomingOrder.objects.filter(state=IncomingState.PENDING).select_related("store")
    rows = waiting.defer("snapshot").annotate(text=Cast("snapshot", TextField()))
    free = list(rows.select_for_update(of=("self",), skip_locked=True).filter(pk__in=pks))
    found = free or rows.select_for_update(of=("self",)).filter(pk__in=pks[:1])
    told: dict[IncomingOrder, RemoteOrder] = {}
    lines = 0
    for row in sorted(found, key=lambda row: pks.index(row.pk)):
        order = SNAPSHOTS.decode(vars(row).pop("text"))
        lines += len(order.lines)
        if told and lines > LINES:
            break
        told[row] = order
    return told


def _conclude(told: Told, carried: Told, refused: Refusals) -> None:
    """Keep what became of each order."""
    now = timezone.now()
    left = [row for row in told if row not in carried and row not in refused]
    holding = OrderStock.objects.filter(order__in=left, open_quantity__gt=0).order_by()
    shadows = set(holding.values_list("order", flat=True)) if left else set()
    for row in told:
        if problem := refused.get(row):
            row.state, row.waits_for = IncomingState.FAILED, problem.waits_for[:200]
            row.cause, row.remedy = problem.cause[:400], problem.remedy[:400]
            continue
        row.state = IncomingState.SHADOW if row.pk in shadows else IncomingState.EXCLUDED
        if row in carried:
            row.state = IncomingState.IMPORTED
        row.cause = row.remedy = row.waits_for = ""
        row.applied_revision, row.applied_at = row.revision, now
    bulk.save(told, CONCLUDED)


def placed_in_time(row: IncomingOrder) -> bool:
    """Placed on the integration date or later, by the calendar of the store's time zone."""
    since = row.store.integration_date
    return since is not None and row.remote_created_at.astimezone(row.store.zone).date() >= since


def _eligible(rows: Collection[IncomingOrder]) -> set[IncomingOrder]:
    """Those that count: placed in time, or a sales order that stayed when the date moved, because refunds of it are booked
    (`orders.integration`)."""
    found = {row for row in rows if placed_in_time(row)}
    older = [row for row in rows if row not in found and row.store.integration_date]
    if older:
        kept = set(SalesOrder.objects.filter(incoming__in=older).order_by().values_list("incoming", flat=True))
        found |= {row for row in older if row.pk in kept}
    return found


def _waiting(store: Store) -> list[int]:
    """The next orders that wait, oldest change first."""
    waiting = IncomingOrder.objects.filter(store=store, state=IncomingState.PENDING)
    return list(waiting.order_by("remote_updated_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
