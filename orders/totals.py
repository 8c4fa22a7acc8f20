"""The sums of an order: its parts against the figures the store states, to the smallest unit of the currency.

A store writes every amount twice, in the buyer's currency and in the shop's. In the buyer's, the parts must come to the
totals exactly. Amounts of the shop were each converted and rounded by themselves, so their sum may be off by half a
unit for every one of them; that much is kept as the rounding of the conversion, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from connectors.ports.money import Money, TaxLine, TwoPrices
from connectors.ports.orders import OrderLine, RemoteOrder, ShippingLine
from orders.errors import OrderRefused
from syncconsole.kernel.currencies import UnknownCurrency, smallest_unit, written
from syncconsole.kernel.currencies import rounded as to_smallest_unit

Side = Callable[[TwoPrices], Money]
"""One of the two amounts of a price."""

BUYERS: Final[Side] = attrgetter("presentment")
SHOPS: Final[Side] = attrgetter("shop")
ZERO: Final = Decimal(0)
TOLD: Final = 320
"""Characters of a sum that a cause has room for."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms that should come to the figure that the store states."""

    name: str
    currency: str
    terms: tuple[tuple[str, Decimal], ...]
    stated: Decimal

    @property
    def difference(self) -> Decimal:
        """What the store states beyond the terms, in whole smallest units; zero when they agree."""
        return to_smallest_unit(self.stated - sum((amount for _, amount in self.terms), ZERO), self.currency)

    def __str__(self) -> str:
        parts = " + ".join(f"{name} {written(amount, self.currency)}" for name, amount in self.terms if amount)
        return f"{parts or 'nothing'}, but the {self.name} is {written(self.stated, self.currency)}"


@dataclass(frozen=True, slots=True)
class Figures:
    """The parts of an order's total, in one currency. `conversion` closes the sum: zero where nothing was converted."""

    goods: Decimal
    shipping: Decimal
    tax: Decimal
    duties: Decimal
    fees: Decimal
    tips: Decimal
    discounts: Decimal
    total: Decimal
    conversion: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Totals:
    """An order whose parts come to its totals."""

    buyers: Figures
    shops: Figures
    tip: OrderLine | None
    """The line that is the tip, where the store shows it as one."""
    shipping: tuple[ShippingLine, ...]
    """Deliveries that are in the total: those not removed, and removed ones where the store still counts them."""


def of_order(order: RemoteOrder) -> Totals:
    """The figures of an order. Raises `OrderRefused`, with the difference and its terms, when they do not add up, and
    for a currency whose smallest unit is not known."""
    for currency in (order.presentment_currency, order.currency):
        _check_currency(currency)
    tip = tip_line(order)
    shipping = _counted_shipping(order, tip)
    buyers = _figures(order, BUYERS, tip, shipping)
    for check in _checks(order, BUYERS, buyers, tip, shipping):
        if check.difference:
            raise _apart(order, check)
    if order.presentment_currency == order.currency:
        return Totals(buyers, buyers, tip, shipping)
    return Totals(buyers, _converted(order, tip, shipping), tip, shipping)


def net(line: OrderLine, side: Side) -> Decimal:
    """A line after its share of every discount: unit price × quantity − Σ allocations (reference: Shopify 6.2)."""
    return side(line.unit_price).amount * line.quantity - discount(line, side)


def discount(line: OrderLine | ShippingLine, side: Side) -> Decimal:
    """What discounts took off a line, those of the whole order included."""
    if isinstance(line, ShippingLine):
        return side(line.price).amount - side(line.discounted_price).amount
    return sum((side(share.amount).amount for share in line.discounts), ZERO)


def tax(taxes: Iterable[TaxLine], side: Side) -> Decimal:
    """All of these taxes together."""
    return sum((side(one.price).amount for one in taxes), ZERO)


def tip_line(order: RemoteOrder) -> OrderLine | None:
    """The line that is the tip. Stores state the tip beside the subtotal; some show it as a custom line, too, which is
    then the one that is worth it and by which the lines exceed the subtotal."""
    tip = BUYERS(order.total_tip).amount
    if not tip or order.subtotal is None:
        return None
    beyond = sum((net(line, BUYERS) for line in order.lines), ZERO) - BUYERS(order.subtotal).amount
    if beyond != tip:
        return None
    return next((line for line in order.lines if _is_custom(line) and net(line, BUYERS) == tip), None)


def _is_custom(line: OrderLine) -> bool:
    return not (line.product_ref or line.variant_ref or line.is_gift_card or line.requires_shipping)


def _counted_shipping(order: RemoteOrder, tip: OrderLine | None) -> tuple[ShippingLine, ...]:
    """Deliveries in the total. A removed one is not, unless the total only comes out with it."""
    kept = tuple(line for line in order.shipping if not line.is_removed)
    if len(kept) == len(order.shipping):
        return kept
    for reading in (kept, order.shipping):
        if not _total(order, BUYERS, _figures(order, BUYERS, tip, reading)).difference:
            return reading
    return kept


def _figures(order: RemoteOrder, side: Side, tip: OrderLine | None, shipping: Sequence[ShippingLine]) -> Figures:
    goods = [line for line in order.lines if line is not tip]
    return Figures(
        goods=sum((net(line, side) for line in goods), ZERO),
        shipping=sum((side(line.discounted_price).amount for line in shipping), ZERO),
        tax=_stated(
            order.total_tax, side, default=sum((tax(taxes, side) for taxes in all_taxes(order, shipping)), ZERO)
        ),
        duties=_duties(order, side),
        fees=sum((side(fee.price).amount for fee in order.fees), ZERO),
        tips=side(order.total_tip).amount,
        discounts=_discounts(goods, shipping, side),
        total=side(order.total).amount,
    )


def _discounts(goods: Iterable[OrderLine], shipping: Iterable[ShippingLine], side: Side) -> Decimal:
    of_goods = sum((discount(line, side) for line in goods), ZERO)
    return of_goods + sum((discount(line, side) for line in shipping), ZERO)


def _duties(order: RemoteOrder, side: Side) -> Decimal:
    """Duties beside the prices. Those of the lines, since an edit may bring more than were stated at first."""
    if order.duties_included:
        return ZERO
    of_lines = [side(duty.price).amount for line in order.lines for duty in line.duties]
    return sum(of_lines, ZERO) if of_lines else _stated(order.total_duties, side, default=ZERO)


def all_taxes(order: RemoteOrder, shipping: Iterable[ShippingLine]) -> Iterator[tuple[TaxLine, ...]]:
    """The taxes of everything that was charged, part by part."""
    for line in order.lines:
        yield line.taxes
        yield from (duty.taxes for duty in line.duties)
    yield from (line.taxes for line in shipping)
    yield from (fee.taxes for fee in order.fees)


def _checks(
    order: RemoteOrder, side: Side, figures: Figures, tip: OrderLine | None, shipping: Sequence[ShippingLine]
) -> Iterator[Sum]:
    """Every sum that can be checked, the smaller ones first: they say better what is wrong."""
    if order.subtotal is not None:
        goods = tuple((line.name or line.ref, net(line, side)) for line in order.lines if line is not tip)
        yield Sum("subtotal", order.presentment_currency, goods, side(order.subtotal).amount)
    if (check := _tax_apart(order, side, shipping)) is not None:
        yield check
    yield _total(order, side, figures)


def _tax_apart(order: RemoteOrder, side: Side, shipping: Sequence[ShippingLine]) -> Sum | None:
    """The taxes of the parts against the store's, when they are further apart than rounding makes them: a store that
    rounds the tax of the whole order lets each of its parts be off by half a unit (reference: Shopify trap 33). Orders
    made by programs may have taxes of the order alone."""
    if order.total_tax is None:
        return None
    currency = side(order.total_tax).currency
    taxes = [one for part in all_taxes(order, shipping) for one in part] or order.taxes
    parts = [side(one.price).amount for one in taxes]
    check = Sum("tax", currency, (("Taxes of the lines", sum(parts, ZERO)),), side(order.total_tax).amount)
    return check if abs(check.difference) > _slack(currency, len(parts)) else None


def _total(order: RemoteOrder, side: Side, figures: Figures) -> Sum:
    terms = [
        ("Goods", figures.goods),
        ("delivery", figures.shipping),
        ("duties", figures.duties),
        ("fees", figures.fees),
        ("tip", figures.tips),
    ]
    if not order.taxes_included:
        terms.append(("tax", figures.tax))
    return Sum("total", side(order.total).currency, tuple(terms), side(order.total).amount)


def _converted(order: RemoteOrder, tip: OrderLine | None, shipping: Sequence[ShippingLine]) -> Figures:
    """The shop's figures, their sum closed by the rounding of the conversion."""
    figures = _figures(order, SHOPS, tip, shipping)
    check = _total(order, SHOPS, figures)
    parts = sum(line.quantity + len(line.discounts) + len(line.taxes) + len(line.duties) for line in order.lines)
    parts += sum(2 + len(line.taxes) for line in shipping) + len(order.fees) + 3
    if abs(check.difference) > _slack(check.currency, parts):
        raise _apart(order, check)
    return replace(figures, conversion=check.difference)


def _slack(currency: str, parts: int) -> Decimal:
    """How far a sum of so many rounded amounts may be off."""
    return smallest_unit(currency) * parts / 2


def _stated(price: TwoPrices | None, side: Side, *, default: Decimal) -> Decimal:
    return default if price is None else side(price).amount


def _check_currency(currency: str) -> None:
    try:
        smallest_unit(currency)
    except UnknownCurrency as exc:
        raise OrderRefused(
            cause=f"The currency {currency} is not known here, so its amounts cannot be checked to the smallest unit.",
            remedy="Update Sync Console, then retry the order; nothing of it is lost.",
            waits_for=f"currency:{currency}",
        ) from exc


def _apart(order: RemoteOrder, check: Sum) -> OrderRefused:
    text = str(check)
    if len(text) > TOLD:
        text = f"{text[: TOLD - 1]}…"
    return OrderRefused(
        cause=f"{written(abs(check.difference), check.currency)} apart: {text}.",
        remedy=f"Compare {order.name} in the store: it charges something that is in none of its lines. The order is "
        "tried again when it changes there, or with Retry.",
        waits_for="total",
    )
