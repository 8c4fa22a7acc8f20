"""Changes that leave at once: from the ledger entry to the shop's word that it has the quantity, as in production.

The entry is posted by one process; a worker, started as in production, gathers, plans, claims and sends.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks import jobs
from benchmarks.bench import Bench
from benchmarks.orders import PATIENCE, working
from benchmarks.pacing import part_of
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import SHOWN
from connectors.models import Store, SyncRun
from connectors.models.runs import Trigger
from connectors.models.stores import AtOnce
from inventory.models import LedgerEntry, PublicationEntry
from inventory.models.publications import PublicationKind

A_SECOND = 2
"""Entries posted a second, each on a level of its own."""
MOST_LAG = 10.0


def change_lag(bench: Bench) -> Iterator[Result]:
    """Two entries a second: seconds from each to its acknowledged push."""
    shop = bench.shop(bench.sizes.small, "standard")
    store = bench.merchant(bench.sizes.small, SHOWN).connect(shop, live=True)
    Store.objects.filter(pk=store.pk).update(at_once=AtOnce.ALWAYS)
    count = round(bench.sizes.lag_seconds * A_SECOND)
    with working():
        newest = LedgerEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
            jobs.receive(store, 1, skip=number)
        lags = _lags(store, newest, count)
    started = SyncRun.objects.filter(store=store, trigger=Trigger.CHANGE).count()
    yield told("at_once_entries", count, "entries")
    yield told("at_once_runs", started, "runs")
    yield told("at_once_lag_p50", statistics.median(lags), "s")
    yield at_most("at_once_lag_p95", part_of(lags, 0.95), "s", MOST_LAG)
    shop.close()


def _lags(store: Store, newest: int, count: int) -> list[float]:
    """Of each entry after `newest`: seconds until its push was acknowledged."""
    pushed = PublicationEntry.objects.filter(publication__store=store, kind=PublicationKind.PUSHED)
    give_up = time.monotonic() + PATIENCE
    while pushed.count() < count:
        if time.monotonic() > give_up:
            raise AssertionError(f"Only {pushed.count()} of {count} entries were pushed.")
        time.sleep(0.2)
    at = dict(pushed.values_list("publication__members__level", "recorded_at"))
    entries = LedgerEntry.objects.filter(pk__gt=newest).values_list("level", "recorded_at")
    return [(at[level] - recorded_at).total_seconds() for level, recorded_at in entries]
