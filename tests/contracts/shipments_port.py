"""What every implementation of the shipments port promises; part of the cases of the store port."""

from __future__ import annotations

import pytest

from connectors.ports.errors import (
    ConnectorUnavailable,
    CredentialsRejected,
    FeatureNotSupported,
    OutcomeUnknown,
    RequestRejected,
)
from connectors.ports.orders import RemoteOrder
from connectors.ports.shipments import Shipment, ShippedLine
from tests.contracts.shop_under_test import ShopUnderTest


def read(shop: ShopUnderTest, order_ref: str) -> RemoteOrder:
    order = shop.store.read_order(order_ref)
    assert order is not None
    return order


def bytes_of(shop: ShopUnderTest, order_ref: str, quantity: int, **parts: str) -> bytes:
    (work,) = read(shop, order_ref).fulfilment_orders
    line = ShippedLine(work.ref, work.lines[0].ref, quantity)
    return shop.store.prepare_shipment(Shipment([line], **parts))  # type: ignore[arg-type]


def left(shop: ShopUnderTest, order_ref: str) -> int:
    return sum(line.remaining_quantity for work in read(shop, order_ref).fulfilment_orders for line in work.lines)


class ShipmentsPortContract:
    """Cases about shipments told to the store."""

    def test_what_left_is_a_fulfilment_of_the_order_with_its_tracking(self, shop: ShopUnderTest) -> None:
        order_ref = shop.place(shop.item(5), 3)

        made = shop.store.send_shipment(bytes_of(shop, order_ref, 2, company="FAN Courier", number="AWB-77"))

        (sent,) = read(shop, order_ref).fulfilments
        assert (sent.ref, sent.status, sent.location_ref) == (made, "success", shop.location)
        assert [line.quantity for line in sent.lines] == [2]
        assert [(one.company, one.number) for one in sent.tracking] == [("FAN Courier", "AWB-77")]
        assert left(shop, order_ref) == 1

    def test_no_key_is_kept_so_the_same_bytes_again_are_another_shipment(self, shop: ShopUnderTest) -> None:
        order_ref = shop.place(shop.item(5), 3)
        body = bytes_of(shop, order_ref, 1)

        shop.store.send_shipment(body)
        shop.store.send_shipment(body)

        assert len(read(shop, order_ref).fulfilments) == 2

    def test_more_than_waits_is_refused_and_nothing_leaves(self, shop: ShopUnderTest) -> None:
        order_ref = shop.place(shop.item(5), 3)

        with pytest.raises(RequestRejected):
            shop.store.send_shipment(bytes_of(shop, order_ref, 4))
        assert left(shop, order_ref) == 3

    def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_the_order_tells_it(
        self, shop: ShopUnderTest
    ) -> None:
        order_ref = shop.place(shop.item(5), 3)
        body = bytes_of(shop, order_ref, 3)
        shop.lose_next_reply()
        with pytest.raises(OutcomeUnknown):
            shop.store.send_shipment(body)
        assert left(shop, order_ref) == 0

    def test_a_request_that_is_lost_leaves_the_outcome_unknown_and_the_order_as_it_was(
        self, shop: ShopUnderTest
    ) -> None:
        order_ref = shop.place(shop.item(5), 3)
        body = bytes_of(shop, order_ref, 3)
        shop.drop_next_request()
        with pytest.raises(OutcomeUnknown):
            shop.store.send_shipment(body)
        assert left(shop, order_ref) == 3

    def test_a_shipment_of_nothing_is_not_made(self, shop: ShopUnderTest) -> None:
        with pytest.raises(FeatureNotSupported):
            shop.store.prepare_shipment(Shipment([]))

    def test_an_address_where_nothing_listens_executed_no_shipment(self, shop: ShopUnderTest) -> None:
        body = bytes_of(shop, shop.place(shop.item(5)), 1)
        with pytest.raises(ConnectorUnavailable):
            shop.unreachable().send_shipment(body)

    def test_a_token_that_is_refused_ships_nothing(self, shop: ShopUnderTest) -> None:
        order_ref = shop.place(shop.item(5))
        body = bytes_of(shop, order_ref, 1)
        with pytest.raises(CredentialsRejected):
            shop.with_wrong_token().send_shipment(body)
        assert left(shop, order_ref) == 1
