"""Totals of orders: they add up to the cent, in both currencies, whatever happens to the order."""

from __future__ import annotations

import contextlib
import random
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.app import Sandbox
from sandbox.shopify import orders_totals as totals
from sandbox.shopify.orders import Order, OrderRefused
from sandbox.shopify.orders_editing import set_quantity
from sandbox.shopify.orders_money import total
from sandbox.shopify.orders_placing import Wanted, WantedDiscount, WantedLine, WantedPayment, WantedShipping, place
from sandbox.shopify.orders_refunding import RefundedUnits, WantedRefund, cancel, refund
from sandbox.shopify.orders_shipping import cancel_fulfillment, fulfill, portions_of
from tests.sandbox.client import App
from tests.sandbox.conftest import CSV

STAMP = "2026-11-21T10:00:00Z"
ORDER = "query O($id: ID!) { order(id: $id) { %s } }"


def money(app: App, order: dict[str, Any], field: str) -> tuple[str, str]:
    """A total in the shop's currency and in the buyer's."""
    text = ORDER % (field + " { shopMoney { amount } presentmentMoney { amount } }")
    bag = app.ask(text, {"id": order["gid"]}).data["order"][field]
    return bag["shopMoney"]["amount"], bag["presentmentMoney"]["amount"]


def test_lines_shipping_tip_and_duties_make_the_total(app: App) -> None:
    lines = [{"sku": "APA", "quantity": 3, "price": "10.00", "duty": "1.50"}, {"title": "Fundă", "price": "2.00"}]
    body = {"lines": lines, "shipping": [{"price": "15"}], "tip": "4", "discounts": [{"code": "ZECE", "percent": 10}]}
    order = app.control("POST", "orders", body)
    assert money(app, order, "subtotalPriceSet") == ("28.8", "28.8")
    assert money(app, order, "totalPriceSet") == ("49.3", "49.3")
    assert money(app, order, "totalDiscountsSet") == ("3.2", "3.2")
    assert money(app, order, "totalOutstandingSet") == ("0.0", "0.0")


def test_tax_is_added_where_prices_do_not_contain_it(app: App) -> None:
    lines = [{"sku": "APA", "quantity": 1, "price": "100"}]
    inside = app.control("POST", "orders", {"lines": lines, "tax_rate": "0.19"})
    outside = app.control("POST", "orders", {"lines": lines, "tax_rate": "0.19", "taxes_included": False})
    assert (money(app, inside, "totalTaxSet")[0], money(app, inside, "totalPriceSet")[0]) == ("15.97", "100.0")
    assert (money(app, outside, "totalTaxSet")[0], money(app, outside, "totalPriceSet")[0]) == ("19.0", "119.0")


def test_the_buyer_pays_in_another_currency_and_yen_have_no_cents(app: App) -> None:
    lines = [{"sku": "APA", "quantity": 1, "price": "10.00"}]
    order = app.control("POST", "orders", {"lines": lines, "presentment_currency": "JPY", "rate": "33.3"})
    assert money(app, order, "totalPriceSet") == ("10.0", "333.0")


def test_money_that_is_pending_is_not_refunded_yet(app: App) -> None:
    order = app.control("POST", "orders", {"lines": [{"sku": "APA", "price": "50"}]})
    order = app.control("POST", f"orders/{order['id']}/refund", {"money": "20", "status": "PENDING"})
    assert (order["refunded"], order["financial_status"]) == ("0.00", "PAID")
    order = app.control("POST", f"orders/{order['id']}/settle")
    assert (order["refunded"], order["financial_status"]) == ("20.00", "PARTIALLY_REFUNDED")
    assert order["outstanding"] == "0.00"


def test_a_goodwill_refund_is_explained_by_an_adjustment(app: App) -> None:
    order = app.control("POST", "orders", {"lines": [{"sku": "APA", "price": "50"}]})
    order = app.control("POST", f"orders/{order['id']}/refund", {"money": "7.50"})
    text = """query R($id: ID!) { refund(id: $id) { refundLineItems(first: 5) { nodes { id } }
      orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } } } }"""
    row = app.ask(text, {"id": order["refunds"][0]["gid"]}).data["refund"]
    assert row["refundLineItems"]["nodes"] == []
    (adjustment,) = row["orderAdjustments"]["nodes"]
    assert (adjustment["reason"], adjustment["amountSet"]["shopMoney"]["amount"]) == ("REFUND_DISCREPANCY", "7.5")


def test_an_authorized_order_is_cancelled_with_a_void_and_without_a_refund(app: App) -> None:
    order = app.control("POST", "orders", {"lines": [{"sku": "APA"}], "payment": "authorized"})
    assert order["financial_status"] == "AUTHORIZED"
    order = app.control("POST", f"orders/{order['id']}/cancel")
    assert (order["financial_status"], order["refunds"]) == ("VOIDED", [])
    assert [t["kind"] for t in order["transactions"]] == ["AUTHORIZATION", "VOID"]


def test_a_gift_card_is_a_payment(app: App) -> None:
    order = app.control("POST", "orders", {"lines": [{"sku": "APA", "price": "50"}], "gift_card": "20"})
    assert [(t["gateway"], t["amount"]) for t in order["transactions"]] == [("gift_card", "20.00"), ("bogus", "30.00")]


# ── histories ──


def _a_history(seed: int) -> tuple[Sandbox, Order]:
    """An order with a life of chance: parts shipped, refunded, edited, perhaps cancelled."""
    dice = random.Random(seed)
    sandbox = Sandbox(sleep=lambda seconds: None)
    shop, _ = sandbox.add_shop("istorie-ro", CSV)

    def price() -> Decimal:
        return Decimal(dice.randint(1, 9999)) / 100

    lines = [WantedLine(dice.randint(1, 7), dice.choice(shop.items), price=price()) for _ in range(dice.randint(1, 4))]
    wanted = Wanted(lines, [WantedShipping(price=price())], payments=[WantedPayment()])
    wanted.discounts = [WantedDiscount("X", percent=Decimal(dice.randint(0, 60)))]
    wanted.tax_rate = dice.choice([Decimal(0), Decimal("0.19"), Decimal("0.0725")])
    wanted.buyer_currency, wanted.rate = dice.choice(
        [("EUR", Decimal("0.2013")), ("JPY", Decimal("33.7")), (None, Decimal(1))]
    )
    wanted.about = {"taxes_included": dice.random() < 0.5}
    order = place(sandbox.orders, shop, wanted, STAMP)
    for _ in range(dice.randint(0, 8)):
        with contextlib.suppress(OrderRefused):
            _a_step(order, dice)
    return sandbox, order


def _a_step(order: Order, dice: random.Random) -> None:
    line = dice.choice(order.lines)
    match dice.randint(0, 4):
        case 0:
            fulfill(order, portions_of(order, {line.number: dice.randint(1, 3)}), STAMP, [])
        case 1:
            kind = dice.choice(["CANCEL", "RETURN", "NO_RESTOCK"])
            refund(order, WantedRefund([RefundedUnits(line, dice.randint(1, 2), kind)]), STAMP)
        case 2:
            set_quantity(order, line, dice.randint(0, 8), STAMP)
        case 3 if order.fulfillments:
            cancel_fulfillment(dice.choice(order.fulfillments), STAMP)
        case 4 if dice.random() < 0.3:
            cancel(order, STAMP, restock=dice.random() < 0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_any_history_adds_up_to_the_cent_and_to_the_unit(seed: int) -> None:
    sandbox, order = _a_history(seed)
    for pick in ("shop", "buyer"):
        lines = sum(getattr(line.net, pick) for line in order.lines)
        assert getattr(totals.subtotal(order), pick) == lines
        for line in order.lines:
            assert getattr(line.net, pick) == getattr(line.gross, pick) - getattr(line.discount, pick)
        gone = total([e.subtotal_set for r in order.refunds for e in r.lines], order.tender)
        if not order.edited:  # every unit that left did so by a refund
            current = getattr(totals.current_subtotal(order), pick)
            assert current == lines - getattr(gone, pick)
    for line in order.lines:
        assert line.quantity == order.unfulfilled(line) + line.fulfilled + line.cancelled
        assert 0 <= line.current_quantity <= line.quantity
    shop = order.shop
    committed = sum(lvl.quantities[1] for item in shop.items for lvl in item.levels if lvl is not None)
    tracked = [line for line in order.lines if line.item is not None and line.item.tracked]
    assert committed == sum(order.unfulfilled(line) for line in tracked)
    assert len(sandbox.orders) == 1
