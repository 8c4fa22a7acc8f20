"""Protected customer data (reference §1): what an app may not see of buyers although it has the scopes.

An app needs Shopify's approval for customer data as such, and for each group of fields that names a person. What is withheld is
null, with an ACCESS_DENIED on the field; payloads of webhooks come without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .replies import FieldFault

GROUPS = ("customer", "name", "address", "email", "phone")
"""What can be withheld: the objects that describe a buyer, or single groups of their fields."""

_NAMES = ("displayName", "firstName", "lastName")
_PLACES = ("address1", "address2", "city", "zip")

FIELDS: dict[tuple[str, str], str] = {
    **{("Order", name): "customer" for name in ("customer", "purchasingEntity", "shippingAddress", "billingAddress")},
    ("Order", "email"): "email",
    ("Order", "phone"): "phone",
    **{("Customer", name): "name" for name in _NAMES},
    ("CustomerEmailAddress", "emailAddress"): "email",
    ("CustomerPhoneNumber", "phoneNumber"): "phone",
    **{("MailingAddress", name): "name" for name in ("firstName", "lastName", "name")},
    **{("MailingAddress", name): "address" for name in _PLACES},
    ("MailingAddress", "phone"): "phone",
}
"""GraphQL type and field → the group that it belongs to."""

_OBJECTS = {"customer": "Customer", "purchasingEntity": "Customer"}
_ADDRESSES = ("shipping_address", "billing_address")
_KEYS = {
    "name": ("first_name", "last_name", "name"),
    "address": ("address1", "address2", "city", "zip"),
    "email": ("email",),
    "phone": ("phone",),
}


def withheld(field: str, group: str) -> FieldFault:
    """The error of a field that the app is not approved for."""
    what = (
        f"use the {field} field"
        if group != "customer"
        else f"access the {_OBJECTS.get(field, 'MailingAddress')} object"
    )
    where = "https://shopify.dev/docs/apps/launch/protected-customer-data"
    message = f"This app is not approved to {what}. See {where} for more details."
    return FieldFault(message, "ACCESS_DENIED", documentation=where)


def unless_withheld(field: str, group: str, resolve: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """A field's resolver that answers only an app which is approved for the group."""

    def resolve_approved(row: Any, arguments: Any, run: Any) -> Any:
        if group in run.world.withheld:
            raise withheld(field, group)
        return resolve(row, arguments, run)

    return resolve_approved


def without(payload: dict[str, Any], groups: frozenset[str]) -> dict[str, Any]:
    """A webhook's payload as an app gets it from which these groups are withheld; the given one stays as it is."""
    if not groups or "line_items" not in payload or "financial_status" not in payload:
        return payload  # only orders tell of their buyers
    gone = {key for group in groups for key in _KEYS.get(group, ())}
    cut = {key: value for key, value in payload.items() if key not in gone - {"name"}}
    for part in ("customer", *_ADDRESSES):
        if "customer" in groups:
            cut[part] = None
        elif isinstance(cut.get(part), dict):
            cut[part] = {key: value for key, value in cut[part].items() if key not in gone}
    return cut
