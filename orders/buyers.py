"""Who bought: what of an order names a person, and the tax id of a business."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, Final

from django.utils import timezone

from connectors.models import Store
from connectors.ports.buyers import Address
from connectors.ports.orders import RemoteOrder
from orders.models import Buyer

TAX_ID_KEYS: Final = frozenset(
    {"vat", "vatid", "vatnumber", "vatno", "taxid", "taxnumber", "cui", "cif", "codfiscal", "nif", "nie", "piva"}
    | {"partitaiva", "ustid", "ustidnr", "uid", "siret", "tva", "btw", "btwnummer", "nip", "dic", "icdph"}
)
"""Names under which shops ask buyers for their tax id, without spaces, dots and case. Only such keys are believed: a note
may hold anything."""

LONGEST: Final = 180
"""Characters of a business that are told apart; so it is with all values that are mapped."""


def facts(order: RemoteOrder) -> dict[str, Any]:
    """Field → value of the `Buyer` of an order; empty where the store says nothing."""
    return {
        "name": _name(order),
        "email": (order.email or "")[:255],
        "phone": (order.phone or "")[:60],
        "company": company(order)[:255],
        "tax_id": tax_id(order)[:120],
        "business": business(order)[:LONGEST],
        "billing_address": _as_dict(order.billing_address),
        "shipping_address": _as_dict(order.shipping_address),
        "note": order.note or "",
        "withheld": list(order.withheld),
    }


def tax_id(order: RemoteOrder) -> str:
    """The tax registration of a business buyer: of its company, else what its country's form, a note attribute or a
    custom field of the store's setting says."""
    if order.company and order.company.tax_id:
        return order.company.tax_id.strip()
    stated = [field.value for field in order.localized if field.purpose == "tax"]
    stated += [attribute.value for attribute in order.attributes if _folded(attribute.key) in TAX_ID_KEYS]
    stated += [field.value for field in order.tax_fields]
    return next((value.strip() for value in stated if value.strip()), "")


def company(order: RemoteOrder) -> str:
    """The company that bought, as the store knows it or as the buyer wrote it in an address; empty for a person."""
    return (order.company.name if order.company else "") or _of_address(order, "company")


def business(order: RemoteOrder) -> str:
    """What tells a business buyer from every other: its tax id without spaces, signs and case, else its company's name.
    Empty for a private buyer."""
    registered = "".join(letter for letter in tax_id(order).upper() if letter.isalnum())
    return registered or " ".join(company(order).split())


def redact(store: Store, refs: Collection[str]) -> int:
    """Erase the buyers of these orders; returns how many named anybody. A repeat finds none."""
    nobody = {"name": "", "email": "", "phone": "", "company": "", "tax_id": "", "business": "", "note": ""}
    known = Buyer.objects.filter(order__store=store, order__incoming__ref__in=list(refs), redacted_at=None)
    return known.update(**nobody, withheld=[], billing_address=None, shipping_address=None, redacted_at=timezone.now())


def _name(order: RemoteOrder) -> str:
    customer = order.customer
    parts = [customer.first_name, customer.last_name] if customer else []
    return (" ".join(filter(None, parts)) or _of_address(order, "name"))[:255]


def _of_address(order: RemoteOrder, part: str) -> str:
    """A part of the billing address, else of the shipping address."""
    found = (getattr(address, part) for address in (order.billing_address, order.shipping_address) if address)
    return next(filter(None, found), "")


def _as_dict(address: Address | None) -> dict[str, str] | None:
    return dataclasses.asdict(address) if address else None


def _folded(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter.isalnum())
