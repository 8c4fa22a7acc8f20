"""The in-memory store keeps the port's promises, so tests that use it prove something."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import pytest

from connectors.ports.errors import OutcomeUnknown
from connectors.ports.product_changes import NewProduct, NewVariant
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

    def place(self, item_ref: str, quantity: int = 1) -> str:
        return self.store.place(item_ref, self.location, quantity)

    def ship(self, order_ref: str) -> None:
        self.store.ship(order_ref)

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


def test_a_create_whose_answer_was_lost_is_found_by_its_repeat() -> None:
    store, key = FakeStore(), uuid.uuid4()
    draft = NewProduct(handle="palton", title="Palton", variants=(NewVariant(sku="P"),))
    store.lose_next_reply()
    with pytest.raises(OutcomeUnknown):
        store.create_product(draft, key=key)

    again = store.create_product(draft, key=key)

    assert [variant.sku for variant in store.iter_variants()] == ["P"]
    assert again.product.handle == "palton"
