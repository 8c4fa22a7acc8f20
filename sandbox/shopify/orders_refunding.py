"""Refunds of every kind, cancellations, and transactions that settle later (reference §6.3, §6.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from .orders import Duty, Line, Order, OrderRefused
from .orders import Transaction as Movement
from .orders_back import Adjustment, Refund, RefundDuty, RefundLine, RefundShipping, Return
from .orders_money import Bag, Tender, total
from .orders_steps import changed, keep, move_stock, new_gid, number_of, places_of, settle, take_work
from .orders_totals import PAYING, capturable, net_payment, part, shipping_lines
from .rows import AVAILABLE, Location

RESTOCKING = ("CANCEL", "RETURN", "LEGACY_RESTOCK")


@dataclass
class RefundedUnits:
    """Units of a line. `location` = where they are put back; None = where they came from."""

    line: Line
    quantity: int
    restock_type: str = "NO_RESTOCK"
    location: Location | None = None


@dataclass
class MoneyBack:
    """A REFUND transaction. `amount` is in the buyer's currency; None = what is left of the money."""

    amount: Decimal | None = None
    status: str = "SUCCESS"
    gateway: str | None = None
    parent: Movement | None = None
    error_code: str | None = None


@dataclass
class WantedRefund:
    """A refund. `shipping`: amount in the buyer's currency, None = nothing. `rate`: of today."""

    units: list[RefundedUnits] = field(default_factory=list)
    money: list[MoneyBack] | None = None  # None = as much as the goods are worth
    shipping: Decimal | None = None
    full_shipping: bool = False
    duties: list[Duty] = field(default_factory=list)
    adjustment: Decimal | None = None
    reason: str = "REFUND_DISCREPANCY"
    note: str | None = None
    processed_at: str | None = None
    rate: Decimal | None = None
    over: bool = False  # more money than came in
    origin: Return | None = None


def check_refund(order: Order, wanted: WantedRefund) -> None:
    """Raises `OrderRefused` for units that are not there."""
    for line in {id(u.line): u.line for u in wanted.units}.values():
        units = [u for u in wanted.units if u.line is line]
        if any(u.quantity <= 0 for u in units):
            raise OrderRefused("A refunded quantity is 1 or more.")
        if sum(u.quantity for u in units) > line.current_quantity:
            raise OrderRefused("Quantity cannot refund more items than were purchased")
        cancelled = sum(u.quantity for u in units if u.restock_type == "CANCEL")
        if cancelled > order.unfulfilled(line):
            raise OrderRefused("Quantity cannot remove more than the unfulfilled quantity")
        back = sum(u.quantity for u in units if u.restock_type == "RETURN")
        if back > line.fulfilled - line.returned:
            raise OrderRefused("Quantity cannot return more items than were fulfilled")


def refund(order: Order, wanted: WantedRefund, stamp: str) -> Refund:
    """Refund units, shipping, duties, or only money. Stock moves as each restock type says. Raises `OrderRefused`."""
    with order.shop.lock:
        check_refund(order, wanted)
        gid = new_gid(order.shop, "Refund")
        made = Refund(
            gid, number_of(gid), order, stamp, wanted.processed_at or stamp, stamp, wanted.note, wanted.origin
        )
        units = [part for unit in wanted.units for part in by_place(order, unit)]
        lines = worth(order, units)
        shipping = _shipping(order, wanted)
        value = goods_value(order, lines, shipping, wanted.duties)
        _check_money(order, wanted, value)
        made.lines, made.shipping = lines, shipping
        made.duties = [RefundDuty(duty.price, duty) for duty in wanted.duties]
        for entry, unit in zip(made.lines, units, strict=True):
            _take_back(order, entry, unit, stamp)
        for row in shipping:
            before = row.shipping_line.refunded or order.tender.nothing()
            row.shipping_line.refunded = before.plus(row.subtotal_amount_set)
        order.refunds.append(made)
        _give_back(made, wanted, value, stamp)
        keep(order.shop, made)
        settled = [("order_transactions/create", t) for t in made.transactions if t.status != "PENDING"]
        changed(order, stamp, ("refunds/create", made), *settled)
        return made


def by_place(order: Order, unit: RefundedUnits) -> list[RefundedUnits]:
    """A refund line names one place where its units are put back: cancelled units of several places are as many lines."""
    if unit.restock_type != "CANCEL" or unit.location is not None:
        return [unit]
    places = places_of(order, unit.line, unit.quantity)
    parts = [replace(unit, quantity=quantity, location=place) for place, quantity in places.items()]
    nowhere = unit.quantity - sum(places.values())  # what needs no shipping waits nowhere
    return [*parts, replace(unit, quantity=nowhere)] if nowhere else parts


def worth(order: Order, units: Iterable[RefundedUnits]) -> list[RefundLine]:
    """Refund lines with their shares of the lines' prices and taxes; nothing is changed."""
    made: list[RefundLine] = []
    taken: dict[str, int] = {}
    for unit in units:
        line = unit.line
        before = taken.setdefault(line.gid, line.removed + line.refunded)
        taken[line.gid] += unit.quantity
        gid = new_gid(order.shop, "RefundLineItem")
        subtotal, tax = (part(bag, before, unit.quantity, line.quantity) for bag in (line.net, line.tax))
        made.append(RefundLine(gid, line, unit.quantity, unit.restock_type, subtotal_set=subtotal, total_tax_set=tax))
    return made


def goods_value(order: Order, lines: list[RefundLine], shipping: list[RefundShipping], duties: list[Duty]) -> Bag:
    """What a refund is worth: lines, shipping, duties, and the tax that is not in the prices."""
    bags = [e.subtotal_set for e in lines] + [e.subtotal_amount_set for e in shipping] + [d.price for d in duties]
    if not order.taxes_included:
        bags += [e.total_tax_set for e in lines] + [e.tax_amount_set for e in shipping]
    return total(bags, order.tender)


def _shipping(order: Order, wanted: WantedRefund) -> list[RefundShipping]:
    if wanted.shipping is None and not wanted.full_shipping:
        return []
    rows: list[RefundShipping] = []
    asked = None if wanted.full_shipping else order.tender.paid(wanted.shipping or Decimal(0))
    for line in shipping_lines(order):
        left = line.discounted_price_set.minus(line.refunded or order.tender.nothing())
        amount = left if asked is None else min(asked, left, key=lambda bag: bag.buyer)
        if amount.buyer <= 0:
            continue
        before = (line.refunded or order.tender.nothing()).buyer
        whole = int(line.discounted_price_set.buyer * 1000)
        tax = part(line.tax, int(before * 1000), int(amount.buyer * 1000), whole)
        rows.append(RefundShipping(new_gid(order.shop, "RefundShippingLine"), line, amount, tax))
        asked = None if asked is None else asked.minus(amount)
    if asked is not None and asked.buyer > 0:
        raise OrderRefused("Shipping amount is more than is left to refund")
    return rows


def _check_money(order: Order, wanted: WantedRefund, value: Bag) -> None:
    asked = [value.buyer if m.amount is None else m.amount for m in wanted.money or () if m.status != "FAILURE"]
    if not wanted.over and sum(asked, Decimal(0)) > refundable(order).buyer:
        raise OrderRefused("Refund amount cannot be more than the amount that is left of the payments")


def refundable(order: Order) -> Bag:
    """Money that came in and is neither given back nor about to be."""
    pending = [t.amount_set for t in order.transactions if t.kind == "REFUND" and t.status == "PENDING"]
    return net_payment(order).minus(total(pending, order.tender))


def _take_back(order: Order, entry: RefundLine, unit: RefundedUnits, stamp: str) -> None:
    line = entry.line_item
    if unit.restock_type == "CANCEL":
        came_from = take_work(order, line, unit.quantity, stamp, restock=True)
        entry.restocked, entry.location = line.item is not None, unit.location
        for place, quantity in came_from.items():
            if unit.location is not None and place is not unit.location:
                move_stock(order.shop, line.item, place, stamp, (AVAILABLE, -quantity))
                move_stock(order.shop, line.item, unit.location, stamp, (AVAILABLE, quantity))
    elif unit.restock_type in RESTOCKING:
        place = unit.location or shipped_from(order, line)
        entry.restocked, entry.location = line.item is not None, place
        line.returned += unit.quantity
        move_stock(order.shop, line.item, place, stamp, (AVAILABLE, unit.quantity))
        if unit.restock_type == "LEGACY_RESTOCK":
            entry.location = None  # old data does not say where
    line.refunded += unit.quantity


def shipped_from(order: Order, line: Line) -> Location:
    """Where a line's goods left last; else where they wait; else the shop's first location."""
    for parcel in reversed(order.fulfillments):
        if any(each.line_item is line for each in parcel.lines):
            return parcel.location
    for fo in order.fulfillment_orders:
        if any(each.line_item is line for each in fo.lines):
            return fo.location
    return order.shop.locations[0]


def _give_back(made: Refund, wanted: WantedRefund, value: Bag, stamp: str) -> None:
    order = made.order
    tender = order.tender if wanted.rate is None else Tender(order.tender.shop, order.tender.buyer, wanted.rate)
    moves = wanted.money
    if moves is None:
        due = min(value, refundable(order), key=lambda bag: bag.buyer)
        moves = _by_payment(order, due) if due.buyer > 0 else []
    for each in moves:
        amount = tender.paid(value.buyer if each.amount is None else each.amount)
        if wanted.rate is None and amount.buyer == value.buyer:
            amount = value  # all of it, in both currencies to the cent
        parent = each.parent or _parent(order, each.gateway)
        gateway = each.gateway or (parent.gateway if parent else "manual")
        moved = Movement(new_gid(order.shop, "OrderTransaction"), order, "REFUND", each.status, gateway, amount, stamp,
                         None if each.status == "PENDING" else stamp, order.test, parent, error_code=each.error_code)  # fmt: skip
        made.transactions.append(moved)
        order.transactions.append(moved)
    _adjust(made, wanted, value)


def _adjust(made: Refund, wanted: WantedRefund, value: Bag) -> None:
    order = made.order
    if wanted.adjustment is not None:
        difference = order.tender.paid(wanted.adjustment)
    elif wanted.money:
        meant = [t.amount_set for t in made.transactions if t.status in ("SUCCESS", "PENDING")]
        difference = total(meant, order.tender).minus(value)
    else:
        return
    if difference.buyer or difference.shop:
        gid = new_gid(order.shop, "OrderAdjustment")
        made.adjustments.append(Adjustment(gid, wanted.reason, difference, order.tender.nothing()))


def _by_payment(order: Order, due: Bag) -> list[MoneyBack]:
    """Give money back the way it came: the first payment first."""
    moves, left = [], due.buyer
    for payment in payments(order):
        back = min(left, left_of(order, payment).buyer)
        if back > 0:
            moves.append(MoneyBack(back, gateway=payment.gateway, parent=payment))
            left -= back
    return moves


def payments(order: Order) -> list[Movement]:
    """Settled payments."""
    return [t for t in order.transactions if t.kind in PAYING and t.status == "SUCCESS"]


def left_of(order: Order, payment: Movement) -> Bag:
    """What of a payment was not given back."""
    back = [t for t in order.transactions if t.parent_transaction is payment and t.kind == "REFUND"]
    return payment.amount_set.minus(
        total([t.amount_set for t in back if t.status in ("SUCCESS", "PENDING")], order.tender)
    )


def _parent(order: Order, gateway: str | None) -> Movement | None:
    known = [t for t in payments(order) if gateway in (None, t.gateway)]
    return known[0] if known else None


def settle_transaction(transaction: Movement, status: str, stamp: str) -> Movement:
    """A pending transaction comes to its end: SUCCESS, FAILURE or ERROR. Raises `OrderRefused`."""
    order = transaction.order
    with order.shop.lock:
        if transaction.status != "PENDING":
            raise OrderRefused(f"Transaction {transaction.gid} is {transaction.status}; only a pending one settles.")
        transaction.status, transaction.processed_at = status, stamp
        for each in order.refunds:
            if transaction in each.transactions:
                each.updated_at = stamp
        paid = [("orders/paid", order)] if transaction.kind in PAYING and status == "SUCCESS" else []
        changed(order, stamp, ("order_transactions/create", transaction), *paid)
        return transaction


def cancel(
    order: Order, stamp: str, *, restock: bool, give_money_back: bool = True, reason: str = "CUSTOMER", note: str = ""
) -> Refund | None:
    """Cancel what is not shipped: committed −q, and with restock available +q. Held money is voided, paid money is refunded.

    Returns the refund, if money had come in and goes back. Raises `OrderRefused`.
    """
    with order.shop.lock:
        check_cancel(order)
        open_units = [(line, order.unfulfilled(line)) for line in order.lines]
        open_units = [(line, quantity) for line, quantity in open_units if quantity]
        order.cancelled_at, order.cancel_reason, order.closed_at = stamp, reason, stamp
        made = None
        if give_money_back and refundable(order).buyer > 0:
            made = _refund_cancelled(order, open_units, restock, note, stamp)
        for line, quantity in open_units:
            if order.unfulfilled(line):
                take_work(order, line, quantity, stamp, restock)
        if capturable(order).buyer > 0:
            _void(order, stamp)
        for fo in order.fulfillment_orders:
            settle(fo, stamp)
        changed(order, stamp, ("orders/cancelled", order))
        return made


def put_back(order: Order, line: Line, quantity: int, stamp: str) -> Refund:
    """Units that an edit took off go back to stock, and no money moves: a refund without transactions tells of it
    (reference §6.3). An adjustment takes their value off, since nothing is owed for them."""
    unit = RefundedUnits(line, quantity, "CANCEL")
    value = goods_value(order, worth(order, [unit]), [], [])
    wanted = WantedRefund([unit], money=[], adjustment=-value.buyer, reason="PENDING_REFUND_DISCREPANCY")
    return refund(order, wanted, stamp)


def check_cancel(order: Order) -> None:
    """Raises `OrderRefused` where Shopify does not cancel."""
    if order.cancelled_at is not None:
        raise OrderRefused(f"Order {order.number} is cancelled already.")
    if any(each.status in ("OPEN", "REQUESTED") for each in order.returns):
        raise OrderRefused(f"Order {order.number} has an open return; close it first.")
    if any(t.kind == "AUTHORIZATION" and t.status == "PENDING" for t in order.transactions):
        raise OrderRefused(f"Order {order.number} has a pending payment authorization; wait until it has settled.")


def _refund_cancelled(order: Order, units: list[tuple[Line, int]], restock: bool, note: str, stamp: str) -> Refund:
    kind = "CANCEL" if restock else "NO_RESTOCK"
    rows = [RefundedUnits(line, min(q, line.current_quantity), kind) for line, q in units if line.current_quantity]
    untouched = not any(line.fulfilled for line in order.lines)
    return refund(order, WantedRefund(rows, full_shipping=untouched, note=note or None), stamp)


def _void(order: Order, stamp: str) -> None:
    held = next(t for t in order.transactions if t.kind == "AUTHORIZATION" and t.status == "SUCCESS")
    gid = new_gid(order.shop, "OrderTransaction")
    amount = capturable(order)
    order.transactions.append(
        Movement(gid, order, "VOID", "SUCCESS", held.gateway, amount, stamp, stamp, order.test, held)
    )
    order.shop.happened("order_transactions/create", order.transactions[-1])


def capture(order: Order, amount: Decimal | None, stamp: str) -> Movement:
    """Take authorised money, all or a part. Raises `OrderRefused`."""
    with order.shop.lock:
        left = capturable(order)
        asked = left if amount is None else order.tender.paid(amount)
        if asked.buyer <= 0 or asked.buyer > left.buyer:
            raise OrderRefused(f"Order {order.number} has {left.buyer} authorized and not captured.")
        held = next(t for t in order.transactions if t.kind == "AUTHORIZATION" and t.status == "SUCCESS")
        gid = new_gid(order.shop, "OrderTransaction")
        made = Movement(gid, order, "CAPTURE", "SUCCESS", held.gateway, asked, stamp, stamp, order.test, held)
        order.transactions.append(made)
        changed(order, stamp, ("order_transactions/create", made), ("orders/paid", order))
        return made
