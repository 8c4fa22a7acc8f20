"""The accountant's register as a workbook (XLSX): totals, taxes by rate, the documents and their lines.

Amounts are numbers with the decimals of their currency, times are times of the installation's zone. Everything else is
written as text, so that nothing in it is ever a formula or a link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter
from django.db.models import QuerySet
from django.utils import timezone

from orders import document_table, register
from orders.document_table import DOCUMENTS, LINES, Amount, Cell
from orders.models import Document, DocumentLine
from orders.reviews import Looked
from syncconsole.kernel.currencies import UnknownCurrency, decimals, rounded
from syncconsole.kernel.refusals import Refusal

MOST: Final = 20_000
"""Lines of one workbook: somebody waits for it at the page."""
OPTIONS: Final = {
    "constant_memory": True,  # a row is on disk as soon as the next one begins
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class WorkbookRefused(Refusal):
    """No workbook was made."""


def write(stream: IO[bytes], looked: Looked, documents: QuerySet[Document, Document]) -> None:
    """Write the register of these documents, in the order of posting; `looked` is what they were chosen by. Raises
    WorkbookRefused, before anything is written, for more than `MOST` lines."""
    lines = DocumentLine.objects.filter(document__in=documents.order_by().values("pk")).count()
    if lines > MOST:
        raise WorkbookRefused(
            f"The period has {lines:,} lines of documents, a workbook takes {MOST:,}.",
            "Choose a shorter period or a store, or export CSV.",
        )
    with xlsxwriter.Workbook(stream, OPTIONS) as book:
        _totals(_Sheet(book, "Totals", TOTALS), looked, documents)
        _rates(_Sheet(book, "Taxes by rate", RATES), documents)
        _documents(_Sheet(book, "Documents", _zoned(DOCUMENTS)), _Sheet(book, "Lines", LINES), documents)


class _Sheet:
    """A sheet that is filled from its first row to its last."""

    def __init__(self, book: Any, name: str, columns: Sequence[tuple[str, int]]) -> None:
        """`columns`: headings, with their widths in characters."""
        self._book, self._sheet, self._row = book, book.add_worksheet(name), 0
        self._formats: dict[str, Any] = {}
        for place, (_, width) in enumerate(columns):
            self._sheet.set_column(place, place, width)
        self._sheet.freeze_panes(1, 0)
        for place, (heading, _) in enumerate(columns):
            self._sheet.write_string(0, place, heading, self._format(bold=True))

    def add(self, *cells: Cell) -> None:
        """The next row; None leaves a cell empty."""
        self._row += 1
        for place, cell in enumerate(cells):
            match cell:
                case None | "":
                    pass
                case str():
                    self._sheet.write_string(self._row, place, cell)
                case Amount(value, currency):
                    self._sheet.write_number(self._row, place, *self._money(value, currency))
                case dt.datetime():
                    local = timezone.localtime(cell, timezone.get_default_timezone()).replace(tzinfo=None)
                    self._sheet.write_datetime(self._row, place, local, self._format(num_format="yyyy-mm-dd hh:mm"))
                case _:
                    self._sheet.write_number(self._row, place, cell)

    def _money(self, value: Decimal, currency: str) -> tuple[Decimal, Any]:
        """Of an unknown currency, with all the digits that are kept."""
        try:
            places, shown = decimals(currency), rounded(value, currency)
        except UnknownCurrency:
            places, shown = 4, value
        return shown, self._format(num_format="#,##0" + ("." + "0" * places if places else ""))

    def _format(self, **look: Any) -> Any:
        """One format object for each look: a workbook keeps every one that is made."""
        name = str(look)
        if name not in self._formats:
            self._formats[name] = self._book.add_format(look)
        return self._formats[name]


TOTALS: Final = (
    ("Kind", 24),
    ("Store", 24),
    ("Documents", 11),
    ("Currency", 10),
    ("Tax within", 16),
    ("Total", 16),
    ("Shop currency", 14),
    ("Total, shop", 16),
)
RATES: Final = (
    ("Tax", 28),
    ("Currency", 10),
    ("Net", 16),
    ("Tax amount", 16),
    ("Shop currency", 14),
    ("Tax amount, shop", 16),
)


def _zoned(columns: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Times with their zone, which a cell cannot hold."""
    zone = timezone.get_default_timezone_name()
    return [(f"{name} ({zone})", 30) if name.endswith(" at") else (name, width) for name, width in columns]


def _totals(sheet: _Sheet, looked: Looked, documents: QuerySet[Document, Document]) -> None:
    found = register.totals(documents)
    for row in found:
        tax, total = Amount(row.tax, row.currency), Amount(row.total, row.currency)
        shop = Amount(row.total_shop, row.shop_currency)
        sheet.add(row.kind.label, row.store, row.count, row.currency, tax, total, row.shop_currency, shop)
    for currency, total_of_all in register.sums(found).items():
        sheet.add("All but order change notes", None, None, currency, None, Amount(total_of_all, currency))
    sheet.add(f"Posted {looked.since} to {looked.until}, {looked.words}")


def _rates(sheet: _Sheet, documents: QuerySet[Document, Document]) -> None:
    for row in register.rates(documents):
        net, tax = Amount(row.net, row.currency), Amount(row.tax, row.currency)
        sheet.add(row.rate, row.currency, net, tax, row.shop_currency, Amount(row.tax_shop, row.shop_currency))


def _documents(sheet: _Sheet, of_lines: _Sheet, documents: QuerySet[Document, Document]) -> None:
    for each in document_table.by_posting(documents):
        sheet.add(*document_table.of_document(each))
        for line in each.lines.all():
            of_lines.add(*document_table.of_line(each, line))
