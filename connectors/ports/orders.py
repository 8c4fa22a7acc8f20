"""The port to a store's orders: what was sold, refunded, returned and sent, in words of no vendor.

References are the store's own opaque ids. Quantities are whole units. Times are aware and come from the store's clock.
States and kinds are the store's words in lower case, an empty string where it says nothing. Every value is frozen and
made of plain types, so that a whole order can be kept as JSON and read back (`orders.intake`).

What a `RemoteOrder` holds (its parts stand here and in `money`, `buyers` and `refunds` beside this module):

- identity: ref, number, name, confirmation, source, source_identifier, channel, po_number, tags, test, edited
- times: created_at, processed_at (may be dated back), updated_at (the version), cancelled_at, closed_at
- states: cancel_reason, financial_status, fulfilment_status, return_status
- buyer: customer_ref, customer, email, phone, billing_address, shipping_address, company (with its tax id), note,
  attributes, localized (tax ids and the like that a country asks for), tax_fields, and `withheld`: which of these the
  store refused
- money: currency, presentment_currency, taxes_included, tax_exempt, duties_included, gateways, totals, taxes, fees
- lines (discounts, taxes, duties, bundle, attributes), shipping, transactions
- edits: which units they added to lines and took off them, and when
- refunds (lines with restock and location, shipping, duties, adjustments, transactions with their states), returns
  (lines, exchanges), fulfilments (location, lines, tracking), fulfilment_orders (assigned location, lines with item and
  remaining quantity, holds); retail_location_ref for what was sold at a till
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.ports.buyers import Address, Attribute, Company, Customer, LocalizedField
from connectors.ports.money import TaxLine, Transaction, TwoPrices
from connectors.ports.refunds import Refund, Return

MAX_ORDERS = 25
"""Orders that one coalesced read may name."""

MAX_FIELDS = 250
"""Orders of which one read may ask for custom fields."""


@dataclass(frozen=True, slots=True)
class Discount:
    """The share of a discount that a line carries. `kind` is code, automatic or manual; `name` is the code or the
    title. Both are empty where the store does not say."""

    amount: TwoPrices
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Fee:
    """A charge on the whole order that is neither goods, shipping nor duty."""

    ref: str
    name: str
    price: TwoPrices
    taxes: tuple[TaxLine, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The bundle a line is a component of. Lines of one bundle share `ref`; `quantity` is that of the bundle."""

    ref: str
    title: str
    quantity: int
    product_ref: str
    variant_ref: str
    sku: str
    attributes: tuple[Attribute, ...]


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
    store does not tell those two apart. `current_quantity` is `quantity` less removals and refunds. `name` is `title`
    and `variant_title` as people see them.
    """

    ref: str
    name: str
    title: str
    variant_title: str
    vendor: str
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
    discounts: tuple[Discount, ...]
    taxes: tuple[TaxLine, ...]
    duties: tuple[Duty, ...]
    bundle: Bundle | None
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class ShippingLine:
    """A delivery charge; removed ones stay, marked. `code` names the method, `source` who offered it."""

    ref: str
    title: str
    code: str
    source: str
    is_removed: bool
    price: TwoPrices
    discounted_price: TwoPrices
    discounts: tuple[Discount, ...]
    taxes: tuple[TaxLine, ...]


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
    """Work assigned to one location; its remaining quantities are the stock the order holds there. `holds` are the
    reasons why it must not be sent yet (awaiting_return_items, awaiting_payment …)."""

    ref: str
    status: str
    request_status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    location_ref: str
    location_name: str
    holds: tuple[str, ...]
    lines: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Units that an edit added to a line (`quantity` > 0) or took off it (< 0)."""

    line_ref: str
    quantity: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One order with everything that hangs on it, read to the last nested page, all of one version (`updated_at`).

    `name` is what people see and is not unique. `processed_at` may be dated back by imports; `created_at` is not.
    Totals: `original_total` at creation, `total` and `subtotal` before returns, `current_…` after edits and refunds.
    `total_received` is what was paid, `total_capturable` what is authorised and not captured yet.

    Stores protect what tells of persons. `withheld` names the fields among customer, email, phone, billing_address,
    shipping_address, company and note of which the store refused all or a part; what it refused is None, and empty in an
    address. Some stores give nothing instead, which cannot be told from a buyer who said nothing. `customer_ref` is
    empty without a customer and where we may not read customers.
    """

    ref: str
    number: int
    name: str
    confirmation: str
    source: str
    channel: str
    """The app that took the order, as people see it: Online Store, Point of Sale."""
    retail_location_ref: str
    """Where a sale at the till was made; empty for others."""
    test: bool
    edited: bool
    po_number: str
    source_identifier: str
    """The order's id where it was first taken: a marketplace, a till."""
    tags: tuple[str, ...]

    customer_ref: str
    customer: Customer | None
    email: str | None
    phone: str | None
    billing_address: Address | None
    shipping_address: Address | None
    company: Company | None
    note: str | None
    withheld: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    localized: tuple[LocalizedField, ...]

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
    current_subtotal: TwoPrices
    total_discounts: TwoPrices | None
    total_shipping: TwoPrices
    total_tax: TwoPrices | None
    current_total_tax: TwoPrices
    total_tip: TwoPrices
    total_duties: TwoPrices | None
    total_received: TwoPrices
    total_capturable: TwoPrices
    total_refunded: TwoPrices
    total_outstanding: TwoPrices
    rounding_paid: TwoPrices
    rounding_refunded: TwoPrices
    taxes: tuple[TaxLine, ...]
    fees: tuple[Fee, ...]

    lines: tuple[OrderLine, ...]
    shipping: tuple[ShippingLine, ...]
    transactions: tuple[Transaction, ...]
    refunds: tuple[Refund, ...]
    returns: tuple[Return, ...]
    fulfilments: tuple[Fulfilment, ...]
    fulfilment_orders: tuple[FulfilmentOrder, ...]

    tax_fields: tuple[Attribute, ...] = ()
    """Custom fields in which the merchant keeps tax ids, as `OrdersPort.read_fields` gave them."""
    edits: tuple[LineEdit, ...] = ()
    """All of them, oldest first. Empty where nothing was edited, and where the store does not tell all."""


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


@dataclass(frozen=True, slots=True)
class History:
    """Orders that the store writes down for us. `ready`: they can be read now. What changed after `as_of`, by the store's
    clock, may be missing, or be there in an older version that is then left out."""

    ticket: str
    as_of: dt.datetime
    ready: bool


Wanted = Callable[[Sequence[str]], Collection[str]]
"""Of some references, those to read now."""


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

    def read_fields(self, refs: Sequence[str], names: Sequence[str]) -> dict[str, tuple[Attribute, ...]]:
        """What custom fields of up to `MAX_FIELDS` orders and of their customers say: reference → those that are set, in
        the order of `names`. A name is order.<namespace>.<key> or customer.<namespace>.<key>; at most five of each.
        What the store withholds is left out."""
        ...

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> History | None:
        """Have the store write down all orders changed since then, where that costs it less than being asked for the
        `wanted` ones; None where it does not, or where the store cannot do so now. Waits up to `patience` seconds for
        it to be ready; asked again with the same `since`, it goes on with what was begun."""
        ...

    def iter_orders(self, history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        """The orders of a history that is ready, whole, as `read_orders` gives them, some hundreds at a time.

        For each such part `wanted` says which of its orders to read; the store is asked after that, and the orders are
        of the version they have then. Those that changed since the history was written, or that cannot be read whole,
        are not among them: ask for those by reference. Raises `ResultLost` when there is nothing to be had for this
        ticket: prepare it anew.
        """
        ...
