"""A verdict in words: one sentence that says why, and the three lines that prove it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.ports.money import Money, TwoPrices
from orders.refund_goods import LEFT, OFF, Fate, Goods, RefundedGoods, plus
from orders.refund_money import MoneyBack, PartKind, is_zero
from orders.verdict import DocumentKind, Planned, Readiness
from syncconsole.kernel.currencies import written

NO_STOCK: Final = "No stock moves."
NOUNS: Final = {
    DocumentKind.INVENTORY_CREDIT_MEMO: "Inventory Credit Memo",
    DocumentKind.CREDIT_MEMO: "Credit Memo",
    DocumentKind.ORDER_CHANGE: "Order Change note",
}
STOCK_WORDS: Final = {
    Fate.RETURNED: "+{q} back to available, {to}",
    Fate.WRITTEN_OFF: "+{q} returned and −{q} written off, {to}",
    Fate.CANCELLED: "{q} released, {to}",
    Fate.LOST: "{q} released and −{q} written off, {held}",
    Fate.KEPT: "{q} still to be sent, {held}",
}


@dataclass(frozen=True, slots=True)
class Account:
    """What a sentence is made of."""

    goods: RefundedGoods
    money: MoneyBack
    difference: TwoPrices
    kinds: tuple[PartKind, ...]
    readiness: Readiness
    documents: tuple[Planned, ...]
    decided: bool
    """A person decided, where one had to."""
    unpaid: bool
    """It takes back what was invoiced, and no money is due."""

    def sentence(self) -> str:
        """`It returns 1 of 2 shipped units and pays back 121.00 RON, with restock on; so it is an …`"""
        return f"It {_joined([*self._units(), self._money()])}{self._restock()}; {self._therefore()}."

    def _units(self) -> Iterable[str]:
        goods = self.goods
        if left := goods.units(*LEFT):
            before = f" ({goods.came_before} came back before)" if goods.came_before else ""
            yield f"returns {left} of {units(goods.shipped, 'shipped')}{before}"
        if stockless := goods.units(*LEFT, holds_stock=False):
            yield f"takes back {units(stockless)} without stock"
        if off := goods.units(*OFF) + goods.units(*OFF, holds_stock=False):
            held = sum(piece.quantity for piece in goods.pieces if piece.fate in OFF and piece.invoiced)
            invoiced = "" if not held else " (invoiced already)" if held == off else f" ({held} invoiced already)"
            yield f"takes {units(off, 'unshipped')} off the order{invoiced}"
        if kept := goods.units(Fate.KEPT) + goods.units(Fate.KEPT, holds_stock=False):
            yield f"leaves {units(kept, 'unshipped')} to be shipped"

    def _money(self) -> str:
        if not is_zero(self.money.pending):
            return f"is to pay back {money(self.money.due)}"
        if self.money.only_failed:
            return f"could not pay back {money(self.money.failed)}"
        if is_zero(self.money.due):
            return "pays nothing back, as the exchange takes the value" if self._exchanged else "pays nothing back"
        if self._exchanged:
            return f"pays back {money(self.money.due)}, as the exchange takes the rest"
        return f"pays back {money(self.money.due)}{'' if self.goods.pieces else self._what_for()}"

    @property
    def _exchanged(self) -> bool:
        return PartKind.EXCHANGE in self.kinds

    def _what_for(self) -> str:
        names = {PartKind.SHIPPING: "shipping", PartKind.DUTY: "duties"}
        found = [names[kind] for kind in self.kinds if kind in names]
        return f" for {_joined(found)}" if found else " for no units"

    def _restock(self) -> str:
        stocked = [piece for piece in self.goods.pieces if piece.holds_stock and piece.fate is not Fate.KEPT]
        on = sum(piece.quantity for piece in stocked if piece.fate in (Fate.RETURNED, Fate.CANCELLED))
        off = sum(piece.quantity for piece in stocked) - on
        if on and off:
            return f", with restock on for {on} and off for {off}"
        return ", with restock on" if on else ", with restock off" if off else ""

    def _therefore(self) -> str:
        if self.readiness is Readiness.WAITS:
            names = _joined([f"its {_name(each, self.money.due)}" for each in self.documents])
            verb = "waits" if len(self.documents) == 1 else "wait"
            return f"{money(self.money.pending)} of it is pending, so {names} {verb}"
        named = _joined([_article(_name(each, self.money.due)) for each in self.documents])
        if self.readiness is Readiness.READY:
            result = f"it is {named}" if self.documents else "it makes no document"
            return f"as a person decided, {result}" if self.decided else f"so {result}"
        if self.goods.too_many:
            return "more came back than was shipped, so a person decides"
        if self.money.only_failed:
            return "so a person decides"
        if self.unpaid:
            return f"no money is due, so a person decides about {named}"
        return f"{apart(self.difference)}, so a person decides"


def cancelled(quantity: int, total: TwoPrices, *, decided: bool) -> str:
    """The sentence of a cancellation without a refund."""
    held = f"It was cancelled without a refund while an invoice holds {units(quantity)} of it"
    memo = f"a Credit Memo of {money(total)}"
    return f"{held}; as a person decided, it is {memo}." if decided else f"{held}; so a person decides about {memo}."


def stock_line(pieces: Sequence[Goods], names: Mapping[str, str]) -> str:
    """The first line of the check: what happens to stock, and where."""

    def place(ref: str) -> str:
        return names.get(ref) or ref or "place unknown"

    found: dict[tuple[Fate, str, str], int] = {}
    for piece in pieces:
        if piece.holds_stock:
            where = piece.fate, place(piece.held_ref), place(piece.location_ref)
            found[where] = found.get(where, 0) + piece.quantity
    lines = [STOCK_WORDS[fate].format(q=q, held=held, to=to) for (fate, held, to), q in found.items()]
    return "; ".join(lines) + "." if lines else NO_STOCK


def money_line(back: MoneyBack) -> str:
    """The second line of the check: what happens to money."""
    said = [f"{money(back.paid)} paid back"] if not is_zero(back.paid) else []
    said += [f"{money(back.pending)} pending"] if not is_zero(back.pending) else []
    said += [f"{money(back.failed)} failed"] if not is_zero(back.failed) else []
    return "; ".join(said) + "." if said else "No money moves."


def equal_line(documents: Sequence[Planned], back: MoneyBack, difference: TwoPrices) -> str:
    """The third line of the check: lines = documents = what the store's transactions say, or how far apart they are."""
    moved = f"the store's transactions {money(back.due)}"
    if not documents:
        return f"No document; {moved}."
    total = plus(*(each.total for each in documents))
    named = "document" if len(documents) == 1 else "documents"
    named = f"{named} {' + '.join(money(each.total) for each in documents)}"
    lines = f"Lines {money(plus(total, difference))} {'=' if is_zero(difference) else '≠'} {named}"
    return f"{lines} {'=' if total == back.due else '≠'} {moved}."


def apart(difference: TwoPrices) -> str:
    """How far the parts are from the money."""
    side = "more" if (difference.presentment.amount or difference.shop.amount) > 0 else "less"
    size = TwoPrices(_size(difference.shop), _size(difference.presentment))
    return f"its parts come to {money(size)} {side} than that"


def money(price: TwoPrices) -> str:
    """`121.00 RON`, or `50.00 EUR (248.50 RON)` where the buyer's currency is not the shop's."""
    if price.shop.currency == price.presentment.currency:
        return _written(price.presentment)
    return f"{_written(price.presentment)} ({_written(price.shop)})"


def units(count: int, kind: str = "") -> str:
    """`2 shipped units`."""
    return f"{count:,} {kind + ' ' if kind else ''}{'unit' if count == 1 else 'units'}"


def _name(document: Planned, due: TwoPrices) -> str:
    noun = NOUNS[document.kind]
    if document.kind is DocumentKind.INVENTORY_CREDIT_MEMO:
        return f"zero-amount {noun}" if is_zero(document.total) else f"{noun} with value"
    if document.kind is DocumentKind.ORDER_CHANGE or document.total != due:
        return f"{noun} of {money(document.total)}"
    return noun


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOUaeiou' else 'a'} {noun}"


def _written(value: Money) -> str:
    return written(value.amount, value.currency)


def _size(value: Money) -> Money:
    return Money(Decimal(abs(value.amount)), value.currency)


def _joined(words: Iterable[str]) -> str:
    said = list(words)
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)
