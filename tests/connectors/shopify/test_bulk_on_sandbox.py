"""Bulk operations against a server: the same rows by pages and in bulk, over HTTP and storage files."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.ports.errors import ResultLost
from connectors.shopify import listing
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.bulk import ADOPTABLE
from connectors.shopify.bulk_changes import BulkChanges, LineState
from sandbox.app import Sandbox
from sandbox.server import running
from sandbox.shopify import bulk_work
from sandbox.shopify.seed import seed_synthetic
from tests.embedded.process_watch import wait_until
from tests.pacers import OpenPacer

DOMAIN = "bucovina.myshopify.com"
PRODUCTS, VARIANTS = 104, 26
"""One product more than a page carries, one variant more than a page of products carries of each."""


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(plan="plus")


@pytest.fixture
def store(sandbox: Sandbox) -> Iterator[ShopifyStore]:
    """A shop whose clock moves on while our side waits."""
    world, _ = sandbox.add_shop(DOMAIN)
    seed_synthetic(world, PRODUCTS * VARIANTS, VARIANTS, 10, sandbox.seed_stamp())
    with running(sandbox) as url:
        store = ShopifyStore(
            base_url=f"{url}/shops/{DOMAIN}",
            token=sandbox.token_of(DOMAIN),
            api_version="2026-10",
            pacer=OpenPacer(),
            allowed_hosts=[urlsplit(url).netloc],
        )
        store.bulk.pause = sandbox.clock.advance
        yield store
        store.close()


def test_pages_and_bulk_give_the_same_rows_in_the_same_order(
    store: ShopifyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_pages = list(store.iter_variants())
    assert not list(store.bulk.recent("query", ADOPTABLE))

    monkeypatch.setattr(listing, "BULK_ABOVE", 1000)
    in_bulk = list(store.iter_variants())

    assert len(by_pages) == PRODUCTS * VARIANTS
    assert in_bulk == by_pages
    assert [operation.status for operation in store.bulk.recent("query", ADOPTABLE)] == ["COMPLETED"]


@pytest.fixture
def work_goes_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The shop lists itself in bulk, and gets no further before this is set."""
    goes_on = threading.Event()
    monkeypatch.setattr(listing, "BULK_ABOVE", 1000)
    monkeypatch.setattr(bulk_work, "_pace", lambda *_: goes_on.wait(60))
    return goes_on


def test_a_listing_that_outlasts_whoever_asks_stays_one_operation(
    store: ShopifyStore, work_goes_on: threading.Event
) -> None:
    begun = store.prepare_listing("link42")
    assert not begun.ready
    assert store.prepare_listing("link42").ticket == begun.ticket, "the worker died before it could keep the ticket"
    assert store.prepare_listing("link43").ticket == begun.ticket, "another job of ours"
    assert store.prepare_listing("link42", begun.ticket).ticket == begun.ticket

    work_goes_on.set()
    wait_until(lambda: store.prepare_listing("link42", begun.ticket).ready, seconds=60)

    variants = list(store.iter_variants(begun.ticket))
    assert len(variants) == PRODUCTS * VARIANTS
    assert list(store.iter_variants(begun.ticket)) == variants
    assert len(list(store.bulk.recent("query", ADOPTABLE))) == 1


def test_a_listing_that_was_cancelled_in_the_shop_is_lost_and_another_is_begun(
    store: ShopifyStore, work_goes_on: threading.Event
) -> None:
    begun = store.prepare_listing("link42")
    store.bulk.cancel(begun.ticket)
    work_goes_on.set()
    wait_until(lambda: store.prepare_listing("link42", begun.ticket).ready, seconds=60)

    with pytest.raises(ResultLost, match="cancelled"):
        list(store.iter_variants(begun.ticket))
    assert store.prepare_listing("link42").ticket != begun.ticket


def test_a_bulk_change_is_uploaded_carried_out_and_found_again_instead_of_run_twice(store: ShopifyStore) -> None:
    location = store.locations()[0].ref
    items = [variant.item_ref for variant in store.iter_variants()][:5]
    rows = [overwrite(item, location, index) for index, item in enumerate(items)]
    rows[3]["input"]["quantities"][0]["changeFromQuantity"] = 999
    changes = BulkChanges(store._client, store.bulk)

    first = sorted(changes.run("bulk_inventory_set", rows, label="run42"), key=lambda outcome: outcome.index)
    again = sorted(changes.run("bulk_inventory_set", rows, label="run42"), key=lambda outcome: outcome.index)

    states = [LineState.DONE] * 5
    states[3] = LineState.REFUSED
    assert [outcome.state for outcome in first] == states
    assert again == first
    assert len(list(store.bulk.recent("mutation", ADOPTABLE))) == 1
    levels = store.read_levels(location, items).levels
    assert [level.available for level in levels] == [20, 21, 22, 10, 24]


def overwrite(item: str, location: str, index: int) -> dict[str, Any]:
    quantity = {"inventoryItemId": item, "locationId": location, "quantity": 20 + index, "changeFromQuantity": 10}
    change = {"name": "available", "reason": "correction", "quantities": [quantity]}
    return {"input": change, "idempotencyKey": str(uuid.uuid4())}
