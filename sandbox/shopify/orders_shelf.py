"""Where orders are kept: per shop by their ids and by their last change, so that a feed's page looks only at itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import islice
from typing import Any

Key = tuple[str, int]


def by_change(order: Any) -> Key:
    """The place of an order in the feed."""
    return (order.updated_at, order.number)


def by_creation(order: Any) -> Key:
    """The place of an order by its date."""
    return (order.created_at, order.number)


def by_processing(order: Any) -> Key:
    """The place of an order by the date that it was made in truth, which imports put back."""
    return (order.processed_at, order.number)


class Shelf:
    """The orders and drafts of one shop, and its counters. Used while the shop's lock is held."""

    def __init__(self) -> None:
        self.rows: list[Any] = []  # by number
        self.feed: list[Any] = []  # by (updated_at, number)
        self.created: list[Any] = []  # by (created_at, number)
        self.processed: list[Any] = []  # by (processed_at, number)
        self.drafts: list[Any] = []
        self.fulfillment_orders: list[Any] = []
        self.revision = 0
        self.sorted_rows: dict[str, tuple[int, list[Any]]] = {}
        self._counters: dict[str, int] = {}

    def next(self, kind: str) -> int:
        """The next number of a kind of row, from 1."""
        number = self._counters[kind] = self._counters.get(kind, 0) + 1
        return number

    def add(self, order: Any) -> None:
        """Take a new order in."""
        self.revision += 1
        for rows, key_of in (
            (self.rows, _by_number),
            (self.feed, by_change),
            (self.created, by_creation),
            (self.processed, by_processing),
        ):
            _insert(rows, order, key_of)

    def numbered(self, number: int) -> Any | None:
        """The order of a number, if there is one."""
        place = bisect_left(self.rows, (0, number), key=_by_number)
        found = self.rows[place] if place < len(self.rows) else None
        return found if found is not None and found.number == number else None

    def changed(self, order: Any, stamp: str) -> None:
        """Date an order's last change and put it in its new place in the feed."""
        self.revision += 1
        if order.updated_at == stamp:
            return
        del self.feed[bisect_left(self.feed, by_change(order), key=by_change)]
        order.updated_at = stamp
        _insert(self.feed, order, by_change)


class OrderBook:
    """All orders of all shops by their number, which the control API uses."""

    def __init__(self) -> None:
        self._orders: dict[int, Any] = {}
        self._next = 1001

    def __len__(self) -> int:
        return len(self._orders)

    def all(self) -> list[Any]:
        """Orders in the order of their placing."""
        return list(self._orders.values())

    def last(self, limit: int | None, shop: Any = None) -> list[Any]:
        """The newest orders, oldest of them first, of one shop or of all; None: every one."""
        newest = (order for order in reversed(self._orders.values()) if shop is None or order.shop is shop)
        return list(islice(newest, limit))[::-1]

    def find(self, number: int) -> Any | None:
        """One order, if there is one with this number."""
        return self._orders.get(number)

    def number(self) -> int:
        """A number for the next order."""
        number = self._next
        self._next += 1
        return number

    def keep(self, order: Any) -> None:
        """Take a placed order in."""
        self._orders[order.number] = order

    def clear(self) -> None:
        """Forget all orders; their effects on stock stay."""
        for shop in {order.shop.domain: order.shop for order in self._orders.values()}.values():
            with shop.lock:
                shop.forget_orders()
        self._orders.clear()


def _by_number(order: Any) -> tuple[int, int]:
    return (0, order.number)


def _insert(rows: list[Any], order: Any, key_of: Callable[[Any], Any]) -> None:
    key = key_of(order)
    if not rows or key_of(rows[-1]) < key:
        rows.append(order)
    else:
        rows.insert(bisect_left(rows, key, key=key_of), order)
