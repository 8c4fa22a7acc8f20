"""Orders as they come in: from the moment a shop dates a change to the moment it is kept here.

Everything runs as in production: the shop tells over HTTP and signs, the web server stores, a worker understands and reads
within the shop's rate limit, and the feed is polled besides.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx
from django.utils import timezone

from benchmarks import simulators
from benchmarks.bench import Bench
from benchmarks.deliveries import listening
from benchmarks.pacing import part_of
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import CHECKOUT, Shop
from benchmarks.web import database_url, serving
from connectors import feeds
from connectors.models import Store
from orders.models import IncomingOrder
from syncconsole import process_tree
from syncconsole.embedded.processes import end, tethered

VARIANTS = 1_000
A_SECOND = 5
"""Orders placed a second."""
POLLED_EVERY = 15.0
LOOKED_EVERY = 0.2
"""Seconds between two looks at what is kept; a lag may be told too long by so much, and by the shop's whole seconds."""
MOST_LAG = 60.0
PATIENCE = 180.0


def order_lag(bench: Bench) -> Iterator[Result]:
    """Five orders a second on Standard: lag from `updated_at` to kept, and throttled replies."""
    shop = bench.shop(VARIANTS, "standard")
    with serving() as server, working():
        store = listening(shop, server.url, plan="standard")
        feeds.poll(store)
        shop.forget_calls()
        seconds = bench.sizes.lag_seconds
        lags = _lags(shop, store, seconds)
        calls = shop.calls()
    name = f"orders_{A_SECOND}_a_second"
    yield told(f"{name}_placed", len(lags), "orders")
    yield told(f"{name}_for", seconds, "s")
    yield told(f"{name}_lag_p50", statistics.median(lags), "s")
    yield told(f"{name}_lag_p95", part_of(lags, 0.95), "s")
    yield at_most(f"{name}_lag_max", max(lags), "s", MOST_LAG)
    yield told(f"{name}_points_a_second", simulators.charged(calls) / seconds, "points/s")
    yield at_most(f"{name}_throttled_replies", simulators.throttled(calls), "replies", 0)
    shop.close()


def _lags(shop: Shop, store: Store, seconds: float) -> list[float]:
    """The lag of each order placed within so many seconds."""
    placing = threading.Thread(target=_place, args=(shop, round(seconds * A_SECOND)))
    placing.start()
    lags: dict[str, float] = {}
    give_up = time.monotonic() + seconds + PATIENCE
    polled = time.monotonic()
    while len(lags) < round(seconds * A_SECOND):
        now = timezone.now()
        kept = IncomingOrder.objects.filter(store=store, received_at__gte=now - dt.timedelta(seconds=2 * MOST_LAG))
        for ref, updated_at in kept.values_list("ref", "remote_updated_at"):
            lags.setdefault(ref, (now - updated_at).total_seconds())
        if time.monotonic() > give_up:
            raise AssertionError(f"Only {len(lags)} orders have arrived.")
        if time.monotonic() - polled > POLLED_EVERY:
            feeds.poll(store)
            polled = time.monotonic()
        time.sleep(LOOKED_EVERY)
    placing.join()
    return list(lags.values())


def _place(shop: Shop, count: int) -> None:
    """Order after order at a steady beat, whatever the answers take."""
    began = time.perf_counter()
    with httpx.Client(base_url=f"{shop.simulators.url}/_control", timeout=30, trust_env=False) as http:
        for number in itertools.takewhile(lambda number: number < count, itertools.count()):
            time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            http.post("/orders/batch", json={"shop": shop.domain, "count": 1}).raise_for_status()


@contextmanager
def working() -> Iterator[None]:
    """A worker as the demo and production start it, ready; gone afterwards, whatever happens."""
    worker = process_tree.worker()
    environment: dict[str, Any] = {**os.environ, **worker.env, "DATABASE_URL": database_url()}
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "worker.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                tethered(worker.argv, death_signal=SIGTERM), cwd=CHECKOUT, env=environment, stdout=output, stderr=output
            )
        try:
            give_up = time.monotonic() + PATIENCE
            while str(worker.ready) not in log.read_text(errors="replace"):
                if process.poll() is not None or time.monotonic() > give_up:
                    raise AssertionError(f"The worker did not start: {log.read_text(errors='replace')[-2_000:]}")
                time.sleep(0.1)
            yield
        finally:
            end(process, SIGTERM, patience=10)
