"""Which documents a refund becomes, and why: the rules of algorithms.md §8b, to the letter. Pure.

`verdicts` looks at an order's refunds in the order in which they were made, since a later one sees what the earlier ones
consumed. The same facts give the same verdicts, whenever and however often they are read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from connectors.ports.money import TwoPrices
from connectors.ports.orders import RemoteOrder
from connectors.ports.refunds import Refund
from orders import refund_words as words
from orders.cancellation import cancellation
from orders.refund_goods import OFF, Consumed, RefundedGoods, in_time, made_at, minus, plus, refunded_goods
from orders.refund_money import (
    MoneyBack,
    Part,
    PartKind,
    closing,
    exchange_value,
    is_zero,
    money_back,
    nothing,
    parts_of,
    sum_of,
)
from orders.verdict import CANCELLATION, Check, DocumentKind, Planned, Readiness, Verdict

NONE: Final[Mapping[str, int]] = MappingProxyType({})


def verdicts(
    order: RemoteOrder,
    *,
    invoiced: Mapping[str, int] = NONE,
    accepted: Collection[str] = (),
    places: Mapping[str, str] = MappingProxyType({}),
) -> list[Verdict]:
    """One verdict per refund, oldest first, and one more for a cancelled order whose invoice no refund took back.

    `invoiced`: units of each line that invoices hold. `accepted`: references of refunds that a person decided to book
    as they are. `places`: what to call the store's locations; the order itself names those it is sent from.
    """
    names = {work.location_ref: work.location_name for work in order.fulfilment_orders} | dict(places)
    consumed, exchanged = Consumed(), dict[str, TwoPrices]()
    found: list[Verdict] = []
    for refund in in_time(order):
        goods = refunded_goods(order, refund, consumed, invoiced)
        case = _Case(order, refund, goods, exchanged, accepted=refund.ref in accepted)
        found.append(case.verdict(names))
    cancelled = cancellation(order, found, invoiced, accepted=CANCELLATION in accepted)
    return [*found, cancelled] if cancelled else found


@dataclass(slots=True)
class _Case:
    """One refund on its way to a verdict."""

    order: RemoteOrder
    refund: Refund
    goods: RefundedGoods
    exchanged: dict[str, TwoPrices]
    accepted: bool
    money: MoneyBack = field(init=False)
    parts: tuple[Part, ...] = field(init=False)
    difference: TwoPrices = field(init=False)

    def __post_init__(self) -> None:
        self.money = money_back(self.order, self.refund)
        self.parts = parts_of(self.order, self.refund, self.goods.pieces)
        self.difference = plus(sum_of(self.order, self.parts), minus(self.money.due))
        self._close()

    def verdict(self, names: Mapping[str, str]) -> Verdict:
        readiness, documents = self.readiness, self.documents
        account = words.Account(
            self.goods,
            self.money,
            self.difference,
            tuple({part.kind: None for part in self.parts}),
            readiness,
            documents,
            decided=self.accepted and self.stops,
            unpaid=self.reverses_unpaid,
        )
        return Verdict(
            refund_ref=self.refund.ref,
            at=made_at(self.refund),
            readiness=readiness,
            documents=documents,
            goods=self.goods.pieces,
            money=self.money,
            difference=self.difference,
            sentence=account.sentence(),
            check=Check(
                stock=words.stock_line(self.goods.pieces, names),
                money=words.money_line(self.money),
                equal=words.equal_line(documents, self.money, self.difference),
                holds=readiness is Readiness.READY and is_zero(self.difference),
            ),
        )

    @property
    def came_back(self) -> bool:
        return any(piece.had_left for piece in self.goods.pieces)

    @property
    def off_order(self) -> list[Part]:
        """Units taken off the order that no invoice holds."""
        return [p for p in self.parts if p.goods and p.goods.fate in OFF and not p.goods.invoiced]

    @property
    def off_invoice(self) -> list[Part]:
        """Units taken off the order that an invoice holds."""
        return [p for p in self.parts if p.goods and p.goods.fate in OFF and p.goods.invoiced]

    @property
    def reverses_unpaid(self) -> bool:
        """Invoiced units were taken off, no goods came back, and no money is due for them."""
        return bool(self.off_invoice) and not self.came_back and is_zero(self.money.due)

    @property
    def stops(self) -> bool:
        """Whether a person decides, unless one has."""
        return (
            self.money.only_failed or self.goods.too_many or self.reverses_unpaid or self._was_different
        ) and is_zero(self.money.pending)

    @property
    def _was_different(self) -> bool:
        return not is_zero(self.difference) or any(part.kind is PartKind.ACCEPTED for part in self.parts)

    @property
    def readiness(self) -> Readiness:
        if not is_zero(self.money.pending):
            return Readiness.WAITS
        return Readiness.NEEDS_PERSON if self.stops and not self.accepted else Readiness.READY

    def _close(self) -> None:
        """Name what takes the difference between the parts and the money: an exchange, the order itself, or a person."""
        gap = self.difference
        if is_zero(gap) or self.reverses_unpaid:
            self.difference = nothing(self.order) if self.reverses_unpaid else gap
            return
        if self._exchange_takes(gap):
            ref = self.refund.return_ref
            self.exchanged[ref] = plus(self.exchanged.get(ref, nothing(self.order)), gap)
            part = closing(self.order, PartKind.EXCHANGE, "Goods sent instead", gap)
        elif self._order_takes(gap):
            part = closing(self.order, PartKind.ORDER, "Owed less by the order", gap)
        elif self.accepted and is_zero(self.money.pending):
            part = closing(self.order, PartKind.ACCEPTED, "Difference accepted", gap)
        else:
            return
        self.parts, self.difference = (*self.parts, part), nothing(self.order)

    def _exchange_takes(self, gap: TwoPrices) -> bool:
        """The same return's exchange lines take the value: all of it when no money moves, else to the cent."""
        ref = self.refund.return_ref
        left = plus(exchange_value(self.order, ref), minus(self.exchanged.get(ref, nothing(self.order))))
        if gap.presentment.amount <= 0 or gap.shop.amount <= 0:
            return False
        if is_zero(self.money.due):
            return gap.presentment.amount <= left.presentment.amount and gap.shop.amount <= left.shop.amount
        return gap == left

    def _order_takes(self, gap: TwoPrices) -> bool:
        """Nothing was invoiced and nothing is paid back: the order owes less by what was taken off, nobody owes money."""
        return (
            is_zero(self.money.due)
            and is_zero(self.money.failed)
            and bool(self.off_order)
            and len(self.off_order) == len(self.goods.pieces)
            and gap.presentment.amount > 0
        )

    @property
    def documents(self) -> tuple[Planned, ...]:
        """The table of algorithms.md §8b 4, row by row."""
        due = self.money.due
        if self.came_back:
            return (Planned(DocumentKind.INVENTORY_CREDIT_MEMO, due, self.parts),)
        if not is_zero(due):
            return self._for_money(due)
        planned: list[Planned] = []
        if self.off_order:
            taken = [*self.off_order] if self.off_invoice else [*self.parts]
            rest = sum_of(self.order, taken)
            if not is_zero(rest) and self.off_invoice:
                taken.append(closing(self.order, PartKind.ORDER, "Owed less by the order", rest))
            planned.append(Planned(DocumentKind.ORDER_CHANGE, due, tuple(taken)))
        if self.off_invoice:
            value = sum_of(self.order, self.off_invoice)
            planned.append(Planned(DocumentKind.CREDIT_MEMO, value, tuple(self.off_invoice)))
        return tuple(planned)

    def _for_money(self, due: TwoPrices) -> tuple[Planned, ...]:
        off = self.off_order
        value = sum_of(self.order, off)
        surplus = plus(due, minus(value))
        if not off:
            return (Planned(DocumentKind.CREDIT_MEMO, due, self.parts),)
        if surplus.presentment.amount <= 0:
            return (Planned(DocumentKind.ORDER_CHANGE, due, self.parts),)
        rest = tuple(part for part in self.parts if part not in off)
        return (
            Planned(DocumentKind.ORDER_CHANGE, value, tuple(off)),
            Planned(DocumentKind.CREDIT_MEMO, surplus, rest),
        )
