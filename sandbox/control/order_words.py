"""What control calls say of orders, read into what `sandbox.shopify` places, adds and refunds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.shopify.catalogue import Shop
from sandbox.shopify.orders import Order, OrderRefused, Transaction
from sandbox.shopify.orders_back import Return
from sandbox.shopify.orders_placing import Wanted, WantedDiscount, WantedLine, WantedPayment, WantedShipping
from sandbox.shopify.orders_refunding import MoneyBack
from sandbox.shopify.orders_totals import (
    current_total,
    financial_status,
    fulfillment_status,
    order_total,
    outstanding,
    received,
    refunded,
)
from sandbox.shopify.orders_work import FulfillmentOrder

from .asking import Ask, ControlError, item_of, location_of, rows_of, whole

_ABOUT = ("note", "tags", "attributes", "po_number", "source_identifier", "customer", "shipping_address",
          "billing_address", "company", "localized_fields", "metafields", "source_name", "taxes_included", "tax_exempt",
          "duties_included", "test")  # fmt: skip


def decimal_of(value: object, name: str) -> Decimal:
    """An amount from a JSON number or text. Raises `ControlError`."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidOperation
        return Decimal(str(value))
    except InvalidOperation:
        raise ControlError(f"{name} is {value!r}, not an amount.", f'Send {name} as a text: "12.50".') from None


def optional(given: dict[str, Any], name: str) -> Decimal | None:
    """An amount that may be left out."""
    return None if given.get(name) is None else decimal_of(given[name], name)


def line_of(shop: Shop, given: dict[str, Any], place: object = None) -> WantedLine:
    """A line: ``sku`` or ``item``, or ``title`` for a custom one; ``quantity``, ``price``, ``location``, ``discount``, …"""
    item = None
    if "sku" in given or "item" in given or "title" not in given:
        item = item_of(shop, given)
    where = given.get("location") or place
    return WantedLine(
        whole(given.get("quantity", 1), "quantity"),
        item,
        None if where is None else location_of(shop, where),
        given.get("title"),
        optional(given, "price"),
        optional(given, "discount") or Decimal(0),
        optional(given, "tax_rate"),
        optional(given, "duty") or Decimal(0),
        given.get("gift_card"),
        bool(given.get("taxable", True)),
        bool(given.get("requires_shipping", True)),
        dict(given.get("attributes") or {}),
    )


def wanted_of(shop: Shop, body: dict[str, Any]) -> Wanted:
    """A whole order; see docs/adapters/sandbox.md for every word."""
    lines = body.get("lines")
    if lines is None:
        raise ControlError("The body has no 'lines'.", 'Send "lines": [{"sku": "…", "quantity": 1}].')
    wanted = Wanted([line_of(shop, row, body.get("location")) for row in rows_of(body, "lines")])
    wanted.shipping = [_shipping(row) for row in rows_of(body, "shipping")]
    wanted.discounts = [_discount(row) for row in rows_of(body, "discounts")]
    wanted.payments = _payments(body)
    wanted.buyer_currency = body.get("presentment_currency")
    wanted.rate = optional(body, "rate") or Decimal(1)
    wanted.tax_rate = optional(body, "tax_rate") or Decimal(0)
    wanted.tip, wanted.rounding = optional(body, "tip"), optional(body, "cash_rounding")
    wanted.created_at, wanted.processed_at = body.get("created_at"), body.get("processed_at")
    wanted.about = {name: body[name] for name in _ABOUT if name in body}
    wanted.about["test"] = bool(body.get("test"))
    return wanted


def _shipping(row: dict[str, Any]) -> WantedShipping:
    price = optional(row, "price") or Decimal(0)
    title = str(row.get("title", "Standard"))
    return WantedShipping(title, price, row.get("code"), optional(row, "tax_rate"), bool(row.get("removed")))


def _discount(row: dict[str, Any]) -> WantedDiscount:
    name, kind = str(row.get("code") or row.get("title") or "Discount"), "code" if "code" in row else "automatic"
    amount, percent = optional(row, "amount"), optional(row, "percent")
    if (amount is None) is (percent is None):
        raise ControlError(f"The discount {name} says not how much.", "Send amount, or percent.")
    return WantedDiscount(name, str(row.get("kind", kind)), amount, percent, bool(row.get("on_shipping")))


def _payments(body: dict[str, Any]) -> list[WantedPayment]:
    if "transactions" in body:
        return [payment_of(row) for row in rows_of(body, "transactions")]
    how, gateway = body.get("payment", "paid"), str(body.get("gateway", "bogus"))
    first = []
    if body.get("gift_card") is not None:
        first = [WantedPayment(gateway="gift_card", amount=decimal_of(body["gift_card"], "gift_card"))]
    known = {
        "paid": [WantedPayment("SALE", gateway=gateway)],
        "pending": [WantedPayment("SALE", "PENDING", gateway)],
        "authorized": [WantedPayment("AUTHORIZATION", gateway=gateway)],
        "failed": [WantedPayment("SALE", "FAILURE", gateway, error_code="CARD_DECLINED")],
        "none": [],
    }
    if how not in known:
        raise ControlError(f"There is no payment {how!r}.", f"Use one of: {', '.join(known)}; or send transactions.")
    return [*first, *known[how]]


def payment_of(row: dict[str, Any]) -> WantedPayment:
    """A transaction: ``kind``, ``status``, ``gateway``, ``amount``, ``test``."""
    kind, status = str(row.get("kind", "SALE")).upper(), str(row.get("status", "SUCCESS")).upper()
    return WantedPayment(kind, status, str(row.get("gateway", "bogus")), optional(row, "amount"), row.get("test"))


def money_back(body: dict[str, Any]) -> list[MoneyBack] | None:
    """``money``: null or absent = as much as the goods are worth, ``"none"``, an amount, or a list of transactions."""
    said = body.get("money")
    if said is None:
        return None
    if said == "none":
        return []
    if isinstance(said, list):
        return [
            MoneyBack(optional(row, "amount"), str(row.get("status", "SUCCESS")).upper(), row.get("gateway"))
            for row in said
        ]
    return [MoneyBack(decimal_of(said, "money"), str(body.get("status", "SUCCESS")).upper(), body.get("gateway"))]


# ── finding rows ──


def order_of(ask: Ask) -> Order:
    """The order that the call's path names. Raises `ControlError`."""
    number = int(ask.parts["number"])
    order = ask.sandbox.orders.find(number)
    if isinstance(order, Order):
        return order
    raise ControlError(f"There is no order {number}.", "GET /_control/orders lists them.", 404)


def row_of(order: Order, rows: list[Any], gid: object, what: str) -> Any:
    """One of an order's rows by its gid; the newest when nothing is said. Raises `ControlError`."""
    if gid is None and rows:
        return rows[-1]
    for row in rows:
        if row.gid == str(gid):
            return row
    known = ", ".join(row.gid for row in rows) or "none yet"
    raise ControlError(f"Order {order.number} has no {what} {gid or ''}.".replace(" .", "."), f"It has: {known}.", 404)


def quantities_of(ask: Ask) -> dict[int, int] | None:
    """``lines``: [{line, quantity}] as quantities by line number; None when nothing is said."""
    if ask.body.get("lines") is None:
        return None
    return {whole(r["line"], "line"): whole(r["quantity"], "quantity") for r in rows_of(ask.body, "lines")}


def step(order: Order, act: Callable[[], Any]) -> dict[str, Any]:
    """Carry out a step and show the order. What can't be done is answered with its reason."""
    try:
        act()
    except OrderRefused as refused:
        raise ControlError(str(refused), "GET /_control/orders shows what remains of each line.", 409) from None
    return told(order)


def told(order: Order) -> dict[str, Any]:
    """The order as the control API shows it."""
    return {
        "id": order.number,
        "gid": order.gid,
        "name": order.name,
        "shop": order.shop.domain,
        "created_at": order.created_at,
        "processed_at": order.processed_at,
        "updated_at": order.updated_at,
        "cancelled_at": order.cancelled_at,
        "test": order.test,
        "financial_status": financial_status(order),
        "fulfillment_status": fulfillment_status(order),
        "total": str(order_total(order).shop),
        "current_total": str(current_total(order).shop),
        "received": str(received(order).shop),
        "refunded": str(refunded(order).shop),
        "outstanding": str(outstanding(order).shop),
        "lines": [_line(order, line) for line in order.lines],
        "fulfillment_orders": [_work(fo) for fo in order.fulfillment_orders],
        "fulfillments": [{"gid": f.gid, "name": f.name, "status": f.status} for f in order.fulfillments],
        "transactions": [_movement(t) for t in order.transactions],
        "refunds": [{"gid": r.gid, "total": str(r.total_refunded_set.shop)} for r in order.refunds],
        "returns": [_return(order, r) for r in order.returns],
    }


def _line(order: Order, line: Any) -> dict[str, Any]:
    places = [fo.location.gid for fo in order.fulfillment_orders if any(e.line_item is line for e in fo.lines)]
    return {
        "line": line.number,
        "gid": line.gid,
        "item": line.item.gid if line.item else None,
        "sku": line.sku,
        "location": places[-1] if places else None,
        "quantity": line.quantity,
        "current": line.current_quantity,
        "remaining": order.unfulfilled(line),
        "fulfilled": line.fulfilled,
        "cancelled": line.cancelled,
    }


def _work(fo: FulfillmentOrder) -> dict[str, Any]:
    return {"gid": fo.gid, "status": fo.status, "location": fo.location.gid, "remaining": fo.remaining}


def _movement(t: Transaction) -> dict[str, Any]:
    return {"gid": t.gid, "kind": t.kind, "status": t.status, "gateway": t.gateway, "amount": str(t.amount_set.buyer)}


def _return(order: Order, made: Return) -> dict[str, Any]:
    refunds = [each.gid for each in order.refunds if each.origin is made]
    return {"gid": made.gid, "name": made.name, "status": made.status, "refunds": refunds}
