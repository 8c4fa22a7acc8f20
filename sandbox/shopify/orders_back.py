"""The rows of what comes back: refunds with lines, shipping, duties, adjustments; returns and exchanges (reference §6.3–6.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .orders import Duty, Line, Order, ShippingLine, Transaction
from .orders_money import Bag, total
from .orders_work import FulfillmentLine
from .rows import Location


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
