"""One row of an item file in neutral form, and the reader of our own item CSV (docs/operators/items.md)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from catalog.csv_rows import CellRefused, Row, RowProblem, Table, boolean_cell, decimal_cell, text_cell

OPTIONS = (1, 2, 3)
STATUSES = ("active", "draft", "archived", "unlisted")
NAME_LIMIT = 255
DESCRIPTION_LIMIT = 512 * 1024
TAGS_LIMIT = 250
DEFAULT_TITLE = "Default Title"

PRODUCT_COLUMNS = ("handle", "title", "description", "vendor", "type", "tags", "status")
VARIANT_COLUMNS = ("sku", "barcode", "price", "cost", "bin", "supplier", "tracked", "variant_tags")
OPTION_COLUMNS = tuple(f"option{number}_{part}" for number in OPTIONS for part in ("name", "value"))
COLUMNS = ("item_number", "sku", "barcode", *PRODUCT_COLUMNS, *OPTION_COLUMNS, *VARIANT_COLUMNS[2:])
"""Our header, in the order of the template."""


@dataclass(slots=True)
class ItemRow:
    """What one row says: a variant, and fields of the product it belongs to.

    `product` and `variant` hold model fields that the file gives; an absent column gives none, so it changes nothing.
    `option_values` is None where the file has no option columns. `refusal`: the variant cannot be kept, but `product`
    still stands for the rows below it. `declares`: this row carries the product's fields, so that an empty cell clears
    one; in other rows (no title) empty cells of the product say nothing.
    """

    line: int
    item_number: str = ""
    handle: str = ""
    option_names: list[str] | None = None
    option_values: list[str] | None = None
    declares: bool = False
    product: dict[str, Any] = field(default_factory=dict)
    variant: dict[str, Any] = field(default_factory=dict)
    refusal: CellRefused | None = None

    @property
    def sku(self) -> str:
        """The row's SKU; empty without one."""
        return str(self.variant.get("sku", ""))


def own_columns(header: Sequence[str]) -> Mapping[int, str]:
    """Positions of our columns; "Item number" and "item-number" are read as item_number."""
    names = {index: name.strip().casefold().replace(" ", "_").replace("-", "_") for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name in COLUMNS}


def read_own(table: Table) -> Iterator[ItemRow | RowProblem]:
    """Rows of our own format."""
    for row in table.rows:
        if isinstance(row, RowProblem):
            yield row
            continue
        item = ItemRow(row.line)
        try:
            _identify(item, row)
            item.product = product_fields(row.cells)
            item.declares = bool(row.cells.get("title")) or "title" not in table.columns
            item.option_names, item.option_values = _own_options(row.cells)
        except CellRefused as refusal:
            yield RowProblem(row.line, refusal.cause, refusal.remedy)
            continue
        keep_variant(item, partial(variant_fields, row.cells, table.decimal_mark))
        yield item


def _identify(item: ItemRow, row: Row) -> None:
    item.item_number = text_cell("The item number", row.cells.get("item_number", ""), NAME_LIMIT)
    item.handle = text_cell("The handle", row.cells.get("handle", ""), NAME_LIMIT)
    if not (item.item_number or item.handle or row.cells.get("sku")):
        raise CellRefused("The row names no item.", "Give it an item_number, a sku, or a handle.")


def keep_variant(item: ItemRow, read: Callable[[], dict[str, Any]]) -> None:
    """Put what `read` gives into `item`; a refusal is kept there, so that the product's fields are not lost."""
    try:
        item.variant = read()
    except CellRefused as refusal:
        item.refusal = refusal


def _own_options(cells: dict[str, str]) -> tuple[list[str] | None, list[str] | None]:
    if not any(column in cells for column in OPTION_COLUMNS):
        return None, None
    names = [cells.get(f"option{number}_name", "") for number in OPTIONS]
    values = [cells.get(f"option{number}_value", "") for number in OPTIONS]
    return options(names, values)


def options(names: Sequence[str], values: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """Option names (None where the row leaves them to the product's first row) and values, without empty ends.

    A product without options (`Title` / `Default Title`) has neither. Raises CellRefused for gaps and long texts.
    """
    named, valued = _filled(names, "name"), _filled(values, "value")
    if valued == [DEFAULT_TITLE]:
        return [], []
    if named and len(named) != len(valued):
        raise CellRefused(
            f"The row names {len(named)} options and gives {len(valued)} values.",
            "Give each option a name and a value, from option 1 on.",
        )
    return named or (None if valued else []), valued


def _filled(cells: Sequence[str], part: str) -> list[str]:
    filled = [text_cell(f"Option {number} {part}", cell, NAME_LIMIT) for number, cell in enumerate(cells, 1)]
    while filled and not filled[-1]:
        filled.pop()
    if "" in filled:
        raise CellRefused(f"Option {filled.index('') + 1} has no {part}.", "Fill options from option 1 on.")
    return filled


def product_fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """Fields of the product that the row gives. Raises CellRefused."""
    fields: dict[str, Any] = {}
    for column, name in (("title", "title"), ("vendor", "vendor"), ("type", "product_type")):
        if column in cells:
            fields[name] = text_cell(f"The {column}", cells[column], NAME_LIMIT)
    if "description" in cells:
        fields["description"] = text_cell("The description", cells["description"], DESCRIPTION_LIMIT)
    if "tags" in cells:
        fields["tags"] = tag_list(cells["tags"])
    if "status" in cells:
        fields["status"] = _status(cells["status"])
    return fields


def _status(text: str) -> str:
    if text and text.casefold() not in STATUSES:
        raise CellRefused(f"The status {text[:40]} is not known.", f"Write one of: {', '.join(STATUSES)}.")
    return text.casefold()


def tag_list(text: str) -> list[str]:
    """Tags of a cell, separated by commas; each once, in their order. Raises CellRefused."""
    found = dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip())
    if len(found) > TAGS_LIMIT:
        raise CellRefused(f"The row has {len(found)} tags.", f"Keep at most {TAGS_LIMIT}.")
    return [text_cell(f"The tag {tag[:20]}…", tag, NAME_LIMIT) for tag in found]


def variant_fields(cells: Mapping[str, str], mark: str) -> dict[str, Any]:
    """Fields of the variant that the row gives. Raises CellRefused."""
    fields: dict[str, Any] = {}
    for column, name, limit in (
        ("sku", "The SKU", NAME_LIMIT),
        ("barcode", "The barcode", NAME_LIMIT),
        ("bin", "The bin", 120),
        ("supplier", "The supplier", NAME_LIMIT),
    ):
        if column in cells:
            fields[column] = text_cell(name, cells[column], limit)
    for column, name, places in (("price", "The price", 2), ("cost", "The cost", 4)):
        if column in cells:
            fields[column] = _amount(name, cells[column], mark, places)
    if "tracked" in cells:
        fields["tracked"] = boolean_cell("tracked", cells["tracked"]) if cells["tracked"] else True
    if "variant_tags" in cells:
        fields["tags"] = tag_list(cells["variant_tags"])
    return fields


def _amount(name: str, text: str, mark: str, places: int) -> Decimal | None:
    if not text:
        return None
    value = decimal_cell(name, text, mark=mark, places=places, digits=14 - places)
    if value < 0:
        raise CellRefused(f"{name} {text} is negative.", "Write an amount of zero or more.")
    return value


EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "item_number": "AB-0001-S",
        "sku": "TS-BLK-S",
        "barcode": "5941234567890",
        "handle": "tricou-negru",
        "title": "Tricou negru",
        "description": "<p>Bumbac organic.</p>",
        "vendor": "Atelier Bucovina",
        "type": "Tricouri",
        "tags": "femei, vara",
        "status": "active",
        "option1_name": "Mărime",
        "option1_value": "S",
        "price": "89.90",
        "cost": "31.50",
        "bin": "A-03-2",
        "supplier": "Filatura Suceava",
        "tracked": "true",
        "variant_tags": "outlet",
    },
    {"item_number": "AB-0001-M", "sku": "TS-BLK-M", "handle": "tricou-negru", "option1_value": "M", "price": "89.90"},
)


def template() -> str:
    """The header and two example rows, as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(EXAMPLES)
    return out.getvalue()
