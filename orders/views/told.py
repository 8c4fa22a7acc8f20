"""An order as its store told it: its states, sums, money, refunds, returns and shipments, as far as the role may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connectors.ports.buyers import Address
from connectors.ports.money import TwoPrices
from connectors.ports.orders import RemoteOrder
from connectors.ports.refunds import Refund
from orders.redaction import without_person

MASKED: Final = "•••"


@dataclass(frozen=True)
class Amount:
    """One sum in the buyer's currency, and in the shop's where that differs."""

    label: str
    amount: Decimal
    currency: str
    shop: Decimal | None = None
    shop_currency: str = ""


@dataclass(frozen=True)
class Row:
    """A movement of money, a refund, a return or a shipment: what it is, its state, when, its amount or units."""

    label: str
    state: str
    at: dt.datetime | None
    amount: Amount | None = None
    units: int | None = None
    details: str = ""


@dataclass(frozen=True)
class Told:
    """What the store says of one order, in sections."""

    states: list[tuple[str, str]]
    ids: list[tuple[str, str]]
    sums: list[Amount]
    buyer: list[tuple[str, str]]
    masked: bool
    withheld: tuple[str, ...]
    sections: list[tuple[str, list[Row]]] = field(default_factory=list)


def told(order: RemoteOrder, *, personal: bool) -> Told:
    """`order` for a page. Without `personal` nothing in it names a person."""
    shown = order if personal else without_person(order)
    return Told(
        states=states_of(shown),
        ids=ids_of(order, personal=personal),
        sums=sums_of(shown),
        buyer=buyer_of(shown),
        masked=not personal,
        withheld=shown.withheld,
        sections=[(name, rows) for name, rows in _sections(shown) if rows],
    )


def states_of(order: RemoteOrder) -> list[tuple[str, str]]:
    """How the store says it stands."""
    return _known(
        ("Payment", _word(order.financial_status)),
        ("Delivery", _word(order.fulfilment_status)),
        ("Returns", _word(order.return_status)),
        ("Cancelled because", _word(order.cancel_reason)),
        ("Tags", ", ".join(order.tags)),
    )


def ids_of(order: RemoteOrder, *, personal: bool) -> list[tuple[str, str]]:
    """By which names others know it. A buyer's own order number is his."""
    own = order.po_number if personal or not order.po_number else MASKED
    return _known(
        ("Confirmation", order.confirmation),
        ("Taken by", order.channel or order.source),
        ("Id where it was first taken", order.source_identifier),
        ("Buyer's order number", own),
    )


def sums_of(order: RemoteOrder) -> list[Amount]:
    """Its totals, those that are zero or not told left out; the total of today always."""
    terms = [
        ("Goods before returns", order.subtotal),
        ("Discounts in it", order.total_discounts),
        ("Delivery", order.total_shipping),
        ("Duties", order.total_duties),
        ("Tax", order.total_tax),
        ("Tip", order.total_tip),
        ("Total before returns", order.total),
        ("Received", order.total_received),
        ("Refunded", order.total_refunded),
        ("Outstanding", order.total_outstanding),
    ]
    shown = [_amount(label, price) for label, price in terms if price is not None and price.presentment.amount]
    return [*shown, _amount("Total today", order.current_total)]


def buyer_of(order: RemoteOrder) -> list[tuple[str, str]]:
    """Who bought, as far as it is told."""
    customer, company = order.customer, order.company
    name = " ".join(filter(None, [customer.first_name, customer.last_name])) if customer else ""
    return _known(
        ("Name", name),
        ("Company", company.name if company else ""),
        ("Tax id", company.tax_id if company else ""),
        ("E-mail", order.email or ""),
        ("Phone", order.phone or ""),
        ("Bill to", _written(order.billing_address)),
        ("Ship to", _written(order.shipping_address)),
        ("Note", order.note or ""),
    )


def _sections(order: RemoteOrder) -> list[tuple[str, list[Row]]]:
    payments = [
        Row(
            _word(each.kind),
            _word(each.status),
            each.processed_at,
            _amount("", each.amount),
            details=each.gateway_title or each.gateway,
        )
        for each in order.transactions
    ]
    returns = [
        Row(each.name, _word(each.status), each.created_at, units=sum(line.quantity for line in each.lines))
        for each in order.returns
    ]
    sent = [
        Row(
            each.name,
            _word(each.status),
            each.created_at,
            units=sum(line.quantity for line in each.lines),
            details=", ".join(" ".join(filter(None, [parcel.company, parcel.number])) for parcel in each.tracking),
        )
        for each in order.fulfilments
    ]
    to_send = [
        Row(
            each.location_name or each.location_ref,
            _word(each.status),
            each.created_at,
            units=sum(line.remaining_quantity for line in each.lines),
            details=", ".join(_word(hold) for hold in each.holds),
        )
        for each in order.fulfilment_orders
    ]
    return [
        ("Payments", payments),
        ("Refunds", [_refund(each) for each in order.refunds]),
        ("Returns", returns),
        ("Sent", sent),
        ("To be sent", to_send),
    ]


def _refund(refund: Refund) -> Row:
    restocked = sum(line.quantity for line in refund.lines if line.restocked)
    units = sum(line.quantity for line in refund.lines)
    said = [f"{restocked:,} back in stock" if units else "no goods", refund.note]
    return Row("refund", "", refund.processed_at, _amount("", refund.total), units, " · ".join(filter(None, said)))


def _amount(label: str, price: TwoPrices) -> Amount:
    paid, shop = price.presentment, price.shop
    if paid.currency == shop.currency:
        return Amount(label, paid.amount, paid.currency)
    return Amount(label, paid.amount, paid.currency, shop.amount, shop.currency)


def _written(address: Address | None) -> str:
    if address is None:
        return ""
    parts = [address.name, address.company, address.address1, address.address2, address.zip, address.city]
    return ", ".join(filter(None, [*parts, address.province or address.province_code, address.country, address.phone]))


def _word(state: str) -> str:
    """A state of the store's as people read it."""
    return state.replace("_", " ")


def _known(*facts: tuple[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in facts if value]
