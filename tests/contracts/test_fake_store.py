"""The in-memory store keeps the port's promises, so tests that use it prove something."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from connectors.ports.store import StorePort
from tests.contracts.shop_under_test import ShopUnderTest
from tests.contracts.store_port import StorePortContract
from tests.fakes import FakeStore


class FakeShop:
    """A `FakeStore` with three locations."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.location = self.store.add_location("Depozit")
        self.elsewhere = self.store.add_location("Magazin")
        self.closed_location = self.store.add_location("Vechi", is_active=False)

    def item(self, available: int = 0, **variant: Any) -> str:
        return self.store.add_variant(stock={self.location: available}, **variant)

    def available(self, item_ref: str) -> int:
        return self.store.available(item_ref, self.location)

    def sell(self, item_ref: str, quantity: int) -> None:
        self.store.sell(item_ref, self.location, quantity)

    def poison(self, item_ref: str) -> None:
        self.store.poison(item_ref)

    def advance(self, hours: float) -> None:
        self.store.advance(hours * 3600)

    def lose_next_reply(self) -> None:
        self.store.lose_next_reply()

    def drop_next_request(self) -> None:
        self.store.drop_next_request()

    def unreachable(self) -> StorePort:
        cut_off = copy.copy(self.store)
        cut_off._faults, cut_off._read_faults = [], []
        cut_off.refuse_next_connection()
        cut_off.fail_next_read()
        return cut_off

    def with_wrong_token(self) -> StorePort:
        refused = copy.copy(self.store)
        refused.wrong_token = True
        return refused


class TestFakeStore(StorePortContract):
    """FakeStore."""

    @pytest.fixture
    def shop(self) -> ShopUnderTest:
        return FakeShop()
