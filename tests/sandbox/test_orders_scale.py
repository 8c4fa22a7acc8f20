"""What reading orders looks at, however many there are: counted in rows, so that a slow machine changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from sandbox.shopify import orders_pages
from tests.sandbox.client import App

MANY = 400
PAGE = "query P($query: String!, $sort: OrderSortKeys!) { orders(first: 5, query: $query, sortKey: $sort) { nodes { name } } }"


@pytest.fixture
def looked(app: App, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the orders that a search looked at; a shop with many orders, a hundred placed each minute."""
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False):
        for _ in range(MANY // 100):
            app.control("POST", "orders/batch", {"count": 100})
            app.control("POST", "clock", {"advance": 60})
    seen: list[int] = []
    for name, value in orders_pages._FIELDS.items():

        def watched(row: Any, value: Any = value) -> Any:
            seen.append(row.number)
            return value(row)

        monkeypatch.setitem(orders_pages._FIELDS, name, watched)
    return seen


@pytest.mark.parametrize(
    ("field", "sort"), [("updated_at", "UPDATED_AT"), ("processed_at", "PROCESSED_AT"), ("created_at", "CREATED_AT")]
)
def test_a_page_of_the_feed_looks_at_itself_only(app: App, looked: list[int], field: str, sort: str) -> None:
    stamp = app.shop.orders.feed[-1].updated_at
    found = app.ask(PAGE, {"query": f"{field}:>='{stamp}'", "sort": sort}).data["orders"]["nodes"]
    assert [row["name"] for row in found] == [f"#{1001 + MANY - 100 + n}" for n in range(5)]
    assert len(looked) <= 6


def test_a_bound_on_another_date_than_the_sorts_is_used_where_few_are_left(app: App, looked: list[int]) -> None:
    app.control("POST", "clock", {"advance": 60})
    newest = [app.control("POST", "orders", {"lines": [{"sku": "APA"}]}) for _ in range(2)]
    found = app.ask(PAGE, {"query": f"created_at:>='{newest[0]['created_at']}'", "sort": "ID"}).data["orders"]["nodes"]
    assert [row["name"] for row in found] == [order["name"] for order in newest]
    assert set(looked) == {order["id"] for order in newest}


def test_an_order_is_found_by_its_name_without_a_search(app: App, looked: list[int]) -> None:
    for name in ("#1234", "1234"):
        found = app.ask(PAGE, {"query": f"name:'{name}'", "sort": "PROCESSED_AT"}).data["orders"]["nodes"]
        assert [row["name"] for row in found] == ["#1234"]
    assert set(looked) == {1234}
    assert app.ask(PAGE, {"query": "name:#9999", "sort": "ID"}).data["orders"]["nodes"] == []


def test_orders_are_counted_without_looking_at_them(app: App, looked: list[int]) -> None:
    assert app.ask("{ ordersCount { count } }").data["ordersCount"]["count"] == MANY
    app.control("POST", "tokens", {"scopes": ["read_orders"]})
    app.control("POST", "clock", {"advance": 60 * 24 * 3600})
    app.control("POST", "orders", {"lines": [{"sku": "APA"}]})
    app.control("POST", "orders", {"lines": [{"sku": "APA"}]})
    assert app.ask("{ ordersCount { count } }").data["ordersCount"]["count"] == 2
    assert looked == []


def test_an_imported_order_stands_where_its_date_belongs(app: App) -> None:
    for date in ("2026-01-05T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"):
        app.control("POST", "orders", {"lines": [{"sku": "APA"}], "processed_at": date})
    found = app.ask(PAGE, {"query": "", "sort": "PROCESSED_AT"}).data["orders"]["nodes"]
    assert [row["name"] for row in found] == ["#1002", "#1001", "#1003"]


def test_sums_of_one_currency_are_kept_once(app: App) -> None:
    app.control("POST", "orders", {"lines": [{"sku": "APA", "quantity": 2}]})
    line = app.shop.orders.rows[-1].lines[0]
    for bag in (line.unit, line.gross):
        assert bag.shop is bag.buyer
