"""Changes of products in Shopify's words: only what is selected, and what is refused before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.ports.product_changes import (
    CLEAR,
    MetafieldChange,
    NewVariant,
    PriceChange,
    ProductChange,
    VariantChange,
)
from connectors.ports.products import Weight
from connectors.ports.rows import RowProblem, RowProblemKind

_PRODUCT_FIELDS: Final = {
    "title": "title",
    "description_html": "descriptionHtml",
    "vendor": "vendor",
    "kind": "productType",
    "status": "status",
}
_LOOK: Final = "Read the product again, then plan the change anew."
CODES: Final[dict[str, tuple[RowProblemKind, str, str]]] = {
    "PRODUCT_VARIANT_DOES_NOT_EXIST": (
        RowProblemKind.UNKNOWN_ITEM,
        "The product has no such variant any more.",
        "Link the store's products again; the variant was probably deleted or recreated in Shopify.",
    ),
    "VARIANT_ALREADY_EXISTS": (
        RowProblemKind.DUPLICATE_ROW,
        "The product has a variant with the same option values.",
        _LOOK,
    ),
    "VARIANT_ALREADY_EXISTS_CHANGE_OPTION_VALUE": (
        RowProblemKind.DUPLICATE_ROW,
        "The product has a variant with the same option values.",
        _LOOK,
    ),
    "NEGATIVE_PRICE_VALUE": (RowProblemKind.OUT_OF_RANGE, "A price is below zero.", "Correct the price."),
    "GREATER_THAN_OR_EQUAL_TO": (RowProblemKind.OUT_OF_RANGE, "A price is below zero.", "Correct the price."),
    "TOO_LONG": (RowProblemKind.OUT_OF_RANGE, "A text is longer than Shopify takes.", "Shorten it."),
    "OPTION_VALUE_NAME_TOO_LONG": (
        RowProblemKind.OUT_OF_RANGE,
        "An option value is longer than Shopify takes.",
        "Shorten it.",
    ),
    "SUBSCRIPTION_VIOLATION": (
        RowProblemKind.NOT_WRITABLE,
        "The shop's plan allows no more SKUs.",
        "Choose a larger plan in Shopify, or remove products there.",
    ),
    "PRODUCT_SUSPENDED": (
        RowProblemKind.NOT_WRITABLE,
        "Shopify has suspended the product.",
        "Open the product in Shopify to see why.",
    ),
    "UNSUPPORTED_COMBINED_LISTING_PARENT_OPERATION": (
        RowProblemKind.NOT_WRITABLE,
        "The product is the parent of a combined listing, which has no variants of its own.",
        "Change the products it combines.",
    ),
}
"""Codes of both variant mutations that are a decision of their own (schema 2026-10)."""


def product_input(change: ProductChange) -> dict[str, Any]:
    """The selected fields but tags; none of them null."""
    chosen = {_PRODUCT_FIELDS[name]: value for name, value in change.selected() if name in _PRODUCT_FIELDS}
    if "status" in chosen:
        chosen["status"] = str(chosen["status"]).upper()
    return chosen


def variant_input(change: VariantChange) -> dict[str, Any]:
    """The selected fields of a variant by its id. SKU, tracking and weight are the inventory item's (reference 4.3)."""
    row: dict[str, Any] = {"id": change.ref}
    item: dict[str, Any] = {}
    for name, value in change.selected():
        if name in {"barcode", "taxable"}:
            row[name] = value
        elif name in {"sku", "tracked"}:
            item[name] = value
        elif name == "requires_shipping":
            item["requiresShipping"] = value
        elif name == "weight":
            item |= _weight(value)
        elif name == "options":
            row["optionValues"] = [{"optionName": option, "name": chosen} for option, chosen in value]
    return row | {"inventoryItem": item} if item else row


def new_variant_input(options: Sequence[str], row: NewVariant) -> dict[str, Any]:
    """A variant to be made; what says nothing is left to the store. No price, and no stock."""
    item: dict[str, Any] = {"tracked": row.tracked, "requiresShipping": row.requires_shipping}
    if row.sku:
        item["sku"] = row.sku
    if row.weight is not None:
        item |= _weight(row.weight)
    made: dict[str, Any] = {
        "optionValues": [
            {"optionName": name, "name": value.strip()} for name, value in zip(options, row.option_values, strict=True)
        ],
        "taxable": row.taxable,
        "inventoryItem": item,
    }
    return made | {"barcode": row.barcode} if row.barcode else made


def price_input(change: PriceChange) -> dict[str, Any]:
    """The selected prices of a variant; null only where a compare-at price is to go."""
    row: dict[str, Any] = {"id": change.ref}
    for name, value in change.selected():
        if name == "price":
            row["price"] = _amount(value)
        elif name == "compare_at":
            row["compareAtPrice"] = None if value is CLEAR else _amount(value)
        elif name == "cost":
            row["inventoryItem"] = {"cost": _amount(value)}
    return row


def metafield_input(change: MetafieldChange) -> dict[str, Any]:
    """One metafield."""
    return {
        "ownerId": change.owner_ref,
        "namespace": change.namespace,
        "key": change.key,
        "type": change.type,
        "value": change.value,
    }


def price_problem(index: int, change: PriceChange) -> RowProblem | None:
    """What Shopify would take and no shop wants (reference 10, trap 45)."""
    said = dict(change.selected())
    price, compare_at, cost = said.get("price"), said.get("compare_at"), said.get("cost")
    if any(isinstance(value, Decimal) and not value.is_finite() for value in (price, compare_at, cost)):
        return _unfit(index, "A price is no number.")
    if isinstance(price, Decimal) and price <= 0:
        return _unfit(index, f"The price is {price}, and goods are not given away by accident.")
    if isinstance(compare_at, Decimal) and compare_at <= 0:
        return _unfit(index, f"The price to compare with is {compare_at}.")
    if isinstance(price, Decimal) and isinstance(compare_at, Decimal) and compare_at <= price:
        return _unfit(index, f"The price to compare with, {compare_at}, is not above the price, {price}.")
    if isinstance(cost, Decimal) and cost < 0:
        return _unfit(index, f"The cost is {cost}.")
    return None


def repeated_rows(refs: Sequence[str]) -> list[RowProblem]:
    """Rows that name what an earlier row names."""
    first: dict[str, int] = {}
    return [
        RowProblem(
            index,
            RowProblemKind.DUPLICATE_ROW,
            "",
            f"The same variant is in row {first[ref] + 1} already.",
            "Leave one of the two out.",
        )
        for index, ref in enumerate(refs)
        if first.setdefault(ref, index) != index
    ]


def _unfit(index: int, cause: str) -> RowProblem:
    return RowProblem(index, RowProblemKind.OUT_OF_RANGE, "", cause, "Correct the price, then upload it again.")


def _weight(weight: Weight) -> dict[str, Any]:
    return {"measurement": {"weight": {"value": float(weight.value), "unit": weight.unit.upper()}}}


def _amount(value: Decimal) -> str:
    return format(value, "f")
