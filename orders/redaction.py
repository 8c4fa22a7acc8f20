"""An order without what names a person."""

from __future__ import annotations

import dataclasses

from connectors.ports.buyers import Address
from connectors.ports.orders import OrderLine, RemoteOrder


def without_person(order: RemoteOrder) -> RemoteOrder:
    """The same order with nothing in it that names a person.

    What goes: the customer, addresses but their country and province, company, notes, whatever was written beside the
    order and its lines, purchase order and tracking numbers. Lines, amounts and times stay: they are books, and name
    nobody.
    """
    return dataclasses.replace(
        order,
        customer_ref="",
        customer=None,
        email=None,
        phone=None,
        billing_address=_region(order.billing_address),
        shipping_address=_region(order.shipping_address),
        company=None,
        note=None,
        attributes=(),
        localized=(),
        tax_fields=(),
        po_number="",
        lines=tuple(_unwritten(line) for line in order.lines),
        refunds=tuple(dataclasses.replace(refund, note="") for refund in order.refunds),
        fulfilments=tuple(dataclasses.replace(sent, tracking=()) for sent in order.fulfilments),
    )


def _region(address: Address | None) -> Address | None:
    """Where taxes were due, and no more."""
    if address is None:
        return None
    nothing = dict.fromkeys((field.name for field in dataclasses.fields(Address)), "")
    return Address(**{**nothing, "country": address.country, "province_code": address.province_code})


def _unwritten(line: OrderLine) -> OrderLine:
    bundle = dataclasses.replace(line.bundle, attributes=()) if line.bundle else None
    return dataclasses.replace(line, attributes=(), bundle=bundle)
