"""Orders as far as stock goes: placed, fulfilled, cancelled, and what each does to quantities (reference §3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .catalogue import AVAILABLE, COMMITTED, Item, Location, Shop


class OrderRefused(Exception):
    """The step can't be made; the message says why."""


@dataclass
class Line:
    """One line of an order. Quantities only fall from `remaining`: to `fulfilled` or to `cancelled`."""

    number: int
    item: Item
    location: Location
    quantity: int
    remaining: int
    fulfilled: int = 0
    cancelled: int = 0


@dataclass
class Order:
    """A placed order of one shop."""

    number: int
    shop: Shop
    created_at: str
    test: bool = False
    lines: list[Line] = field(default_factory=list)
    cancelled_at: str | None = None
    updated_at: str = ""

    def as_json(self) -> dict[str, Any]:
        """The order as the control API shows it."""
        return {
            "id": self.number,
            "gid": f"gid://shopify/Order/{self.shop.id_base + self.number}",
            "name": f"#{self.number}",
            "shop": self.shop.domain,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "cancelled_at": self.cancelled_at,
            "test": self.test,
            "lines": [
                {
                    "line": line.number,
                    "item": line.item.gid,
                    "sku": line.item.sku,
                    "location": line.location.gid,
                    "quantity": line.quantity,
                    "remaining": line.remaining,
                    "fulfilled": line.fulfilled,
                    "cancelled": line.cancelled,
                }
                for line in self.lines
            ],
        }


class OrderBook:
    """All orders of the sandbox. Untracked items pass through without touching a quantity."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}
        self._next = 1001

    def __len__(self) -> int:
        return len(self._orders)

    def all(self) -> list[Order]:
        """Orders in the order of their placing."""
        return list(self._orders.values())

    def get(self, number: int) -> Order:
        """One order. Raises `OrderRefused` when there is none with this number."""
        order = self._orders.get(number)
        if order is None:
            raise OrderRefused(f"There is no order {number}.")
        return order

    def clear(self) -> None:
        """Forget all orders; their effects on stock stay."""
        self._orders.clear()

    def place(self, shop: Shop, wanted: list[tuple[Item, Location, int]], stamp: str, test: bool = False) -> Order:
        """Place an order: available −q, committed +q per line. Available may go below zero, as in an oversold shop."""
        if not wanted:
            raise OrderRefused("An order needs at least one line.")
        if any(quantity <= 0 for _, _, quantity in wanted):
            raise OrderRefused("A line's quantity is 1 or more.")
        with shop.lock:
            order = Order(self._next, shop, stamp, test, updated_at=stamp)
            self._next += 1
            for number, (item, location, quantity) in enumerate(wanted, start=1):
                order.lines.append(Line(number, item, location, quantity, quantity))
                _move(item, location, stamp, (AVAILABLE, -quantity), (COMMITTED, quantity))
            self._orders[order.number] = order
        return order

    def fulfill(self, order: Order, quantities: dict[int, int] | None, stamp: str) -> Order:
        """Ship lines (all that remains, or so many per line number): committed −q, so on_hand −q."""
        with order.shop.lock:
            shipped = _steps(order, quantities)
            for line, quantity in shipped:
                line.remaining -= quantity
                line.fulfilled += quantity
                _move(line.item, line.location, stamp, (COMMITTED, -quantity))
            order.updated_at = stamp
        return order

    def cancel(self, order: Order, restock: bool, stamp: str) -> Order:
        """Cancel what is not shipped: committed −q; with restock also available +q."""
        with order.shop.lock:
            if order.cancelled_at is not None:
                raise OrderRefused(f"Order {order.number} is cancelled already.")
            for line in order.lines:
                quantity = line.remaining
                line.remaining, line.cancelled = 0, line.cancelled + quantity
                if quantity and restock:
                    _move(line.item, line.location, stamp, (COMMITTED, -quantity), (AVAILABLE, quantity))
                elif quantity:
                    _move(line.item, line.location, stamp, (COMMITTED, -quantity))
            order.cancelled_at = order.updated_at = stamp
        return order

    def restock(self, order: Order, quantities: dict[int, int] | None, location: Location | None, stamp: str) -> Order:
        """Take shipped goods back into stock: available +q, on_hand +q, at a location or where each line came from."""
        with order.shop.lock:
            for line in order.lines:
                quantity = line.fulfilled if quantities is None else quantities.get(line.number, 0)
                if quantity > line.fulfilled:
                    raise OrderRefused(f"Line {line.number} of order {order.number} has only {line.fulfilled} shipped.")
            for line in order.lines:
                quantity = line.fulfilled if quantities is None else quantities.get(line.number, 0)
                if quantity:
                    line.fulfilled -= quantity
                    _move(line.item, location or line.location, stamp, (AVAILABLE, quantity))
            order.updated_at = stamp
        return order


def _steps(order: Order, quantities: dict[int, int] | None) -> list[tuple[Line, int]]:
    if order.cancelled_at is not None:
        raise OrderRefused(f"Order {order.number} is cancelled; nothing of it can be shipped.")
    if quantities is None:
        return [(line, line.remaining) for line in order.lines if line.remaining]
    by_number = {line.number: line for line in order.lines}
    steps = []
    for number, quantity in quantities.items():
        line = by_number.get(number)
        if line is None:
            raise OrderRefused(f"Order {order.number} has no line {number}.")
        if not 0 < quantity <= line.remaining:
            raise OrderRefused(f"Line {number} of order {order.number} has {line.remaining} left to ship.")
        steps.append((line, quantity))
    return steps


def _move(item: Item, location: Location, stamp: str, *moves: tuple[int, int]) -> None:
    if not item.tracked:
        return
    level = item.level_at(location) or item.stock_at(location, stamp, active=False)
    for index, delta in moves:
        level.move(index, delta, stamp)
