"""Refunds and returns of an order, in words of no vendor. States and kinds as in `connectors.ports.orders`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from connectors.ports.money import Transaction, TwoPrices


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
