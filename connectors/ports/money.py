"""Money of orders and refunds in words of no vendor: amounts, taxes, and the movements that a store knows of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


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
    channel_liable: bool
    """The sales channel owes it to the state, not the shop (marketplaces)."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money, or a try at one: only `status` "success" moved it, and `test` never did.

    `kind` is authorization, emv_authorization, capture, sale, refund, void, change or suggested_refund; `status` is
    success, pending, awaiting_response, unknown, failure or error. `gateway` is the name to map, `gateway_title` what
    people see; `manual` is one that the merchant collects himself (cash on delivery, bank transfer). `rounding` is the
    part that cash rounding added or took. `error` is why it failed.
    """

    ref: str
    kind: str
    status: str
    gateway: str
    gateway_title: str
    manual: bool
    error: str
    created_at: dt.datetime | None
    processed_at: dt.datetime | None
    test: bool
    amount: TwoPrices
    rounding: TwoPrices | None
    parent_ref: str
