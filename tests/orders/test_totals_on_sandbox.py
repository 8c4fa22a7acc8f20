"""Orders of a running shop add up as their shop states them, whatever is in them and whatever happened to them since."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.ports.orders import MAX_ORDERS, RemoteOrder
from connectors.shopify.adapter import ShopifyStore
from orders import totals
from sandbox.server import running
from tests.connectors.shopify.test_against_sandbox import DOMAIN, Server
from tests.pacers import OpenPacer

ORDERS = 50


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server("plus")
    with running(server.sandbox) as server.url:
        yield server


def control(server: Server, path: str, **body: Any) -> dict[str, Any]:
    reply = httpx.post(f"{server.url}/_control/{path}", json={"shop": DOMAIN, **body})
    assert reply.status_code < 300, reply.text
    return dict(reply.json())


def any_order(dice: random.Random, server: Server) -> dict[str, Any]:
    """An order of one to five lines with any of what an order can hold."""

    def cents(most: int) -> str:
        return f"{dice.randrange(most * 100) / 100:.2f}"

    lines: list[dict[str, Any]] = [
        {
            "item": dice.choice(server.items),
            "quantity": dice.randint(1, 7),
            "price": f"{dice.randint(800, 90_000) / 100:.2f}",
        }
        for _ in range(dice.randint(1, 5))
    ]
    lines[0] |= dice.choice([{}, {"discount": cents(5)}, {"duty": cents(9)}, {"tax_rate": "0.11"}])
    if dice.random() < 0.2:
        lines.append({"title": "Card cadou", "quantity": 1, "price": "50.00", "gift_card": True})
    if dice.random() < 0.2:
        lines.append({"title": "Împachetare", "quantity": 2, "price": cents(9), "requires_shipping": False})
    order: dict[str, Any] = {
        "lines": lines,
        "tax_rate": dice.choice(["0", "0.21"]),
        "taxes_included": dice.random() < 0.5,
    }
    if dice.random() < 0.7:
        order["shipping"] = [{"title": "Curier", "price": cents(30), "removed": dice.random() < 0.1}]
    if dice.random() < 0.5:
        order["discounts"] = [
            {"code": "MAI", "percent": dice.choice(["7", "33.3"]), "on_shipping": dice.random() < 0.3}
        ]
    if dice.random() < 0.2:
        order["tip"] = cents(20)
    order |= dice.choice(
        [
            {},
            {"presentment_currency": "EUR", "rate": "0.2009"},
            {"presentment_currency": "JPY", "rate": "33.71"},
            {"presentment_currency": "KWD", "rate": "0.0671"},
        ]
    )
    return order


def happened_since(dice: random.Random, server: Server, order_id: Any) -> None:
    """Something of what happens to orders, or nothing."""
    what = dice.choice(["", "", "fulfill", "cancel", "refund"])
    body = {"lines": [{"line": 1, "quantity": 1, "restock_type": "NO_RESTOCK"}]} if what == "refund" else {}
    if what:
        control(server, f"orders/{order_id}/{what}", **body)


def read(server: Server, refs: list[str]) -> list[RemoteOrder]:
    store = ShopifyStore(api_version="2026-10", **server.settings(OpenPacer()))
    try:
        parts = (refs[start : start + MAX_ORDERS] for start in range(0, len(refs), MAX_ORDERS))
        return [order for part in parts for order in store.read_orders(part) if order]
    finally:
        store.close()


def test_orders_of_any_shape_add_up_in_both_currencies(server: Server) -> None:
    dice = random.Random(42)
    placed = [control(server, "orders", **any_order(dice, server)) for _ in range(ORDERS)]
    for told in placed:
        happened_since(dice, server, told["id"])

    found = read(server, [told["gid"] for told in placed])

    assert len(found) == ORDERS
    for order in found:
        sums = totals.of_order(order)
        assert sums.buyers.total == order.total.presentment.amount
        assert sums.shops.total == order.total.shop.amount
    assert {order.presentment_currency for order in found} == {"RON", "EUR", "JPY", "KWD"}
