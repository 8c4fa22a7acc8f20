"""A merchant's actions on orders over the API: refund, cancel, ship, move (reference §6.3–6.5), and what a refund would be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import orders_totals as totals
from .execution import Run
from .inventory import Payload
from .jobs import new_job
from .orders import Order, OrderRefused
from .orders_money import Bag, total
from .orders_refunding import (
    MoneyBack,
    RefundedUnits,
    WantedRefund,
    cancel,
    check_refund,
    left_of,
    payments,
    refund,
    refundable,
    worth,
)
from .orders_shipping import cancel_fulfillment, fulfill, move
from .orders_work import Fulfillment, FulfillmentOrder, FulfillmentOrderLine
from .rows import Location
from .world import World

REASONS_OF_INPUT = {"CUSTOMER": "CUSTOMER", "DAMAGE": "DAMAGE", "RESTOCK": "RESTOCK"}


class Misplaced(Exception):
    """One input field can't be used: its path and why."""

    def __init__(self, path: list[str], message: str) -> None:
        super().__init__(message)
        self.error = {"field": path, "message": message}


def create_refund(world: World, arguments: dict[str, Any]) -> Payload:
    """`refundCreate`. Amounts are in the buyer's currency, which must be named where it is not the shop's."""
    given = arguments["input"]
    try:
        order = _order(world, given["orderId"], ["orderId"])
        if given.get("currency") is None and order.tender.buyer != order.tender.shop:
            raise Misplaced(["currency"], "Currency must be specified for a multi-currency order")
        wanted = _wanted(world, order, given)
        made = refund(order, wanted, world.clock.stamp())
    except Misplaced as problem:
        return {"refund": None, "order": None, "userErrors": [problem.error]}
    except OrderRefused as refused:
        return {"refund": None, "order": None, "userErrors": [{"field": None, "message": str(refused)}]}
    return {"refund": made, "order": order, "userErrors": []}


def _order(world: World, gid: str, path: list[str]) -> Order:
    row = world.shop.by_gid.get(gid)
    if not isinstance(row, Order):
        raise Misplaced(path, "Order does not exist")
    return row


def _wanted(world: World, order: Order, given: dict[str, Any]) -> WantedRefund:
    money: list[MoneyBack] = []
    wanted = WantedRefund(units=_units(world, order, given.get("refundLineItems") or []), money=money)
    for i, row in enumerate(wanted.units):
        if row.restock_type == "LEGACY_RESTOCK":
            message = "Restock type LEGACY_RESTOCK is not accepted: it describes old refunds only"
            raise Misplaced(["refundLineItems", str(i), "restockType"], message)
        try:
            check_refund(order, WantedRefund(units=wanted.units[: i + 1]))
        except OrderRefused as refused:
            raise Misplaced(["refundLineItems", str(i), "quantity"], str(refused)) from None
        if row.restock_type != "NO_RESTOCK" and row.location is None and row.line.item is not None:
            raise Misplaced(["refundLineItems", str(i), "locationId"], "Location is required when restocking")
    known = {t.gid: t for t in order.transactions}
    for i, row in enumerate(given.get("transactions") or []):
        if row["kind"] != "REFUND":
            raise Misplaced(["transactions", str(i), "kind"], "Kind must be refund")
        parent = known.get(row.get("parentId") or "")
        if row.get("parentId") and parent is None:
            raise Misplaced(["transactions", str(i), "parentId"], "Parent transaction does not exist")
        money.append(MoneyBack(Decimal(row["amount"]), gateway=row["gateway"], parent=parent))
    shipping = given.get("shipping") or {}
    wanted.full_shipping = bool(shipping.get("fullRefund"))
    wanted.shipping = shipping.get("amount")
    wanted.note, wanted.processed_at = given.get("note"), given.get("processedAt")
    wanted.over = bool(given.get("allowOverRefunding"))
    wanted.reason = REASONS_OF_INPUT.get(given.get("discrepancyReason") or "", "REFUND_DISCREPANCY")
    duties = {duty.gid: duty for line in order.lines for duty in line.duties}
    wanted.duties = [duties[row["dutyId"]] for row in given.get("refundDuties") or [] if row["dutyId"] in duties]
    return wanted


def _units(world: World, order: Order, rows: list[dict[str, Any]]) -> list[RefundedUnits]:
    lines = {line.gid: line for line in order.lines}
    units = []
    for i, row in enumerate(rows):
        line = lines.get(row["lineItemId"])
        if line is None:
            raise Misplaced(["refundLineItems", str(i), "lineItemId"], "Line item does not exist")
        place = world.shop.by_gid.get(row.get("locationId") or "")
        if row.get("locationId") and not isinstance(place, Location):
            raise Misplaced(["refundLineItems", str(i), "locationId"], "Location does not exist")
        units.append(RefundedUnits(line, row["quantity"], row.get("restockType") or "NO_RESTOCK", place))
    return units


def suggested_refund(order: Order, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    """`Order.suggestedRefund`: what the given units are worth, and which payments would give it back."""
    units = _asked_units(order, arguments, run)
    lines = worth(order, units)
    shipping = totals.current_shipping(order)
    asked_shipping = order.tender.nothing()
    if arguments.get("refundShipping") or arguments.get("suggestFullRefund"):
        asked_shipping = shipping
    elif arguments.get("shippingAmount") is not None:
        asked_shipping = order.tender.paid(arguments["shippingAmount"])
    subtotal = total([line.subtotal_set for line in lines], order.tender)
    tax = total([line.total_tax_set for line in lines], order.tender)
    amount = subtotal.plus(asked_shipping)
    amount = amount if order.taxes_included else amount.plus(tax)
    amount = min(amount, refundable(order), key=lambda bag: bag.buyer)
    zero = order.tender.nothing()
    return {
        "amountSet": amount,
        "subtotalSet": subtotal,
        "totalTaxSet": tax,
        "maximumRefundableSet": refundable(order),
        "shipping": {"amountSet": asked_shipping, "maximumRefundableSet": shipping, "taxSet": zero},
        "refundDuties": [],
        "refundLineItems": lines,
        "suggestedTransactions": _suggested(order, amount),
        "totalCartDiscountAmountSet": zero,
        "totalDutiesSet": zero,
    }


def _asked_units(order: Order, arguments: dict[str, Any], run: Run) -> list[RefundedUnits]:
    if arguments.get("suggestFullRefund"):
        return [RefundedUnits(line, line.current_quantity) for line in order.lines if line.current_quantity]
    rows = arguments.get("refundLineItems") or []
    known = {line.gid for line in order.lines}
    return [u for u in _units(run.world, order, [r for r in rows if r["lineItemId"] in known]) if u.quantity > 0]


def _suggested(order: Order, amount: Bag) -> list[dict[str, Any]]:
    rows, left = [], amount
    for payment in payments(order):
        back = min(left, left_of(order, payment), key=lambda bag: bag.buyer)
        if back.buyer > 0:
            rows.append(
                {
                    "gateway": payment.gateway,
                    "formattedGateway": payment.gateway,
                    "kind": "SUGGESTED_REFUND",
                    "amountSet": back,
                    "maximumRefundableSet": left_of(order, payment),
                    "parentTransaction": payment,
                }
            )
            left = left.minus(back)
    return rows


def cancel_order(world: World, arguments: dict[str, Any]) -> Payload:
    """`orderCancel`. The job it names is done when the answer arrives."""
    row = world.shop.by_gid.get(arguments["orderId"])
    if not isinstance(row, Order):
        return _not_cancelled("NOT_FOUND", ["orderId"], "Order does not exist")
    back = (arguments.get("refundMethod") or {}).get("originalPaymentMethodsRefund") or arguments.get("refund")
    closed = [fo.location for fo in row.fulfillment_orders if fo.remaining and not fo.location.active]
    if closed and arguments["restock"] and totals.received(row).buyer > 0:
        return _not_cancelled("INVALID", ["restock"], f"Cannot restock at {closed[0].name}: it is deactivated")
    try:
        cancel(
            row,
            world.clock.stamp(),
            restock=arguments["restock"] and not closed,
            give_money_back=bool(back),
            reason=arguments["reason"],
        )
    except OrderRefused as refused:
        return _not_cancelled("INVALID", ["orderId"], str(refused))
    job = new_job(world)
    return {"job": job, "orderCancelUserErrors": [], "userErrors": []}


def _not_cancelled(code: str, path: list[str], message: str) -> Payload:
    row = {"field": path, "message": message}
    return {"job": None, "orderCancelUserErrors": [{**row, "code": code}], "userErrors": [row]}


def create_fulfillment(world: World, arguments: dict[str, Any]) -> Payload:
    """`fulfillmentCreate`: parts of fulfilment orders of one order and one location."""
    given = arguments["fulfillment"]
    try:
        work = [_work(world, i, row) for i, row in enumerate(given["lineItemsByFulfillmentOrder"])]
        if not work:
            raise Misplaced(["fulfillment", "lineItemsByFulfillmentOrder"], "At least one fulfillment order is needed")
        if len({(fo.order.number, fo.location.gid) for fo, _ in work}) > 1:
            message = "All fulfillment orders must belong to one order and one location"
            raise Misplaced(["fulfillment", "lineItemsByFulfillmentOrder"], message)
        order = work[0][0].order
        portions = {fo.gid: rows for fo, rows in work}
        made = fulfill(order, portions, world.clock.stamp(), _tracking(given.get("trackingInfo") or {}))
    except Misplaced as problem:
        return {"fulfillment": None, "userErrors": [problem.error]}
    except OrderRefused as refused:
        return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": str(refused)}]}
    return {"fulfillment": made[0], "userErrors": []}


def _work(world: World, i: int, row: dict[str, Any]) -> tuple[FulfillmentOrder, list[tuple[FulfillmentOrderLine, int]]]:
    path = ["fulfillment", "lineItemsByFulfillmentOrder", str(i)]
    fo = world.shop.by_gid.get(row["fulfillmentOrderId"])
    if not isinstance(fo, FulfillmentOrder):
        raise Misplaced([*path, "fulfillmentOrderId"], "Fulfillment order does not exist")
    entries = {entry.gid: entry for entry in fo.lines}
    asked = row.get("fulfillmentOrderLineItems")
    if asked is None:
        portions = [(entry, entry.remaining_quantity) for entry in fo.lines if entry.remaining_quantity]
    elif unknown := [each["id"] for each in asked if each["id"] not in entries]:
        raise Misplaced(
            [*path, "fulfillmentOrderLineItems"], f"Fulfillment order line item {unknown[0]} does not exist"
        )
    else:
        portions = [(entries[each["id"]], each["quantity"]) for each in asked]
    if not portions:
        raise Misplaced(path, f"Fulfillment order is {fo.status.lower()}; nothing of it is left to ship")
    return fo, portions


def _tracking(given: dict[str, Any]) -> list[dict[str, str | None]]:
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    return [
        {"company": given.get("company"), "number": number, "url": urls[i] if i < len(urls) else None}
        for i, number in enumerate(numbers)
    ]


def undo_fulfillment(world: World, arguments: dict[str, Any]) -> Payload:
    """`fulfillmentCancel`."""
    row = world.shop.by_gid.get(arguments["id"])
    if not isinstance(row, Fulfillment):
        return {"fulfillment": None, "userErrors": [{"field": ["id"], "message": "Fulfillment does not exist"}]}
    try:
        cancel_fulfillment(row, world.clock.stamp())
    except OrderRefused as refused:
        return {"fulfillment": None, "userErrors": [{"field": ["id"], "message": str(refused)}]}
    return {"fulfillment": row, "userErrors": []}


def move_fulfillment_order(world: World, arguments: dict[str, Any]) -> Payload:
    """`fulfillmentOrderMove`: the committed stock moves along."""
    fo, place = world.shop.by_gid.get(arguments["id"]), world.shop.by_gid.get(arguments["newLocationId"])
    if not isinstance(fo, FulfillmentOrder):
        return _not_moved("FULFILLMENT_ORDER_NOT_FOUND", ["id"], "Fulfillment order does not exist")
    if not isinstance(place, Location):
        return _not_moved("LOCATION_NOT_FOUND", ["newLocationId"], "Location does not exist")
    rows = arguments.get("fulfillmentOrderLineItems")
    try:
        moved = move(fo, place, {r["id"]: r["quantity"] for r in rows} if rows else None, world.clock.stamp())
    except OrderRefused as refused:
        return _not_moved(None, ["id"], str(refused))
    rest = fo if fo.remaining else None
    return {
        "movedFulfillmentOrder": moved,
        "originalFulfillmentOrder": fo,
        "remainingFulfillmentOrder": rest,
        "userErrors": [],
    }


def _not_moved(code: str | None, path: list[str], message: str) -> Payload:
    none = dict.fromkeys(("movedFulfillmentOrder", "originalFulfillmentOrder", "remainingFulfillmentOrder"))
    return {**none, "userErrors": [{"code": code, "field": path, "message": message}]}
