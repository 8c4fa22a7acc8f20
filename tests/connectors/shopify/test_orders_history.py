"""A long history of orders: written down by the shop, completed by us, the same orders as read one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest

from connectors.ports.errors import ResultLost
from connectors.ports.orders import History, RemoteOrder
from connectors.shopify import orders_history
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.documents import document
from sandbox.server import running
from tests.connectors.shopify.test_against_sandbox import Server
from tests.connectors.shopify.test_orders_on_sandbox import BUYER, control, placed
from tests.pacers import OpenPacer

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server("plus")
    with running(server.sandbox) as server.url:
        yield server


@pytest.fixture
def store(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopifyStore]:
    """A shop whose clock moves on while our side waits, and for which three orders are a long history."""
    monkeypatch.setattr(orders_history, "BULK_ABOVE", 2)
    store = ShopifyStore(api_version="2026-10", **server.settings(OpenPacer()))
    store.bulk.pause = server.sandbox.clock.advance
    yield store
    store.close()


def everything(refs: Sequence[str]) -> Collection[str]:
    return refs


def prepared(store: ShopifyStore, wanted: int = 3, since: dt.datetime = LONG_AGO) -> History:
    history = store.prepare_orders(since, wanted=wanted, patience=60)
    assert history is not None
    assert history.ready
    return history


def by_reference(store: ShopifyStore, told: Sequence[dict[str, Any]]) -> list[RemoteOrder]:
    return [order for order in store.read_orders([one["gid"] for one in told]) if order]


def varied_orders(server: Server) -> list[dict[str, Any]]:
    """Orders that were sent, refunded, returned, exchanged, edited and cancelled; one with more than a page of lines."""
    rows = [{"item": item, "quantity": 3, "price": "19.90", "discount": "1.00"} for item in server.items[:2]]
    rich = control(
        server,
        "orders",
        lines=[*rows, {"title": "Ambalaj", "price": "3.00"}],
        shipping=[{"title": "Curier", "price": "15.00"}, {"title": "Vechi", "price": "9", "removed": True}],
        discounts=[{"code": "VARA", "percent": 10}],
        tax_rate="0.21",
        tip="2.00",
        **BUYER,
    )
    number = rich["id"]
    control(server, f"orders/{number}/fulfill", lines=[{"line": 1, "quantity": 2}], tracking={"number": "AWB-1"})
    control(
        server,
        f"orders/{number}/return",
        lines=[{"line": 1, "quantity": 1}],
        exchange=[{"item": server.items[3]}],
    )
    control(server, f"orders/{number}/return", do="process")
    control(
        server,
        f"orders/{number}/refund",
        lines=[{"line": 2, "quantity": 1, "restock_type": "CANCEL", "location": server.location}],
        shipping="5.00",
    )
    cancelled = placed(server, 2)
    control(server, f"orders/{cancelled['id']}/cancel")
    return [rich, cancelled, placed(server, *[1] * 60), placed(server, 1)]


def test_a_history_holds_the_same_orders_as_reading_each(server: Server, store: ShopifyStore) -> None:
    told = varied_orders(server)

    parts = list(store.iter_orders(prepared(store), everything))

    assert [order for part in parts for order in part] == by_reference(store, told)


def test_a_history_costs_a_read_for_many_orders(server: Server, store: ShopifyStore) -> None:
    control(server, "orders/batch", count=200)

    orders = [order for part in store.iter_orders(prepared(store, 200), everything) for order in part]

    assert len(orders) == 200
    asked = [call for call in server.sandbox.calls.matching({}) if call.operation == "OrderBranches"]
    assert 2 <= len(asked) <= 3  # an order and its fulfilment order each, 250 together
    assert {call.requested for call in asked} == {document("order_branches").points}
    assert not [call for call in server.sandbox.calls.matching({}) if call.operation == "OrdersByIds"]


def test_an_order_that_changed_since_it_was_written_down_is_left_to_be_asked_for(
    server: Server, store: ShopifyStore
) -> None:
    told = [placed(server, 1) for _ in range(3)]
    history = prepared(store)
    server.sandbox.clock.advance(5)
    control(server, f"orders/{told[1]['id']}/fulfill")

    found = [order.ref for part in store.iter_orders(history, everything) for order in part]

    assert found == [told[0]["gid"], told[2]["gid"]]


def test_only_what_is_wanted_is_read(server: Server, store: ShopifyStore) -> None:
    told = [placed(server, 1) for _ in range(4)]

    parts = list(store.iter_orders(prepared(store), lambda refs: [told[2]["gid"]]))

    assert [order.ref for part in parts for order in part] == [told[2]["gid"]]


def test_orders_before_the_beginning_are_not_in_it(server: Server, store: ShopifyStore) -> None:
    placed(server, 1)
    server.sandbox.clock.advance(60)
    told = [placed(server, 1) for _ in range(3)]

    history = prepared(store, since=dt.datetime.fromisoformat(told[0]["updated_at"]))

    found = [order.ref for part in store.iter_orders(history, everything) for order in part]
    assert found == [one["gid"] for one in told]


def test_few_orders_are_not_worth_a_history(server: Server, store: ShopifyStore) -> None:
    placed(server, 1)

    assert store.prepare_orders(LONG_AGO, wanted=2, patience=60) is None


def test_a_few_of_very_many_are_not_worth_a_history(server: Server, store: ShopifyStore) -> None:
    control(server, "orders/batch", count=20)

    assert store.prepare_orders(LONG_AGO, wanted=4, patience=60) is None


def test_taken_slots_leave_reading_one_by_one(server: Server, store: ShopifyStore) -> None:
    told = [placed(server, 1) for _ in range(3)]
    control(server, "bulk", start_delay=600)
    for number in range(5):
        products = f'products(query: "id:>{number}")'
        store.bulk.begun_text(f"query Other {{ {products} {{ edges {{ node {{ id }} }} }} }}", slot_limit=0)

    assert store.prepare_orders(LONG_AGO, wanted=3) is None
    assert len(by_reference(store, told)) == 3


def test_a_job_that_died_finds_the_history_it_began(server: Server, store: ShopifyStore) -> None:
    for _ in range(3):
        placed(server, 1)
    begun = store.prepare_orders(LONG_AGO, wanted=3)
    server.sandbox.clock.advance(60)

    again = prepared(store)

    assert begun is not None
    assert again.ticket == begun.ticket


def test_what_the_shop_withholds_is_read_one_by_one(server: Server, store: ShopifyStore) -> None:
    for _ in range(3):
        control(server, "orders", lines=[{"item": server.items[0], "quantity": 1}], **BUYER)
    scopes = [scope for scope in _scopes(server) if scope != "read_customers"]
    control(server, "tokens", scopes=scopes)

    assert store.prepare_orders(LONG_AGO, wanted=3, patience=60) is None


def test_a_history_nobody_knows_any_more_is_said_to_be_lost(store: ShopifyStore) -> None:
    gone = History("gid://shopify/BulkOperation/404", as_of=LONG_AGO, ready=True)

    with pytest.raises(ResultLost):
        list(store.iter_orders(gone, everything))


def _scopes(server: Server) -> list[str]:
    return list(control(server, "tokens")["scopes"])
