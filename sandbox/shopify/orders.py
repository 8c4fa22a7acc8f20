"""The rows of an order: lines, shipping, payments, fulfilment orders. What each step does to them is in the modules `orders_*`.

Attributes carry the names of Shopify's fields in snake case; what is derived from other rows is in `orders_totals`."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .bundles import LineGroup
from .catalogue import Shop
from .orders_money import Bag, Tender, total
from .rows import Item, Location, Variant


class OrderRefused(Exception):
    """The step can't be made; the message says why."""


@dataclass(slots=True)
class TaxLine:
    """One tax on a line or on shipping, for the whole ordered quantity."""

    title: str
    rate: Decimal
    price_set: Bag
    source: str | None = None


@dataclass(slots=True)
class Discount:
    """A discount of the order: by a code, by a rule (title), or by hand."""

    index: int
    kind: str  # code, automatic, manual
    name: str
    whole_order: bool
    on_shipping: bool = False


class CodeDiscount(Discount):
    """Given with a code."""


class AutomaticDiscount(Discount):
    """Given by a rule."""


class ManualDiscount(Discount):
    """Given by hand."""


DISCOUNTS = {"code": CodeDiscount, "automatic": AutomaticDiscount, "manual": ManualDiscount}


@dataclass(slots=True)
class Allocation:
    """The share of a discount that one line carries."""

    discount_application: Discount
    allocated_amount_set: Bag


@dataclass(slots=True)
class Duty:
    """A duty on a line."""

    gid: str
    price: Bag


@dataclass(slots=True)
class Line:
    """One line. `quantity` never shrinks; `removed` counts what edits took off, `refunded` what refunds did."""

    gid: str
    number: int  # within the order, from 1: what the control API calls it
    title: str
    variant_title: str | None
    sku: str | None
    variant: Variant | None
    item: Item | None
    quantity: int
    unit: Bag
    is_gift_card: bool = False
    taxable: bool = True
    requires_shipping: bool = True
    vendor: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    group: LineGroup | None = None  # the bundle that it is a component of
    discount_allocations: list[Allocation] = field(default_factory=list)
    tax_lines: list[TaxLine] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    removed: int = 0
    refunded: int = 0
    fulfilled: int = 0
    returned: int = 0  # of the fulfilled: taken back with restock
    cancelled: int = 0  # never shipped and no longer to be

    @property
    def name(self) -> str:
        """Title and variant as people see them."""
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title

    @property
    def current_quantity(self) -> int:
        """What is left after edits and refunds."""
        return self.quantity - self.removed - self.refunded

    @property
    def gross(self) -> Bag:
        """Unit price × ordered quantity."""
        return self.unit.times(self.quantity)

    @property
    def discount(self) -> Bag:
        """All allocated shares together."""
        return total([each.allocated_amount_set for each in self.discount_allocations], self.unit.tender)

    @property
    def net(self) -> Bag:
        """What the ordered quantity costs after all discounts; with tax where the order's prices contain it."""
        return self.gross.minus(self.discount)

    @property
    def tax(self) -> Bag:
        """Tax of the ordered quantity."""
        return total([each.price_set for each in self.tax_lines], self.unit.tender)


@dataclass(slots=True)
class ShippingLine:
    """One way of shipping that the buyer pays for."""

    gid: str
    title: str
    original_price_set: Bag
    code: str | None = None
    source: str | None = "shopify"
    is_removed: bool = False
    discount_allocations: list[Allocation] = field(default_factory=list)
    tax_lines: list[TaxLine] = field(default_factory=list)
    refunded: Bag | None = None

    @property
    def discounted_price_set(self) -> Bag:
        """After discounts."""
        off = total([a.allocated_amount_set for a in self.discount_allocations], self.original_price_set.tender)
        return self.original_price_set.minus(off)

    @property
    def tax(self) -> Bag:
        """Tax on it."""
        return total([each.price_set for each in self.tax_lines], self.original_price_set.tender)


@dataclass(slots=True)
class Transaction:
    """One movement of money, or the attempt."""

    gid: str
    order: Order
    kind: str
    status: str
    gateway: str
    amount_set: Bag
    created_at: str
    processed_at: str | None
    test: bool = False
    parent_transaction: Transaction | None = None
    amount_rounding_set: Bag | None = None
    error_code: str | None = None
    payment_id: str | None = None


@dataclass(slots=True)
class FulfillmentOrderLine:
    """So many of a line, to be shipped from the fulfilment order's location."""

    gid: str
    line_item: Line
    total_quantity: int
    remaining_quantity: int


@dataclass(slots=True)
class Hold:
    """Why a fulfilment order waits."""

    gid: str
    reason: str
    reason_notes: str | None


@dataclass(slots=True)
class FulfillmentOrder:
    """Work at one location."""

    gid: str
    order: Order
    location: Location
    created_at: str
    updated_at: str
    status: str = "OPEN"
    request_status: str = "UNSUBMITTED"
    lines: list[FulfillmentOrderLine] = field(default_factory=list)
    fulfillment_holds: list[Hold] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        """Units that wait to be shipped."""
        return sum(line.remaining_quantity for line in self.lines)


@dataclass(slots=True)
class FulfillmentLine:
    """So many of a line in one parcel. `source` is where the units go back when the fulfilment is cancelled."""

    gid: str
    line_item: Line
    quantity: int
    source: FulfillmentOrderLine
    returned: int = 0


@dataclass(slots=True)
class Fulfillment:
    """A parcel."""

    gid: str
    number: int
    name: str
    order: Order
    fulfillment_order: FulfillmentOrder
    location: Location
    created_at: str
    updated_at: str
    status: str = "SUCCESS"
    tracking: list[dict[str, str | None]] = field(default_factory=list)
    lines: list[FulfillmentLine] = field(default_factory=list)

    @property
    def total_quantity(self) -> int:
        """Units in it."""
        return sum(line.quantity for line in self.lines)


@dataclass(slots=True)
class RefundLine:
    """Units of a line that a refund covers."""

    gid: str
    line_item: Line
    quantity: int
    restock_type: str
    subtotal_set: Bag
    total_tax_set: Bag
    restocked: bool = False
    location: Location | None = None

    @property
    def price_set(self) -> Bag:
        """Per unit, rounded."""
        return self.subtotal_set.share(1, self.quantity)


@dataclass(slots=True)
class RefundShipping:
    """Shipping given back."""

    gid: str
    shipping_line: ShippingLine
    subtotal_amount_set: Bag
    tax_amount_set: Bag


@dataclass(slots=True)
class Adjustment:
    """The difference between goods and money of a refund."""

    gid: str
    reason: str
    amount_set: Bag
    tax_amount_set: Bag


@dataclass(slots=True)
class RefundDuty:
    """A duty given back."""

    amount_set: Bag
    original_duty: Duty


@dataclass(slots=True)
class Refund:
    """Goods taken off, money given back, or both. It does not prove that money moved: its transactions do."""

    gid: str
    number: int
    order: Order
    created_at: str
    processed_at: str
    updated_at: str
    note: str | None = None
    origin: Return | None = None
    lines: list[RefundLine] = field(default_factory=list)
    shipping: list[RefundShipping] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    duties: list[RefundDuty] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)

    @property
    def total_refunded_set(self) -> Bag:
        """The sum of its transactions, settled or still pending; failed ones do not count."""
        counted = [t.amount_set for t in self.transactions if t.status in ("SUCCESS", "PENDING")]
        return total(counted, self.order.tender)


@dataclass(slots=True)
class ReturnLine:
    """Shipped units that come back."""

    gid: str
    fulfillment_line_item: FulfillmentLine
    quantity: int
    processed_quantity: int = 0
    refunded_quantity: int = 0
    customer_note: str | None = None
    return_reason_note: str = ""

    @property
    def unprocessed_quantity(self) -> int:
        """Units still expected."""
        return self.quantity - self.processed_quantity


@dataclass(slots=True)
class ExchangeLine:
    """What the buyer gets instead; a line of the order once the return is processed."""

    gid: str
    quantity: int
    description: dict[str, Any]
    processed_quantity: int = 0
    line_items: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Return:
    """Goods on their way back. Money and restock come when it is processed, as a refund."""

    gid: str
    number: int
    name: str
    order: Order
    created_at: str
    updated_at: str
    status: str = "OPEN"
    request_approved_at: str | None = None
    closed_at: str | None = None
    decline: dict[str, str] | None = None
    lines: list[ReturnLine] = field(default_factory=list)
    exchange_lines: list[ExchangeLine] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """A placed order of one shop."""

    gid: str
    number: int
    shop: Shop
    tender: Tender
    created_at: str
    processed_at: str
    updated_at: str
    test: bool = False
    taxes_included: bool = True
    tax_exempt: bool = False
    duties_included: bool = False
    source_name: str = "web"
    note: str | None = None
    po_number: str | None = None
    source_identifier: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    customer: dict[str, Any] | None = None
    shipping_address: dict[str, Any] | None = None
    billing_address: dict[str, Any] | None = None
    company: dict[str, Any] | None = None
    localized_fields: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    shipping: list[ShippingLine] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    tip: Bag | None = None
    payment_rounding: Bag | None = None
    refund_rounding: Bag | None = None
    original_total: Bag | None = None
    edited: bool = False
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    closed_at: str | None = None
    transactions: list[Transaction] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"#{self.number}"

    def line(self, number: int) -> Line:
        """A line by its number. Raises `OrderRefused`."""
        for line in self.lines:
            if line.number == number:
                return line
        raise OrderRefused(f"Order {self.number} has no line {number}.")

    def unfulfilled(self, line: Line) -> int:
        """Units of a line that wait in fulfilment orders."""
        waiting = (e for fo in self.fulfillment_orders for e in fo.lines if e.line_item is line)
        return sum(entry.remaining_quantity for entry in waiting)
