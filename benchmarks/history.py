"""A history of orders with refunds, read and imported whole: how fast, with how many statements, and twice the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from django.db import connection
from django.utils import timezone

from benchmarks.bench import Bench
from benchmarks.results import Result, at_least, at_most, told
from benchmarks.simulators import SHOWN, Shop, cpu_seconds
from benchmarks.watch import Memory, Times, watching
from connectors import feeds
from connectors.models import RemoteChange, Store
from connectors.shopify.capabilities import CAPABILITIES
from orders import imports, intake
from orders.models import IncomingOrder, IncomingState

VARIANTS = 1_000
LINES, MANY_LINES = 2, 20
PLAN = "enterprise"
WRITERS = 4

BOOKS = {
    "inventory_ledgerentry": "sum(on_hand_delta), sum(released_delta), max(id)",
    "inventory_publicationentry": "sum(quantity), max(id)",
    "inventory_levelpublication": "sum(expected_quantity), sum(open_remote)",
    "orders_incomingorder": "sum(revision)",
    "orders_orderstock": "sum(open_quantity), sum(fulfilled), sum(held), max(id)",
    "orders_salesorder": "sum(total), max(id)",
    "orders_salesorderline": "sum(net), sum(shipped_quantity)",
    "orders_refund": "sum(paid), max(id)",
    "orders_document": "sum(total), sum(number), max(id)",
    "orders_documentline": "sum(amount), sum(quantity)",
}
"""Table → what of it has to be the same after a second import, besides its number of rows."""


@dataclass(slots=True)
class Work:
    """A part of the import: its times, and the processor time that it took from us and from the database, in seconds."""

    times: Times
    processor: float


def order_history(bench: Bench) -> Iterator[Result]:
    """Orders of two lines, all sent, each with a refund of a unit that came back; then some of twenty lines."""
    shop = bench.shop(VARIANTS, PLAN)
    store = _opened(bench, shop)
    count = bench.sizes.history
    _happen(shop, count, LINES)
    memory = Memory()
    read = _measured(bench, lambda: _read(store))
    imported = _measured(bench, lambda: imports.import_waiting(store))
    name = f"order_history_{count}"
    yield at_most(f"{name}_not_imported", count - _imported(store), "orders", 0)
    yield at_least(f"{name}_per_core", count / (read.processor + imported.processor), "orders/s", 100)
    yield told(f"{name}_read_processor", read.processor / count * 1000, "ms an order")
    yield told(f"{name}_import_processor", imported.processor / count * 1000, "ms an order")
    yield told(f"{name}_import_per_second", count / imported.times.wall, "orders/s")
    yield told(f"{name}_read_statements", read.times.statements / count, "an order")
    yield at_most(f"{name}_import_statements", imported.times.statements / count, "an order", 25)
    yield told(f"{name}_peak_memory_above_idle", memory.peak(), "MB")
    before = _books()
    again = _measured(bench, lambda: _once_more(store))
    yield at_most(
        f"{name}_changed_by_a_second_import", sum(_books()[table] != before[table] for table in BOOKS), "tables", 0
    )
    yield told(f"{name}_second_import_processor", again.processor / count * 1000, "ms an order")
    few = max(1, count // 100)
    _happen(shop, few, MANY_LINES)
    _read(store)
    larger = _measured(bench, lambda: imports.import_waiting(store))
    statements = larger.times.statements / few
    yield at_most(f"order_history_of_{MANY_LINES}_lines_import_statements", statements, "an order", 25)
    shop.close()


def _opened(bench: Bench, shop: Shop) -> Store:
    """A store whose orders count from yesterday on."""
    store = bench.merchant(VARIANTS, SHOWN).connect(shop, plan=PLAN, live=True)
    store.granted_scopes = sorted({scope for each in CAPABILITIES for scope in (*each.scopes, *each.any_of)})
    store.integration_date = timezone.localdate() - dt.timedelta(days=1)
    store.save(update_fields=["granted_scopes", "integration_date"])
    return store


def _happen(shop: Shop, count: int, lines: int) -> None:
    """So many orders are placed and sent whole, and a unit of each comes back."""
    placed = shop.simulators.ask("POST", "/orders/batch", shop=shop.domain, count=count, lines=lines)
    back = {"lines": [{"line": 1, "quantity": 1, "restock_type": "RETURN"}]}

    def live(numbers: range) -> None:
        with httpx.Client(base_url=f"{shop.simulators.url}/_control", timeout=60, trust_env=False) as http:
            for number in numbers:
                http.post(f"/orders/{number}/fulfill", json={}).raise_for_status()
                http.post(f"/orders/{number}/refund", json=back).raise_for_status()

    first, last = int(placed["first"]), int(placed["last"])
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(live, [range(first + writer, last + 1, WRITERS) for writer in range(WRITERS)]))


def _read(store: Store) -> None:
    feeds.poll(store)
    while intake.read_changes(store, at_leisure=True):
        pass


def _once_more(store: Store) -> None:
    """Everything is read from the store and imported again, as if nobody had."""
    RemoteChange.objects.filter(store=store).update(state="waiting", claimed_until=None)
    while intake.read_changes(store, at_leisure=True):
        pass
    IncomingOrder.objects.filter(store=store).update(state=IncomingState.PENDING)
    imports.import_waiting(store)


def _imported(store: Store) -> int:
    return IncomingOrder.objects.filter(store=store, state=IncomingState.IMPORTED).count()


def _measured(bench: Bench, work: Callable[[], object]) -> Work:
    """Processor time holds also on a machine that is busy otherwise; the database's is that of our connection's server
    process, which has to be on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = int(cursor.fetchone()[0])
    before = cpu_seconds(server)
    with watching(bench.there) as times:
        work()
    ours = times.worker + times.database_client
    return Work(times, ours + cpu_seconds(server) - before)


def _books() -> dict[str, Any]:
    found = {}
    with connection.cursor() as cursor:
        for table, sums in BOOKS.items():
            cursor.execute(f"SELECT count(*), {sums} FROM {table}")
            found[table] = cursor.fetchone()
    return found
