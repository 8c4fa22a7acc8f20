"""Documents and their lines as tables: one list of columns, for CSV and for the accountant's workbook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Prefetch, QuerySet

from orders.models import Document, DocumentLine
from orders.refund_goods import Fate
from syncconsole.kernel.exports import csv_line


@dataclass(frozen=True, slots=True)
class Amount:
    """Money as a cell shows it."""

    value: Decimal
    currency: str


FEW: Final = 500
"""Documents in memory at a time."""

Cell = str | int | dt.datetime | Amount | None

FATES: Final = {
    Fate.RETURNED: "Back to available",
    Fate.WRITTEN_OFF: "Returned, written off",
    Fate.CANCELLED: "Released",
    Fate.LOST: "Released, written off",
    Fate.KEPT: "Still to be sent",
}
"""What became of units, in words."""

DOCUMENTS: Final = (
    ("Document", 14),
    ("Kind", 24),
    ("State", 12),
    ("Fiscal document", 18),
    ("Store", 24),
    ("Order", 14),
    ("Refund", 34),
    ("Refunded at", 18),
    ("Posted at", 18),
    ("Total", 16),
    ("Currency", 10),
    ("Total, shop", 16),
    ("Shop currency", 14),
    ("Tax", 16),
    ("Counters", 14),
    ("Why", 80),
)
"""Headings, with the width of a spreadsheet's column in characters."""

LINES: Final = (
    ("Document", 14),
    ("Fiscal document", 18),
    ("Line", 40),
    ("SKU", 20),
    ("Units", 8),
    ("What became of them", 24),
    ("Amount", 16),
    ("Tax", 16),
    ("Currency", 10),
    ("Amount, shop", 16),
    ("Tax, shop", 16),
    ("Shop currency", 14),
)


def of_document(document: Document) -> tuple[Cell, ...]:
    """The cells under `DOCUMENTS`."""
    own, shop = document.currency, document.shop_currency
    return (
        document.label,
        document.get_kind_display(),
        document.get_state_display(),
        document.fiscal_number,
        document.store.name,
        document.refund.order.name,
        document.refund.ref,
        document.dated_at,
        document.posted_at,
        Amount(document.total, own),
        own,
        Amount(document.total_shop, shop),
        shop,
        Amount(sum((line.tax for line in document.lines.all()), Decimal(0)), own),
        document.counters.label if document.counters else None,
        document.sentence,
    )


def of_line(document: Document, line: DocumentLine) -> tuple[Cell, ...]:
    """The cells under `LINES`."""
    own, shop = document.currency, document.shop_currency
    return (
        document.label,
        document.fiscal_number,
        line.label,
        line.sku,
        line.quantity,
        FATES[Fate(line.fate)] if line.fate else None,
        Amount(line.amount, own),
        Amount(line.tax, own),
        own,
        Amount(line.amount_shop, shop),
        Amount(line.tax_shop, shop),
        shop,
    )


def by_posting(documents: QuerySet[Document, Document]) -> Iterator[Document]:
    """These documents with what the tables hold of them, in the order of posting, some hundred in memory at a time."""
    found = documents.select_related("store", "refund__order", "counters").defer("refund__order__snapshot")
    lines = Prefetch("lines", DocumentLine.objects.order_by("position"))
    return found.prefetch_related(lines).order_by("posted_at", "pk").iterator(FEW)


def csv_of(documents: Iterable[Document]) -> Iterator[str]:
    """Documents as CSV, one a line, formulas neutralised."""
    yield "\ufeff" + csv_line(heading for heading, _ in DOCUMENTS)
    for each in documents:
        yield csv_line(map(_plain, of_document(each)))


def lines_csv(document: Document) -> Iterator[str]:
    """One document's lines as CSV."""
    yield "\ufeff" + csv_line(heading for heading, _ in LINES)
    for line in document.lines.all():
        yield csv_line(map(_plain, of_line(document, line)))


def _plain(cell: Cell) -> str | int | Decimal | None:
    """As CSV has it: plain digits, times with their offset."""
    match cell:
        case Amount(value, _):
            return value
        case dt.datetime():
            return cell.isoformat(timespec="seconds")
        case _:
            return cell
