"""Reads that lag behind: quantities as they were when a fault was turned on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .catalogue import Shop
from .rows import Level

Snapshot = list[tuple[Level, list[int]]]


def snapshot(shop: Shop) -> Snapshot:
    """The quantities of every level of a shop, now."""
    with shop.lock:
        return [(level, list(level.quantities)) for item in shop.items for level in item.levels if level is not None]


@contextlib.contextmanager
def as_of(kept: Snapshot) -> Iterator[None]:
    """Quantities as kept, for the length of a `with`; the shop's lock is held meanwhile, so nobody else sees them."""
    changed = [(level, level.quantities, old) for level, old in kept if level.quantities != old]
    for level, _, old in changed:
        level.quantities = old
    try:
        yield
    finally:
        for level, real, _ in changed:
            level.quantities = real
