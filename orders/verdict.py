"""What a refund becomes, as data: its documents, what it proves of stock and money, and why. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectors.ports.money import TwoPrices
from orders.refund_goods import Goods, StockEntry
from orders.refund_money import MoneyBack, Part

CANCELLATION: Final = "cancellation"
"""Stands where a refund's reference does, for the counter-document of an order cancelled without a refund."""


class DocumentKind(StrEnum):
    """What a document is. An inventory credit memo is about goods that came back, with or without money; a credit memo
    about money alone; an order change note about units that were never invoiced, and is not fiscal."""

    INVENTORY_CREDIT_MEMO = "inventory_credit_memo"
    CREDIT_MEMO = "credit_memo"
    ORDER_CHANGE = "order_change"


class Readiness(StrEnum):
    """What the documents of a refund wait for."""

    READY = "ready"
    WAITS = "waits"
    """Money that is pending."""
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Planned:
    """A document that a refund calls for. Its parts come to its total, unless a person must look at it first."""

    kind: DocumentKind
    total: TwoPrices
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Three lines that prove a verdict: what stock did, what money did, and that the parts equal it. `holds`: they do."""

    stock: str
    money: str
    equal: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refund (or a cancellation without one) becomes.

    `documents` is empty where none is due. `entries` are what the stock of our locations does, told from the refund
    alone; stock is booked at once, whatever `readiness` says. `sentence` says why.
    """

    refund_ref: str
    at: dt.datetime
    readiness: Readiness
    documents: tuple[Planned, ...]
    goods: tuple[Goods, ...]
    money: MoneyBack
    difference: TwoPrices
    sentence: str
    check: Check

    @property
    def entries(self) -> tuple[StockEntry, ...]:
        """Ledger entries that the refund's units prove, location by location."""
        return tuple(entry for piece in self.goods for entry in piece.entries)
