"""A wave as a CSV file: handed out with what is to be picked of each line, taken back with what was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from catalog.csv_rows import CellRefused, FileRefused, Row, RowProblem, Table, decimal_cell, read_table
from orders.models import Wave, WaveLine, WaveLineState
from orders.shipping import Units
from orders.waves import Picked
from syncconsole.kernel.exports import csv_line

COLUMNS: Final = ("line", "order", "store", "sku", "item", "to_pick", "picked")


def waiting(wave: Wave) -> list[WaveLine]:
    """The lines that wait to be picked, as the pick list has them."""
    lines = wave.lines.filter(state=WaveLineState.OPEN).select_related("stock__order__store", "stock__variant__product")
    return list(lines.defer("stock__order__snapshot").order_by("stock__variant__sku", "pk"))


def lines(wave: Wave) -> Iterator[str]:
    """What waits to be picked, as CSV; `picked` is filled in with all of it, to be lowered where something is short."""
    yield csv_line(COLUMNS)
    for line in waiting(wave):
        order, variant = line.stock.order, line.stock.variant
        yield csv_line(
            (line.pk, order.name, order.store.slug, variant.sku, variant.label, line.quantity, line.quantity)
        )


def read(stream: BinaryIO) -> Picked:
    """What a file that `lines` wrote says was picked. Raises FileRefused: a row that cannot be understood is the end of it,
    since what was picked is booked as a whole."""
    table = read_table(stream, _columns, needs=(("line",), ("to_pick",), ("picked",)))
    picked: dict[int, Units] = {}
    for row in table.rows:
        if isinstance(row, RowProblem):
            raise FileRefused(f"Line {row.line}: {row.cause}", row.remedy)
        try:
            line = _number(row, "line", table)
            if line in picked:
                raise CellRefused(f"The wave's line {line} stands there twice.", "Keep one row of it.")
            picked[line] = Units(_number(row, "picked", table), of=_number(row, "to_pick", table))
        except CellRefused as refused:
            raise FileRefused(f"Line {row.line}: {refused.cause}", refused.remedy) from refused
    return picked


def _number(row: Row, column: str, table: Table) -> int:
    text = row.cells[column]
    if not text:
        raise CellRefused(f"{column} is empty.", "Write a whole number; 0 where nothing was picked.")
    return int(decimal_cell(column, text, mark=table.decimal_mark, places=0))


def _columns(header: Sequence[str]) -> Mapping[int, str]:
    names = {index: name.strip().casefold().replace(" ", "_") for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name in COLUMNS}
