"""One function for each measured promise. Each gets the sandbox and the sizes, and tells its results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from django.db import connection

from benchmarks import jobs, simulators
from benchmarks.at_once import change_lag
from benchmarks.bench import Bench
from benchmarks.deliveries import told_badly
from benchmarks.history import order_history
from benchmarks.intake import intake
from benchmarks.listing import both_ways
from benchmarks.orders import order_lag
from benchmarks.pacing import paced_calls
from benchmarks.pages import console_pages
from benchmarks.results import Result, at_most, told
from benchmarks.sandbox_calls import sandbox_cost
from benchmarks.simulators import BUCKETS, PACED, SHOWN
from benchmarks.watch import Times, seconds, watching
from connectors.models import Store
from inventory import audit


def sound_loading(bench: Bench) -> Iterator[Result]:
    """The loader's rows pass the ledger check."""
    bench.merchant(bench.sizes.small, SHOWN).connect(bench.shop(bench.sizes.small, "plus"), live=True)
    result = audit.audit_ledger()
    yield at_most("loader_ledger_check_differences", result.found, "differences", 0)


def delta_calls(bench: Bench) -> Iterator[Result]:
    """1,000 changed levels at one location on Standard: calls and throttled replies, counted by the sandbox."""
    shop = bench.shop(bench.sizes.small, "standard")
    store = bench.merchant(bench.sizes.small, SHOWN).connect(shop, live=True)
    before = shop.total_available()
    changed = jobs.receive(store, bench.sizes.changed)
    shop.forget_calls()
    jobs.delta_sync(store)
    calls = shop.calls()
    if shop.total_available() != before + changed:
        raise AssertionError("The shop does not show what was received.")
    yield at_most(f"delta_{changed}_shopify_calls", len(calls), "calls", 8)
    yield at_most(f"delta_{changed}_throttled_replies", simulators.throttled(calls), "replies", 0)


def full_sync(bench: Bench) -> Iterator[Result]:
    """Every level differs, and is overwritten: time against the least that the plan's rate limit allows."""
    sizes = bench.sizes
    for plan in sizes.plans:
        yield from _full_sync(bench, plan, sizes.full if plan in PACED else sizes.full_unpaced)
    for plan in sizes.plans if sizes.full_larger else ():
        yield from _full_sync(bench, plan, sizes.full_larger if plan in PACED else sizes.full)


def _full_sync(bench: Bench, plan: str, levels: int) -> Iterator[Result]:
    shop = bench.shop(levels, plan)
    store = bench.merchant(levels, SHOWN - 3).connect(shop, plan=plan, live=False)
    shop.forget_calls()
    with watching(bench.there) as times:
        jobs.full_sync(store)
    calls = shop.calls()
    if shop.total_available() != levels * (SHOWN - 3):
        raise AssertionError("The shop does not show the targets.")
    name = f"full_sync_{levels}_{plan}"
    bucket, rate = BUCKETS[plan]
    points = simulators.charged(calls)
    least = max(0.0, points - bucket) / rate
    if plan in PACED:
        yield at_most(f"{name}_seconds", times.wall, "s", 1.05 * least + 2)
    else:
        yield told(f"{name}_seconds", times.wall, "s")
    yield at_most(f"{name}_throttled_replies", simulators.throttled(calls), "replies", 0)
    yield told(f"{name}_points_charged", points, "points")
    yield told(f"{name}_levels_per_second", levels / times.wall, "levels/s")
    yield from _shares(name, times, least)
    shop.close()


def _shares(name: str, times: Times, least: float) -> Iterator[Result]:
    """Which resource was busy for how much of the time; the largest is what limits."""
    yield told(f"{name}_share_points", least / times.wall, "of wall time")
    for resource, share in times.shares().items():
        yield told(f"{name}_share_{resource}", share, "of wall time")


BARE_JOIN = """
SELECT p.id
  FROM inventory_levelpublication p
  JOIN inventory_publishedlevel m ON m.publication_id = p.id
  JOIN inventory_inventorylevel l ON l.id = m.level_id
 WHERE p.store_id = %s
 GROUP BY p.id
HAVING floor(sum(l.on_hand - l.released)) <> p.expected_quantity
"""


def plan_and_delta_of_many(bench: Bench) -> Iterator[Result]:
    """Planning over a million levels against the bare join of the same rows, and a delta of 1,000 among them against
    one among 10,000."""
    sizes = bench.sizes
    shop = bench.shop(sizes.small, "enterprise")
    few = bench.merchant(sizes.small, SHOWN).connect(shop, live=True)
    among_few = _delta_seconds(bench, few)
    many = bench.merchant(sizes.large, SHOWN).connect(bench.shop(sizes.small, "enterprise"), live=True)
    among_many = _delta_seconds(bench, many)
    yield told(f"delta_{sizes.changed}_among_{sizes.small}_seconds", among_few, "s")
    yield told(f"delta_{sizes.changed}_among_{sizes.large}_seconds", among_many, "s")
    yield at_most("delta_among_many_to_among_few", among_many / among_few, "ratio", 1.2)
    yield from _plan(bench, many)


def _delta_seconds(bench: Bench, store: Store) -> float:
    """The median of some deltas of equal size, each of other levels."""
    measured = []
    for round_ in range(bench.sizes.rounds + 1):
        jobs.receive(
            store, bench.sizes.changed, skip=bench.sizes.changed * (round_ % (bench.sizes.small // bench.sizes.changed))
        )
        measured.append(seconds(lambda: jobs.delta_sync(store)))
    return statistics.median(measured[1:])


def _plan(bench: Bench, store: Store) -> Iterator[Result]:
    joins, plans = [], []
    for _ in range(3):
        jobs.receive(store, bench.sizes.changed, marked=False)
        joins.append(seconds(lambda: _bare_join(store)))
        plans.append(seconds(lambda: _plan_once(store, bench.sizes.changed)))
    yield told(f"bare_join_{bench.sizes.large}_seconds", statistics.median(joins), "s")
    yield told(f"plan_{bench.sizes.large}_seconds", statistics.median(plans), "s")
    yield at_most("plan_to_bare_join", statistics.median(plans) / statistics.median(joins), "ratio", 1.5)
    yield at_most("plan_peak_memory_above_idle", bench.memory.peak(), "MB", 300)


def _plan_once(store: Store, expected_rows: int) -> None:
    run = jobs.plan_delta(store)
    if run.totals["rows"] < expected_rows:
        raise AssertionError(f"The plan has {run.totals['rows']} rows.")
    jobs.give_up(run)


def _bare_join(store: Store) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE_JOIN, [store.pk])
        cursor.fetchall()


MEASUREMENTS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "loading": sound_loading,
    "sandbox": sandbox_cost,
    "delta-calls": delta_calls,
    "full": full_sync,
    "many": plan_and_delta_of_many,
    "pacing": paced_calls,
    "intake": intake,
    "deliveries": told_badly,
    "listing": both_ways,
    "orders": order_lag,
    "at-once": change_lag,
    "history": order_history,
    "pages": console_pages,
}
