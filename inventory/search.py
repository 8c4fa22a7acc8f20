"""Levels by what people type of their items."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.search import variants_found
from inventory.models import InventoryLevel


def levels_found(words: str) -> list[int]:
    """Ids of the levels of variants that `words` names: SKU, barcode, item number or words of the title."""
    return levels_of(variants_found(words))


def levels_of(variants: Sequence[int]) -> list[int]:
    """Ids of the levels of these variants: few, so that the ledger is read by its index on the level."""
    return list(InventoryLevel.objects.filter(variant__in=variants).values_list("pk", flat=True))
