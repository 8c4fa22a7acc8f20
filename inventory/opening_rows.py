"""Files that tell opening stock: our own CSV, and Shopify's inventory CSV (reference: Shopify 8.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from catalog.csv_rows import CellRefused, Problems, Row, RowProblem, Table, decimal_cell
from inventory.mapping import folded
from inventory.stock_rows import Reason, StockRow

OWN_COLUMNS: Final = ("item_number", "sku", "quantity")
ON_HAND: Final = "On hand (current)"
STORE_COLUMNS: Final = {
    "sku": "sku",
    "location": "location",
    "on hand (current)": ON_HAND,
    "on hand": ON_HAND,
}
NOT_STOCKED: Final = "not stocked"


def own_columns(header: Sequence[str]) -> Mapping[int, str]:
    """Positions of our columns."""
    names = {index: name.strip().casefold().replace(" ", "_").replace("-", "_") for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name in OWN_COLUMNS}


def store_columns(header: Sequence[str]) -> Mapping[int, str]:
    """Positions of the columns of Shopify's inventory export that matter here; On hand (new) is what a person would
    import there, not what is there."""
    names = {index: STORE_COLUMNS.get(name.strip().casefold(), "") for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name}


def own_rows(table: Table, problems: Problems) -> Iterator[StockRow]:
    """Rows of our own file; each names an item and how many units are on hand."""
    for row in _readable(table, problems):
        try:
            if not row.cells.get("item_number") and not row.cells.get("sku"):
                raise CellRefused("The row names no item.", "Write its item_number, or its sku.")
            yield _row(row, "quantity", table.decimal_mark)
        except CellRefused as refused:
            problems.add(row.line, refused.cause, refused.remedy)


def store_rows(table: Table, names: Sequence[str], problems: Problems) -> Iterator[StockRow]:
    """Rows of Shopify's file at locations of these names; rows of others, and `not stocked`, say nothing of ours."""
    wanted = {folded(name) for name in names}
    for row in _readable(table, problems):
        if folded(row.cells.get("location", "")) not in wanted:
            continue
        if row.cells.get(ON_HAND, "").casefold() == NOT_STOCKED:
            continue
        try:
            if not row.cells.get("sku"):
                raise CellRefused("The variant has no SKU.", "Give it one in the store, or record it by our own file.")
            yield _row(row, ON_HAND, ".")
        except CellRefused as refused:
            problems.add(row.line, refused.cause, refused.remedy)


def _readable(table: Table, problems: Problems) -> Iterator[Row]:
    for row in table.rows:
        if isinstance(row, RowProblem):
            problems.add(row.line, row.cause, row.remedy)
        else:
            yield row


def _row(row: Row, column: str, mark: str) -> StockRow:
    text = row.cells.get(column, "")
    if not text:
        raise CellRefused("The row gives no quantity.", "Write how many units are on hand; 0 where there are none.")
    quantity = decimal_cell("The quantity", text, mark=mark, places=3, digits=9)
    number, sku = row.cells.get("item_number", ""), row.cells.get("sku", "")
    return StockRow(row.line, number, sku, "", "", Reason.OPENING, quantity, None, "", "")
