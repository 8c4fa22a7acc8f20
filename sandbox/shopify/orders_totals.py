"""What follows from an order's rows: totals in every state, and the states themselves (reference §6.2).

`total` is what was sold, edits included, and still contains what was removed and refunded; `current` is what is left of it.
Shares of a line are taken cumulatively, so that any number of partial refunds sums to the line, to the cent."""

from __future__ import annotations

from .orders import Line, Order, ShippingLine
from .orders_money import Bag, total

PAYING = ("SALE", "CAPTURE")


def part(bag: Bag, before: int, quantity: int, whole: int) -> Bag:
    """The share of `quantity` units, when `before` of the `whole` were taken earlier."""
    return bag.share(before + quantity, whole).minus(bag.share(before, whole))


def _left(bag: Bag, line: Line) -> Bag:
    return bag.minus(bag.share(line.quantity - line.current_quantity, line.quantity))


def shipping_lines(order: Order) -> list[ShippingLine]:
    """Shipping that counts: what was not removed."""
    return [line for line in order.shipping if not line.is_removed]


def subtotal(order: Order) -> Bag:
    """Lines after discounts, before returns."""
    return total([line.net for line in order.lines], order.tender)


def current_subtotal(order: Order) -> Bag:
    """Lines after discounts, edits and refunds."""
    return total([_left(line.net, line) for line in order.lines], order.tender)


def shipping_total(order: Order) -> Bag:
    """Shipping after discounts."""
    return total([line.discounted_price_set for line in shipping_lines(order)], order.tender)


def shipping_refunded(order: Order) -> Bag:
    """Shipping given back, before tax where the prices have none."""
    return total([e.subtotal_amount_set for refund in order.refunds for e in refund.shipping], order.tender)


def current_shipping(order: Order) -> Bag:
    """Shipping less what was given back."""
    return shipping_total(order).minus(shipping_refunded(order))


def tax(order: Order) -> Bag:
    """All tax, of lines and shipping."""
    taxes = [line.tax for line in order.lines] + [line.tax for line in shipping_lines(order)]
    return total(taxes, order.tender)


def current_tax(order: Order) -> Bag:
    """Tax of what is left."""
    lines = total([_left(line.tax, line) for line in order.lines], order.tender)
    shipping = total([line.tax for line in shipping_lines(order)], order.tender)
    back = total([e.tax_amount_set for refund in order.refunds for e in refund.shipping], order.tender)
    return lines.plus(shipping).minus(back)


def discounts(order: Order) -> Bag:
    """All discounts, on lines and shipping."""
    shipping = [a.allocated_amount_set for row in shipping_lines(order) for a in row.discount_allocations]
    return total([line.discount for line in order.lines] + shipping, order.tender)


def current_discounts(order: Order) -> Bag:
    """Discounts of what is left."""
    shipping = [a.allocated_amount_set for row in shipping_lines(order) for a in row.discount_allocations]
    return total([_left(line.discount, line) for line in order.lines] + shipping, order.tender)


def duties(order: Order) -> Bag:
    """All duties."""
    return total([duty.price for line in order.lines for duty in line.duties], order.tender)


def current_duties(order: Order) -> Bag:
    """Duties less those given back."""
    back = total([e.amount_set for refund in order.refunds for e in refund.duties], order.tender)
    return duties(order).minus(back)


def tip(order: Order) -> Bag:
    """The tip; zero without one."""
    return order.tip or order.tender.nothing()


def order_total(order: Order) -> Bag:
    """Everything that was sold: lines, shipping, tax that is not in the prices, duties, tip."""
    whole = subtotal(order).plus(shipping_total(order)).plus(duties(order)).plus(tip(order))
    return whole if order.taxes_included else whole.plus(tax(order))


def current_total(order: Order) -> Bag:
    """Everything that is left after edits and refunds."""
    whole = current_subtotal(order).plus(current_shipping(order)).plus(current_duties(order)).plus(tip(order))
    return whole if order.taxes_included else whole.plus(current_tax(order))


def received(order: Order) -> Bag:
    """Money that came in."""
    return total([t.amount_set for t in order.transactions if t.kind in PAYING and t.status == "SUCCESS"], order.tender)


def refunded(order: Order) -> Bag:
    """Money that went back, settled."""
    return total(
        [t.amount_set for t in order.transactions if t.kind == "REFUND" and t.status == "SUCCESS"], order.tender
    )


def net_payment(order: Order) -> Bag:
    """Money that stayed."""
    return received(order).minus(refunded(order))


def outstanding(order: Order) -> Bag:
    """What the buyer owes (negative: is owed). A cancelled order owes nothing more."""
    if order.cancelled_at is not None:
        return order.tender.nothing()
    given = total([a.amount_set for refund in order.refunds for a in refund.adjustments], order.tender)
    return current_total(order).minus(given).minus(net_payment(order))  # goodwill beyond the goods is owed by nobody


def capturable(order: Order) -> Bag:
    """Authorised and neither captured nor voided."""
    held = order.tender.nothing()
    for t in order.transactions:
        if t.status != "SUCCESS":
            continue
        if t.kind == "AUTHORIZATION":
            held = held.plus(t.amount_set)
        elif t.kind in ("CAPTURE", "VOID"):
            held = held.minus(t.amount_set)
    return held


def financial_status(order: Order) -> str:
    """`displayFinancialStatus`."""
    came, went = received(order).buyer, refunded(order).buyer
    kinds = {t.kind for t in order.transactions if t.status == "SUCCESS"}
    if came > 0 and went >= came:
        return "REFUNDED"
    if went > 0:
        return "PARTIALLY_REFUNDED"
    if came <= 0 < order_total(order).buyer:
        if "VOID" in kinds:
            return "VOIDED"
        return "AUTHORIZED" if "AUTHORIZATION" in kinds else "PENDING"
    return "PARTIALLY_PAID" if outstanding(order).buyer > 0 else "PAID"


def fulfillment_status(order: Order) -> str:
    """`displayFulfillmentStatus`."""
    shipped = sum(line.fulfilled for line in order.lines)
    waiting = [fo for fo in order.fulfillment_orders if fo.remaining]
    if not waiting:
        return "FULFILLED" if shipped else "UNFULFILLED"
    if shipped:
        return "PARTIALLY_FULFILLED"
    for state in ("ON_HOLD", "SCHEDULED", "IN_PROGRESS"):
        if all(fo.status == state for fo in waiting):
            return state
    return "UNFULFILLED"


def return_status(order: Order) -> str:
    """`returnStatus`."""
    states = {each.status for each in order.returns}
    if "OPEN" in states:
        return "IN_PROGRESS"
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"


def gateways(order: Order) -> list[str]:
    """Names of the payment ways used, first use first."""
    return list(dict.fromkeys(t.gateway for t in order.transactions if t.kind != "REFUND"))
