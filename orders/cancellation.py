"""The counter-document of an order that was invoiced and cancelled without a refund (algorithms.md §8b). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.ports.money import TwoPrices
from connectors.ports.orders import OrderLine, RemoteOrder
from orders import refund_words as words
from orders.refund_goods import OFF, Fate, gross, minus, plus, sent_by, share
from orders.refund_money import MoneyBack, Part, PartKind, is_zero, nothing, sum_of
from orders.verdict import CANCELLATION, Check, DocumentKind, Planned, Readiness, Verdict


def cancellation(
    order: RemoteOrder, refunded: Sequence[Verdict], invoiced: Mapping[str, int], *, accepted: bool
) -> Verdict | None:
    """The verdict on a cancelled order of which invoices hold units that no refund took back and nobody received.

    None when there are no such units. Nobody pays anything back, so a person decides until `accepted`.
    """
    if order.cancelled_at is None:
        return None
    open_units = {line.ref: _open(order, line, refunded, invoiced.get(line.ref, 0)) for line in order.lines}
    parts = [_line_part(order, line, open_units[line.ref]) for line in order.lines if open_units[line.ref] > 0]
    if not parts:
        return None
    if not refunded and not order.fulfilments:
        parts += _shipping_parts(order)
    total, zero = sum_of(order, parts), nothing(order)
    planned = (Planned(DocumentKind.CREDIT_MEMO, total, tuple(parts)),)
    money = MoneyBack(zero, zero, zero)
    units = sum(quantity for quantity in open_units.values() if quantity > 0)
    return Verdict(
        refund_ref=CANCELLATION,
        at=order.cancelled_at,
        readiness=Readiness.READY if accepted else Readiness.NEEDS_PERSON,
        documents=planned,
        goods=(),
        money=money,
        difference=zero,
        sentence=words.cancelled(units, total, decided=accepted),
        check=Check(words.NO_STOCK, words.money_line(money), words.equal_line(planned, money, zero), holds=accepted),
    )


def _open(order: RemoteOrder, line: OrderLine, refunded: Sequence[Verdict], invoiced: int) -> int:
    """Invoiced units of a line that nobody received and no refund took off the invoice."""
    taken = sum(
        piece.quantity
        for verdict in refunded
        for piece in verdict.goods
        if piece.line.ref == line.ref and piece.fate in OFF and piece.invoiced
    )
    kept = sum(p.quantity for v in refunded for p in v.goods if p.line.ref == line.ref and p.fate is Fate.KEPT)
    return invoiced - sent_by(order, line.ref, order.updated_at) - taken - kept


def _line_part(order: RemoteOrder, line: OrderLine, quantity: int) -> Part:
    """The value of so many units of a line, as it was ordered."""
    prices = [line.unit_price] * line.quantity + [minus(discount.amount) for discount in line.discounts]
    tax = plus(nothing(order), *(tax.price for tax in line.taxes))
    whole = gross(order, plus(nothing(order), *prices), tax)
    return Part(
        PartKind.GOODS,
        f"{line.name} × {quantity}",
        share(whole, 0, quantity, line.quantity),
        share(tax, 0, quantity, line.quantity),
    )


def _shipping_parts(order: RemoteOrder) -> list[Part]:
    parts: list[Part] = []
    for line in order.shipping:
        tax: TwoPrices = plus(nothing(order), *(tax.price for tax in line.taxes))
        if not line.is_removed and not is_zero(line.discounted_price):
            title = line.title or "Shipping"
            parts.append(Part(PartKind.SHIPPING, title, gross(order, line.discounted_price, tax), tax))
    return parts
