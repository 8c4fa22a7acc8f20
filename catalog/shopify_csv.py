"""The reader of Shopify's product CSV, with the current header names and the earlier ones.

Source: Shopify Help Center, "Using CSV files to import and export products". Rows of one handle that follow each other
are one product; its first row carries the product's fields; rows without option values are further images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from catalog.csv_rows import CellRefused, Row, RowProblem, Table, text_cell
from catalog.item_rows import NAME_LIMIT, OPTIONS, ItemRow, keep_variant, options, product_fields, variant_fields

NAMES = {
    "url handle": "handle",
    "handle": "handle",
    "title": "title",
    "description": "description",
    "body (html)": "description",
    "vendor": "vendor",
    "type": "type",
    "tags": "tags",
    "status": "status",
    "sku": "sku",
    "variant sku": "sku",
    "barcode": "barcode",
    "variant barcode": "barcode",
    "price": "price",
    "variant price": "price",
    "cost per item": "cost",
    "inventory tracker": "tracker",
    "variant inventory tracker": "tracker",
    "inventory quantity": "quantity",
    "variant inventory qty": "quantity",
} | {f"option{number} {part}": f"option{number}_{part}" for number in OPTIONS for part in ("name", "value")}

ONLY_SHOPIFY = frozenset(
    {
        "url handle",
        "body (html)",
        "option1 name",
        "option1 value",
        "published",
        "published on online store",
        "variant sku",
        "variant price",
        "variant barcode",
        "variant inventory qty",
        "variant inventory tracker",
        "inventory tracker",
        "inventory quantity",
        "image src",
        "product image url",
    }
)
"""Headers that no file of ours has, so one of them tells whose format it is."""

VARIANT_CELLS = ("sku", "barcode", "price", "quantity")


def is_shopify(header: Sequence[str]) -> bool:
    """True when the header is that of Shopify's product CSV, in either set of names."""
    names = {name.strip().casefold() for name in header}
    return bool(names & ONLY_SHOPIFY) and "item_number" not in names


def shopify_columns(header: Sequence[str]) -> Mapping[int, str]:
    """Positions of the columns that are read, by their neutral names."""
    names = {index: NAMES.get(name.strip().casefold()) for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name}


def read_shopify(table: Table) -> Iterator[ItemRow | RowProblem]:
    """Rows of variants; rows that only add an image are left out."""
    handle = ""
    for row in table.rows:
        if isinstance(row, RowProblem):
            yield row
            continue
        same, handle = row.cells.get("handle", "") == handle, row.cells.get("handle", "")
        if _only_an_image(row) and (same or not row.cells.get("title")):
            continue
        yield _item(row)


def _only_an_image(row: Row) -> bool:
    cells = (*VARIANT_CELLS, *(f"option{number}_value" for number in OPTIONS))
    return not any(row.cells.get(name) for name in cells)


def _item(row: Row) -> ItemRow | RowProblem:
    item = ItemRow(row.line)
    cells = row.cells
    try:
        item.handle = text_cell("The handle", cells.get("handle", ""), NAME_LIMIT)
        if not item.handle:
            raise CellRefused("The row has no handle.", "Write the handle of its product in each row.")
        item.product = product_fields(cells)
        item.declares = bool(cells.get("title"))
        names = [cells.get(f"option{number}_name", "") for number in OPTIONS]
        values = [cells.get(f"option{number}_value", "") for number in OPTIONS]
        if not any(values) and any(names):
            raise CellRefused("The row names an option and gives no value.", "Write the value of each option.")
        item.option_names, item.option_values = options(names, values)
    except CellRefused as refusal:
        return RowProblem(row.line, refusal.cause, refusal.remedy)
    # Amounts there always have a decimal point: a comma is never a decimal mark.
    keep_variant(item, lambda: variant_fields(_with_tracked(cells), "."))
    return item


def _with_tracked(cells: Mapping[str, str]) -> dict[str, str]:
    """The cells with `tracked`: an empty tracker means that the quantity is not tracked."""
    if "tracker" not in cells:
        return dict(cells)
    return {**cells, "tracked": "true" if cells["tracker"] else "false"}
