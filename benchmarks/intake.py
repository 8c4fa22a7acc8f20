"""Webhook intake over HTTP: our receiver against a bare view, and while a full sync works beside it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from django.db import connection

from benchmarks import bare, children, jobs, web
from benchmarks.bench import Bench
from benchmarks.pacing import part_of
from benchmarks.results import Result, at_least, at_most, told
from benchmarks.simulators import SHOWN
from connectors.models import Store, WebhookDelivery

SECRET = "shpss_bench"
THREADS = 8
"""Deliveries on their way at once: as many as the server has threads."""
TOLD_PER_SECOND = 25.0
"""While a full sync runs: five orders a second with five topics each."""
LEAST_OF_BARE = 0.7
MOST_MILLISECONDS = 100.0


def intake(bench: Bench) -> Iterator[Result]:
    """Deliveries taken a second by our receiver to those by a view that does one insert, on the same server, in turns.
    Then how long a delivery takes while a full sync runs."""
    with connection.cursor() as cursor:
        cursor.execute(bare.TABLE)
    shop = bench.shop(bench.sizes.full_unpaced, "plus")
    store = bench.merchant(bench.sizes.full_unpaced, SHOWN - 3).connect(shop, plan="plus", live=False)
    Store.objects.filter(pk=store.pk).update(client_secret=SECRET)
    store.refresh_from_db()
    with web.serving() as server:
        yield from _throughput(bench, server, store)
        yield from _during_full_sync(server, store)
    shop.close()


def _throughput(bench: Bench, server: web.Server, store: Store) -> Iterator[Result]:
    rates: dict[str, list[float]] = {"bare": [], "receiver": []}
    spent: dict[str, list[float]] = {"bare": [], "receiver": []}
    addresses = {"bare": f"{server.url}/bare/", "receiver": _address(server, store)}
    for round_ in range(bench.sizes.intake_rounds + 1):
        for name, address in addresses.items():
            busy = server.cpu_seconds()
            (answer,) = children.together(
                [("teller", _told_to(address, store, threads=THREADS, seconds=bench.sizes.intake_seconds))]
            )
            _all_taken(answer)
            if round_:
                rates[name].append(len(answer["took"]) / answer["seconds"])
                spent[name].append((server.cpu_seconds() - busy) / len(answer["took"]))
    for name in addresses:
        yield told(f"intake_{name}_per_second", statistics.median(rates[name]), "deliveries/s")
        yield told(f"intake_{name}_processor_time", 1000 * statistics.median(spent[name]), "ms a delivery")
    yield at_least(
        "intake_receiver_to_bare_view",
        statistics.median(ours / bare for ours, bare in zip(rates["receiver"], rates["bare"], strict=True)),
        "ratio",
        LEAST_OF_BARE,
    )


def _during_full_sync(server: web.Server, store: Store) -> Iterator[Result]:
    kept = WebhookDelivery.objects.filter(store=store).count()
    asked = _told_to(_address(server, store), store, threads=THREADS, seconds=3600.0, every=1 / TOLD_PER_SECOND)
    with children.Child("teller", asked) as teller:
        teller.ready()
        teller.begin()
        jobs.full_sync(store)
        teller.stop()
        answer = teller.answer()
    _all_taken(answer)
    took = [1000 * seconds for seconds in answer["took"]]
    yield told("intake_during_full_sync_deliveries", len(took), "deliveries")
    yield told("intake_during_full_sync_p50", part_of(took, 0.5), "ms")
    yield at_most("intake_during_full_sync_p99", part_of(took, 0.99), "ms", MOST_MILLISECONDS)
    lost = kept + len(took) - WebhookDelivery.objects.filter(store=store).count()
    yield at_most("intake_deliveries_answered_and_not_kept", lost, "deliveries", 0)


def _address(server: web.Server, store: Store) -> str:
    return f"{server.url}/webhooks/{store.webhook_key}/"


def _told_to(uri: str, store: Store, **how: Any) -> dict[str, Any]:
    return {"uri": uri, "secret": SECRET, "domain": store.shop_domain, "every": 0.0, **how}


def _all_taken(answer: dict[str, Any]) -> None:
    if set(answer["statuses"]) != {"200"}:
        raise AssertionError(f"Deliveries were refused: {answer['statuses']}")
