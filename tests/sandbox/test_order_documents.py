"""Every example document of orders, refunds and returns runs, and costs what the reference says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import App, document

COSTS = {
    "orders_updated_since": 13,
    "order_by_id": 82,
    "order_line_items_page": 36,
    "order_stock_snapshot": 130,
    "order_fulfillment_orders": 63,
    "refund_by_id": 62,
    "suggested_refund": 4,
    "refund_create": 20,
    "order_cancel": 10,
    "return_by_id": 51,
    "fulfillment_create": 10,
}


def rich_order(app: App) -> dict[str, Any]:
    """An order with everything: shipped in part, refunded, returned with an exchange."""
    body = {
        "lines": [
            {"sku": "APA", "quantity": 4, "price": "19.90", "duty": "1.00"},
            {"sku": "BERE-S", "quantity": 2, "discount": "1.00"},
            {"title": "Ambalaj cadou", "price": "3.00"},
        ],
        "discounts": [{"code": "VARA", "percent": 10}, {"title": "Transport", "amount": "2", "on_shipping": True}],
        "shipping": [{"title": "Curier", "price": "15.00"}, {"title": "Vechi", "price": "9", "removed": True}],
        "tax_rate": "0.19",
        "tip": "2.00",
        "customer": {"first_name": "Ana", "last_name": "Pop", "email": "ana@example.com"},
        "shipping_address": {"city": "Cluj", "country_code": "RO", "zip": "400001"},
        "location": app.here.name,
    }
    number = app.control("POST", "orders", body)["id"]
    app.control(
        "POST", f"orders/{number}/fulfill", {"lines": [{"line": 1, "quantity": 3}], "tracking": {"number": "A1"}}
    )
    app.control(
        "POST", f"orders/{number}/return", {"lines": [{"line": 1, "quantity": 1}], "exchange": [{"sku": "CEAI"}]}
    )
    app.control("POST", f"orders/{number}/return", {"do": "process"})
    lines = [{"line": 2, "quantity": 1, "restock_type": "CANCEL"}]
    return dict(app.control("POST", f"orders/{number}/refund", {"lines": lines, "shipping": "5.00"}))


def variables_of(name: str, app: App, order: dict[str, Any]) -> dict[str, Any]:
    """What each document needs to find that order."""
    line = order["lines"][0]["gid"]
    refund_line = {"lineItemId": line, "quantity": 1, "restockType": "RETURN", "locationId": app.here.gid}
    if name == "orders_updated_since":
        return {"query": "updated_at:>='2020-01-01T00:00:00Z'"}
    if name == "refund_by_id":
        return {"id": order["refunds"][-1]["gid"]}
    if name == "return_by_id":
        return {"id": order["returns"][0]["gid"]}
    if name == "suggested_refund":
        return {"orderId": order["gid"], "refundLineItems": [refund_line]}
    if name == "refund_create":
        money = {"orderId": order["gid"], "gateway": "bogus", "kind": "REFUND", "amount": "5.00"}
        money["parentId"] = order["transactions"][0]["gid"]
        given = {"orderId": order["gid"], "refundLineItems": [refund_line], "transactions": [money]}
        return {"idempotencyKey": "k1", "input": given}
    if name == "order_cancel":
        back = {"originalPaymentMethodsRefund": True}
        app.control("POST", f"orders/{order['id']}/return", {"do": "close"})
        return {"orderId": order["gid"], "reason": "INVENTORY", "restock": True, "refundMethod": back}
    if name == "fulfillment_create":
        work = next(fo for fo in order["fulfillment_orders"] if fo["remaining"] and fo["status"] == "OPEN")
        return {"fulfillment": {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": work["gid"]}]}}
    return {"id": order["gid"]}


@pytest.mark.parametrize("name", COSTS)
def test_the_example_runs_and_costs_what_the_reference_says(app: App, name: str) -> None:
    answer = app.ask(document(name), variables_of(name, app, rich_order(app)))
    (row,) = answer.data.values()
    assert row
    assert not row.get("userErrors")
    assert not row.get("orderCancelUserErrors")
    assert answer.cost["requestedQueryCost"] == COSTS[name]
    assert 0 < answer.cost["actualQueryCost"] <= COSTS[name]
