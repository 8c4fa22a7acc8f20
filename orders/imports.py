"""Import: what stores said of their orders becomes stock and sales orders, one order at a time, each once per version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from orders import documents, mappings, pace, pulls, sales, stock, wave_changes
from orders.errors import OrderRefused
from orders.mappings import Names
from orders.models import IncomingOrder, IncomingState, SalesOrder
from orders.pace import Work
from syncconsole.kernel.locks import sole_worker

log = structlog.get_logger(__name__)

AT_ONCE: Final = 50
"""Waiting orders that are looked up together."""
Attempt = Callable[[IncomingOrder, Callable[[], object]], OrderRefused | None]
"""Carries out one step of an import; returns why it was refused."""


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
        names = mappings.of_store(store)
        with pace.measured(store, Work.IMPORT) as stint:
            for pk in _waiting(store):
                if until is not None and timezone.now() >= until:
                    found.more = True
                    break
                if import_order(pk, names) == IncomingState.FAILED:
                    found.failed += 1
                else:
                    found.done += 1
                stint.done += 1
        pulls.settle_waiting(store)
    return found


def retry(orders: Any) -> int:
    """Let failed orders (a queryset) be tried again at the next import. Returns how many."""
    return int(orders.filter(state=IncomingState.FAILED).update(state=IncomingState.PENDING))


def release(store: Store) -> None:
    """Let failed orders go on for which what they wait for is there by now."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"store": store.pk})


def import_order(pk: int, names: Names | None = None) -> IncomingState:
    """Import the version kept of one order: its stock, its sales order, then the documents of its refunds, each all or
    nothing. The same version again changes nothing. What is refused stays with cause and remedy; stock is booked even
    where the rest is refused, documents wait until the rest is not. `names`: of the store, where they are known."""
    try:
        return _import(pk, _at_one_go, names)
    except (OperationalError, InterfaceError):
        raise
    except OrderRefused:
        log.debug("order_import_by_steps", order=pk)
    except Exception:
        log.exception("order_import_by_steps", order=pk)
    # Nothing of it is kept. Once more, so that what is refused leaves the other steps standing.
    return _import(pk, _attempt, names)


@transaction.atomic
def _import(pk: int, attempt: Attempt, names: Names | None) -> IncomingState:
    """As `import_order`, each step by `attempt`."""
    row = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=pk)
    if row.state != IncomingState.PENDING:
        return IncomingState(row.state)
    order = row.order
    eligible = is_eligible(row)
    carried = eligible and not row.test
    linked: dict[str, int] = {}
    refused = attempt(row, lambda: linked.update(_book_stock(row, order, eligible)))
    if carried:
        sale_refused = attempt(row, lambda: sales.write(row, order, linked=linked, names=names))
        refused = refused or sale_refused or attempt(row, lambda: documents.settle(row, order))
    else:
        refused = refused or attempt(row, lambda: documents.settle(row, order, left_out=True))
    if refused:
        row.state, row.waits_for = IncomingState.FAILED, refused.waits_for[:200]
        row.cause, row.remedy = refused.cause[:400], refused.remedy[:400]
    else:
        row.state, row.cause, row.remedy, row.waits_for = _settled(row, carried), "", "", ""
        row.applied_revision, row.applied_at = row.revision, timezone.now()
    row.save(
        update_fields=[
            *("state", "cause", "remedy", "waits_for", "needs_look"),
            *("applied_revision", "applied_at", "stock_rule", "books_from"),
        ]
    )
    return IncomingState(row.state)


def is_eligible(row: IncomingOrder) -> bool:
    """Placed on the integration date or later, by the calendar of the store's time zone; or a sales order that stayed
    when the date moved, because refunds of it are booked (`orders.integration`)."""
    since = row.store.integration_date
    if since is None:
        return False
    placed = row.remote_created_at.astimezone(row.store.zone).date()
    return placed >= since or SalesOrder.objects.filter(incoming=row).exists()


def _book_stock(row: IncomingOrder, order: RemoteOrder, eligible: bool) -> Mapping[str, int]:
    """Book its stock. Returns our variants behind the items that were looked up for it."""
    if not row.stock_rule:
        row.stock_rule = stock.rule_for(row, eligible=eligible)
        row.books_from = None if eligible else order.updated_at
    booked = stock.book(row, order)
    row.needs_look = " ".join(booked.looks)[:300] or row.needs_look
    if booked.waved:
        wave_changes.follow(row)
    return booked.linked


def _at_one_go(row: IncomingOrder, step: Callable[[], object]) -> None:
    """One step of an order of which none is expected to be refused; whatever is raised takes all of them back."""
    step()


def _attempt(row: IncomingOrder, step: Callable[[], object]) -> OrderRefused | None:
    """One step, all or nothing. A fault of ours holds up this order alone, and says so."""
    before = (row.stock_rule, row.books_from)
    try:
        with transaction.atomic():
            step()
        return None
    except OrderRefused as refused:
        problem = refused
    except (OperationalError, InterfaceError):
        raise
    except Exception as fault:
        log.exception("order_import_fault", store=row.store.slug, order=row.ref)
        problem = OrderRefused(
            cause=f"A fault of Sync Console: {type(fault).__name__}: {fault}",
            remedy="Report it with the order's number, then try again.",
            waits_for="fault",
        )
    row.stock_rule, row.books_from = before
    return problem


def _settled(row: IncomingOrder, carried: bool) -> IncomingState:
    if carried:
        return IncomingState.IMPORTED
    holds = row.stock.filter(open_quantity__gt=0).exists()
    return IncomingState.SHADOW if holds else IncomingState.EXCLUDED


def _waiting(store: Store) -> Iterator[int]:
    """Orders that wait, oldest change first, some at a time; until none does."""
    waiting = IncomingOrder.objects.filter(store=store, state=IncomingState.PENDING)
    ordered = waiting.order_by("remote_updated_at", "pk").values_list("pk", flat=True)
    while some := list(ordered[:AT_ONCE]):
        yield from some
