"""Placing an order: its lines, discounts, taxes, shipping, payments, and the stock that it commits (reference §3.1, §6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .bundles import LineGroup, with_components
from .catalogue import Shop
from .options import NOTHING_CHOSEN
from .orders import (
    DISCOUNTS,
    Allocation,
    Duty,
    Line,
    ManualDiscount,
    Order,
    OrderRefused,
    ShippingLine,
    TaxLine,
    Transaction,
)
from .orders_money import Bag, Tender, rounded, total
from .orders_shelf import OrderBook
from .orders_steps import add_work, commit, fulfillment_order_at, keep, new_gid, open_fulfillment_order, stocked_place
from .orders_totals import order_total
from .orders_work import Hold
from .rows import Item, Location

ZERO = Decimal(0)


@dataclass
class WantedLine:
    """A line to sell. Without an item it is a custom line; without a price the variant's; without a location the shop decides."""

    quantity: int
    item: Item | None = None
    location: Location | None = None
    title: str | None = None
    price: Decimal | None = None
    discount: Decimal = ZERO  # on this line, in all
    tax_rate: Decimal | None = None
    duty: Decimal = ZERO
    gift_card: bool | None = None
    taxable: bool = True
    requires_shipping: bool = True
    attributes: dict[str, str] = field(default_factory=dict)
    group: LineGroup | None = None


@dataclass
class WantedDiscount:
    """A discount over the whole order, or on its shipping: an amount, or percent of it."""

    name: str
    kind: str = "code"
    amount: Decimal | None = None
    percent: Decimal | None = None
    on_shipping: bool = False


@dataclass
class WantedShipping:
    """A way of shipping."""

    title: str = "Standard"
    price: Decimal = ZERO
    code: str | None = None
    tax_rate: Decimal | None = None
    removed: bool = False


@dataclass
class WantedPayment:
    """A transaction. `amount` is in the buyer's currency; None = all that is due."""

    kind: str = "SALE"
    status: str = "SUCCESS"
    gateway: str = "bogus"
    amount: Decimal | None = None
    test: bool | None = None
    error_code: str | None = None


@dataclass
class Wanted:
    """An order to place. Prices are in the shop's currency. `about` sets plain attributes of `Order` (note, tags, customer …)."""

    lines: list[WantedLine]
    shipping: list[WantedShipping] = field(default_factory=list)
    discounts: list[WantedDiscount] = field(default_factory=list)
    payments: list[WantedPayment] = field(default_factory=list)
    buyer_currency: str | None = None
    rate: Decimal = Decimal(1)
    tax_rate: Decimal = ZERO
    tax_title: str = "TVA"
    tip: Decimal | None = None
    rounding: Decimal | None = None
    created_at: str | None = None
    processed_at: str | None = None
    about: dict[str, Any] = field(default_factory=dict)


def place(book: OrderBook, shop: Shop, wanted: Wanted, stamp: str, reserved: bool = False) -> Order:
    """Place an order: available −q, committed +q per line. Available may go below zero, as in an oversold shop.

    With `reserved` the caller has moved the stock already (a draft that reserved it). Raises `OrderRefused`.
    """
    check(wanted)
    with shop.lock:
        wanted.lines = with_components(shop, wanted.lines)
        number = book.number()
        tender = Tender(shop.currency, wanted.buyer_currency or shop.currency, wanted.rate)
        created = wanted.created_at or stamp
        gid = f"gid://shopify/Order/{shop.id_base + number}"
        order = Order(gid, number, shop, tender, created, wanted.processed_at or created, stamp, **wanted.about)
        for each in wanted.lines:
            order.lines.append(new_line(order, each))
        _share_discounts(order, wanted)
        _add_shipping(order, wanted)
        for line, each in zip(order.lines, wanted.lines, strict=True):
            _add_taxes(order, line, each, wanted)
        order.tip = None if wanted.tip is None else tender.bag(wanted.tip)
        order.payment_rounding = None if wanted.rounding is None else tender.paid(wanted.rounding)
        order.original_total = order_total(order)
        for payment in wanted.payments:
            pay(order, payment, stamp)
        for line, each in zip(order.lines, wanted.lines, strict=True):
            allocate(order, line, each.location, stamp, with_stock=not reserved)
        book.keep(order)
        shop.orders.add(order)
        keep(shop, order)
        _tell(order)
    return order


def check(wanted: Wanted) -> None:
    """Refuse what can't be an order. Raises `OrderRefused`."""
    if not wanted.lines:
        raise OrderRefused("An order needs at least one line.")
    for line in wanted.lines:
        if line.quantity <= 0:
            raise OrderRefused("A line's quantity is 1 or more.")
        if line.item is None and line.title is None:
            raise OrderRefused("A custom line needs a title.")
        if line.price is not None and line.price < 0:
            raise OrderRefused("A line's price is 0 or more.")
    if wanted.rate <= 0:
        raise OrderRefused("The rate is more than 0: units of the buyer's currency for one of the shop's.")


def new_line(order: Order, wanted: WantedLine) -> Line:
    """A line with its own discount, not yet taxed or allocated."""
    item, variant = wanted.item, wanted.item.variant if wanted.item else None
    price = wanted.price if wanted.price is not None else Decimal(variant.price) if variant else ZERO
    default = variant is not None and variant.option_values == NOTHING_CHOSEN
    gift = wanted.gift_card if wanted.gift_card is not None else variant is not None and variant.product.gift_card
    line = Line(
        gid=new_gid(order.shop, "LineItem"),
        number=len(order.lines) + 1,
        title=wanted.title or (variant.product.title if variant else ""),
        variant_title=None if variant is None or default else variant.title,
        sku=item.sku if item else None,
        variant=variant,
        item=item,
        quantity=wanted.quantity,
        unit=order.tender.bag(price),
        is_gift_card=gift,
        taxable=wanted.taxable and not gift,
        requires_shipping=wanted.requires_shipping and (item is None or item.requires_shipping) and not gift,
        vendor=variant.product.vendor if variant else None,
        attributes=dict(wanted.attributes),
        group=wanted.group,
    )
    if wanted.discount:
        if wanted.discount > line.gross.shop:
            raise OrderRefused(f"The discount on line {line.number} is more than its price.")
        applied = ManualDiscount(len(order.discounts), "manual", "Line discount", whole_order=False)
        order.discounts.append(applied)
        line.discount_allocations.append(Allocation(applied, order.tender.bag(wanted.discount)))
    if wanted.duty:
        line.duties.append(Duty(new_gid(order.shop, "Duty"), order.tender.bag(wanted.duty)))
    return line


def allocate(
    order: Order, line: Line, place: Location | None, stamp: str, *, with_stock: bool = True, hold: str | None = None
) -> None:
    """Give a line's units to a fulfilment order and commit their stock; `hold` = why they wait, in one of their own."""
    location = place or stocked_place(order.shop, line.item, line.quantity)
    if with_stock:
        commit(order, line, location, line.quantity, stamp)
    if hold is None:
        add_work(fulfillment_order_at(order, location, stamp), line, line.quantity, stamp)
        return
    apart = open_fulfillment_order(order, location, stamp)
    apart.status = "ON_HOLD"
    apart.fulfillment_holds.append(Hold(new_gid(order.shop, "FulfillmentHold"), hold, None))
    add_work(apart, line, line.quantity, stamp)


def tax_line(order: Order, line: Line, rate: Decimal, title: str = "TVA") -> None:
    """Tax a line at a rate, e.g. 0.19; gift cards and lines that are not taxable stay without."""
    if rate and line.taxable and not order.tax_exempt:
        line.tax_lines.append(TaxLine(title, rate, line.net.tax(rate, order.taxes_included)))


def pay(order: Order, wanted: WantedPayment, stamp: str, parent: Transaction | None = None) -> Transaction | None:
    """Add a transaction; nothing is added where nothing is due."""
    due = order_total(order).minus(_paid_or_held(order))
    amount = due if wanted.amount is None else order.tender.paid(wanted.amount)
    if wanted.amount is None and amount.buyer <= 0:
        return None
    made = Transaction(
        gid=new_gid(order.shop, "OrderTransaction"),
        order=order,
        kind=wanted.kind,
        status=wanted.status,
        gateway=wanted.gateway,
        amount_set=amount,
        created_at=stamp,
        processed_at=stamp,
        test=order.test if wanted.test is None else wanted.test,
        parent_transaction=parent,
        error_code=wanted.error_code,
    )
    if order.payment_rounding is not None and wanted.gateway == "cash":
        made.amount_rounding_set = order.payment_rounding
    order.transactions.append(made)
    return made


def _paid_or_held(order: Order) -> Bag:
    counted = [t for t in order.transactions if t.status in ("SUCCESS", "PENDING")]
    return total([t.amount_set for t in counted if t.kind in ("SALE", "AUTHORIZATION")], order.tender)


def _share_discounts(order: Order, wanted: Wanted) -> None:
    for each in wanted.discounts:
        kind = DISCOUNTS.get(each.kind, ManualDiscount)
        applied = kind(len(order.discounts), each.kind, each.name, whole_order=True, on_shipping=each.on_shipping)
        order.discounts.append(applied)
        if each.on_shipping:
            continue
        whole = total([line.net for line in order.lines], order.tender)
        off = order.tender.bag(each.amount if each.amount is not None else whole.shop * (each.percent or ZERO) / 100)
        if off.shop > whole.shop:
            raise OrderRefused(f"The discount {each.name} is more than the order's lines.")
        for line, share in zip(order.lines, spread(off, [line.net for line in order.lines]), strict=True):
            if share.shop or share.buyer:
                line.discount_allocations.append(Allocation(applied, share))


def spread(amount: Bag, over: list[Bag]) -> list[Bag]:
    """An amount split in proportion, rounded per row, with the remainder on one row: the parts sum to it (trap 34)."""
    tender = amount.tender
    weight = sum((bag.shop for bag in over), ZERO)
    parts: list[Bag] = []
    seen, given = ZERO, tender.nothing()
    for bag in over:
        seen += bag.shop
        portion = seen / weight if weight else ZERO
        upto = Bag(rounded(amount.shop * portion, tender.shop), rounded(amount.buyer * portion, tender.buyer), tender)
        parts.append(upto.minus(given))
        given = upto
    return parts


def _add_shipping(order: Order, wanted: Wanted) -> None:
    off = next((d for d in order.discounts if d.on_shipping), None)
    said = next((d for d in wanted.discounts if d.on_shipping), None)
    for each in wanted.shipping:
        price = order.tender.bag(each.price)
        line = ShippingLine(new_gid(order.shop, "ShippingLine"), each.title, price, each.code or each.title)
        line.is_removed = each.removed
        if off is not None and said is not None:
            cut = said.amount if said.amount is not None else each.price * (said.percent or ZERO) / 100
            line.discount_allocations.append(Allocation(off, order.tender.bag(min(cut, each.price))))
        rate = wanted.tax_rate if each.tax_rate is None else each.tax_rate
        if rate and not order.tax_exempt:
            taxed = line.discounted_price_set.tax(rate, order.taxes_included)
            line.tax_lines.append(TaxLine(wanted.tax_title, rate, taxed))
        order.shipping.append(line)


def _add_taxes(order: Order, line: Line, each: WantedLine, wanted: Wanted) -> None:
    tax_line(order, line, wanted.tax_rate if each.tax_rate is None else each.tax_rate, wanted.tax_title)


def _tell(order: Order) -> None:
    order.shop.happened("orders/create", order)
    for transaction in order.transactions:
        if transaction.status != "PENDING":
            order.shop.happened("order_transactions/create", transaction)
    order.shop.happened("orders/updated", order)
