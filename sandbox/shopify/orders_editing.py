"""Editing a placed order: lines added, grown, taken off; words changed (reference §6.4). A line's quantity never shrinks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .orders import Edit, Line, Order, OrderRefused
from .orders_back import Refund
from .orders_placing import WantedLine, allocate, new_line, tax_line
from .orders_refunding import put_back
from .orders_steps import changed, fulfillment_order_at, new_gid, take_work


def add_line(order: Order, wanted: WantedLine, stamp: str, *, exchange: bool = False) -> Line:
    """Add a line: its stock is committed. Lines of an exchange wait on hold for the goods that come back."""
    with order.shop.lock:
        _check_open(order)
        if wanted.quantity <= 0:
            raise OrderRefused("A line's quantity is 1 or more.")
        line = new_line(order, wanted)
        order.lines.append(line)
        tax_line(order, line, wanted.tax_rate or Decimal(0))
        allocate(order, line, wanted.location, stamp, hold="AWAITING_RETURN_ITEMS" if exchange else None)
        order.edited = True
        _tell(order, stamp, additions=[(line, line.quantity)], removals=[])
        return line


def set_quantity(order: Order, line: Line, quantity: int, stamp: str, *, restock: bool = True) -> Line:
    """Change what is current of a line: more is a new line in effect on the same row, less is taken off what waits.

    Raises `OrderRefused` where shipped units would have to go.
    """
    with order.shop.lock:
        _check_open(order)
        change = quantity - line.current_quantity
        if quantity < 0 or -change > order.unfulfilled(line):
            least = line.current_quantity - order.unfulfilled(line)
            raise OrderRefused(f"Line {line.number} of order {order.number} can't be less than {max(0, least)}.")
        if change > 0:
            _grow(order, line, change, stamp)
            _tell(order, stamp, additions=[(line, change)], removals=[])
        elif change < 0:
            made = put_back(order, line, -change, stamp) if restock else None
            if made is None:
                take_work(order, line, -change, stamp, restock)
                line.removed -= change
            _tell(order, stamp, additions=[], removals=[(line, -change)], refund=made)
        return line


def _grow(order: Order, line: Line, more: int, stamp: str) -> None:
    before = line.quantity
    line.quantity += more
    for tax in line.tax_lines:
        tax.price_set = line.net.tax(tax.rate, order.taxes_included)
    held = next((fo for fo in order.fulfillment_orders if any(e.line_item is line for e in fo.lines)), None)
    place = held.location if held is not None else fulfillment_order_at(order, order.shop.locations[0], stamp).location
    line.quantity = more  # only the new units are allocated
    allocate(order, line, place, stamp)
    line.quantity = before + more


def _check_open(order: Order) -> None:
    if order.cancelled_at is not None:
        raise OrderRefused(f"Order {order.number} is cancelled; it can't be edited.")


def _tell(
    order: Order,
    stamp: str,
    additions: list[tuple[Line, int]],
    removals: list[tuple[Line, int]],
    refund: Refund | None = None,
) -> None:
    order.edited = True
    units = [*additions, *((line, -taken) for line, taken in removals)]
    order.edits.append(Edit(new_gid(order.shop, "OrderEditAgreement"), order, stamp, units, refund))
    edit: dict[str, Any] = {"order": order, "additions": additions, "removals": removals, "at": stamp}
    changed(order, stamp, ("orders/edited", edit))


_WORDS = ("note", "tags", "attributes", "po_number", "customer", "shipping_address", "billing_address")


def describe(order: Order, words: dict[str, Any], stamp: str) -> Order:
    """Change note, tags, attributes, PO number, customer or addresses. Raises `OrderRefused` for anything else."""
    with order.shop.lock:
        for name, value in words.items():
            if name not in _WORDS:
                raise OrderRefused(f"{name!r} of an order can't be changed. Use: {', '.join(_WORDS)}.")
            setattr(order, name, value)
        changed(order, stamp)
        return order
