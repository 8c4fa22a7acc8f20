"""Making a product exactly once (docs/decisions/0006)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from connectors.ports.product_changes import NewProduct, NewVariant, ProductCreated, VariantChange
from connectors.ports.products import ProductVariant, RemoteProduct
from connectors.ports.rows import RowProblem
from connectors.shopify import products_nodes as nodes
from connectors.shopify import products_rows as rows_of
from connectors.shopify.handles import stored_handle
from connectors.shopify.products_reading import ProductReader
from connectors.shopify.products_writing import ProductWriter, handle_taken, in_order, unfit

MAX_VARIANTS: Final = 2048
MAX_OPTIONS: Final = 3
"""Of one product (reference 4.2)."""

MARK: Final = ("sync_console", "creation_key")
"""Namespace and key of the metafield that says which try of ours made a product."""

_NO_CHOICE: Final = ("Default Title",)
_OPERATION: Final = "create a product"


class ProductMaker:
    """Makes products of one shop. Safe to share between threads.

    Shopify has no idempotency key for products. What settles a lost reply instead: the handle, which Shopify gives to
    one product alone and refuses to a second that asks for it by name, and a metafield that comes into being with the
    product and carries the key of the fact. A repeat finds the handle, sees by the key that the product is its own,
    and makes what is missing of it. Only a product that somebody renames between the two tries would be missed.
    """

    def __init__(self, reader: ProductReader, writer: ProductWriter) -> None:
        self._reader = reader
        self._writer = writer

    def create_product(self, draft: NewProduct, *, key: UUID) -> ProductCreated:
        """As the port says: look, begin with one variant as a draft, complete, read back."""
        _check(draft)
        handle = stored_handle(draft.handle)
        found = self._reader.find_product(handle)
        product = _ours(found, key) if found else self._begin(draft, handle, key)
        problems = self._complete(product, draft)
        return ProductCreated(self._writer.product(product.ref, _OPERATION), problems)

    def _begin(self, draft: NewProduct, handle: str, key: UUID) -> RemoteProduct:
        """The product with its first variant. Where the handle was taken in this very moment an earlier try of ours may
        have done it."""
        product: dict[str, Any] = {
            "handle": handle,
            "title": draft.title,
            "descriptionHtml": draft.description_html,
            "vendor": draft.vendor,
            "productType": draft.kind,
            "tags": list(draft.tags),
            "status": "DRAFT",
            "metafields": [_mark(key)],
        }
        if draft.options:
            product["productOptions"] = _options(draft)
        payload, reply = self._writer.send("product_create", {"product": product}, nodes.ProductWrite)
        if payload.user_errors or payload.product is None:
            holder = self._reader.find_product(handle)
            if holder is None:
                raise self._writer.refusal(reply, payload.user_errors, "")
            return _ours(holder, key)
        return self._writer.product(payload.product.id, _OPERATION)

    def _complete(self, product: RemoteProduct, draft: NewProduct) -> tuple[RowProblem, ...]:
        """Write what the variants that are there still lack, and make the others. Nothing is deleted."""
        there = {variant.option_values: variant for variant in product.variants}
        changes: list[tuple[int, dict[str, Any]]] = []
        missing: list[tuple[int, dict[str, Any]]] = []
        for index, row in enumerate(draft.variants):
            found = there.get(_values(row))
            if found is None:
                missing.append((index, rows_of.new_variant_input(draft.options, row)))
            elif change := _lacking(found, row):
                changes.append((index, rows_of.variant_input(change)))
        updated = self._writer.write_rows("variants_update", product.ref, changes)
        return in_order(updated, self._writer.write_rows("variants_create", product.ref, missing))


def _check(draft: NewProduct) -> None:
    """What cannot be a product is refused before anything of it is made."""
    if not draft.title.strip():
        raise unfit(_OPERATION, "The product has no title.", "Give it one.")
    if not 1 <= len(draft.variants) <= MAX_VARIANTS:
        cause = f"A product has 1 to {MAX_VARIANTS:,} variants, not {len(draft.variants):,}."
        raise unfit(_OPERATION, cause, "Split it into several products.")
    if len(draft.options) > MAX_OPTIONS:
        cause = f"Shopify tells variants apart by up to {MAX_OPTIONS} options, not {len(draft.options)}."
        raise unfit(_OPERATION, cause, "Join options into one.")
    wrong = next((row for row in draft.variants if len(row.option_values) != len(draft.options)), None)
    if wrong is not None:
        cause = f"A variant has {len(wrong.option_values)} option values, the product {len(draft.options)} options."
        raise unfit(_OPERATION, cause, "Give each variant a value for each option.")
    if len({_values(row) for row in draft.variants}) != len(draft.variants):
        raise unfit(_OPERATION, "Two variants have the same option values.", "Tell them apart by a value.")


def _ours(product: RemoteProduct, key: UUID) -> RemoteProduct:
    """The product where it was made for this key. Raises `HandleTaken`."""
    if any((own.namespace, own.key, own.value) == (*MARK, str(key)) for own in product.metafields):
        return product
    raise handle_taken(_OPERATION, product)


def _mark(key: UUID) -> dict[str, str]:
    return {"namespace": MARK[0], "key": MARK[1], "type": "single_line_text_field", "value": str(key)}


def _options(draft: NewProduct) -> list[dict[str, Any]]:
    """The options with the values of the first variant, which is the one that comes into being with the product."""
    first: Sequence[str] = _values(draft.variants[0])
    return [
        {"name": name, "position": place, "values": [{"name": value}]}
        for place, (name, value) in enumerate(zip(draft.options, first, strict=True), 1)
    ]


def _values(row: NewVariant) -> tuple[str, ...]:
    return tuple(value.strip() for value in row.option_values) or _NO_CHOICE


def _lacking(found: ProductVariant, row: NewVariant) -> VariantChange | None:
    """The fields in which a variant differs from what it is to be."""
    wanted: dict[str, Any] = {
        "sku": row.sku,
        "barcode": row.barcode,
        "tracked": row.tracked,
        "taxable": row.taxable,
        "requires_shipping": row.requires_shipping,
    }
    if row.weight is not None:
        wanted["weight"] = row.weight
    differing = {name: value for name, value in wanted.items() if getattr(found, name) != value}
    return VariantChange(ref=found.ref, **differing) if differing else None
