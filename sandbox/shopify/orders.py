"""The rows of an order: lines, shipping, payments. Its work and parcels are in `orders_work`, what comes back in
`orders_back`; what each step does to them in the modules `orders_*`.

Attributes carry the names of Shopify's fields in snake case; what is derived from other rows is in `orders_totals`."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .bundles import LineGroup
from .catalogue import Shop
from .orders_money import Bag, Tender, total
from .rows import Item, Variant

if TYPE_CHECKING:
    from .orders_back import Refund, Return
    from .orders_work import Fulfillment, FulfillmentOrder


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
class Edit:
    """Units that one edit added to lines (> 0) or took off them (< 0), and the refund that put them back, if any."""

    gid: str
    order: Order
    at: str
    units: list[tuple[Line, int]]
    refund: Refund | None = None


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
    metafields: dict[str, str] = field(default_factory=dict)  # namespace.key → text
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
    edits: list[Edit] = field(default_factory=list)

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
