"""Orders placed by a shop's customers, shipped and cancelled by its staff."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.orders import Order, OrderRefused

from .asking import Ask, ControlError, item_of, location_of, whole


def list_orders(ask: Ask) -> dict[str, Any]:
    """All orders, or those of one shop."""
    orders = [order.as_json() for order in ask.sandbox.orders.all()]
    if "shop" in ask.query:
        orders = [order for order in orders if order["shop"] == ask.shop().domain]
    return {"orders": orders}


def place_order(ask: Ask) -> dict[str, Any]:
    """``{"lines": [{"sku" or "item", "quantity", "location"?}], "test"?}``: committed +q, available −q."""
    shop = ask.shop()
    lines = ask.need("lines")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise ControlError("'lines' is not a list of objects.", 'Send [{"sku": "…", "quantity": 1}].')
    wanted = [
        (
            item_of(shop, line),
            location_of(shop, line.get("location") or ask.body.get("location")),
            whole(line.get("quantity", 1), "quantity"),
        )
        for line in lines
    ]
    return _step(lambda: ask.sandbox.orders.place(shop, wanted, ask.sandbox.clock.stamp(), bool(ask.body.get("test"))))


def fulfill_order(ask: Ask) -> dict[str, Any]:
    """Ship all that remains, or ``{"lines": [{"line": 1, "quantity": 2}]}``: committed −q, on_hand −q."""
    book = ask.sandbox.orders
    return _step(lambda: book.fulfill(_order(ask), _quantities(ask), ask.sandbox.clock.stamp()))


def cancel_order(ask: Ask) -> dict[str, Any]:
    """``{"restock": true}`` (default): committed −q, available +q; false: committed −q only."""
    book = ask.sandbox.orders
    return _step(lambda: book.cancel(_order(ask), bool(ask.body.get("restock", True)), ask.sandbox.clock.stamp()))


def restock_order(ask: Ask) -> dict[str, Any]:
    """Take shipped goods back: available +q, on_hand +q, where they came from or at ``location``."""
    order = _order(ask)
    place = location_of(order.shop, ask.body["location"]) if "location" in ask.body else None
    return _step(lambda: ask.sandbox.orders.restock(order, _quantities(ask), place, ask.sandbox.clock.stamp()))


def _order(ask: Ask) -> Order:
    try:
        return ask.sandbox.orders.get(int(ask.parts["number"]))
    except OrderRefused as refused:
        raise ControlError(str(refused), "GET /_control/orders lists them.", 404) from None


def _quantities(ask: Ask) -> dict[int, int] | None:
    lines = ask.body.get("lines")
    if lines is None:
        return None
    return {whole(line["line"], "line"): whole(line["quantity"], "quantity") for line in lines}


def _step(act: Any) -> dict[str, Any]:
    try:
        order: Order = act()
    except OrderRefused as refused:
        raise ControlError(str(refused), "GET /_control/orders shows what remains of each line.", 409) from None
    return order.as_json()
