"""Filling a shop from a product CSV in Shopify's format (reference §8.1): current headers and old ones, in any order and case.
Real exports have gaps; a row that can't be used is told and skipped, and the rest is loaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from .catalogue import Shop
from .handles import normalised
from .rows import AVAILABLE, Location, Product

DEFAULT_LOCATIONS = ("Depozit Cluj", "Magazin București")

# Our word for a column → its headers in lower case: current first, then the old one.
_HEADERS = {
    "handle": ("url handle", "handle"),
    "title": ("title",),
    "description": ("description", "body (html)"),
    "vendor": ("vendor",),
    "type": ("type",),
    "tags": ("tags",),
    "published": ("published on online store", "published"),
    "status": ("status",),
    "sku": ("sku", "variant sku"),
    "barcode": ("barcode", "variant barcode"),
    "option1_name": ("option1 name",),
    "option1_value": ("option1 value",),
    "option2_name": ("option2 name",),
    "option2_value": ("option2 value",),
    "option3_name": ("option3 name",),
    "option3_value": ("option3 value",),
    "price": ("price", "variant price"),
    "compare_at_price": ("compare-at price", "variant compare at price", "variant compare-at price"),
    "cost": ("cost per item",),
    "taxable": ("charge tax", "variant taxable"),
    "tracker": ("inventory tracker", "variant inventory tracker"),
    "quantity": ("inventory quantity", "variant inventory qty"),
    "policy": ("continue selling when out of stock", "variant inventory policy"),
    "grams": ("weight value (grams)", "variant grams"),
    "requires_shipping": ("requires shipping", "variant requires shipping"),
    "gift_card": ("gift card",),
}
_LONGEST_CELL = 16 * 1024 * 1024  # a description may be longer than the 128 KB that the csv module takes by default
_STATUSES = {"active": "ACTIVE", "draft": "DRAFT", "archived": "ARCHIVED", "unlisted": "UNLISTED"}


@dataclass
class Seeded:
    """What a file brought, and what was left out and why."""

    products: int = 0
    variants: int = 0
    image_rows: int = 0
    skipped: list[str] = field(default_factory=list)


def seed_from_csv(shop: Shop, text: str, stamp: str) -> Seeded:
    """Add the products of a CSV text to a shop that has at least one location.

    Quantities go to the shop's first location as *available*; every other location is stocked with zero. `stamp` becomes the
    time of creation and last change of everything made. Rows that can't be used are skipped and named in the result.
    """
    told = Seeded()
    product: Product | None = None
    for line, row in _rows(text, told):
        handle = row.get("handle") or (normalised(row["title"]) if row.get("title") else "")
        if not handle:
            told.skipped.append(f"line {line}: neither handle nor title")
            continue
        if product is None or product.handle != handle:
            known = shop.products_by_handle.get(handle)
            if known is not None and row.get("title"):
                told.skipped.append(f"line {line}: handle {handle} is already taken by an earlier product")
                product = None
                continue
            product = known or _new_product(shop, handle, row, stamp)
            told.products += 0 if known else 1
        _add_row(shop, product, row, line, stamp, told)
    for made in shop.products:
        if not made.variants:  # a product whose rows were all images still has one variant
            _add_variant(shop, made, ("Default Title",), {}, stamp, told)
    return told


def _rows(text: str, told: Seeded) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        header = next(reader)
    except StopIteration:
        told.skipped.append("line 1: the file is empty")
        return
    known = {name: column for column, names in _HEADERS.items() for name in names}
    columns = [known.get(name.strip().lower()) for name in header]
    if "handle" not in columns and "title" not in columns:
        told.skipped.append("line 1: no column is named Handle, URL handle or Title")
        return
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            told.skipped.append(f"line {line}: {problem}")
            continue
        row = {
            column: value.strip() for column, value in zip(columns, values, strict=False) if column and value.strip()
        }
        if row:
            yield line, row


def _new_product(shop: Shop, handle: str, row: dict[str, str], stamp: str) -> Product:
    product = shop.add_product(handle, row.get("title") or handle, stamp)
    product.description_html = row.get("description", "")
    product.vendor = row.get("vendor", "")
    product.product_type = row.get("type", "")
    product.tags = sorted({tag.strip() for tag in row.get("tags", "").split(",") if tag.strip()}, key=str.casefold)
    product.status = _STATUSES.get(row.get("status", "active").lower(), "ACTIVE")
    product.gift_card = row.get("gift_card", "").lower() == "true"
    if row.get("published", "true").lower() == "false":
        product.published_at = None
    names = [row[f"option{n}_name"] for n in (1, 2, 3) if row.get(f"option{n}_name")]
    if names:
        shop.set_options(product, names)
    return product


def _add_row(shop: Shop, product: Product, row: dict[str, str], line: int, stamp: str, told: Seeded) -> None:
    values = tuple(row[f"option{n}_value"] for n in (1, 2, 3) if row.get(f"option{n}_value"))
    if not values:
        carries_variant = any(row.get(column) for column in ("sku", "price", "barcode"))
        if product.variants and carries_variant:
            told.skipped.append(f"line {line}: a further variant of {product.handle} without option values")
            return
        if not carries_variant:
            told.image_rows += 1
            return
        values = ("Default Title",)
    if any(variant.option_values == values for variant in product.variants):
        told.skipped.append(f"line {line}: {product.handle} has the option values {' / '.join(values)} twice")
        return
    while len(product.options) < len(values):
        product.options.append(shop.new_option(f"Option{len(product.options) + 1}"))
    _add_variant(shop, product, values, row, stamp, told)


def _add_variant(
    shop: Shop, product: Product, values: tuple[str, ...], row: dict[str, str], stamp: str, told: Seeded
) -> None:
    variant = shop.add_variant(product, values, row.get("sku"), bool(row.get("tracker")), stamp)
    variant.barcode = row.get("barcode", "").removeprefix("'") or None  # a leading apostrophe is a spreadsheet's doing
    variant.price = _money(row.get("price")) or "0.00"
    variant.compare_at_price = _money(row.get("compare_at_price"))
    variant.taxable = row.get("taxable", "true").lower() != "false"
    policy = row.get("policy", "deny").lower()
    variant.inventory_policy = "CONTINUE" if policy in ("continue", "true") else "DENY"
    item = variant.item
    item.requires_shipping = row.get("requires_shipping", "true").lower() != "false"
    cost = _money(row.get("cost"))
    item.cost = Decimal(cost) if cost is not None else None
    item.weight_value = round(_number(row.get("grams")) / 1000, 6)
    for location in shop.locations:
        item.stock_at(location, stamp, active=True)
    if shop.locations:
        first = item.stock_at(shop.locations[0], stamp, active=True)
        first.quantities[AVAILABLE] = int(_number(row.get("quantity")))
    told.variants += 1


def _money(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return str(Decimal(text.replace(",", "")).quantize(Decimal("0.01")))
    except InvalidOperation:
        return None


def _number(text: str | None) -> float:
    try:
        return float(text) if text else 0.0
    except ValueError:
        return 0.0


def seed_synthetic(shop: Shop, variants: int, per_product: int, quantity: int, stamp: str) -> None:
    """Make a shop of any size for measurements: SKUs ``SYN-0000001`` …, all tracked, the same quantity at the first location."""
    first: Location = shop.locations[0]
    product: Product | None = None
    for number in range(1, variants + 1):
        if product is None or len(product.variants) >= per_product:
            serial = len(shop.products) + 1
            product = shop.add_product(f"synthetic-{serial:07d}", f"Synthetic {serial}", stamp)
            shop.set_options(product, ["Number"])
        variant = shop.add_variant(product, (str(number),), f"SYN-{number:07d}", tracked=True, stamp=stamp)
        variant.price = "10.00"
        for location in shop.locations:
            variant.item.stock_at(location, stamp, active=True)
        variant.item.stock_at(first, stamp, active=True).quantities[AVAILABLE] = quantity
