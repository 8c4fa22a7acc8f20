"""The money of a refund: what moved, and the parts that must come to it (algorithms.md §8b 2 and 3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from connectors.ports.money import Money, Transaction, TwoPrices
from connectors.ports.orders import RemoteOrder
from connectors.ports.refunds import Refund
from orders.refund_goods import Goods, gross, minus, plus

UNSETTLED: Final = frozenset({"pending", "awaiting_response", "unknown"})
FAILED: Final = frozenset({"failure", "error"})


class PartKind(StrEnum):
    """What a line of a document is about."""

    GOODS = "goods"
    SHIPPING = "shipping"
    DUTY = "duty"
    ADJUSTMENT = "adjustment"
    ROUNDING = "rounding"
    EXCHANGE = "exchange"
    """The value that went into goods sent out instead."""
    ORDER = "order"
    """The value that the order owes less, since it was never invoiced or paid."""
    ACCEPTED = "accepted"
    """The difference that a person accepted."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a document. `amount` holds the tax; `goods` for units, None for the rest."""

    kind: PartKind
    label: str
    amount: TwoPrices
    tax: TwoPrices
    goods: Goods | None = None


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What the transactions of a refund say: paid back, still to be settled, and tried in vain."""

    paid: TwoPrices
    pending: TwoPrices
    failed: TwoPrices

    @property
    def due(self) -> TwoPrices:
        """What the document is about: paid, and what is expected to be."""
        return plus(self.paid, self.pending)

    @property
    def only_failed(self) -> bool:
        """Tried, and nothing of it moved or can still move."""
        return is_zero(self.due) and not is_zero(self.failed)


def nothing(order: RemoteOrder) -> TwoPrices:
    """Zero in the order's two currencies."""
    return TwoPrices(Money(Decimal(0), order.currency), Money(Decimal(0), order.presentment_currency))


def is_zero(price: TwoPrices) -> bool:
    """Whether it is zero in both currencies."""
    return not price.shop.amount and not price.presentment.amount


def money_back(order: RemoteOrder, refund: Refund) -> MoneyBack:
    """The money of a refund: transactions of the kind refund that are no tests. A pending one whose child is settled is
    settled by it."""
    moves = [each for each in refund.transactions if each.kind == "refund" and not each.test]
    followed = {each.parent_ref for each in moves if each.status not in UNSETTLED}
    zero = nothing(order)
    return MoneyBack(
        paid=plus(zero, *(each.amount for each in moves if each.status == "success")),
        pending=plus(zero, *(each.amount for each in moves if each.status in UNSETTLED and each.ref not in followed)),
        failed=plus(zero, *(each.amount for each in moves if each.status in FAILED)),
    )


def parts_of(order: RemoteOrder, refund: Refund, pieces: Iterable[Goods]) -> tuple[Part, ...]:
    """Everything the refund is made of, adjustments with their own sign; no part without an amount but goods."""
    zero = nothing(order)
    parts = [Part(PartKind.GOODS, piece.line.name, piece.value, piece.tax, piece) for piece in pieces]
    titles = {line.ref: line.title for line in order.shipping}
    parts += [
        Part(
            PartKind.SHIPPING,
            titles.get(each.shipping_line_ref) or "Shipping",
            gross(order, each.subtotal, each.tax),
            each.tax,
        )
        for each in refund.shipping
    ]
    parts += [Part(PartKind.DUTY, "Duty", each.amount, zero) for each in refund.duties]
    parts += [
        Part(PartKind.ADJUSTMENT, _reason(each.reason), plus(each.amount, each.tax), each.tax)
        for each in refund.adjustments
    ]
    parts += [Part(PartKind.ROUNDING, "Cash rounding", each, zero) for each in _roundings(refund.transactions)]
    return tuple(part for part in parts if part.goods or not is_zero(part.amount))


def sum_of(order: RemoteOrder, parts: Iterable[Part]) -> TwoPrices:
    """What parts come to."""
    return plus(nothing(order), *(part.amount for part in parts))


def closing(order: RemoteOrder, kind: PartKind, label: str, difference: TwoPrices) -> Part:
    """The part that takes a difference away."""
    return Part(kind, label, minus(difference), nothing(order))


def exchange_value(order: RemoteOrder, return_ref: str) -> TwoPrices:
    """What the goods cost that went out instead of those of a return (its exchange lines), with tax."""
    given = {
        ref
        for each in order.returns
        for exchange in each.exchanges
        for ref in exchange.line_refs
        if return_ref and each.ref == return_ref
    }
    values: list[TwoPrices] = []
    for line in order.lines:
        if line.ref in given:
            taken = (minus(discount.amount) for discount in line.discounts)
            taxes = () if order.taxes_included else (tax.price for tax in line.taxes)
            values += [_times(line.unit_price, line.quantity), *taken, *taxes]
    return plus(nothing(order), *values)


def _roundings(transactions: Iterable[Transaction]) -> Iterator[TwoPrices]:
    for each in transactions:
        if each.kind == "refund" and not each.test and each.status not in FAILED and each.rounding is not None:
            yield each.rounding


def _times(price: TwoPrices, quantity: int) -> TwoPrices:
    return TwoPrices(
        Money(price.shop.amount * quantity, price.shop.currency),
        Money(price.presentment.amount * quantity, price.presentment.currency),
    )


def _reason(words: str) -> str:
    return "Adjustment: " + words.replace("_", " ") if words else "Adjustment"
