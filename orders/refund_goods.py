"""What a refund did to goods: which units had left, which never will, and what that books (algorithms.md §3, §8b).

Pure. Shopify's facts are ordered by their own time: what was sent when the refund was made decides, not what is sent
when we read it, so every later version of the order gives the same answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from connectors.ports.money import Money, TwoPrices
from connectors.ports.orders import OrderLine, RemoteOrder
from connectors.ports.refunds import Refund, RefundLine
from inventory.models.ledger import EntryKind
from orders.facts import SENT
from syncconsole.kernel.currencies import rounded

CANCELLED_WITH: Final = dt.timedelta(minutes=1)
"""A cancellation is a job: its refund may be dated a little before it."""


class Fate(StrEnum):
    """What became of refunded units; the numbers are rows of the table in algorithms.md §3."""

    RETURNED = "returned"
    """8: they had left, and are back in stock."""
    WRITTEN_OFF = "written_off"
    """9: they had left, and are not back in stock."""
    CANCELLED = "cancelled"
    """2: they will not be sent, and stay in stock."""
    LOST = "lost"
    """3: they will not be sent, and are not in stock either."""
    KEPT = "kept"
    """10: they can still be sent."""


LEFT: Final = frozenset({Fate.RETURNED, Fate.WRITTEN_OFF})
OFF: Final = frozenset({Fate.CANCELLED, Fate.LOST})
"""Units that the order shrinks by."""


@dataclass(frozen=True, slots=True)
class StockEntry:
    """What the units book at one location of the store."""

    kind: EntryKind
    on_hand: int
    released: int
    location_ref: str


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of one refund line that had one fate, with their share of its value (tax included)."""

    line: OrderLine
    refund_line_ref: str
    quantity: int
    fate: Fate
    holds_stock: bool
    invoiced: bool
    value: TwoPrices
    tax: TwoPrices
    held_ref: str
    """Where they were held or sent from."""
    location_ref: str
    """Where they went back to; `held_ref` where they did not."""

    @property
    def had_left(self) -> bool:
        """Whether these are goods that came back, in the sense of algorithms.md §8b: they had left and hold stock."""
        return self.holds_stock and self.fate in LEFT

    @property
    def entries(self) -> tuple[StockEntry, ...]:
        """Ledger entries that the units prove; none for those that hold no stock or can still be sent."""
        if not self.holds_stock:
            return ()
        q, held, to = self.quantity, self.held_ref, self.location_ref
        released = StockEntry(EntryKind.RELEASED, 0, -q, held)
        if self.fate is Fate.CANCELLED and to != held:
            return StockEntry(EntryKind.RELEASED, -q, -q, held), StockEntry(EntryKind.RESTOCKED, q, 0, to)
        return {
            Fate.RETURNED: (StockEntry(EntryKind.RESTOCKED, q, 0, to),),
            Fate.WRITTEN_OFF: (StockEntry(EntryKind.RESTOCKED, q, 0, to), StockEntry(EntryKind.WRITTEN_OFF, -q, 0, to)),
            Fate.CANCELLED: (released,),
            Fate.LOST: (released, StockEntry(EntryKind.WRITTEN_OFF, -q, 0, held)),
            Fate.KEPT: (),
        }[self.fate]


@dataclass(slots=True)
class Consumed:
    """Units of each line that the refunds so far have used up."""

    returned: dict[str, int] = field(default_factory=dict)
    off_uninvoiced: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefundedGoods:
    """All the goods of one refund. `shipped` and `came_before`: units of its lines that hold stock, sent until then and
    returned by earlier refunds."""

    pieces: tuple[Goods, ...]
    shipped: int
    came_before: int

    def units(self, *fates: Fate, holds_stock: bool = True) -> int:
        """How many units had one of these fates."""
        found = (piece for piece in self.pieces if piece.fate in fates and piece.holds_stock == holds_stock)
        return sum(piece.quantity for piece in found)

    @property
    def too_many(self) -> bool:
        """More came back than was sent: the store contradicts itself, or a fulfilment was cancelled since."""
        return self.units(*LEFT) > self.shipped - self.came_before


def in_time(order: RemoteOrder) -> list[Refund]:
    """The order's refunds, oldest first, by when they were made: they may be dated back by `processed_at`."""
    return sorted(order.refunds, key=lambda refund: (made_at(refund), refund.ref))


def made_at(refund: Refund) -> dt.datetime:
    """When a refund was made; drafts of old versions carry no such time."""
    return refund.created_at or refund.updated_at


def refunded_goods(
    order: RemoteOrder, refund: Refund, consumed: Consumed, invoiced: Mapping[str, int]
) -> RefundedGoods:
    """The goods of `refund`, given what earlier refunds `consumed`; what it consumes itself is added to it.

    `invoiced`: units of each line that an invoice issued before the refund holds.
    """
    lines = {line.ref: line for line in order.lines}
    pieces: list[Goods] = []
    shipped = came_before = 0
    for ref in dict.fromkeys(entry.line_ref for entry in refund.lines):
        sent, before = sent_by(order, ref, made_at(refund)), consumed.returned.get(ref, 0)
        of_line = [entry for entry in refund.lines if entry.line_ref == ref]
        for entry in of_line:
            pieces += _LineGoods(order, refund, entry, lines[ref], consumed, invoiced.get(ref, 0)).pieces()
        if item_of(order, lines[ref]) and any(p.fate in LEFT for p in pieces if p.line.ref == ref):
            shipped, came_before = shipped + sent, came_before + before
    return RefundedGoods(tuple(pieces), shipped, came_before)


def sent_by(order: RemoteOrder, line_ref: str, when: dt.datetime) -> int:
    """Units of a line that had been sent at that moment, and were not called back since."""
    return sum(quantity for _, quantity in _parcels(order, line_ref, when))


def item_of(order: RemoteOrder, line: OrderLine) -> str:
    """The inventory item behind a line; empty for gift cards and custom lines. Fulfilment orders know it even where the
    variant was deleted."""
    if line.is_gift_card:
        return ""
    works = (entry.item_ref for work in order.fulfilment_orders for entry in work.lines if entry.line_ref == line.ref)
    return next(filter(None, works), line.item_ref)


class _LineGoods:
    """One refund line, split by what became of its units."""

    def __init__(
        self,
        order: RemoteOrder,
        refund: Refund,
        entry: RefundLine,
        line: OrderLine,
        consumed: Consumed,
        invoiced: int,
    ) -> None:
        self.order, self.refund, self.entry, self.line = order, refund, entry, line
        self.consumed, self.invoiced, self.taken = consumed, invoiced, 0
        self.holds_stock = bool(item_of(order, line))

    def pieces(self) -> list[Goods]:
        left = self._had_left()
        self.consumed.returned[self.line.ref] = self.consumed.returned.get(self.line.ref, 0) + left
        stayed = self.entry.quantity - left
        fate = self._fate_of_those_that_stayed()
        found = [(left, Fate.RETURNED if self.entry.restocked else Fate.WRITTEN_OFF, False)]
        if fate is Fate.KEPT:
            found.append((stayed, fate, False))
        else:
            free = self._not_invoiced(stayed)
            found += [(free, fate, False), (stayed - free, fate, True)]
        return [self._piece(*each) for each in found if each[0]]

    def _had_left(self) -> int:
        if self.entry.restock == "cancel":
            return 0
        if self.entry.restock == "return" and self.entry.restocked:
            return self.entry.quantity
        out = sent_by(self.order, self.line.ref, made_at(self.refund)) - self.consumed.returned.get(self.line.ref, 0)
        return max(0, min(self.entry.quantity, out))

    def _fate_of_those_that_stayed(self) -> Fate:
        if self.entry.restocked:
            return Fate.CANCELLED
        cancelled = self.order.cancelled_at
        with_order = cancelled is not None and made_at(self.refund) >= cancelled - CANCELLED_WITH
        if self.entry.restock == "cancel" or with_order:
            return Fate.CANCELLED if not self.holds_stock else Fate.LOST
        return Fate.KEPT

    def _not_invoiced(self, quantity: int) -> int:
        """Of units taken off the order, those that no invoice holds; earlier refunds used up the first of them."""
        used = self.consumed.off_uninvoiced.get(self.line.ref, 0)
        free = min(quantity, max(0, self.line.quantity - self.invoiced - used))
        self.consumed.off_uninvoiced[self.line.ref] = used + free
        return free

    def _piece(self, quantity: int, fate: Fate, invoiced: bool) -> Goods:
        before, self.taken = self.taken, self.taken + quantity
        held = self._sent_from() if fate in LEFT else self._held_at()
        back = self.entry.restocked and self.entry.location_ref
        return Goods(
            line=self.line,
            refund_line_ref=self.entry.ref,
            quantity=quantity,
            fate=fate,
            holds_stock=self.holds_stock,
            invoiced=invoiced,
            value=share(gross(self.order, self.entry.subtotal, self.entry.tax), before, quantity, self.entry.quantity),
            tax=share(self.entry.tax, before, quantity, self.entry.quantity),
            held_ref=held,
            location_ref=back or held,
        )

    def _sent_from(self) -> str:
        """Where most of the line was sent from by then."""
        sizes: dict[str, int] = {}
        for place, quantity in _parcels(self.order, self.line.ref, made_at(self.refund)):
            sizes[place] = sizes.get(place, 0) + quantity
        return max(sizes, key=lambda place: (sizes[place], place), default=self._held_at())

    def _held_at(self) -> str:
        """Where the line waits or waited: where it went back to if it waited there, else where most of it did."""
        sizes: dict[str, int] = {}
        for work in self.order.fulfilment_orders:
            for entry in work.lines:
                if entry.line_ref == self.line.ref:
                    sizes[work.location_ref] = sizes.get(work.location_ref, 0) + entry.total_quantity
        if self.entry.location_ref in sizes:
            return self.entry.location_ref
        return max(sizes, key=lambda place: (sizes[place], place), default=self.entry.location_ref)


def _parcels(order: RemoteOrder, line_ref: str, when: dt.datetime) -> Iterable[tuple[str, int]]:
    for sent in order.fulfilments:
        if sent.status in SENT and sent.created_at <= when:
            yield from ((sent.location_ref, each.quantity) for each in sent.lines if each.line_ref == line_ref)


# --- amounts of two currencies


def gross(order: RemoteOrder, subtotal: TwoPrices, tax: TwoPrices) -> TwoPrices:
    """A subtotal with its tax: where taxes are included the subtotal holds it already (reference: Shopify 6.2)."""
    return subtotal if order.taxes_included else plus(subtotal, tax)


def plus(*prices: TwoPrices) -> TwoPrices:
    """The sum, at least one of them, in both currencies."""
    first = prices[0]
    return TwoPrices(
        Money(sum((each.shop.amount for each in prices), Decimal(0)), first.shop.currency),
        Money(sum((each.presentment.amount for each in prices), Decimal(0)), first.presentment.currency),
    )


def minus(price: TwoPrices) -> TwoPrices:
    """The same with the other sign."""
    return TwoPrices(
        Money(-price.shop.amount, price.shop.currency), Money(-price.presentment.amount, price.presentment.currency)
    )


def share(price: TwoPrices, before: int, quantity: int, of: int) -> TwoPrices:
    """The part of `quantity` units after the first `before` of `of`; the parts of all units sum to the price exactly."""
    return TwoPrices(_part(price.shop, before, quantity, of), _part(price.presentment, before, quantity, of))


def _part(money: Money, before: int, quantity: int, of: int) -> Money:
    def up_to(units: int) -> Decimal:
        return money.amount if units == of else rounded(money.amount * units / of, money.currency)

    return Money(up_to(before + quantity) - up_to(before), money.currency)
