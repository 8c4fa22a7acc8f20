"""Our pacer against the sandbox at every plan's rate: how much of the rate is used, and who goes first where it is short."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings

from benchmarks import children, simulators
from benchmarks.bench import Bench
from benchmarks.results import Result, at_least, at_most, told
from benchmarks.simulators import BUCKETS, PACED, Shop
from connectors.http import build_client
from connectors.pacing import RedisPacer
from connectors.ports.orders import MAX_ORDERS
from connectors.shopify.client import ShopifyClient

VARIANTS = 1_000
"""Ten of them to a product: a page of one product's asks for 36 points, one of 100 products for 191."""
CALLERS = 4
WAITING = 8
"""Bulk requests that wait at any moment while urgent ones are measured, each for 191 points: 15 seconds on Standard."""
URGENT_SHARE = 0.6
"""Part of the restore rate that urgent requests ask for."""
LEAST_SHARE = 0.95
MOST_OF_BULK_WAIT = 0.2


def paced_calls(bench: Bench) -> Iterator[Result]:
    """Bulk calls from an almost empty bucket, by one process and by four: points charged a second to points restored, and
    throttled replies. Then urgent calls while bulk asks for more than there is."""
    for plan in bench.sizes.pacing_plans:
        for processes in bench.sizes.pacing_processes:
            yield from _saturated(bench, plan, processes)
        yield from _lanes(bench, plan)


def _saturated(bench: Bench, plan: str, processes: int) -> Iterator[Result]:
    shop = bench.shop(VARIANTS, plan)
    warm, seconds = bench.sizes.pacing_warm, bench.sizes.pacing_seconds
    page = [("product_variants_page", {"productId": shop.first_product})] if plan in PACED else [("products_page", {})]
    asked = _calls(shop, page, threads=CALLERS // processes, seconds=warm + seconds)
    answers = children.together([("caller", asked)] * processes, before=lambda: _almost_empty(shop, plan))
    charged = sum(
        points for answer in answers for moment, points in answer["charges"] if warm <= moment < warm + seconds
    )
    name = f"pacing_{plan}_{processes}_process{'es' if processes > 1 else ''}"
    yield at_least(f"{name}_of_restore_rate", charged / (BUCKETS[plan][1] * seconds), "of the rate", LEAST_SHARE)
    yield at_most(f"{name}_throttled_replies", simulators.throttled(shop.calls()), "replies", 0)
    shop.close()


def _lanes(bench: Bench, plan: str) -> Iterator[Result]:
    """Two processes. Urgent are whole orders, a person's connection test and the order feed, by turns: about 200, 4 and 13
    points asked for. The first comes when nothing urgent was expected and bulk has the whole bucket."""
    shop = bench.shop(VARIANTS, plan)
    orders = shop.place_orders(MAX_ORDERS)
    seconds = bench.sizes.urgent_seconds
    urgent = [("orders", orders), ("overview", {}), ("orders_changed", {})]
    every = (4 + 13 + 200) / 3 / (URGENT_SHARE * BUCKETS[plan][1])
    by_bulk, by_urgent = children.together(
        [
            ("caller", _calls(shop, [("products_page", {})], threads=WAITING, seconds=seconds + 1)),
            ("caller", _calls(shop, urgent, threads=4, seconds=seconds, every=max(0.1, every))),
        ],
        before=lambda: _almost_empty(shop, plan),
    )
    name = f"lanes_{plan}"
    bulk, urgent_waits = statistics.median(by_bulk["waits"]), by_urgent["waits"]
    late = part_of(urgent_waits, 0.95)
    yield told(f"{name}_bulk_wait_p50", bulk, "s")
    yield told(f"{name}_urgent_wait_p50", statistics.median(urgent_waits), "s")
    yield told(f"{name}_urgent_wait_p95", late, "s")
    yield told(f"{name}_urgent_wait_max", max(urgent_waits), "s")
    # Callers that are slower than the plan's rate leave bulk nothing to wait for.
    yield at_most(f"{name}_urgent_p95_to_bulk_p50", late / max(bulk, 0.001), "ratio", MOST_OF_BULK_WAIT)
    yield at_most(f"{name}_throttled_replies", simulators.throttled(shop.calls()), "replies", 0)
    shop.close()


def part_of(values: list[float], part: float) -> float:
    """The value that this part of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def _almost_empty(shop: Shop, plan: str) -> None:
    """Leave the bucket at what the pacer never plans with, as after some minutes of bulk, and let the pacer know."""
    maximum, rate = BUCKETS[plan]
    shop.empty()
    time.sleep(0.05 * maximum / rate)
    pacer = RedisPacer(redis.Redis.from_url(settings.REDIS_URL), _key(shop))
    with build_client() as http:
        client = ShopifyClient(shop.base_url, shop.token, "2026-10", pacer=pacer, http=http)
        client.execute("levels_by_items", {"ids": [], "locationId": shop.location_ref})
    shop.forget_calls()


def _calls(shop: Shop, calls: list[tuple[str, Any]], **how: Any) -> dict[str, Any]:
    access = {"base_url": shop.base_url, "token": shop.token, "redis_url": settings.REDIS_URL, "key": _key(shop)}
    return {**access, "calls": calls, "every": 0.0, **how}


def _key(shop: Shop) -> str:
    return f"bench:{shop.domain}"
