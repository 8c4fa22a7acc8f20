"""Loading items from a file: our own CSV or Shopify's product CSV, told apart by their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

from django.db import transaction

from catalog.csv_rows import Problems, RowProblem, Table, read_table
from catalog.item_batches import Batch, FileMemory
from catalog.item_rows import COLUMNS, ItemRow, own_columns, read_own, template
from catalog.shopify_csv import is_shopify, read_shopify, shopify_columns
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

__all__ = ["COLUMNS", "ImportReport", "import_items", "template"]

BATCH_ROWS = 1000


@dataclass(slots=True)
class ImportReport:
    """What came of a file. `rows` = created + updated + unchanged + `problem_count`, unless `refused`.

    `problems` lists the first ten thousand. `refused`: strict, and there were problems, so nothing was kept.
    """

    format: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    problem_count: int = 0
    notes: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def counts(self) -> dict[str, int]:
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "problems": self.problem_count,
        }

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            **self.counts,
            "format": self.format,
            "refused": self.refused,
            "notes": self.notes,
            "problem_rows": [{"line": p.line, "cause": p.cause, "remedy": p.remedy} for p in self.problems],
        }


def import_items(
    stream: BinaryIO | IO[bytes], *, actor: User | None, strict: bool = False, origin: str = ""
) -> ImportReport:
    """Load products and variants from `stream` (bytes of a CSV file); `origin` names it in the audit log.

    Good rows are kept in batches, each bad row is reported with line, cause and remedy; with `strict` one bad row
    keeps out all. Loading the same file again changes nothing. Raises FileRefused when the file as a whole cannot be
    read; nothing was done then.
    """
    table = read_table(stream, _columns, [("item_number", "sku", "handle")])
    shopify = is_shopify(table.header)
    report = ImportReport(format="shopify" if shopify else "own", notes=_notes(table, shopify=shopify))
    problems = Problems(report.problems)
    rows = read_shopify(table) if shopify else read_own(table)
    with transaction.atomic() if strict else nullcontext():
        _import(rows, report, problems)
        report.problem_count = problems.total
        report.problems.sort(key=lambda problem: problem.line)
        if strict and problems.total:
            transaction.set_rollback(True)
            report.refused = True
            report.created = report.updated = report.unchanged = 0
    if report.created or report.updated:
        audit.record(actor, "import_items", origin or "items", after=report.counts)
    return report


def _columns(header: Sequence[str]) -> Mapping[int, str]:
    return shopify_columns(header) if is_shopify(header) else own_columns(header)


def _notes(table: Table, *, shopify: bool) -> list[str]:
    notes = []
    if shopify and "quantity" in table.columns:
        notes.append("Quantities in the file were not read. Record stock with record_stock.")
    if not shopify and table.ignored:
        notes.append(f"Columns that are not known were not read: {', '.join(table.ignored[:20])}.")
    return notes


def _import(rows: Iterator[ItemRow | RowProblem], report: ImportReport, problems: Problems) -> None:
    memory = FileMemory()
    for blocks in _batches(_blocks(rows, report, problems)):
        counts = Batch(blocks, memory, problems).apply()
        report.created += counts.created
        report.updated += counts.updated
        report.unchanged += counts.unchanged


def _blocks(rows: Iterator[ItemRow | RowProblem], report: ImportReport, problems: Problems) -> Iterator[list[ItemRow]]:
    """Rows of one product that follow each other; a row without a handle is a block of its own."""
    block: list[ItemRow] = []
    for row in rows:
        report.rows += 1
        if isinstance(row, RowProblem):
            problems.add(row.line, row.cause, row.remedy)
            continue
        if block and (not row.handle or row.handle != block[0].handle or len(block) == BATCH_ROWS):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _batches(blocks: Iterator[list[ItemRow]]) -> Iterator[list[list[ItemRow]]]:
    """Blocks in groups of about a thousand rows, each handle once in a group."""
    batch: list[list[ItemRow]] = []
    handles: set[str] = set()
    size = 0
    for block in blocks:
        if batch and (size + len(block) > BATCH_ROWS or block[0].handle in handles):
            yield batch
            batch, handles, size = [], set(), 0
        batch.append(block)
        size += len(block)
        if block[0].handle:
            handles.add(block[0].handle)
    if batch:
        yield batch
