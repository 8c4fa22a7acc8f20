"""What is printed: a document as PDF, the same words, lines and sums as on its page, marked as internal; pick lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils import timezone

from orders.models import Document, DocumentLine, Wave, WaveLine
from syncconsole.kernel.currencies import written
from syncconsole.kernel.pdf import Pdf
from syncconsole.kernel.templatetags.console import plural

UNITS: Final = 0.62
TAX: Final = 0.79
AMOUNT: Final = 1.0
OF_ORDER: Final = 0.6
TO_PICK: Final = 0.88
PICKED: Final = 1.0


def pdf_of(document: Document, facts: list[tuple[str, str]], fates: dict[str, str]) -> bytes:
    """The document with its `facts`; `fates` are the words for what became of units."""
    pdf = Pdf(f"{document.get_kind_display()} {document.label}")
    pdf.paragraph("INTERNAL DOCUMENT, NOT FISCAL", size=9, bold=True, after=2)
    pdf.paragraph(pdf.title, size=16, bold=True, after=8)
    for name, value in [("State", document.get_state_display()), *facts]:
        pdf.row([(name, 0.0, False), (value, 0.22, False)])
    pdf.rule()
    pdf.paragraph(document.sentence, after=4)
    for name, value in (
        ("Stock", document.stock_check),
        ("Money", document.money_check),
        ("Equal", document.equal_check),
    ):
        pdf.paragraph(f"{name}: {value}", size=9, after=0)
    pdf.table([("Line", 0.0, False), ("Units", UNITS, True), ("Tax within", TAX, True), ("Amount", AMOUNT, True)])
    for line in document.lines.all():
        _line(pdf, document, line, fates)
    pdf.end_table()
    pdf.rule()
    pdf.row(
        [("Total", 0.0, False), ("", UNITS, True), (written(document.total, document.currency), AMOUNT, True)],
        bold=True,
    )
    if document.currency != document.shop_currency:
        shop = written(document.total_shop, document.shop_currency)
        pdf.row([("In the shop's currency", 0.0, False), (shop, AMOUNT, True)])
    return pdf.finished(f"{document.store} · {document.label} · internal document")


def _line(pdf: Pdf, document: Document, line: DocumentLine, fates: dict[str, str]) -> None:
    what = " · ".join(filter(None, [line.label, line.sku, fates.get(line.fate, "")]))
    tax = written(line.tax, document.currency) if line.tax else ""
    units = f"{line.quantity:,}".replace("-", "\N{MINUS SIGN}") if line.quantity else ""
    pdf.row(
        [
            (what, 0.0, False),
            (units, UNITS, True),
            (tax, TAX, True),
            (written(line.amount, document.currency), AMOUNT, True),
        ]
    )


def pick_list_of(wave: Wave, lines: Sequence[WaveLine]) -> bytes:
    """The lines of a wave to pick, in their order, each with room to write down what was picked."""
    pdf = Pdf(f"Pick list of {wave}")
    pdf.paragraph(pdf.title, size=16, bold=True, after=8)
    orders, units = len({line.stock.order_id for line in lines}), sum(line.quantity for line in lines)
    for name, value in (
        ("Location", str(wave.location)),
        ("Made", f"{timezone.localtime(wave.created_at):%-d %b %Y %H:%M %Z}"),
        ("To pick", f"{plural(units, 'unit')} for {plural(orders, 'order')}"),
    ):
        pdf.row([(name, 0.0, False), (value, 0.22, False)])
    pdf.table([("Item", 0.0, False), ("Order", OF_ORDER, False), ("Pick", TO_PICK, True), ("Picked", PICKED, True)])
    for line in lines:
        order = line.stock.order
        pdf.row(
            [
                (line.stock.variant.label, 0.0, False),
                (f"{order.name} · {order.store}", OF_ORDER, False),
                (f"{line.quantity:,}", TO_PICK, True),
                ("______", PICKED, True),
            ]
        )
        pdf.rule()
    return pdf.finished(f"{wave} · {wave.location}")
