"""What Shopify refuses on orders, sales at a till, and what a reset of the sandbox leaves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import App, document, user_errors

REFUND = """mutation R($input: RefundInput!) { refundCreate(input: $input) @idempotent(key: "%s") {
  refund { id totalRefundedSet { shopMoney { amount } } duties { amountSet { shopMoney { amount } } }
    refundShippingLines(first: 1) { nodes { subtotalAmountSet { shopMoney { amount } } } } }
  userErrors { field message } } }"""
CANCEL = """mutation C($id: ID!) { orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refund: true) {
  job { id } orderCancelUserErrors { code message } userErrors { field } } }"""


def place(app: App, *lines: dict[str, Any], **words: Any) -> dict[str, Any]:
    return dict(app.control("POST", "orders", {"lines": list(lines) or [{"sku": "APA", "quantity": 2}], **words}))


def test_a_legacy_restock_is_history_and_not_accepted(app: App) -> None:
    order = place(app)
    line = {
        "lineItemId": order["lines"][0]["gid"],
        "quantity": 1,
        "restockType": "LEGACY_RESTOCK",
        "locationId": app.here.gid,
    }
    before = app.shows("APA")
    answer = app.ask(REFUND % app.new_key(), {"input": {"orderId": order["gid"], "refundLineItems": [line]}})
    assert user_errors(answer) == [(None, ["refundLineItems", "0", "restockType"])]
    assert (app.shows("APA"), app.shop.by_gid[order["gid"]].refunds) == (before, [])


def test_an_order_with_a_pending_authorization_is_not_cancelled(app: App) -> None:
    order = place(app, transactions=[{"kind": "AUTHORIZATION", "status": "PENDING"}])
    payload = app.ask(CANCEL, {"id": order["gid"]}).data["orderCancel"]
    assert (payload["job"], [error["code"] for error in payload["orderCancelUserErrors"]]) == (None, ["INVALID"])
    assert app.control("GET", f"orders/{order['id']}")["cancelled_at"] is None
    app.control("POST", f"orders/{order['id']}/settle", {"status": "SUCCESS"})
    assert app.ask(CANCEL, {"id": order["gid"]}).data["orderCancel"]["orderCancelUserErrors"] == []
    kinds = [row["kind"] for row in app.control("GET", f"orders/{order['id']}")["transactions"]]
    assert kinds == ["AUTHORIZATION", "VOID"]


@pytest.mark.parametrize(
    ("gateway", "manual"), [("cash_on_delivery", True), ("bank_deposit", True), ("shopify_payments", False)]
)
def test_money_that_the_merchant_counts_himself_is_pending_until_he_says_so(
    app: App, gateway: str, manual: bool
) -> None:
    order = place(app, payment="pending", gateway=gateway)
    text = """query T($id: ID!) { order(id: $id) { displayFinancialStatus paymentGatewayNames totalOutstandingSet {
      shopMoney { amount } } transactions { status manualPaymentGateway } } }"""
    row = app.ask(text, {"id": order["gid"]}).data["order"]
    assert row["displayFinancialStatus"] == "PENDING"
    assert row["transactions"] == [{"status": "PENDING", "manualPaymentGateway": manual}]
    assert row["paymentGatewayNames"] == [gateway]
    app.control("POST", f"orders/{order['id']}/settle", {"status": "SUCCESS"})
    assert app.ask(text, {"id": order["gid"]}).data["order"]["displayFinancialStatus"] == "PAID"


def test_a_sale_at_the_till_leaves_the_shop_at_once(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "set": 6})
    order = place(app, till=app.there.name)
    text = """query P($id: ID!) { order(id: $id) { sourceName displayFulfillmentStatus retailLocation { id } } }"""
    row = app.ask(text, {"id": order["gid"]}).data["order"]
    assert row == {
        "sourceName": "pos",
        "displayFulfillmentStatus": "FULFILLED",
        "retailLocation": {"id": app.there.gid},
    }
    after = app.shows("APA", app.there)
    assert (after["available"], after["committed"], after["on_hand"]) == (4, 0, 4)


def test_a_refund_gives_back_shipping_and_duties_each_under_its_name(app: App) -> None:
    order = place(app, {"sku": "APA", "quantity": 1, "duty": "3.00"}, shipping=[{"price": "10.00"}], tip="2.00")
    row = app.shop.by_gid[order["gid"]]
    given = {
        "orderId": order["gid"],
        "shipping": {"amount": "4.00"},
        "refundDuties": [{"dutyId": row.lines[0].duties[0].gid}],
        "transactions": [
            {
                "orderId": order["gid"],
                "gateway": "bogus",
                "kind": "REFUND",
                "amount": "7.00",
                "parentId": row.transactions[0].gid,
            }
        ],
    }
    made = app.ask(REFUND % app.new_key(), {"input": given}).data["refundCreate"]["refund"]
    assert made["totalRefundedSet"]["shopMoney"]["amount"] == "7.0"
    assert made["duties"][0]["amountSet"]["shopMoney"]["amount"] == "3.0"
    shipping = made["refundShippingLines"]["nodes"][0]["subtotalAmountSet"]["shopMoney"]["amount"]
    assert shipping == "4.0"
    tip = app.ask(
        "query T($id: ID!) { order(id: $id) { totalTipReceivedSet { shopMoney { amount } } } }", {"id": order["gid"]}
    )
    assert tip.data["order"]["totalTipReceivedSet"]["shopMoney"]["amount"] == "2.0"


def test_a_reset_forgets_the_bulk_operations_of_the_shops_it_keeps(app: App) -> None:
    app.ask(document("bulk_run_query"), {"query": "{ products { edges { node { id } } } }"})
    assert len(app.control("GET", "bulk")["operations"]) == 1
    app.control("POST", "reset", {"keep_shops": True})
    assert app.control("GET", "bulk")["operations"] == []
    assert app.shop.domain in app.sandbox.shops
