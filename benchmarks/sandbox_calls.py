"""What the sandbox itself costs: its own time for each kind of call, and whether that grows with what it holds."""

from __future__ import annotations

import datetime as dt
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings

from benchmarks.bench import Bench
from benchmarks.listing import listed
from benchmarks.loading import PER_PRODUCT
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import SHOWN, Shop
from benchmarks.watch import seconds
from connectors.pacing import RedisPacer
from connectors.ports.orders import MAX_ORDERS
from connectors.ports.store import MAX_CHANGES, Adjustment, Overwrite, StorePort
from connectors.shopify.adapter import ShopifyStore
from sandbox.server import HttpServer

TIMES = 20
MOST_GROWTH = 2.0
"""What grows with the number of orders would be twenty times as slow among 100,000 as among 5,000."""
PRODUCT = """query ProductRead($id: ID!) { product(id: $id) { id title handle status tags
  variants(first: 50) { nodes { id sku price inventoryItem { id tracked } } } } }"""
SET = """mutation ProductSet($id: ID!, $input: ProductSetInput!) {
  productSet(identifier: {id: $id}, input: $input) { product { id } userErrors { field message } } }"""
PAID = "query Paid($id: ID!) { order(id: $id) { lineItems(first: 1) { nodes { id } } transactions(first: 1) { id } } }"
SUBSCRIBE = """mutation Subscribe($address: String!) {
  webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {uri: $address, format: JSON}) {
    webhookSubscription { id } userErrors { field message } } }"""
REFUND = """mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }"""


def sandbox_cost(bench: Bench) -> Iterator[Result]:
    """The sandbox's own time for one call, asked one after the other, and its share of the time that the call took."""
    shop = bench.shop(10 * MAX_CHANGES, "enterprise")
    refs = shop.place_orders(MAX_CHANGES)
    for name, operation, call in _calls(shop, refs):
        shop.forget_calls()
        wall = seconds(lambda call=call: [call(number) for number in range(TIMES)])  # type: ignore[misc]
        spent = [each["milliseconds"] for each in shop.calls() if each["operation"] == operation]
        yield told(f"sandbox_{name}", statistics.median(spent), "ms")
        yield told(f"sandbox_{name}_share", sum(spent) / 1000 / wall, "of the call")
    yield from _webhooks(bench, shop)
    shop.close()
    yield from _bulk(bench)
    yield from _many_orders(bench)


Call = tuple[str, str, Callable[[int], object]]


def _calls(shop: Shop, orders: list[str]) -> Iterator[Call]:
    """What it is called, the operation in the sandbox's log, and the call itself; it gets the number of the round."""
    port = _port_to(shop)
    items = [f"gid://shopify/InventoryItem/{shop.first_item + number}" for number in range(MAX_CHANGES)]
    place = shop.location_ref
    product = shop.first_product
    shown = SHOWN - 1  # each was sold once

    def overwrite(number: int) -> None:
        rows = [Overwrite(item, place, shown + number + 1, shown + number) for item in items]
        port.send(port.prepare_overwrite(rows, key=uuid.uuid4(), document="run/0"))

    def adjust(_: int) -> None:
        rows = [Adjustment(item, place, 1) for item in items]
        port.send(port.prepare_adjustment(rows, key=uuid.uuid4(), document="run/0"))

    yield f"levels_read_{MAX_CHANGES}", "LevelsByItems", lambda _: port.read_levels(place, items)
    yield f"levels_set_{MAX_CHANGES}", "InventorySet", overwrite
    yield f"levels_adjusted_{MAX_CHANGES}", "InventoryAdjust", adjust
    yield f"orders_read_{MAX_ORDERS}", "OrdersByIds", lambda _: port.read_orders(orders[:MAX_ORDERS])
    yield f"orders_feed_page_{MAX_CHANGES}", "OrdersChanged", lambda _: _first_page(port)
    yield "product_read", "ProductRead", lambda _: shop.ask(PRODUCT, id=product)
    yield "product_set", "ProductSet", lambda n: shop.ask(SET, id=product, input={"title": f"Tricou {n}"})
    yield "refund", "Refund", lambda n: _refund(shop, orders[n])


def _port_to(shop: Shop) -> ShopifyStore:
    pacer = RedisPacer(redis.Redis.from_url(settings.REDIS_URL), f"bench:{shop.domain}")
    return ShopifyStore(
        base_url=shop.base_url, token=shop.token, api_version="2026-10", pacer=pacer, allowed_hosts=["127.0.0.1"]
    )


def _first_page(port: StorePort, since: dt.datetime | None = None) -> None:
    next(iter(port.iter_changed_orders(since)))


def _refund(shop: Shop, order: str) -> None:
    paid = shop.ask(PAID, id=order)["order"]
    line, payment = paid["lineItems"]["nodes"][0]["id"], paid["transactions"][0]["id"]
    money = {"orderId": order, "parentId": payment, "kind": "REFUND", "gateway": "bogus", "amount": "1.00"}
    lines = [{"lineItemId": line, "quantity": 1, "restockType": "NO_RESTOCK"}]
    told_ = shop.ask(
        REFUND, key=str(uuid.uuid4()), input={"orderId": order, "refundLineItems": lines, "transactions": [money]}
    )
    if told_["refundCreate"]["userErrors"]:
        raise AssertionError(told_["refundCreate"]["userErrors"])


def _webhooks(bench: Bench, shop: Shop) -> Iterator[Result]:
    """Processor time of the sandbox for a delivery, to a receiver of ours that does nothing."""
    count, there = bench.sizes.small, shop.simulators
    with _receiver() as url:
        shop.ask(SUBSCRIBE, address=url)
        there.ask("DELETE", "/deliveries")
        there.ask("POST", "/deliveries/hold")
        shop.place_orders(count)
        busy, began = there.cpu_seconds(), time.perf_counter()
        there.ask("POST", "/deliveries/flush")
        while not there.ask("POST", "/deliveries/settle", timeout=60)["settled"]:
            continue
        wall, spent = time.perf_counter() - began, there.cpu_seconds() - busy
    yield told("sandbox_webhook_delivery", 1000 * spent / count, "ms of processor")
    yield told("sandbox_webhook_deliveries_per_second", count / wall, "deliveries/s")


@contextmanager
def _receiver() -> Iterator[str]:
    """The address of a server that answers 200 to everything."""
    server = HttpServer(_nothing)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.close()
        thread.join()


def _nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


def _bulk(bench: Bench) -> Iterator[Result]:
    """Processor time of the sandbox for each thousand rows of a bulk query, the download of its file included."""
    shop = bench.shop(bench.sizes.listed, "enterprise")
    rows = bench.sizes.listed + bench.sizes.listed // PER_PRODUCT
    busy = shop.simulators.cpu_seconds()
    listed(shop, bulk=True)
    spent = shop.simulators.cpu_seconds() - busy
    yield told("sandbox_bulk_1000_rows", 1000 * spent / (rows / 1000), "ms of processor")
    shop.close()


@dataclass(frozen=True, slots=True)
class _Held:
    """Milliseconds while the sandbox holds so many orders; of `placing`, processor time."""

    placing: float
    feed: float
    reading: float


def _many_orders(bench: Bench) -> Iterator[Result]:
    """Placing an order, a page of the feed and a read of whole orders: with 100,000 orders in the shop to with 1,000."""
    few, many = bench.sizes.orders_few, bench.sizes.orders_many
    shop = bench.shop(1_000, "enterprise")
    port = _port_to(shop)
    among_few = _held(shop, port, few)
    shop.simulators.ask("POST", "/orders/batch", shop=shop.domain, count=many - 2 * few)
    among_many = _held(shop, port, few)
    for what in ("placing", "feed", "reading"):
        less, more = getattr(among_few, what), getattr(among_many, what)
        yield told(f"sandbox_orders_{what}_among_{few}", less, "ms")
        yield told(f"sandbox_orders_{what}_among_{many}", more, "ms")
        yield at_most(f"sandbox_orders_{what}_among_many_to_few", more / less, "ratio", MOST_GROWTH)
    shop.close()


def _held(shop: Shop, port: StorePort, count: int) -> _Held:
    """Place so many more, then ask what changed last, and for the newest."""
    busy = shop.simulators.cpu_seconds()
    shop.simulators.ask("POST", "/orders/batch", shop=shop.domain, count=count)
    placing = shop.simulators.cpu_seconds() - busy
    newest = shop.newest_orders(MAX_ORDERS)
    last = port.read_order(newest[-1])
    since = None if last is None else last.updated_at
    shop.forget_calls()
    for _ in range(TIMES):
        _first_page(port, since)
        port.read_orders(newest)
    spent = {
        operation: statistics.median(each["milliseconds"] for each in shop.calls() if each["operation"] == operation)
        for operation in ("OrdersChanged", "OrdersByIds")
    }
    return _Held(1000 * placing / count, spent["OrdersChanged"], spent["OrdersByIds"])
