"""Orders placed by a shop's customers, shipped and cancelled by its staff."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.catalogue import Shop
from sandbox.shopify.orders import OrderRefused
from sandbox.shopify.orders_placing import Wanted, WantedLine, WantedPayment, place
from sandbox.shopify.orders_refunding import RefundedUnits, WantedRefund, cancel, refund
from sandbox.shopify.orders_shipping import fulfill, portions_of

from .asking import Ask, ControlError, location_of, whole
from .order_words import order_of, quantities_of, step, told, wanted_of

MAX_BATCH = 100_000


def list_orders(ask: Ask) -> dict[str, Any]:
    """All orders, or those of one shop; the newest `limit` (all)."""
    shop = ask.shop() if "shop" in ask.query else None
    limit = int(ask.query["limit"]) if "limit" in ask.query else None
    return {"orders": [told(order) for order in ask.sandbox.orders.last(limit, shop)]}


def show_order(ask: Ask) -> dict[str, Any]:
    """One order with its fulfilment orders, parcels, transactions, refunds and returns."""
    return told(order_of(ask))


def place_order(ask: Ask) -> dict[str, Any]:
    """``{"lines": [{"sku" or "item" or "title", "quantity", "location"?}], …}``: committed +q, available −q. With ``till`` (a
    location) sold there over the counter: taken along at once."""
    shop = ask.shop()
    ask.need("lines")
    till = ask.body.get("till")
    if till is None:
        return told(_placed(ask, shop, wanted_of(shop, ask.body)))
    order = _placed(ask, shop, wanted_of(shop, {**ask.body, "location": till, "source_name": "pos"}))
    return step(order, lambda: fulfill(order, portions_of(order, None), ask.sandbox.clock.stamp(), []))


def _placed(ask: Ask, shop: Shop, wanted: Wanted) -> Any:
    try:
        return place(ask.sandbox.orders, shop, wanted, ask.sandbox.clock.stamp())
    except OrderRefused as refused:
        raise ControlError(str(refused), "docs/adapters/sandbox.md describes an order.", 409) from None


def place_batch(ask: Ask) -> dict[str, Any]:
    """``{"count": 1000, "lines": 2?, "quantity": 1?}``: so many paid orders of one-after-another items, for load."""
    shop, count = ask.shop(), whole(ask.need("count"), "count")
    lines, quantity = whole(ask.body.get("lines", 1), "lines"), whole(ask.body.get("quantity", 1), "quantity")
    if not 0 < count <= MAX_BATCH or not shop.items or lines < 1:
        raise ControlError(
            f"{count} orders can't be placed.", f"Send a count from 1 to {MAX_BATCH:,}; the shop needs items."
        )
    first, start = None, len(shop.orders.rows) * lines
    for n in range(count):
        items = [shop.items[(start + n * lines + i) % len(shop.items)] for i in range(lines)]
        order = _placed(ask, shop, Wanted([WantedLine(quantity, item) for item in items], payments=[WantedPayment()]))
        first = first or order
    return {"count": count, "first": first.number if first else None, "last": order.number}


def fulfill_order(ask: Ask) -> dict[str, Any]:
    """Ship all that remains, or ``{"lines": [{"line": 1, "quantity": 2}], "tracking"?}``: committed −q, on_hand −q."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    tracking = [dict(ask.body["tracking"])] if ask.body.get("tracking") else []
    return step(order, lambda: fulfill(order, portions_of(order, quantities_of(ask)), stamp, tracking))


def cancel_order(ask: Ask) -> dict[str, Any]:
    """``{"restock": true}`` (default): committed −q, available +q; false: committed −q only. ``refund`` (true), ``reason``."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    restock, back = bool(ask.body.get("restock", True)), bool(ask.body.get("refund", True))
    reason = str(ask.body.get("reason", "CUSTOMER")).upper()
    return step(order, lambda: cancel(order, stamp, restock=restock, give_money_back=back, reason=reason))


def restock_order(ask: Ask) -> dict[str, Any]:
    """Take shipped goods back without money: available +q, on_hand +q, where they came from or at ``location``."""
    order, quantities = order_of(ask), quantities_of(ask)
    spot = location_of(order.shop, ask.body["location"]) if "location" in ask.body else None

    def act() -> None:
        back = (
            {line.number: line.fulfilled - line.returned for line in order.lines} if quantities is None else quantities
        )
        units = [RefundedUnits(order.line(number), q, "RETURN", spot) for number, q in back.items() if q]
        for unit in units:
            left = unit.line.fulfilled - unit.line.returned
            if unit.quantity > left:
                raise OrderRefused(f"Line {unit.line.number} of order {order.number} has only {left} shipped.")
        refund(order, WantedRefund(units, money=[]), ask.sandbox.clock.stamp())

    return step(order, act)
