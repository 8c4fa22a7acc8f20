"""What every step on an order shares: ids, stock, the date of the last change, and the news of it (reference §3.1, §6.1)."""

from __future__ import annotations

from typing import Any

from .catalogue import Shop
from .events import level_moved
from .orders import Line, Order
from .orders_work import FulfillmentOrder, FulfillmentOrderLine
from .rows import AVAILABLE, COMMITTED, Item, Location


def new_gid(shop: Shop, kind: str) -> str:
    """An id for a new row of this kind."""
    return f"gid://shopify/{kind}/{shop.id_base + shop.orders.next(kind)}"


def number_of(gid: str) -> int:
    """The number in a global id."""
    return int(gid.rpartition("/")[2])


def keep(shop: Shop, row: Any) -> None:
    """Make a row reachable by its id."""
    shop.by_gid[row.gid] = row


def changed(order: Order, stamp: str, *news: tuple[str, Any]) -> None:
    """Date the order's last change and tell it, the particular news first."""
    order.shop.orders.changed(order, stamp)
    for topic, row in news:
        order.shop.happened(topic, row)
    order.shop.happened("orders/updated", order)


def move_stock(shop: Shop, item: Item | None, location: Location, stamp: str, *moves: tuple[int, int]) -> None:
    """Add to quantities of a level. Untracked items and lines without an item have none to move."""
    if item is None or not item.tracked:
        return
    level = item.level_at(location) or item.stock_at(location, stamp, active=False)
    for index, delta in moves:
        if delta:
            level.move(index, delta, stamp)
    level_moved(shop, level)


def commit(order: Order, line: Line, location: Location, quantity: int, stamp: str) -> None:
    """Goods promised: available −q, committed +q."""
    move_stock(order.shop, line.item, location, stamp, (AVAILABLE, -quantity), (COMMITTED, quantity))


def release(order: Order, line: Line, location: Location, quantity: int, stamp: str, restock: bool) -> None:
    """Goods no longer promised: committed −q; back to available, or gone."""
    back = quantity if restock else 0
    move_stock(order.shop, line.item, location, stamp, (COMMITTED, -quantity), (AVAILABLE, back))


def fulfillment_order_at(order: Order, location: Location, stamp: str) -> FulfillmentOrder:
    """The open fulfilment order at a location, a new one when there is none."""
    for known in order.fulfillment_orders:
        if known.location is location and known.status == "OPEN":
            return known
    return open_fulfillment_order(order, location, stamp)


def open_fulfillment_order(order: Order, location: Location, stamp: str) -> FulfillmentOrder:
    """A new fulfilment order at a location, without lines."""
    made = FulfillmentOrder(new_gid(order.shop, "FulfillmentOrder"), order, location, stamp, stamp)
    order.fulfillment_orders.append(made)
    order.shop.orders.fulfillment_orders.append(made)
    keep(order.shop, made)
    return made


def add_work(to: FulfillmentOrder, line: Line, quantity: int, stamp: str) -> None:
    """Let a fulfilment order ship so many more of a line."""
    to.updated_at = stamp
    for entry in to.lines:
        if entry.line_item is line:
            entry.total_quantity += quantity
            entry.remaining_quantity += quantity
            return
    gid = new_gid(to.order.shop, "FulfillmentOrderLineItem")
    to.lines.append(FulfillmentOrderLine(gid, line, quantity, quantity))


def take_work(order: Order, line: Line, quantity: int, stamp: str, restock: bool) -> dict[Location, int]:
    """Take units of a line off its fulfilment orders, the last ones first. Returns where they waited.

    Their stock is released, with or without restock. `quantity` is at most what waits.
    """
    waited = places_of(order, line, quantity)
    for entry, fo, taken in _waiting(order, line, quantity):
        entry.remaining_quantity -= taken
        entry.total_quantity -= taken
        line.cancelled += taken
        release(order, line, fo.location, taken, stamp, restock)
        settle(fo, stamp)
    return waited


def places_of(order: Order, line: Line, quantity: int) -> dict[Location, int]:
    """Where so many units of a line wait that would be taken off now, and how many of them."""
    found: dict[Location, int] = {}
    for _, fo, taken in _waiting(order, line, quantity):
        found[fo.location] = found.get(fo.location, 0) + taken
    return found


def _waiting(order: Order, line: Line, quantity: int) -> list[tuple[FulfillmentOrderLine, FulfillmentOrder, int]]:
    found = []
    for fo in reversed(order.fulfillment_orders):
        for entry in fo.lines:
            taken = min(quantity, entry.remaining_quantity) if entry.line_item is line else 0
            if taken:
                found.append((entry, fo, taken))
                quantity -= taken
    return found


def settle(fo: FulfillmentOrder, stamp: str) -> None:
    """Date a fulfilment order's change and close it when nothing of it waits."""
    fo.updated_at = stamp
    if fo.remaining:
        return
    shipped = any(f.fulfillment_order is fo and f.status == "SUCCESS" for f in fo.order.fulfillments)
    fo.status = "CLOSED" if shipped else "CANCELLED"
    fo.fulfillment_holds.clear()


def stocked_place(shop: Shop, item: Item | None, quantity: int) -> Location:
    """Where a line is allocated when nobody says: the first active location with enough, else with the item, else the first."""
    active = [place for place in shop.locations if place.active]
    if item is not None:
        levels = [level for place in active if (level := item.level_at(place)) is not None and level.active]
        for level in levels:
            if level.quantities[AVAILABLE] >= quantity:
                return level.location
        if levels:
            return levels[0].location
    return (active or shop.locations)[0]
