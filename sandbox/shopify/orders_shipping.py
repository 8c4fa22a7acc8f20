"""Shipping: fulfilling, cancelling a fulfilment, moving and holding fulfilment orders (reference §6.5)."""

from __future__ import annotations

from .orders import Order, OrderRefused
from .orders_steps import add_work, changed, fulfillment_order_at, keep, move_stock, new_gid, number_of, settle
from .orders_work import Fulfillment, FulfillmentLine, FulfillmentOrder, FulfillmentOrderLine, Hold
from .rows import AVAILABLE, COMMITTED, Location

Portion = tuple[FulfillmentOrderLine, int]


def fulfill(
    order: Order, portions: dict[str, list[Portion]], stamp: str, tracking: list[dict[str, str | None]]
) -> list[Fulfillment]:
    """Ship portions of fulfilment orders (by their id), one parcel each: committed −q, so on_hand −q. Raises `OrderRefused`."""
    with order.shop.lock:
        work = [(_open(order, gid), rows) for gid, rows in portions.items()]
        for fo, rows in work:
            for entry, quantity in rows:
                _check(order, fo, entry, quantity)
        return [_ship(order, fo, rows, stamp, tracking) for fo, rows in work if rows]


def _open(order: Order, gid: str) -> FulfillmentOrder:
    if order.cancelled_at is not None:
        raise OrderRefused(f"Order {order.number} is cancelled; nothing of it can be shipped.")
    for fo in order.fulfillment_orders:
        if fo.gid == gid:
            if fo.status == "ON_HOLD":
                raise OrderRefused(f"Fulfillment order {gid} is on hold; release it first.")
            return fo
    raise OrderRefused(f"Order {order.number} has no fulfillment order {gid}.")


def _check(order: Order, fo: FulfillmentOrder, entry: FulfillmentOrderLine, quantity: int) -> None:
    if not 0 < quantity <= entry.remaining_quantity:
        line = entry.line_item.number
        raise OrderRefused(f"Line {line} of order {order.number} has {entry.remaining_quantity} left to ship.")


def _ship(
    order: Order, fo: FulfillmentOrder, rows: list[Portion], stamp: str, tracking: list[dict[str, str | None]]
) -> Fulfillment:
    shop = order.shop
    gid = new_gid(shop, "Fulfillment")
    name = f"{order.name}-F{len(order.fulfillments) + 1}"
    made = Fulfillment(gid, number_of(gid), name, order, fo, fo.location, stamp, stamp, tracking=list(tracking))
    for entry, quantity in rows:
        entry.remaining_quantity -= quantity
        entry.line_item.fulfilled += quantity
        made.lines.append(FulfillmentLine(new_gid(shop, "FulfillmentLineItem"), entry.line_item, quantity, entry))
        move_stock(shop, entry.line_item.item, fo.location, stamp, (COMMITTED, -quantity))
    order.fulfillments.append(made)
    keep(shop, made)
    settle(fo, stamp)
    left = any(each.remaining for each in order.fulfillment_orders)
    news = "orders/partially_fulfilled" if left else "orders/fulfilled"
    changed(order, stamp, ("fulfillments/create", made), (news, order))
    return made


def portions_of(order: Order, quantities: dict[int, int] | None) -> dict[str, list[Portion]]:
    """What to ship: so many per line number, or all that remains and is not on hold. Raises `OrderRefused`."""
    out: dict[str, list[Portion]] = {}
    if quantities is None:
        for fo in order.fulfillment_orders:
            rows = [(entry, entry.remaining_quantity) for entry in fo.lines if entry.remaining_quantity]
            if rows and fo.status != "ON_HOLD":
                out[fo.gid] = rows
        if not out and order.cancelled_at is not None:
            raise OrderRefused(f"Order {order.number} is cancelled; nothing of it can be shipped.")
        return out
    for number, quantity in quantities.items():
        line, wanted = order.line(number), quantity
        waiting = order.unfulfilled(line)
        if not 0 < quantity <= waiting:
            raise OrderRefused(f"Line {number} of order {order.number} has {waiting} left to ship.")
        for fo in order.fulfillment_orders:
            for entry in fo.lines:
                taken = min(wanted, entry.remaining_quantity) if entry.line_item is line else 0
                if taken:
                    out.setdefault(fo.gid, []).append((entry, taken))
                    wanted -= taken
    return out


def cancel_fulfillment(made: Fulfillment, stamp: str) -> Fulfillment:
    """Take a parcel back before it left: committed +q, on_hand +q; its units wait again. Raises `OrderRefused`."""
    order, fo = made.order, made.fulfillment_order
    with order.shop.lock:
        if made.status != "SUCCESS":
            raise OrderRefused(f"Fulfillment {made.name} is cancelled already.")
        if any(line.returned for line in made.lines):
            raise OrderRefused(f"Goods of fulfillment {made.name} came back already; it can't be cancelled.")
        if order.cancelled_at is not None:
            raise OrderRefused(f"Order {order.number} is cancelled; its fulfillments stay as they are.")
        made.status, made.updated_at = "CANCELLED", stamp
        for line in made.lines:
            line.line_item.fulfilled -= line.quantity
            line.source.remaining_quantity += line.quantity
            move_stock(order.shop, line.line_item.item, made.location, stamp, (COMMITTED, line.quantity))
        fo.status, fo.updated_at = "OPEN", stamp
        changed(order, stamp, ("fulfillments/update", made))
        return made


def move(fo: FulfillmentOrder, place: Location, quantities: dict[str, int] | None, stamp: str) -> FulfillmentOrder:
    """Let another location ship what waits (all, or so many per fulfilment order line id): its committed stock moves along.

    Returns the fulfilment order that ships it now. Raises `OrderRefused`.
    """
    order = fo.order
    with order.shop.lock:
        if not fo.remaining or fo.status not in ("OPEN", "ON_HOLD", "SCHEDULED"):
            raise OrderRefused(f"Fulfillment order {fo.gid} is {fo.status}; nothing of it can be moved.")
        if not place.active:
            raise OrderRefused(f"{place.name} is not active; choose another location.")
        if place is fo.location:
            raise OrderRefused(f"Fulfillment order {fo.gid} is at {place.name} already.")
        rows = [(entry, _wanted(entry, quantities)) for entry in fo.lines]
        rows = [(entry, quantity) for entry, quantity in rows if quantity]
        to = fulfillment_order_at(order, place, stamp)
        for entry, quantity in rows:
            item = entry.line_item.item
            entry.remaining_quantity -= quantity
            entry.total_quantity -= quantity
            move_stock(order.shop, item, fo.location, stamp, (COMMITTED, -quantity), (AVAILABLE, quantity))
            move_stock(order.shop, item, place, stamp, (AVAILABLE, -quantity), (COMMITTED, quantity))
            add_work(to, entry.line_item, quantity, stamp)
        settle(fo, stamp)
        changed(order, stamp)
        return to


def _wanted(entry: FulfillmentOrderLine, quantities: dict[str, int] | None) -> int:
    if quantities is None:
        return entry.remaining_quantity
    quantity = quantities.get(entry.gid, 0)
    if not 0 <= quantity <= entry.remaining_quantity:
        raise OrderRefused(f"Fulfillment order line {entry.gid} has {entry.remaining_quantity} left to move.")
    return quantity


def hold(fo: FulfillmentOrder, reason: str, notes: str | None, stamp: str) -> None:
    """Put a fulfilment order on hold; its stock stays committed. Raises `OrderRefused`."""
    with fo.order.shop.lock:
        if not fo.remaining:
            raise OrderRefused(f"Fulfillment order {fo.gid} is {fo.status}; there is nothing to hold.")
        fo.fulfillment_holds.append(Hold(new_gid(fo.order.shop, "FulfillmentHold"), reason, notes))
        fo.status, fo.updated_at = "ON_HOLD", stamp
        changed(fo.order, stamp)


def release_hold(fo: FulfillmentOrder, stamp: str) -> None:
    """Let a held fulfilment order go on. Raises `OrderRefused`."""
    with fo.order.shop.lock:
        if fo.status != "ON_HOLD":
            raise OrderRefused(f"Fulfillment order {fo.gid} is not on hold.")
        fo.fulfillment_holds.clear()
        fo.status, fo.updated_at = "OPEN", stamp
        changed(fo.order, stamp)
