"""The Shopify adapter keeps the port's promises over real HTTP against the simulated Admin API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import stamina

from connectors.ports.store import StorePort
from connectors.shopify.adapter import ShopifyStore
from sandbox.app import Sandbox
from sandbox.server import running
from sandbox.shopify.orders_placing import Wanted, WantedLine, WantedPayment, place
from sandbox.shopify.orders_shipping import fulfill, portions_of
from sandbox.shopify.rows import AVAILABLE, COMMITTED, Item
from tests.contracts.shop_under_test import ShopUnderTest
from tests.contracts.store_port import StorePortContract
from tests.pacers import OpenPacer

SHOP = "bucovina"


class SandboxShop:
    """A shop of the sandbox, looked into and disturbed from behind, asked through the adapter."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self._sandbox, self._url = sandbox, url
        self._shop, _ = sandbox.add_shop(SHOP, locations=["Depozit", "Magazin", "Vechi"])
        here, there, closed = self._shop.locations
        closed.active = False
        self.location, self.elsewhere, self.closed_location = here.gid, there.gid, closed.gid
        self._opened: list[ShopifyStore] = []
        self._numbers = itertools.count(1)
        self.store = self.open(sandbox.token_of(SHOP))

    def open(self, token: str, url: str = "") -> ShopifyStore:
        base_url = f"{url or self._url}/shops/{self._shop.domain}"
        store = ShopifyStore(
            base_url=base_url,
            token=token,
            api_version="2026-10",
            pacer=OpenPacer(),
            allowed_hosts=[urlsplit(base_url).netloc],
        )
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()

    def item(self, available: int = 0, **variant: Any) -> str:
        handle = variant.get("handle") or f"product-{next(self._numbers)}"
        stamp = self._sandbox.seed_stamp()
        product = self._shop.products_by_handle.get(handle)
        if product is None:
            product = self._shop.add_product(handle, handle, stamp)
            product.tags = list(variant.get("tags", ()))
        values = variant.get("option_values", ("Default Title",))
        made = self._shop.add_variant(product, values, variant.get("sku"), variant.get("tracked", True), stamp)
        made.barcode = variant.get("barcode")
        level = made.item.stock_at(self._shop.by_gid[self.location], stamp, active=True)
        level.move(AVAILABLE, available, stamp)
        return str(made.item.gid)

    def available(self, item_ref: str) -> int:
        return int(self._level(item_ref).quantities[AVAILABLE])

    def sell(self, item_ref: str, quantity: int) -> None:
        stamp = self._sandbox.clock.stamp()
        self._level(item_ref).move(AVAILABLE, -quantity, stamp)
        self._level(item_ref).move(COMMITTED, quantity, stamp)

    def place(self, item_ref: str, quantity: int = 1) -> str:
        line = WantedLine(quantity, self._shop.by_gid[item_ref], self._shop.by_gid[self.location])
        wanted = Wanted([line], payments=[WantedPayment()])
        return str(place(self._sandbox.orders, self._shop, wanted, self._sandbox.clock.stamp()).gid)

    def ship(self, order_ref: str) -> None:
        order = self._shop.by_gid[order_ref]
        fulfill(order, portions_of(order, None), self._sandbox.clock.stamp(), [])

    def poison(self, item_ref: str) -> None:
        self._shop.poison[item_ref] = "NON_MUTABLE_INVENTORY_ITEM"

    def advance(self, hours: float) -> None:
        self._sandbox.clock.advance(hours * 3600)

    def lose_next_reply(self) -> None:
        self._sandbox.faults.add({"kind": "lost_reply", "times": 1})

    def drop_next_request(self) -> None:
        self._sandbox.faults.add({"kind": "drop_before", "times": 1})

    def unreachable(self) -> StorePort:
        return self.open("any", url="http://127.0.0.1:1")

    def with_wrong_token(self) -> StorePort:
        return self.open("shpat_wrong")

    def _level(self, item_ref: str) -> Any:
        item = self._shop.by_gid[item_ref]
        assert isinstance(item, Item)
        level = item.level_at(self._shop.by_gid[self.location])
        assert level is not None
        return level


class TestShopifyOnSandbox(StorePortContract):
    """ShopifyStore."""

    @pytest.fixture
    def shop(self) -> Iterator[ShopUnderTest]:
        sandbox = Sandbox(plan="plus")
        with running(sandbox) as url, stamina.set_testing(True, attempts=2, cap=True):
            shop = SandboxShop(sandbox, url)
            yield shop
            shop.close()
