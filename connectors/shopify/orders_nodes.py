"""Orders as Shopify's answers carry them (queries/orders_by_ids.graphql and the documents of further pages)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from connectors.shopify.pages import Connection


class Identified(msgspec.Struct):
    """An object of which only the id is asked."""

    id: str


class _Amount(msgspec.Struct, rename="camel"):
    amount: Decimal
    currency_code: str


class Bag(msgspec.Struct, rename="camel"):
    """MoneyBag: one amount in two currencies."""

    shop_money: _Amount
    presentment_money: _Amount


class Tax(msgspec.Struct, rename="camel"):
    title: str
    price_set: Bag
    rate: Decimal | None = None
    channel_liable: bool | None = None


class Written(msgspec.Struct):
    """A custom attribute."""

    key: str
    value: str | None = None


class _Application(msgspec.Struct):
    kind: str = msgspec.field(name="__typename")
    code: str = ""
    title: str = ""


class Allocated(msgspec.Struct, rename="camel"):
    """The share of a discount that a line carries."""

    allocated_amount_set: Bag
    discount_application: _Application


class _Variant(msgspec.Struct, rename="camel"):
    id: str
    inventory_item: Identified


class _Group(msgspec.Struct, rename="camel"):
    id: str
    title: str
    quantity: int
    custom_attributes: list[Written]
    product_id: str | None = None
    variant_id: str | None = None
    variant_sku: str | None = None


class DutyNode(msgspec.Struct, rename="camel"):
    id: str
    price: Bag
    tax_lines: list[Tax]


class Line(msgspec.Struct, rename="camel"):
    id: str
    name: str
    title: str
    quantity: int
    current_quantity: int
    refundable_quantity: int
    unfulfilled_quantity: int
    is_gift_card: bool
    taxable: bool
    requires_shipping: bool
    original_unit_price_set: Bag
    discounted_total_set: Bag
    discount_allocations: list[Allocated]
    tax_lines: list[Tax]
    duties: list[DutyNode]
    custom_attributes: list[Written]
    sku: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    product: Identified | None = None
    variant: _Variant | None = None
    line_item_group: _Group | None = None


class Shipping(msgspec.Struct, rename="camel"):
    title: str
    is_removed: bool
    original_price_set: Bag
    discounted_price_set: Bag
    discount_allocations: list[Allocated]
    tax_lines: list[Tax]
    id: str | None = None
    code: str | None = None
    source: str | None = None


class Movement(msgspec.Struct, rename="camel"):
    id: str
    kind: str
    status: str
    test: bool
    manual_payment_gateway: bool
    amount_set: Bag
    gateway: str | None = None
    formatted_gateway: str | None = None
    error_code: str | None = None
    created_at: dt.datetime | None = None
    processed_at: dt.datetime | None = None
    amount_rounding_set: Bag | None = None
    parent_transaction: Identified | None = None


class RefundLineNode(msgspec.Struct, rename="camel"):
    quantity: int
    restock_type: str
    restocked: bool
    line_item: Identified
    price_set: Bag
    subtotal_set: Bag
    total_tax_set: Bag
    id: str | None = None
    location: Identified | None = None


class _ShippingRef(msgspec.Struct):
    id: str | None = None


class RefundShippingNode(msgspec.Struct, rename="camel"):
    id: str
    shipping_line: _ShippingRef
    subtotal_amount_set: Bag
    tax_amount_set: Bag


class AdjustmentNode(msgspec.Struct, rename="camel"):
    id: str
    amount_set: Bag
    tax_amount_set: Bag
    reason: str | None = None


class RefundDutyNode(msgspec.Struct, rename="camel"):
    amount_set: Bag
    original_duty: Identified | None = None


class RefundNode(msgspec.Struct, rename="camel"):
    id: str
    processed_at: dt.datetime
    updated_at: dt.datetime
    total_refunded_set: Bag
    refund_line_items: Connection[RefundLineNode]
    refund_shipping_lines: Connection[RefundShippingNode]
    order_adjustments: Connection[AdjustmentNode]
    transactions: Connection[Movement]
    created_at: dt.datetime | None = None
    note: str | None = None
    returned: Identified | None = msgspec.field(default=None, name="return")
    duties: list[RefundDutyNode] | None = None


class OfLine(msgspec.Struct, rename="camel"):
    """Something that points at a line of the order."""

    line_item: Identified


class ReturnLineNode(msgspec.Struct, rename="camel"):
    id: str
    quantity: int
    processed_quantity: int
    refunded_quantity: int
    fulfillment_line_item: OfLine | None = None


class ExchangeNode(msgspec.Struct, rename="camel"):
    id: str
    quantity: int
    line_items: list[Identified] | None = None


class ReturnNode(msgspec.Struct, rename="camel"):
    id: str
    name: str
    status: str
    created_at: dt.datetime
    return_line_items: Connection[ReturnLineNode]
    exchange_line_items: Connection[ExchangeNode]
    closed_at: dt.datetime | None = None


class TrackingNode(msgspec.Struct):
    company: str | None = None
    number: str | None = None


class SentLine(msgspec.Struct, rename="camel"):
    id: str
    line_item: Identified
    quantity: int | None = None


class FulfilmentNode(msgspec.Struct, rename="camel"):
    id: str
    name: str
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    tracking_info: list[TrackingNode]
    fulfillment_line_items: Connection[SentLine]
    location: Identified | None = None


class WorkLineNode(msgspec.Struct, rename="camel"):
    id: str
    total_quantity: int
    remaining_quantity: int
    line_item: Identified
    inventory_item_id: str | None = None


class _Assigned(msgspec.Struct):
    name: str
    location: Identified | None = None


class _Hold(msgspec.Struct):
    reason: str


class Work(msgspec.Struct, rename="camel"):
    id: str
    status: str
    request_status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    assigned_location: _Assigned
    fulfillment_holds: list[_Hold]
    line_items: Connection[WorkLineNode]


class _Email(msgspec.Struct, rename="camel"):
    email_address: str


class _Phone(msgspec.Struct, rename="camel"):
    phone_number: str


class CustomerNode(msgspec.Struct, rename="camel"):
    id: str
    tax_exempt: bool
    first_name: str | None = None
    last_name: str | None = None
    default_email_address: _Email | None = None
    default_phone_number: _Phone | None = None


class AddressNode(msgspec.Struct, rename="camel"):
    """MailingAddress."""

    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country_code_v2: str | None = msgspec.field(name="countryCodeV2", default=None)
    phone: str | None = None


class _Named(msgspec.Struct, rename="camel"):
    id: str
    name: str
    external_id: str | None = None


class _TaxSettings(msgspec.Struct, rename="camel"):
    tax_registration_id: str | None = None


class _CompanyPlace(_Named, rename="camel", kw_only=True):
    tax_settings: _TaxSettings


class Purchaser(msgspec.Struct):
    """PurchasingEntity: a company with its place, or, with neither, a customer."""

    company: _Named | None = None
    location: _CompanyPlace | None = None


class LocalizedNode(msgspec.Struct, rename="camel"):
    key: str
    country_code: str
    purpose: str
    title: str
    value: str


class FeeNode(msgspec.Struct, rename="camel"):
    id: str
    name: str
    price: Bag
    tax_lines: list[Tax]


class _App(msgspec.Struct):
    name: str


class _Rounding(msgspec.Struct, rename="camel"):
    payment_set: Bag
    refund_set: Bag


class SaleNode(msgspec.Struct, rename="camel"):
    """Units of one line in an agreement; without a line: shipping, a tip, a fee."""

    action_type: str
    quantity: int | None = None
    line_item: Identified | None = None


class AgreementNode(msgspec.Struct, rename="camel"):
    """An order placed, edited, refunded or returned."""

    happened_at: dt.datetime
    reason: str
    sales: Connection[SaleNode]


class AgreedNode(msgspec.Struct, rename="camel", tag_field="__typename", tag="Order"):
    """An order and its agreements."""

    id: str
    agreements: Connection[AgreementNode]


class AgreementsData(msgspec.Struct):
    """Answer to `order_agreements.graphql`, aligned with the ids; null for an order that is not shown."""

    nodes: list[AgreedNode | None]


class OrderNode(msgspec.Struct, rename="camel", tag_field="__typename", tag="Order"):
    """One order."""

    id: str
    number: int
    name: str
    test: bool
    edited: bool
    tags: list[str]
    created_at: dt.datetime
    processed_at: dt.datetime
    updated_at: dt.datetime
    display_fulfillment_status: str
    return_status: str
    currency_code: str
    presentment_currency_code: str
    taxes_included: bool
    tax_exempt: bool
    duties_included: bool
    payment_gateway_names: list[str]
    original_total_price_set: Bag
    total_price_set: Bag
    current_total_price_set: Bag
    current_subtotal_price_set: Bag
    current_total_tax_set: Bag
    total_shipping_price_set: Bag
    total_received_set: Bag
    total_capturable_set: Bag
    total_tip_received_set: Bag
    total_refunded_set: Bag
    total_outstanding_set: Bag
    total_cash_rounding_adjustment: _Rounding
    tax_lines: list[Tax]
    additional_fees: list[FeeNode]
    custom_attributes: list[Written]
    localized_fields: Connection[LocalizedNode]
    line_items: Connection[Line]
    shipping_lines: Connection[Shipping]
    transactions: list[Movement]
    refunds: list[RefundNode]
    returns: Connection[ReturnNode]
    fulfillments: list[FulfilmentNode]
    fulfillment_orders: Connection[Work]
    confirmation_number: str | None = None
    source_name: str | None = None
    app: _App | None = None
    retail_location: Identified | None = None
    po_number: str | None = None
    source_identifier: str | None = None
    customer: CustomerNode | None = None
    email: str | None = None
    phone: str | None = None
    billing_address: AddressNode | None = None
    shipping_address: AddressNode | None = None
    purchasing_entity: Purchaser | None = None
    note: str | None = None
    cancelled_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    cancel_reason: str | None = None
    display_financial_status: str | None = None
    subtotal_price_set: Bag | None = None
    total_discounts_set: Bag | None = None
    total_tax_set: Bag | None = None
    original_total_duties_set: Bag | None = None
    agreements: Connection[AgreementNode] | None = None
    """Asked for apart, of orders that may have been edited."""


class OrdersData(msgspec.Struct):
    """Answer to `orders_by_ids.graphql`, aligned with the ids; null for an order that is not shown."""

    nodes: list[OrderNode | None]


class Version(msgspec.Struct, rename="camel", tag_field="__typename", tag="Order"):
    """An order and when it changed last."""

    id: str
    updated_at: dt.datetime


class VersionsData(msgspec.Struct):
    """Answer to `order_versions.graphql`."""

    nodes: list[Version | None]


class _Changed(msgspec.Struct, rename="camel"):
    id: str
    updated_at: dt.datetime


class ChangedData(msgspec.Struct):
    """Answer to `orders_changed.graphql`."""

    orders: Connection[_Changed]
