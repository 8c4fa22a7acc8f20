"""What every implementation of the orders port promises; part of the cases of the store port."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected, FeatureNotSupported
from connectors.ports.orders import MAX_ORDERS, ChangesPage, RemoteOrder
from connectors.ports.store import StorePort
from tests.contracts.shop_under_test import ShopUnderTest

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def read(shop: ShopUnderTest, order_ref: str) -> RemoteOrder:
    order = shop.store.read_order(order_ref)
    assert order is not None
    return order


def feed(store: StorePort, since: dt.datetime | None, until: dt.datetime | None = None) -> list[ChangesPage]:
    return list(store.iter_changed_orders(since, until=until))


def listed(pages: list[ChangesPage]) -> list[str]:
    return [change.ref for page in pages for change in page.orders]


def held(order: RemoteOrder) -> list[tuple[str, str, int]]:
    """Location, item and units of what is still to be sent."""
    return [
        (work.location_ref, line.item_ref, line.remaining_quantity)
        for work in order.fulfilment_orders
        for line in work.lines
        if line.remaining_quantity
    ]


class OrdersPortContract:
    """Cases about orders."""

    NO_ORDER = "gid://shopify/Order/999999999"

    def test_an_order_is_read_whole_with_what_it_holds_and_where(self, shop: ShopUnderTest) -> None:
        coat = shop.item(5, sku="COAT-M")

        order = read(shop, shop.place(coat, 2))

        assert [(line.item_ref, line.sku, line.quantity, line.current_quantity) for line in order.lines] == [
            (coat, "COAT-M", 2, 2)
        ]
        assert held(order) == [(shop.location, coat, 2)]
        assert order.updated_at.tzinfo is not None
        assert (order.cancelled_at, order.refunds, order.fulfilments) == (None, (), ())
        assert not order.test
        assert order.withheld == ()

    def test_what_was_sent_is_held_no_longer_and_the_order_has_a_later_version(self, shop: ShopUnderTest) -> None:
        coat = shop.item(5)
        ref = shop.place(coat, 2)
        before = read(shop, ref)
        shop.advance(hours=1)
        shop.ship(ref)

        order = read(shop, ref)

        assert held(order) == []
        assert [(one.location_ref, sum(line.quantity for line in one.lines)) for one in order.fulfilments] == [
            (shop.location, 2)
        ]
        assert order.updated_at > before.updated_at
        assert order.created_at == before.created_at

    def test_orders_come_in_the_order_asked_and_none_for_those_not_shown(self, shop: ShopUnderTest) -> None:
        coat = shop.item(5)
        first, second = shop.place(coat), shop.place(coat)

        found = shop.store.read_orders([second, self.NO_ORDER, first, second])

        assert [order.ref if order else None for order in found] == [second, None, first, second]

    @pytest.mark.parametrize("count", [0, MAX_ORDERS + 1])
    def test_a_read_of_too_few_or_too_many_orders_is_refused(self, shop: ShopUnderTest, count: int) -> None:
        with pytest.raises(FeatureNotSupported):
            shop.store.read_orders([self.NO_ORDER] * count)

    def test_the_feed_lists_changes_by_their_date_with_the_stores_time(self, shop: ShopUnderTest) -> None:
        coat = shop.item(5)
        placed = []
        for _ in range(3):
            placed.append(shop.place(coat))
            shop.advance(hours=1)
        shop.ship(placed[0])

        pages = feed(shop.store, LONG_AGO)

        assert listed(pages) == [placed[1], placed[2], placed[0]]
        versions = {change.ref: change.updated_at for page in pages for change in page.orders}
        assert versions == {ref: read(shop, ref).updated_at for ref in placed}
        assert all(page.read_at >= max(versions.values()) for page in pages)

    def test_both_bounds_of_the_feed_are_part_of_it(self, shop: ShopUnderTest) -> None:
        coat = shop.item(5)
        placed = []
        for _ in range(3):
            placed.append(shop.place(coat))
            shop.advance(hours=1)
        middle = read(shop, placed[1]).updated_at

        assert listed(feed(shop.store, middle)) == placed[1:]
        assert listed(feed(shop.store, None, middle)) == placed[:2]
        assert listed(feed(shop.store, middle, middle)) == [placed[1]]

    def test_nothing_changed_is_one_empty_page(self, shop: ShopUnderTest) -> None:
        (page,) = feed(shop.store, LONG_AGO)

        assert page.orders == ()
        assert page.read_at.tzinfo is not None

    def test_all_orders_are_shown_to_an_app_with_that_right(self, shop: ShopUnderTest) -> None:
        assert shop.store.orders_window().since is None

    def test_a_few_orders_are_not_written_down(self, shop: ShopUnderTest) -> None:
        shop.place(shop.item(5))

        assert shop.store.prepare_orders(LONG_AGO, wanted=1) is None

    def test_orders_are_not_shown_to_a_token_that_is_refused(self, shop: ShopUnderTest) -> None:
        ref = shop.place(shop.item(5))
        store = shop.with_wrong_token()

        with pytest.raises(CredentialsRejected):
            store.read_order(ref)
        with pytest.raises(CredentialsRejected):
            feed(store, None)

    def test_a_store_that_cannot_be_reached_says_so(self, shop: ShopUnderTest) -> None:
        ref = shop.place(shop.item(5))

        with pytest.raises(ConnectorUnavailable):
            shop.unreachable().read_order(ref)
