"""The console's pages over a year of a large merchant: a million levels, some entries of each, old plans and drift."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

import redis
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benchmarks import jobs
from benchmarks.bench import Bench
from benchmarks.loading import load, settle_statistics
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import SHOWN
from benchmarks.watch import seconds, watching
from connectors.models import Store
from inventory.models import InventoryLevel, LevelPublication
from syncconsole.kernel import counting

QUERIES: Final = 15
MILLISECONDS: Final = 200
ASKED: Final = 7
"""Times each page is asked for, after a first look, which counts what it shows, and a later one, which asks a worker to."""
LATER: Final = dt.timedelta(seconds=45)
"""After so long every count is still shown, and none is young that takes less than 4.5 s."""

# Moments are spread over the year by a fixed rule, so that neighbours in time are strangers in the tables.
MOMENT: Final = "now() - make_interval(secs => ({id} * 7919 + {seq} * 104729) %% 31536000)"
YEAR: Final = f"""
INSERT INTO inventory_ledgerentry
       (level_id, seq, on_hand_delta, released_delta, kind, origin, document, reason, posting, key, effective_at,
        recorded_at)
SELECT l.id, s, CASE WHEN s %% 2 = 0 THEN -1 ELSE 1 END, 0, CASE WHEN s %% 2 = 0 THEN 'shipped' ELSE 'received' END,
       'store:' || %(slug)s, 'order:' || %(slug)s || ':#' || l.id, '', '', 'year:' || l.id || ':' || s,
       {MOMENT.format(id="l.id", seq="s")}, {MOMENT.format(id="l.id", seq="s")}
  FROM inventory_inventorylevel l JOIN inventory_publishedlevel m ON m.level_id = l.id AND m.store_id = %(store)s
 CROSS JOIN generate_series(2, 5) AS s;
UPDATE inventory_inventorylevel l SET version = 5
  FROM inventory_publishedlevel m WHERE m.level_id = l.id AND m.store_id = %(store)s;
UPDATE inventory_publishedlevel SET published_version = 5 WHERE store_id = %(store)s;
INSERT INTO inventory_publicationentry
       (publication_id, seq, kind, quantity, applied, key, cause, effective_at, recorded_at)
SELECT p.id, s, 'store_booked', CASE WHEN s = 2 THEN -1 ELSE 1 END, TRUE, 'year:' || p.id || ':' || s,
       'order:' || %(slug)s || ':#' || p.id, {MOMENT.format(id="p.id", seq="s")}, {MOMENT.format(id="p.id", seq="s")}
  FROM inventory_levelpublication p CROSS JOIN generate_series(2, 3) AS s WHERE p.store_id = %(store)s;
UPDATE inventory_levelpublication SET revision = 3, observed_revision = 3 WHERE store_id = %(store)s;
INSERT INTO inventory_drift
       (publication_id, store_id, quantity, shown, first_seen_at, seen_at, revision, state, cause, writer, reason,
        closed_at)
SELECT p.id, p.store_id, 1, p.expected_quantity + 1, {MOMENT.format(id="p.id", seq="1")}, now(), 1,
       CASE WHEN p.id %% 1000 = 0 THEN 'open' ELSE 'cleared' END, 'unknown', '', '',
       CASE WHEN p.id %% 1000 = 0 THEN NULL ELSE {MOMENT.format(id="p.id", seq="1")} + interval '1 day' END
  FROM inventory_levelpublication p WHERE p.store_id = %(store)s AND p.id %% 10 = 0;
INSERT INTO inventory_holdchange (publication_id, at, test, cause)
SELECT p.id, {MOMENT.format(id="p.id", seq="s")}, CASE WHEN s = 1 THEN 'c' ELSE '' END, ''
  FROM inventory_levelpublication p CROSS JOIN generate_series(1, 2) AS s
 WHERE p.store_id = %(store)s AND p.id %% 5 = 0;
UPDATE inventory_levelpublication SET hold_test = 'c', hold_cause = 'Order #1 waits to be imported.', held_since = now()
 WHERE store_id = %(store)s AND id %% 500 = 1;
"""
OLD_PLAN: Final = """
INSERT INTO connectors_runitem
       (run_id, subject_id, label, place, before, after, delta, risk, flags, outcome, cause, remedy, settled_at)
SELECT %(run)s, p.id, lv.sku, 'Depozit Cluj', 10, 10 - p.id %% 7, -(p.id %% 7), p.id %% 100, '[]', 'applied', '', '', now()
  FROM inventory_levelpublication p JOIN catalog_listedvariant lv ON lv.id = p.listed_id
 WHERE p.store_id = %(store)s AND p.id %% 7 <> 0
    ON CONFLICT DO NOTHING
"""


def console_pages(bench: Bench) -> Iterator[Result]:
    """Queries and time of each page beside a year of a million levels; a second store has few of them. Nothing is promised
    of the first look at what nobody has looked at for a while."""
    large, small = (_store(bench, levels) for levels in (bench.sizes.large, bench.sizes.small))
    client = Client()
    client.force_login(jobs.person())
    every: list[float] = []
    for name, address in _addresses(large, small):
        cache.clear()
        with watching(bench.there) as first:
            _ask(client, address)
        with _later(), watching(bench.there) as asked:
            _ask(client, address)
        every.append(1000 * asked.wall)
        times = [1000 * seconds(lambda address=address: _ask(client, address)) for _ in range(ASKED)]  # type: ignore[misc]
        every += times
        yield at_most(f"page_{name}_queries", asked.statements, "queries", QUERIES)
        if first.statements > asked.statements:
            yield told(f"page_{name}_first_look_queries", first.statements, "queries")
            yield told(f"page_{name}_first_look", 1000 * first.wall, "ms")
        yield told(f"page_{name}_slowest_of_{ASKED}", max(times), "ms")
    yield at_most("pages_p95", sorted(every)[math.ceil(0.95 * len(every)) - 1], "ms", MILLISECONDS)


def _store(bench: Bench, levels: int) -> Store:
    """A live store with a year behind it."""
    # The shop is small: no page asks it.
    store = bench.merchant(levels, SHOWN).connect(bench.shop(bench.sizes.changed, "plus"), live=True)
    load(YEAR, store=store.pk, slug=store.slug)
    settle_statistics("inventory_drift", "inventory_holdchange")
    jobs.receive(store, 20)
    run = jobs.delta_sync(store)
    load(OLD_PLAN, store=store.pk, run=run.pk)
    settle_statistics("connectors_runitem")
    return store


def _addresses(large: Store, small: Store) -> Iterator[tuple[str, str]]:
    level = InventoryLevel.objects.filter(published__store=large).latest("pk")
    shown = LevelPublication.objects.filter(store=large).latest("pk")
    run = large.runs.latest("pk")
    yield "home", reverse("admin:index")
    for name in ("runs", "levels", "ledger", "change_log", "held", "openings", "quarantine", "links", "schedules"):
        yield name, reverse(f"admin:{name}")
    for name in ("store", "store_gates", "validation", "store_schedule", "untracked"):
        yield name, reverse(f"admin:{name}", args=[large.slug])
    for store, size in ((large, "large"), (small, "small")):
        for name in ("levels", "change_log", "monitoring", "held"):
            yield f"{name}_of_{size}_store", f"{reverse(f'admin:{name}')}?store={store.slug}"
    sku, place = level.variant.sku, level.location.code
    for name, more in (
        ("of_item", f"q={sku}"),
        ("of_location", f"location={place}"),
        ("of_old_days", "from=2026-01-01&to=2026-02-01"),
        ("of_stock", "kind=stock"),
        ("of_pushes_of_small_store", f"kind=push&store={small.slug}"),
        ("of_drift_of_small_store", f"kind=drift&store={small.slug}"),
    ):
        yield f"change_log_{name}", f"{reverse('admin:change_log')}?{more}"
    yield "levels_of_item", f"{reverse('admin:levels')}?q={sku}"
    yield "ledger_of_item", f"{reverse('admin:ledger')}?q={sku}"
    yield "why", reverse("admin:why", args=[shown.pk])
    yield "why_level", reverse("admin:why_level", args=[level.pk])
    yield "run", reverse("admin:run", args=[run.pk])
    yield "products", reverse("admin:catalog_product_changelist")
    yield "variants", reverse("admin:catalog_variant_changelist")
    yield "palette", f"{reverse('admin:search')}?s={sku}"


@contextmanager
def _later() -> Iterator[None]:
    """Some time later: what is kept for a shorter time is gone, and what pages have counted is to be counted again."""
    memory, moment = redis.Redis.from_url(settings.REDIS_URL), timezone.now() + LATER
    for key in memory.scan_iter():
        if 0 <= memory.ttl(key) <= LATER.total_seconds():
            memory.delete(key)
    with mock.patch.object(counting, "now", return_value=moment):
        yield


def _ask(client: Client, address: str) -> None:
    answer = client.get(address, SERVER_NAME="localhost")
    if answer.status_code != 200:
        raise AssertionError(f"{address} answered {answer.status_code}.")
