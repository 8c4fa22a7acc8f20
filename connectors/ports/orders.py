"""The port to a store's orders: what was sold, refunded, returned and sent, in words of no vendor.

References are the store's own opaque ids. Quantities are whole units. Times are aware and come from the store's clock.
States and kinds are the store's words in lower case, an empty string where it says nothing. Every value is frozen and
made of plain types, so that a whole order can be kept as JSON and read back (`orders.intake`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

MAX_ORDERS = 25
"""Orders that one coalesced read may name."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with as many decimals as the store wrote, and its ISO 4217 currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class TwoPrices:
    """One amount in the shop's currency and in the buyer's. The rate between them is that of the day it was booked, so
    those of a refund and of its order differ (reference: Shopify trap 32)."""

    shop: Money
    presentment: Money


@dataclass(frozen=True, slots=True)
class TaxLine:
    """A tax as the store computed it; never derived from the rate again (reference: Shopify trap 33)."""

    title: str
    rate: Decimal | None
    """A share: 0.21 is 21 %."""
    price: TwoPrices


@dataclass(frozen=True, slots=True)
class Bundle:
    """The bundle a line is a component of."""

    ref: str
    title: str
    quantity: int
    variant_ref: str


@dataclass(frozen=True, slots=True)
class Duty:
    """A customs duty on a line."""

    ref: str
    price: TwoPrices
    taxes: tuple[TaxLine, ...]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line as ordered. Net of a line = unit_price × quantity − Σ discounts; all of them still contain what was removed
    or refunded later (reference: Shopify 6.2).

    `variant_ref` is empty for a deleted variant, `product_ref` with it for a deleted product and for a custom line: the
    store does not tell those two apart. `current_quantity` is `quantity` less removals and refunds.
    """

    ref: str
    name: str
    sku: str
    product_ref: str
    variant_ref: str
    item_ref: str
    quantity: int
    current_quantity: int
    refundable_quantity: int
    unfulfilled_quantity: int
    is_gift_card: bool
    taxable: bool
    requires_shipping: bool
    unit_price: TwoPrices
    discounted_total: TwoPrices
    discounts: tuple[TwoPrices, ...]
    taxes: tuple[TaxLine, ...]
    duties: tuple[Duty, ...]
    bundle: Bundle | None


@dataclass(frozen=True, slots=True)
class ShippingLine:
    """A delivery charge; removed ones stay, marked."""

    ref: str
    title: str
    code: str
    is_removed: bool
    price: TwoPrices
    discounted_price: TwoPrices
    discounts: tuple[TwoPrices, ...]
    taxes: tuple[TaxLine, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money, or a try at one: only `status` "success" moved it, and `test` never did. `rounding` is the
    part that cash rounding added or took."""

    ref: str
    kind: str
    status: str
    gateway: str
    created_at: dt.datetime | None
    processed_at: dt.datetime | None
    test: bool
    amount: TwoPrices
    rounding: TwoPrices | None
    parent_ref: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units refunded. `restocked` decides about stock, not `restock` (cancel, return, no_restock, legacy_restock);
    `location_ref` is where they went back to, empty where the store does not say."""

    ref: str
    line_ref: str
    quantity: int
    restock: str
    restocked: bool
    location_ref: str
    price: TwoPrices
    subtotal: TwoPrices
    tax: TwoPrices


@dataclass(frozen=True, slots=True)
class RefundShipping:
    """Delivery charges given back."""

    ref: str
    shipping_line_ref: str
    subtotal: TwoPrices
    tax: TwoPrices


@dataclass(frozen=True, slots=True)
class RefundDuty:
    """A duty given back."""

    duty_ref: str
    amount: TwoPrices


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Difference between what was refunded and the money given back, with the store's own sign."""

    ref: str
    reason: str
    amount: TwoPrices
    tax: TwoPrices


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund. It may have no lines (goodwill), no transactions (pure removal), and money that is still pending: only
    `transactions` tell what moved (reference: Shopify trap 28)."""

    ref: str
    created_at: dt.datetime | None
    processed_at: dt.datetime
    updated_at: dt.datetime
    note: str
    return_ref: str
    total: TwoPrices
    lines: tuple[RefundLine, ...]
    shipping: tuple[RefundShipping, ...]
    duties: tuple[RefundDuty, ...]
    adjustments: tuple[Adjustment, ...]
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units a customer sends back. `line_ref` is empty for goods the store could not match to a line."""

    ref: str
    line_ref: str
    quantity: int
    processed_quantity: int
    refunded_quantity: int


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """Units sent out instead; `line_refs` are the lines the order gained for them."""

    ref: str
    quantity: int
    line_refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """Goods on their way back. Neither money nor stock: those come with a refund that names this return."""

    ref: str
    name: str
    status: str
    created_at: dt.datetime
    closed_at: dt.datetime | None
    lines: tuple[ReturnLine, ...]
    exchanges: tuple[ExchangeLine, ...]


@dataclass(frozen=True, slots=True)
class Tracking:
    """A parcel."""

    company: str
    number: str


@dataclass(frozen=True, slots=True)
class FulfilmentLine:
    """Units sent."""

    ref: str
    line_ref: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """Goods sent from one location."""

    ref: str
    name: str
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    location_ref: str
    lines: tuple[FulfilmentLine, ...]
    tracking: tuple[Tracking, ...]


@dataclass(frozen=True, slots=True)
class WorkLine:
    """What is still to be sent of a line at the location of its fulfilment order. `item_ref` is the inventory item that
    holds the stock; empty where there is none."""

    ref: str
    line_ref: str
    item_ref: str
    total_quantity: int
    remaining_quantity: int


@dataclass(frozen=True, slots=True)
class FulfilmentOrder:
    """Work assigned to one location; its remaining quantities are the stock the order holds there."""

    ref: str
    status: str
    request_status: str
    updated_at: dt.datetime
    location_ref: str
    location_name: str
    lines: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One order with everything that hangs on it, read to the last nested page, all of one version (`updated_at`).

    `name` is what people see and is not unique. `processed_at` may be dated back by imports; `created_at` is not.
    Totals: `original_total` at creation, `total` and `subtotal` before returns, `current_total` after edits and refunds.
    `customer_ref` is empty without a customer and where the app may not read customers.
    """

    ref: str
    number: int
    name: str
    confirmation: str
    source: str
    test: bool
    edited: bool
    po_number: str
    tags: tuple[str, ...]
    customer_ref: str

    created_at: dt.datetime
    processed_at: dt.datetime
    updated_at: dt.datetime
    cancelled_at: dt.datetime | None
    closed_at: dt.datetime | None

    cancel_reason: str
    financial_status: str
    fulfilment_status: str
    return_status: str

    currency: str
    presentment_currency: str
    taxes_included: bool
    tax_exempt: bool
    duties_included: bool
    gateways: tuple[str, ...]
    original_total: TwoPrices
    total: TwoPrices
    current_total: TwoPrices
    subtotal: TwoPrices | None
    total_discounts: TwoPrices | None
    total_shipping: TwoPrices
    total_tax: TwoPrices | None
    total_tip: TwoPrices
    total_duties: TwoPrices | None
    total_refunded: TwoPrices
    total_outstanding: TwoPrices
    rounding_paid: TwoPrices
    rounding_refunded: TwoPrices
    taxes: tuple[TaxLine, ...]

    lines: tuple[OrderLine, ...]
    shipping: tuple[ShippingLine, ...]
    transactions: tuple[Transaction, ...]
    refunds: tuple[Refund, ...]
    returns: tuple[Return, ...]
    fulfilments: tuple[Fulfilment, ...]
    fulfilment_orders: tuple[FulfilmentOrder, ...]


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """An order that changed, and when, by the store's clock in whole seconds."""

    ref: str
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """One page of the change feed. `read_at` is the server's time when it answered."""

    orders: tuple[ChangedOrder, ...]
    read_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OrdersWindow:
    """How far back the store shows orders, counted by their age. None: all of them."""

    days: int | None
    read_at: dt.datetime
    """The server's time of the answer."""

    @property
    def since(self) -> dt.datetime | None:
        """Orders created before then are not shown; None: all are."""
        return None if self.days is None else self.read_at - dt.timedelta(days=self.days)


class OrdersPort(Protocol):
    """Orders of one store. Methods raise `ConnectorError`s; reads may be repeated freely."""

    def orders_window(self) -> OrdersWindow:
        """How far back orders can be read with the rights we have. Asks the store."""
        ...

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        """Orders changed between `since` and `until`, both included, oldest change first, read as it is used; at least
        one page, which may be empty. `since` None: from the beginning.

        An order may come again, in a later version or in the same. One that changes while pages are read may be missed
        by them: a pass is finished by a second, short one from the first page's `read_at`. Raises
        `FeatureNotSupported`, before anything is listed, where `since` lies before what the store shows.
        """
        ...

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        """Up to `MAX_ORDERS` orders in the order asked, whole; None for one the store does not show (deleted, or older
        than `orders_window`). Raises `RequestRejected` for an order that cannot be read whole: the others can be read
        without it."""
        ...

    def read_order(self, ref: str) -> RemoteOrder | None:
        """One order, as `read_orders`."""
        ...
