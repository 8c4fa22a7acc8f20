"""What only a server shows: real costs, real pages, a shared bucket, versions."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from connectors.http import build_client
from connectors.pacing import Pacer, RedisPacer
from connectors.ports.access import StaticToken
from connectors.ports.store import Adjustment, WriteOutcome
from connectors.shopify import listing
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document
from sandbox.app import Sandbox
from sandbox.server import running
from sandbox.shopify.seed import seed_synthetic
from tests.pacers import OpenPacer

DOMAIN = "bucovina.myshopify.com"


class Server:
    """A running sandbox with one shop of 300 products with one variant each."""

    def __init__(self, plan: str) -> None:
        self.sandbox = Sandbox(plan=plan)
        self.shop, _ = self.sandbox.add_shop(DOMAIN)
        seed_synthetic(self.shop, 300, 1, 10, self.sandbox.seed_stamp())
        self.location = str(self.shop.locations[0].gid)
        self.items = [str(product.variants[0].item.gid) for product in self.shop.products]
        self.url = ""

    def settings(self, pacer: Pacer) -> dict[str, Any]:
        return {
            "base_url": f"{self.url}/shops/{DOMAIN}",
            "token": self.sandbox.token_of(DOMAIN),
            "pacer": pacer,
            "allowed_hosts": [urlsplit(self.url).netloc],
        }

    def codes(self) -> list[str]:
        return [code for call in self.sandbox.calls.matching({}) for code in call.codes]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(getattr(request, "param", "plus"))
    with running(server.sandbox) as server.url:
        yield server


@pytest.fixture
def store(server: Server) -> Iterator[ShopifyStore]:
    store = ShopifyStore(api_version="2026-10", **server.settings(OpenPacer()))
    yield store
    store.close()


@pytest.fixture
def shared_pacer() -> Iterator[RedisPacer]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield RedisPacer(client, f"test-{uuid.uuid4().hex}")
    client.close()


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("overview", {}),
        ("locations", {"after": None}),
        ("products_page", {"query": None, "after": None}),
        ("product_variants_page", {"productId": "PRODUCT", "after": None}),
        ("levels_by_items", {"ids": ["ITEM"], "locationId": "LOCATION"}),
    ],
)
def test_a_reading_document_is_charged_what_we_expect(name: str, variables: dict[str, Any], server: Server) -> None:
    known = {"PRODUCT": server.shop.products[0].gid, "LOCATION": server.location}
    asked = {key: known.get(value, value) if isinstance(value, str) else value for key, value in variables.items()}
    if "ids" in asked:
        asked["ids"] = server.items[:250]
    with build_client() as http:
        client = ShopifyClient(
            f"{server.url}/shops/{DOMAIN}",
            StaticToken(server.sandbox.token_of(DOMAIN)),
            "2026-10",
            pacer=OpenPacer(),
            http=http,
        )
        assert client.execute(name, asked).requested == document(name).points


def test_a_write_of_250_rows_is_charged_what_we_expect(server: Server, store: ShopifyStore) -> None:
    rows = [Adjustment(item, server.location, 1) for item in server.items[:250]]

    reply = store.send(store.prepare_adjustment(rows, key=uuid.uuid4(), document="run/1"))

    assert (reply.outcome, reply.cost) == (WriteOutcome.APPLIED, document("inventory_adjust").points)


def test_a_listing_longer_than_a_connection_goes_on_after_the_last_product(
    server: Server, store: ShopifyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "CONNECTION_DEPTH", 200)

    listed = [variant.item_ref for variant in store.iter_variants()]

    assert listed == server.items


def test_a_version_that_expired_is_answered_by_a_later_one_and_the_overview_says_which(server: Server) -> None:
    store = ShopifyStore(api_version="2025-01", **server.settings(OpenPacer()))

    assert store.overview().api_version > "2025-01"
    store.close()


@pytest.mark.parametrize("server", ["standard"], indirect=True)
def test_workers_that_share_a_bucket_are_never_throttled(server: Server, shared_pacer: RedisPacer) -> None:
    """2,300 points against a bucket of 2,000 that restores 100 a second: the last calls have to wait."""
    stores = [ShopifyStore(api_version="2026-10", **server.settings(shared_pacer)) for _ in range(4)]
    calls = 230
    began = time.monotonic()

    def push(number: int) -> WriteOutcome:
        store = stores[number % len(stores)]
        row = Adjustment(server.items[number % 300], server.location, 1)
        return store.send(store.prepare_adjustment([row], key=uuid.uuid4(), document="run/1")).outcome

    with ThreadPoolExecutor(8) as threads:
        outcomes = set(threads.map(push, range(calls)))
    took = time.monotonic() - began

    assert outcomes == {WriteOutcome.APPLIED}
    assert "THROTTLED" not in server.codes()
    assert took <= 1.05 * (calls * 10 - 2000) / 100 + 2
    for store in stores:
        store.close()


def test_a_throttled_write_is_sent_again_with_the_same_bytes_until_it_is_taken(
    server: Server, shared_pacer: RedisPacer
) -> None:
    store = ShopifyStore(api_version="2026-10", **server.settings(shared_pacer))
    server.sandbox.faults.add({"kind": "throttle", "operation": "InventoryAdjust", "times": 2})

    row = Adjustment(server.items[0], server.location, 1)
    reply = store.send(store.prepare_adjustment([row], key=uuid.uuid4(), document="run/1"))

    calls = list(server.sandbox.calls.matching({"operation": "InventoryAdjust"}))
    assert reply.outcome == WriteOutcome.APPLIED
    assert [call.codes for call in calls] == [("THROTTLED",), ("THROTTLED",), ()]
    assert len({call.body_sha256 for call in calls}) == 1
    store.close()


def test_one_store_object_serves_several_threads(server: Server, store: ShopifyStore) -> None:
    barrier = threading.Barrier(6)

    def read(number: int) -> list[str]:
        barrier.wait()
        wanted = server.items[number * 40 : number * 40 + 40]
        return [level.item_ref for level in store.read_levels(server.location, wanted).levels if level.known]

    with ThreadPoolExecutor(6) as threads:
        read_back = [ref for refs in threads.map(read, range(6)) for ref in refs]

    assert read_back == server.items[:240]
