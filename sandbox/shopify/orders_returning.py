"""Returns: requested, opened, processed into a refund, closed; exchange lines join the order (reference §6.4)."""

from __future__ import annotations

from typing import Any

from .orders import Line, Order, OrderRefused
from .orders_back import ExchangeLine, Refund, Return, ReturnLine
from .orders_editing import add_line
from .orders_placing import WantedLine
from .orders_refunding import MoneyBack, RefundedUnits, WantedRefund, refund
from .orders_shipping import release_hold
from .orders_steps import changed, keep, new_gid, number_of
from .orders_work import FulfillmentLine
from .rows import Location


def open_return(
    order: Order, quantities: dict[int, int], exchange: list[WantedLine], stamp: str, *, requested: bool, note: str
) -> Return:
    """A return of shipped units, by line number; with `requested` it waits for approval. Raises `OrderRefused`."""
    with order.shop.lock:
        chosen = [
            row for number, quantity in quantities.items() for row in _shipped(order, order.line(number), quantity)
        ]
        if not chosen:
            raise OrderRefused("A return needs at least one shipped unit.")
        gid = new_gid(order.shop, "Return")
        name = f"{order.name}-R{len(order.returns) + 1}"
        made = Return(gid, number_of(gid), name, order, stamp, stamp, "REQUESTED" if requested else "OPEN")
        made.request_approved_at = None if requested else stamp
        for parcel_line, quantity in chosen:
            row = ReturnLine(new_gid(order.shop, "ReturnLineItem"), parcel_line, quantity, return_reason_note=note)
            made.lines.append(row)
        for each in exchange:
            row_gid = new_gid(order.shop, "ExchangeLineItem")
            made.exchange_lines.append(ExchangeLine(row_gid, each.quantity, {"wanted": each}))
        if not requested:
            _send_exchange(made, stamp)
        order.returns.append(made)
        keep(order.shop, made)
        changed(order, stamp, ("returns/request" if requested else "returns/approve", made))
        return made


def _expected(order: Order, parcel_line: FulfillmentLine) -> int:
    rows = [r for each in order.returns if each.status in ("OPEN", "REQUESTED") for r in each.lines]
    return sum(r.unprocessed_quantity for r in rows if r.fulfillment_line_item is parcel_line)


def _shipped(order: Order, line: Line, quantity: int) -> list[tuple[FulfillmentLine, int]]:
    rows, left = [], quantity
    for parcel in order.fulfillments:
        for each in parcel.lines if parcel.status == "SUCCESS" else ():
            free = each.quantity - each.returned - _expected(order, each) if each.line_item is line else 0
            taken = min(left, free)
            if taken > 0:
                rows.append((each, taken))
                left -= taken
    if left or quantity <= 0:
        raise OrderRefused(f"Line {line.number} of order {order.number} has only {quantity - left} units to return.")
    return rows


def decide(made: Return, stamp: str, *, approve: bool, note: str = "") -> Return:
    """Approve or decline a requested return. Raises `OrderRefused`."""
    with made.order.shop.lock:
        if made.status != "REQUESTED":
            raise OrderRefused(f"Return {made.name} is {made.status}; only a requested one is decided.")
        made.status = "OPEN" if approve else "DECLINED"
        made.request_approved_at = stamp if approve else None
        if approve:
            _send_exchange(made, stamp)
        made.decline = None if approve else {"note": note, "reason": "OTHER"}
        return _tell(made, "returns/approve" if approve else "returns/decline", stamp)


def process(
    made: Return, stamp: str, *, restock: bool, place: Location | None, money: list[MoneyBack] | None
) -> Refund:
    """The goods are back: they are restocked or not, money goes back as `money` says, exchange lines join the order.

    Raises `OrderRefused`.
    """
    order = made.order
    with order.shop.lock:
        if made.status != "OPEN":
            raise OrderRefused(f"Return {made.name} is {made.status}; only an open one is processed.")
        rows = [row for row in made.lines if row.unprocessed_quantity]
        if not rows:
            raise OrderRefused(f"Return {made.name} is processed already.")
        kind = "RETURN" if restock else "NO_RESTOCK"
        units = [RefundedUnits(r.fulfillment_line_item.line_item, r.unprocessed_quantity, kind, place) for r in rows]
        given = refund(order, WantedRefund(units, money, note=f"Return {made.name}", origin=made), stamp)
        for row in rows:
            row.fulfillment_line_item.returned += row.unprocessed_quantity
            row.refunded_quantity = row.processed_quantity = row.quantity
        for each in made.exchange_lines:
            each.processed_quantity = each.quantity
            _let_go(order, each, stamp)
        _tell(made, "returns/process", stamp)
        return given


def _send_exchange(made: Return, stamp: str) -> None:
    for each in made.exchange_lines:
        each.line_items = [add_line(made.order, each.description["wanted"], stamp, exchange=True)]


def _let_go(order: Order, exchanged: ExchangeLine, stamp: str) -> None:
    for fo in order.fulfillment_orders:
        if fo.status == "ON_HOLD" and any(entry.line_item in exchanged.line_items for entry in fo.lines):
            release_hold(fo, stamp)


def close(made: Return, stamp: str, *, status: str = "CLOSED") -> Return:
    """Close or cancel a return. Raises `OrderRefused`."""
    with made.order.shop.lock:
        if made.status not in ("OPEN", "REQUESTED"):
            raise OrderRefused(f"Return {made.name} is {made.status} already.")
        made.status = status
        made.closed_at = stamp if status == "CLOSED" else None
        return _tell(made, "returns/close" if status == "CLOSED" else "returns/cancel", stamp)


def _tell(made: Return, topic: str, stamp: str) -> Return:
    made.updated_at = stamp
    changed(made.order, stamp, (topic, made))
    return made


def as_json(made: Return) -> dict[str, Any]:
    """The return as the control API shows it."""
    refunds = [each.gid for each in made.order.refunds if each.origin is made]
    return {"gid": made.gid, "name": made.name, "status": made.status, "refunds": refunds}
