"""Finding variants by what people type: by index where a key is typed, by words of the title otherwise."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from catalog.models import Variant

FOUND_AT_MOST = 200
"""Variants a search finds; more than that and the words were too short to mean one item."""


def variants_found(words: str) -> list[int]:
    """Ids of variants by the start of item number or SKU, the whole barcode, or words of the title."""
    return _found(words, "pk")


def products_found(words: str) -> list[int]:
    """Ids of products by the same, or by the handle."""
    return _found(words, "product", Q(product__handle=words))


def _found(words: str, wanted: str, also: Q | None = None) -> list[Any]:
    """Keys are looked for first: they are found by index, and whoever types one means it."""
    keys = Q(item_number__startswith=words) | Q(sku__startswith=words) | Q(barcode=words)
    for by in (keys | also if also else keys, Q(product__title__icontains=words)):
        found = list(Variant.objects.filter(by).order_by().values_list(wanted, flat=True).distinct()[:FOUND_AT_MOST])
        if found:
            return found
    return []
