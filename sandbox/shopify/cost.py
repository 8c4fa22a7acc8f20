"""What an operation costs, by the rules of reference §2.2.

A connection asked for n rows costs 2 + m(n) × (cost of one node), m(n) = max(1, floor(2·ln n)); an object costs 1; money, counts,
weights, page info, user errors and addresses of locations are free; a mutation costs 10 and the top-level objects of its payload
are free; a root count costs 10. *Requested* is computed from the arguments before anything runs, *actual* from what came back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

MUTATION_BASE = 10
DEARER_MUTATIONS = {"productCreateMedia": 20, "refundCreate": 20}
ROOT_COUNT = 10
MAX_SINGLE_OPERATION = 1000
CONNECTION_BASE = 2

FREE_TYPES = frozenset(
    {
        "Count",
        "InventoryAdjustQuantitiesUserError",
        "InventoryItemMeasurement",
        "InventorySetQuantitiesUserError",
        "LocationAddress",
        "FulfillmentOrderMoveFulfillmentOrderMoveUserError",
        "MoneyBag",
        "MoneyV2",
        "OrderCancelUserError",
        "PageInfo",
        "UserError",
        "Weight",
    }
)

# Requested: from the request's argument slots. Actual: from one value of the answer and the same slots.
Requested = Callable[[list[Any]], float]
Actual = Callable[[Any, list[Any]], float]


def rows_factor(rows: int) -> int:
    """m(n): how many nodes a connection of n rows is charged for."""
    return max(1, math.floor(2 * math.log(rows))) if rows > 0 else 0


class Price:
    """The price of one selected value: an object, a list's element, or a whole connection."""

    def __init__(self, own: int = 0) -> None:
        self.own = own
        self.parts: list[tuple[str, Price]] = []  # response key of a field, its price

    def add(self, key: str, part: Price) -> None:
        """Take a selected field's price into this one."""
        self.parts.append((key, part))

    @property
    def has_connection(self) -> bool:
        """False when requested and actual are always the same."""
        return any(part.has_connection for _, part in self.parts)

    def requested(self, slots: list[Any]) -> float:
        """Points before execution."""
        return self.own + sum(part.requested(slots) for _, part in self.parts)

    def actual(self, value: Any, slots: list[Any]) -> float:
        """Points of what came back. A list is charged once, at its dearest element; null is free."""
        if value is None:
            return 0
        if isinstance(value, list):
            if not self.has_connection:  # every element costs the same: no need to look at thousands of them
                return self.requested(slots)
            return max((self.actual(entry, slots) for entry in value), default=0)
        return self.own + sum(part.actual(value.get(key), slots) for key, part in self.parts)


class ConnectionPrice(Price):
    """A connection: charged by the rows asked for, in the end by the rows that came."""

    def __init__(self, slot: int, node: Price, rows_of: Callable[[Any], list[Any] | None]) -> None:
        super().__init__(CONNECTION_BASE)
        self.slot = slot
        self.node = node
        self.rows_of = rows_of

    @property
    def has_connection(self) -> bool:
        return True

    def requested(self, slots: list[Any]) -> float:
        return CONNECTION_BASE + rows_factor(slots[self.slot].size) * self.node.requested(slots)

    def actual(self, value: Any, slots: list[Any]) -> float:
        if value is None:
            return 0
        rows = self.rows_of(value)
        if rows is None:
            return self.requested(slots)
        if not rows:
            return CONNECTION_BASE
        if not self.node.has_connection:
            each = self.node.requested(slots)
        else:
            each = sum(self.node.actual(row, slots) for row in rows) / len(rows)
        return CONNECTION_BASE + rows_factor(len(rows)) * each


class InputPrice(Price):
    """What a mutation's input adds by its size: the same before and after."""

    def __init__(self, slot: int, points: Callable[[dict[str, Any]], float]) -> None:
        super().__init__()
        self.slot = slot
        self.points = points

    def requested(self, slots: list[Any]) -> float:
        arguments = slots[self.slot]
        return self.points(arguments) if isinstance(arguments, dict) else 0

    def actual(self, value: Any, slots: list[Any]) -> float:
        return self.requested(slots)


class DearestPrice(Price):
    """An interface: its dearest branch, and `own`, which is below zero where the interface itself is free."""

    def __init__(self, branches: list[Price]) -> None:
        super().__init__()
        self.branches = branches

    @property
    def has_connection(self) -> bool:
        return any(branch.has_connection for branch in self.branches)

    def requested(self, slots: list[Any]) -> float:
        return self.own + max(branch.requested(slots) for branch in self.branches)

    def actual(self, value: Any, slots: list[Any]) -> float:
        if value is None:
            return 0
        if not self.has_connection:
            return self.requested(slots)
        if isinstance(value, list):
            return max((self.actual(entry, slots) for entry in value), default=0)
        return self.own + max(branch.actual(value, slots) for branch in self.branches)
