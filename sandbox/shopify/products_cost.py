"""What the size of an input adds to the price of a mutation (reference §2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PER_VARIANT = 0.2
PER_METAFIELD = 0.4
PER_PRODUCT_FILE = 1.9
PER_VARIANT_FILE = 0.6


def _count(rows: Any, name: str) -> int:
    return sum(len(row.get(name) or ()) for row in rows)


def _of_set(arguments: dict[str, Any]) -> float:
    given = arguments["input"]
    variants = given.get("variants") or ()
    files = sum(1 for variant in variants if variant.get("file"))
    return (
        PER_VARIANT * len(variants)
        + PER_METAFIELD * (len(given.get("metafields") or ()) + _count(variants, "metafields"))
        + PER_PRODUCT_FILE * len(given.get("files") or ())
        + PER_VARIANT_FILE * files
    )


def _of_bulk(arguments: dict[str, Any]) -> float:
    variants = arguments["variants"]
    files = sum(len(variant.get("mediaSrc") or ()) + bool(variant.get("mediaId")) for variant in variants)
    return (
        PER_VARIANT * len(variants)
        + PER_METAFIELD * _count(variants, "metafields")
        + PER_VARIANT_FILE * files
        + PER_PRODUCT_FILE * len(arguments.get("media") or ())
    )


def _of_product(arguments: dict[str, Any]) -> float:
    fields = len((arguments.get("product") or {}).get("metafields") or ())
    return PER_METAFIELD * fields + PER_PRODUCT_FILE * len(arguments.get("media") or ())


def _of_metafields(arguments: dict[str, Any]) -> float:
    """Grows with the number of distinct owners; by how much is not documented: as one metafield's price each beyond the first."""
    return PER_METAFIELD * max(0, len({each["ownerId"] for each in arguments["metafields"]}) - 1)


INPUT_POINTS: dict[str, Callable[[dict[str, Any]], float]] = {
    "productSet": _of_set,
    "productCreate": _of_product,
    "productUpdate": _of_product,
    "productVariantsBulkCreate": _of_bulk,
    "productVariantsBulkUpdate": _of_bulk,
    "metafieldsSet": _of_metafields,
}
"""Mutation → the points that its arguments add."""
