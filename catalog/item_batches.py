"""Item rows → products and variants: what a row means for what is here, and writing a batch of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from catalog import tags
from catalog.csv_rows import CellRefused, Problems
from catalog.item_rows import NAME_LIMIT, ItemRow
from catalog.models import Product, Variant
from catalog.tags import refresh_tag_keys, tag_keys
from catalog.upserts import upsert


@dataclass(slots=True)
class FileMemory:
    """What earlier rows of the file said; some hundred bytes a row."""

    items: dict[str, int] = field(default_factory=dict)
    """Item number → line of its row."""
    products: dict[str, int] = field(default_factory=dict)
    """Handle → line of the row that carries the product's fields."""
    options: dict[str, int] = field(default_factory=dict)
    """Handle → line of the row that names its options."""


@dataclass(slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


def derived_number(handle: str, option_values: Sequence[str]) -> str:
    """The item number of a row without item number and SKU: handle and option values, e.g. `blue-shirt/Small`."""
    number = "/".join([handle, *option_values])
    return number if len(number) <= NAME_LIMIT else _with_digest(handle, option_values)


def _with_digest(handle: str, option_values: Sequence[str]) -> str:
    """Like `derived_number`, when that is too long or is another item's number."""
    digest = hashlib.sha256("\0".join([handle, *option_values]).encode()).hexdigest()[:12]
    return "/".join([handle, *option_values])[: NAME_LIMIT - 13] + "~" + digest


class Batch:
    """Some hundreds of rows in blocks of one product each, taken together with a fixed number of statements."""

    def __init__(self, blocks: Sequence[list[ItemRow]], memory: FileMemory, problems: Problems) -> None:
        self.blocks = blocks
        self.memory = memory
        self.problems = problems
        self.counts = Counts()
        self.products: dict[str, Product] = {}
        self.by_number: dict[str, Variant] = {}
        self.by_sku: dict[str, list[Variant]] = {}
        self.by_options: dict[str, dict[tuple[str, ...], Variant]] = {}
        self.changed_products: dict[str, Product] = {}
        self.retagged: set[str] = set()
        self.rekeyed: set[int] = set()
        """Variants known before whose tag keys change."""
        self.changed_variants: dict[str, Variant] = {}

    def apply(self) -> Counts:
        """Write what changed, in one transaction; rows that cannot be kept become problems."""
        with transaction.atomic():
            with connection.cursor() as cursor:  # one import at a time: two would wait for each other's rows
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('catalog.import_items'))")
            self._load()
            for block in self.blocks:
                self._take(block)
            self._write()
        return self.counts

    # What is here

    def _load(self) -> None:
        rows = [row for block in self.blocks for row in block]
        handles = {row.handle for row in rows if row.handle} | {slug for row in rows for slug in _handles_for(row)}
        self.products = {product.handle: product for product in Product.objects.filter(handle__in=handles)}
        self._index(Variant.objects.filter(product__in=list(self.products.values())))
        numbers = {number for row in rows for number in _numbers_for(row)}
        self._index(Variant.objects.filter(item_number__in=numbers.difference(self.by_number)))
        bare = {row.sku for row in rows if not row.handle and not row.item_number}
        if bare:
            for variant in self._index(Variant.objects.filter(sku__in=bare)):
                self.by_sku.setdefault(variant.sku, []).append(variant)

    def _index(self, found: QuerySet[Variant]) -> list[Variant]:
        """These variants: one object for each row, with one object for each product."""
        variants = list(found.order_by("pk"))
        by_id = {product.pk: product for product in self.products.values()}
        by_id |= Product.objects.in_bulk({variant.product_id for variant in variants}.difference(by_id))
        indexed = []
        for variant in variants:
            if variant.item_number not in self.by_number:
                variant.product = self.products.setdefault(by_id[variant.product_id].handle, by_id[variant.product_id])
                self.by_number[variant.item_number] = variant
                self.by_options.setdefault(variant.product.handle, {})[tuple(variant.option_values)] = variant
            indexed.append(self.by_number[variant.item_number])
        return indexed

    # What rows mean

    def _take(self, block: list[ItemRow]) -> None:
        product: Product | None = None
        taken_options = {tuple(row.option_values or ()) for row in block}
        for row in block:
            try:
                product = product or self._product(block)
                self._agree(row, product)
                if row.refusal:
                    if row.declares:
                        self._set_option_names(row, product)
                    raise row.refusal
                self._keep(row, product, taken_options)
            except CellRefused as refusal:
                self.problems.add(row.line, refusal.cause, refusal.remedy)
        if product and product._state.adding and not self.by_options.get(product.handle):
            self._forget(product.handle)

    def _forget(self, handle: str) -> None:
        """A new product of which no variant could be kept is not made."""
        for known in (self.products, self.changed_products, self.memory.products, self.memory.options):
            known.pop(handle, None)

    def _product(self, block: list[ItemRow]) -> Product:
        """The product of a block, with the fields that its declaring row gives."""
        handle = block[0].handle or self._handle_of(block[0])
        declaring = next((row for row in block if row.declares), None)
        product = self.products.get(handle)
        if product is None:
            if declaring is None or not declaring.product.get("title"):
                raise CellRefused(
                    f"The product {handle} is new and has no title.", "Write a title in the first row of the product."
                )
            product = self.products[handle] = Product(handle=handle)
            self.changed_products[handle] = product
        if declaring and handle not in self.memory.products:
            self.memory.products[handle] = declaring.line
            self._set_product(product, declaring.product)
        return product

    def _handle_of(self, row: ItemRow) -> str:
        """The handle of a row that gives none: that of its item, or a new one from title and item number."""
        known = self._by_number_or_sku(row)
        if known:
            return known.product.handle
        candidates = _handles_for(row)
        for handle in candidates:
            if handle not in self.products:
                return handle
        raise CellRefused(
            f"No free handle can be made for the new item {row.item_number or row.sku}.",
            "Write a title, or a handle of your own, in the column handle.",
        )

    def _by_number_or_sku(self, row: ItemRow) -> Variant | None:
        known = self.by_number.get(row.item_number or row.sku)
        if known or row.item_number:
            return known
        found = self.by_sku.get(row.sku, [])
        if len(found) > 1:
            raise CellRefused(
                f"The SKU {row.sku} is on {len(found)} items here.", "Name the item by its item_number or its handle."
            )
        return found[0] if found else None

    def _set_product(self, product: Product, fields: dict[str, Any]) -> None:
        for name, given in fields.items():
            value = (given or "active") if name == "status" else given
            if name == "title" and not value:
                continue
            if getattr(product, name) != value:
                setattr(product, name, value)
                self.changed_products[product.handle] = product
                if name == "tags" and not product._state.adding:
                    self.retagged.add(product.handle)

    def _agree(self, row: ItemRow, product: Product) -> None:
        """Rows of one product may repeat its fields, and must then say the same."""
        if self.memory.products.get(product.handle) == row.line:
            return
        for name, value in row.product.items():
            if value and value != getattr(product, name):
                label = name.replace("_", " ")
                raise CellRefused(
                    f"The {label} differs from that of the product {product.handle}.",
                    "Write a product's fields in its first row, with the title, and leave them empty in the others; "
                    "tags of one variant belong in variant_tags.",
                )

    def _keep(self, row: ItemRow, product: Product, taken_options: set[tuple[str, ...]]) -> None:
        variant = self._variant(row, product, taken_options)
        if variant.item_number in self.memory.items:
            raise CellRefused(
                f"Item {variant.item_number} stands on line {self.memory.items[variant.item_number]} already.",
                "Keep one of the two rows, or give this one its own item number or option values.",
            )
        values = self._option_values(row, product, variant)
        twins = self.by_options.setdefault(product.handle, {})
        twin = twins.get(tuple(values))
        if twin is not None and twin is not variant:
            raise CellRefused(
                f"The product {product.handle} has these option values already: item {twin.item_number}.",
                "Give each variant of a product option values of its own.",
            )
        self.memory.items[variant.item_number] = row.line
        if twins.get(tuple(variant.option_values)) is variant:
            del twins[tuple(variant.option_values)]
        self._set_variant(variant, row, values, product)
        twins[tuple(values)] = variant
        self.by_number[variant.item_number] = variant

    def _variant(self, row: ItemRow, product: Product, taken_options: set[tuple[str, ...]]) -> Variant:
        if row.item_number:
            return self._of_product(row, product, self.by_number.get(row.item_number))
        if not row.handle:
            return self._of_product(row, product, self._by_number_or_sku(row))
        twins = self.by_options.get(product.handle, {})
        values = tuple(row.option_values or ())
        if values in twins:
            return twins[values]
        renamed = [
            variant
            for variant in twins.values()
            if row.sku and variant.sku == row.sku and tuple(variant.option_values) not in taken_options
        ]
        if len(renamed) == 1 and renamed[0].item_number not in self.memory.items:
            return renamed[0]
        return Variant(product=product, item_number=self._free_number(row))

    def _of_product(self, row: ItemRow, product: Product, known: Variant | None) -> Variant:
        if known is None:
            return Variant(product=product, item_number=row.item_number or row.sku)
        if known.product.handle != product.handle:
            raise CellRefused(
                f"Item {known.item_number} belongs to the product {known.product.handle}, not to {product.handle}.",
                f"Write the handle {known.product.handle}, or give this item another number.",
            )
        return known

    def _free_number(self, row: ItemRow) -> str:
        for number in _numbers_for(row):
            if number not in self.by_number and number not in self.memory.items:
                return number
        raise CellRefused(
            f"The item number {derived_number(row.handle, row.option_values or ())} is taken by another item.",
            "Give this row an SKU of its own, or change the other item's number.",
        )

    def _option_values(self, row: ItemRow, product: Product, variant: Variant) -> list[str]:
        if row.option_values is None:
            values = variant.option_values
        else:
            values = row.option_values
            self._set_option_names(row, product)
        if len(values) != len(product.option_names):
            raise CellRefused(
                f"The row has {len(values)} option values, its product has {len(product.option_names)} options.",
                "Name the options in the product's first row, and give each row a value for every one.",
            )
        return values

    def _set_option_names(self, row: ItemRow, product: Product) -> None:
        if row.option_names is None:
            return
        if row.option_names == product.option_names:
            self.memory.options.setdefault(product.handle, row.line)
        elif product.handle in self.memory.options:
            raise CellRefused(
                f"The option names differ from those of line {self.memory.options[product.handle]}.",
                "Name the options of a product once, in its first row.",
            )
        else:
            self.memory.options[product.handle] = row.line
            product.option_names = row.option_names
            self.changed_products[product.handle] = product

    def _set_variant(self, variant: Variant, row: ItemRow, values: list[str], product: Product) -> None:
        fields = {**row.variant, "option_values": values}
        new = changed = variant._state.adding
        if new:
            fields.setdefault("sku", row.item_number)
        for name, value in fields.items():
            if getattr(variant, name) != value:
                setattr(variant, name, value)
                changed = True
        keys = tag_keys(variant)
        if keys != variant.tag_keys:
            variant.tag_keys = keys
            changed = True
            if not new:
                self.rekeyed.add(variant.pk)
        if changed:
            self.changed_variants[variant.item_number] = variant
        if new:
            self.counts.created += 1
        elif changed or product.handle in self.changed_products:
            self.counts.updated += 1
        else:
            self.counts.unchanged += 1

    # Writing

    def _write(self) -> None:
        upsert([self.changed_products[handle] for handle in sorted(self.changed_products)], key="handle")
        upsert([self.changed_variants[number] for number in sorted(self.changed_variants)], key="item_number")
        retagged = [self.changed_products[handle] for handle in self.retagged if handle in self.changed_products]
        if retagged:
            refresh_tag_keys(product.pk for product in retagged)
        tags.tell(self.rekeyed)


def _handles_for(row: ItemRow) -> list[str]:
    """Handles that a new item without one may get, best first."""
    if row.handle:
        return []
    number = slugify(row.item_number or row.sku)
    title = slugify(str(row.product.get("title", "")))
    candidates = [title, "-".join(filter(None, [title, number])), number]
    return [handle[:NAME_LIMIT] for handle in dict.fromkeys(candidates) if handle]


def _numbers_for(row: ItemRow) -> list[str]:
    """Item numbers that the row may mean or get, best first."""
    if row.item_number:
        return [row.item_number]
    if not row.handle:
        return [row.sku]
    values = row.option_values or ()
    derived = derived_number(row.handle, values)
    return [number for number in dict.fromkeys([row.sku, derived, _with_digest(row.handle, values)]) if number]
