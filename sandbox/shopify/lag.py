"""Search that trails behind: rows written a moment ago are not yet found, and sums of a product are still the old ones.

Reads by id are right at once (reference §3.6, §4.7). Off until a control call sets it, and then it costs a note per event."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalogue import Shop
    from .rows import Product

_WRITTEN = frozenset({"products/create", "products/update", "inventory_items/create", "inventory_items/update"})


class SearchLag:
    """What the index of one shop does not know yet. Use it while the shop's lock is held."""

    def __init__(self) -> None:
        self._now: Callable[[], float] = time.time
        self.seconds = 0.0
        self._due: dict[str, float] = {}  # gid of a row -> when the index has it
        self._born: dict[str, dict[str, float]] = {"products": {}, "variants": {}}
        self._totals: dict[str, list[tuple[float, int]]] = {}  # product gid -> (from when, total), oldest first

    def set(self, shop: Shop, seconds: float, now: Callable[[], float]) -> None:
        """From now on the index is `seconds` behind, by the clock `now`; 0 = it knows everything at once."""
        self._now = now
        self.seconds = seconds
        self._due.clear()
        self._totals.clear()
        for born in self._born.values():
            born.clear()
        if seconds:
            self._totals = {product.gid: [(0.0, total_of(product))] for product in shop.products}
            if self.heard not in shop.listeners:
                shop.listeners.append(self.heard)
        elif self.heard in shop.listeners:
            shop.listeners.remove(self.heard)

    def heard(self, shop: Shop, topic: str, row: Any) -> None:
        """A listener of the shop: remember what was written and when the index will have it."""
        if topic not in _WRITTEN or not self.seconds:
            return
        product: Product = row if topic.startswith("products/") else row.variant.product
        due = self._now() + self.seconds
        rows: list[Any] = [product]
        for variant in product.variants:
            rows += [variant, variant.item]
        if topic == "products/create":
            self._totals[product.gid] = [(0.0, 0)]
            self._born["products"][product.gid] = due
            self._born["variants"].update((variant.gid, due) for variant in product.variants)
        for each in rows:
            self._due[each.gid] = due
        known = self._totals.setdefault(product.gid, [(0.0, 0)])
        if known[-1][1] != total_of(product):
            known.append((due, total_of(product)))

    def knows(self, row: Any) -> bool:
        """False while a search may still miss the row."""
        if not self._due:
            return True
        due = self._due.get(row.gid)
        if due is None:
            return True
        if due <= self._now():
            del self._due[row.gid]
            return True
        return False

    def unborn(self, kind: str) -> int:
        """How many rows of a kind (``products``, ``variants``) no count has yet."""
        now = self._now()
        return sum(1 for due in self._born[kind].values() if due > now) if self.seconds else 0

    def total(self, product: Product) -> int:
        """`totalInventory` as it is known."""
        known = self._totals.get(product.gid) if self.seconds else None
        if known is None:
            return total_of(product)
        now = self._now()
        while len(known) > 1 and known[1][0] <= now:
            known.pop(0)
        return known[0][1]


def total_of(product: Product) -> int:
    """Available summed over the product's tracked variants."""
    return sum(variant.available() for variant in product.variants if variant.item.tracked)
