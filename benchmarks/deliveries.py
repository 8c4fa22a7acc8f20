"""A shop tells of its orders over HTTP, badly: twice, in any order, and of some not at all. Every change arrives, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.db.models import Sum

from benchmarks import web
from benchmarks.bench import Bench
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import Shop
from benchmarks.watch import seconds
from connectors import changes, connection, feeds, inbox, subscriptions
from connectors.models import Store, WebhookDelivery
from connectors.models.webhooks import DeliveryState
from orders import intake
from orders.models import IncomingOrder

VARIANTS = 1_000
TOPIC = "orders/create"
TWICE, LOST = 0.2, 0.05
PATIENCE = 900.0


def told_badly(bench: Bench) -> Iterator[Result]:
    """One delivery for each of 10,000 orders; a fifth comes twice, all are shuffled, a twentieth is lost and found by
    polling. The shop sends, the web server receives, the inbox understands, the reader reads."""
    count = bench.sizes.deliveries
    shop = bench.shop(VARIANTS, "enterprise")
    with web.serving() as server:
        store = listening(shop, server.url, plan="enterprise")
        shop.tell_only_of(TOPIC)
        feeds.poll(store)
        shop.simulators.ask("DELETE", "/deliveries")
        shop.simulators.ask("POST", "/deliveries/hold")
        refs = set(shop.place_orders(count))
        sent = shop.simulators.ask("POST", "/deliveries/flush", shuffle=True, duplicate=TWICE, lose=LOST)
        sending = seconds(lambda: _until_all_are_sent(shop))
    understanding = seconds(_understand_all)
    reading = seconds(lambda: _read_all(store))
    by_webhook = IncomingOrder.objects.filter(store=store).count()
    polled = feeds.poll(store)
    _read_all(store)
    yield told("deliveries_sent", sent["sent"], "deliveries")
    yield told("deliveries_sent_twice", sent["duplicated"], "deliveries")
    yield told("deliveries_lost", sent["lost"], "deliveries")
    yield told("deliveries_taken_per_second", sent["sent"] / sending, "deliveries/s")
    yield told("deliveries_understood_per_second", by_webhook / understanding, "deliveries/s")
    yield told("deliveries_orders_read_per_second", by_webhook / reading, "orders/s")
    yield from _arrived_once(store, refs, sent, found_by_polling=polled.found)
    shop.close()


def _arrived_once(store: Store, refs: set[str], sent: dict[str, int], *, found_by_polling: int) -> Iterator[Result]:
    kept = IncomingOrder.objects.filter(store=store)
    deliveries = WebhookDelivery.objects.filter(store=store)
    counted_again = deliveries.aggregate(times=Sum("duplicates"))["times"] or 0
    yield at_most("deliveries_orders_missing", len(refs - set(kept.values_list("ref", flat=True))), "orders", 0)
    yield at_most("deliveries_orders_too_many", kept.count() - len(refs), "orders", 0)
    yield at_most("deliveries_orders_kept_more_than_once", kept.exclude(revision=1).count(), "orders", 0)
    yield at_most("deliveries_polled_differs_from_lost", abs(found_by_polling - sent["lost"]), "orders", 0)
    yield told("deliveries_counted_as_duplicates", counted_again, "deliveries")
    yield at_most(
        "deliveries_not_understood", deliveries.exclude(state=DeliveryState.UNDERSTOOD).count(), "deliveries", 0
    )


def listening(shop: Shop, url: str, *, plan: str) -> Store:
    """A connected store whose shop tells the web server at `url` of all that the console wants to know."""
    app = shop.simulators.ask("GET", "/apps", shop=shop.domain)["apps"][0]
    store = Store.objects.create(
        slug=shop.domain.partition(".")[0],
        name=shop.domain,
        shop_domain=shop.domain,
        access_token=shop.token,
        client_secret=app["client_secret"],
        api_base_url=shop.base_url,
        plan=plan,
    )
    settings.PUBLIC_URL = url
    inbox.forget_senders()
    if not connection.test_connection(store).ok:
        raise AssertionError("The shop cannot be reached.")
    problems = subscriptions.check(store).problems
    if problems:
        raise AssertionError(f"The shop would not tell: {problems}")
    store.refresh_from_db()
    return store


def _until_all_are_sent(shop: Shop) -> None:
    give_up = time.monotonic() + PATIENCE
    while not (told_ := shop.simulators.ask("POST", "/deliveries/settle", timeout=60))["settled"]:
        if time.monotonic() > give_up:
            raise AssertionError(f"The shop is still sending: {told_['states']}")
    left = set(told_["states"]) - {"delivered", "lost"}
    if left:
        raise AssertionError(f"Deliveries were not taken: {told_['states']}")


def _understand_all() -> None:
    while inbox.understand():
        pass


def _read_all(store: Store) -> None:
    """Each kind by its reader: sales change products, too."""
    readers = changes.readers()
    readers[intake.KIND] = partial(intake.read_changes, at_leisure=True)
    for _, kind in changes.waiting():
        read = readers[kind]
        while read(store):
            pass
