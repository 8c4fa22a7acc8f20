"""Who bought, as Shopify tells it, in the port's words; and what it may refuse to tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from connectors.ports.buyers import Address, Attribute, Company, Customer, LocalizedField
from connectors.shopify import orders_nodes as nodes
from connectors.shopify.replies import GraphQLError

PROTECTED: Final = {
    "customer": "customer",
    "email": "email",
    "phone": "phone",
    "billingAddress": "billing_address",
    "shippingAddress": "shipping_address",
    "purchasingEntity": "company",
    "note": "note",
}
"""Fields of an order that tell of a person, and their names in the port. A shop may refuse each of them, or a part of it,
while it shows the rest (reference 1)."""


def withheld(error: GraphQLError) -> bool:
    """The shop does not let us read a protected field of an order, or a part of it: the scope is missing, or its
    approval for that kind of customer data (reference 1 and 2.3). The rest of the answer stands."""
    return error.code == "ACCESS_DENIED" and _refused_field(error)[1] != ""


def refused_fields(errors: Sequence[GraphQLError]) -> dict[int, set[str]]:
    """What was withheld of each order of a `nodes` list: fields of `PROTECTED` like email, or customer.firstName."""
    refused: dict[int, set[str]] = {}
    for error in errors:
        place, field = _refused_field(error)
        refused.setdefault(place, set()).add(field)
    return refused


def _refused_field(error: GraphQLError) -> tuple[int, str]:
    match error.path:
        case ["nodes", int(place), str(field), *rest] if field in PROTECTED:
            return place, ".".join([field, *(str(part) for part in rest)])
    return -1, ""


def attributes(written: Sequence[nodes.Written]) -> tuple[Attribute, ...]:
    """What was written beside an order, a line or a bundle."""
    return tuple(Attribute(key=one.key, value=one.value or "") for one in written)


def localized(node: nodes.LocalizedNode) -> LocalizedField:
    """A field that a country asks for."""
    return LocalizedField(
        key=node.key.lower(),
        country=node.country_code,
        purpose=node.purpose.lower(),
        title=node.title,
        value=node.value,
    )


def customer(node: nodes.CustomerNode | None, refused: Collection[str]) -> Customer | None:
    """The customer record, as far as it was shown."""
    if node is None:
        return None
    email, phone = node.default_email_address, node.default_phone_number
    return Customer(
        first_name=text(node.first_name, "customer.firstName" in refused),
        last_name=text(node.last_name, "customer.lastName" in refused),
        email=text(email.email_address if email else None, _touched("customer.defaultEmailAddress", refused)),
        phone=text(phone.phone_number if phone else None, _touched("customer.defaultPhoneNumber", refused)),
        tax_exempt=node.tax_exempt,
    )


def address(node: nodes.AddressNode | None) -> Address | None:
    """A postal address."""
    if node is None:
        return None
    return Address(
        name=node.name or "",
        company=node.company or "",
        address1=node.address1 or "",
        address2=node.address2 or "",
        city=node.city or "",
        province=node.province or "",
        province_code=node.province_code or "",
        zip=node.zip or "",
        country=node.country_code_v2 or "",
        phone=node.phone or "",
    )


def company(node: nodes.Purchaser | None) -> Company | None:
    """The company that bought; None for a person."""
    if node is None or node.company is None or node.location is None:
        return None
    return Company(
        ref=node.company.id,
        name=node.company.name,
        external_id=node.company.external_id or "",
        location_ref=node.location.id,
        location_name=node.location.name,
        location_external_id=node.location.external_id or "",
        tax_id=node.location.tax_settings.tax_registration_id or "",
    )


def text(value: str | None, refused: bool) -> str | None:
    """What was said, an empty string for nothing, None for what the shop refused to tell."""
    return None if refused else value or ""


def _touched(path: str, refused: Collection[str]) -> bool:
    return any(f"{one}.".startswith(f"{path}.") for one in refused)
